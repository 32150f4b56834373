//! What every verb works with, and how it fails.

use std::io::Write as _;

use object::{Key, Object, Time, Value, json};
use runtime::{ApiError, Cluster, ClusterError, Discovery, Patch, resources};

use crate::print::arguments::help;
use crate::{Exit, Session};

use super::arguments::{Arguments, Global, LogFormat};

/// Why a verb did not do its work.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The arguments make no sense together: the help of the verb, and what is wrong when there is more to say.
    Usage { text: String, problem: Option<String> },
    /// Anything else: a sentence and the exit code.
    Fatal { message: String, exit: Exit },
    /// All is said.
    Quiet(Exit),
}

impl Failure {
    /// Returns a failure with the exit code that the existing tool has for errors of requests.
    pub fn fatal(message: impl Into<String>) -> Self {
        Self::Fatal { message: message.into(), exit: Exit(20) }
    }

    /// Returns a failure with exit code 1.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Fatal { message: message.into(), exit: Exit::FAILED }
    }

    /// Returns a failure in the words of a gRPC status.
    pub fn rpc(code: &str, description: impl std::fmt::Display) -> Self {
        Self::fatal(format!("rpc error: code = {code} desc = {description}"))
    }

    /// Returns the failure for arguments that the verb `path` does not take.
    pub fn usage(path: &[&str]) -> Self {
        Self::Usage { text: help::<Arguments>(path), problem: None }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let code = match error.code {
            400 | 422 => "InvalidArgument",
            401 | 403 => "PermissionDenied",
            404 => "NotFound",
            409 => "Aborted",
            0 | 429 | 500..=599 => "Unavailable",
            _ => "Unknown",
        };
        Self::rpc(code, error.message)
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        Self::fatal(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::fatal(error.to_string())
    }
}

/// How often a change that met another one is tried.
const ATTEMPTS: usize = 10;

/// The session of one verb with its cluster and the namespace of its Applications.
pub(super) struct Context<'a> {
    pub session: &'a mut Session,
    pub cluster: Cluster,
    pub discovery: Discovery,
    pub namespace: String,
    /// Form of log lines.
    pub format: LogFormat,
    /// Whether a person can be asked: not when the cluster was given beforehand.
    pub interactive: bool,
}

impl<'a> Context<'a> {
    /// Connects.
    pub async fn open(global: &Global, session: &'a mut Session) -> Result<Self, Failure> {
        let interactive = session.cluster.is_none();
        let cluster = session.connect(global.connection()?).await?;
        let discovery = Discovery::new(cluster.clone());
        let (namespace, format) = (global.namespace(), global.logformat);
        Ok(Self { session, cluster, discovery, namespace, format, interactive })
    }

    /// Returns the current time.
    pub fn now(&self) -> Time {
        self.session.clock.now()
    }

    /// Writes data.
    pub fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.session.out.write_all(text.as_bytes())?;
        Ok(self.session.out.flush()?)
    }

    /// Writes a log line that tells what was done.
    pub fn info(&mut self, message: &str) {
        super::log(self.session, self.format, "info", message);
    }

    /// Returns the key of an Application named `name` or `namespace/name`.
    pub fn key(&self, name: &str) -> Key {
        match name.split_once('/') {
            Some((namespace, name)) => Key::new(namespace, name),
            None => Key::new(&self.namespace, name),
        }
    }

    /// Returns the Application; one that does not exist is refused like one that the caller may not see.
    pub async fn app(&self, name: &str) -> Result<Object, Failure> {
        let found = self.cluster.get(&resources::APPLICATIONS, &self.key(name)).await?;
        found.ok_or_else(|| Failure::rpc("PermissionDenied", "permission denied"))
    }

    /// Returns the Applications of the namespace with these labels.
    pub async fn apps(&self, labels: Option<&str>) -> Result<Vec<Object>, Failure> {
        let selection = runtime::Selection { labels: labels.map(str::to_owned), ..Default::default() };
        Ok(self.cluster.list(&resources::APPLICATIONS, Some(&self.namespace), &selection).await?)
    }

    /// Merges what `change` makes of the Application into it; made anew of the latest one when somebody else was faster.
    pub async fn update(
        &self,
        key: &Key,
        change: impl Fn(&Object) -> Result<Value, Failure>,
    ) -> Result<Object, Failure> {
        let mut attempt = 1;
        loop {
            let app = self.app(&key.to_string()).await?;
            let mut body = change(&app)?;
            if !app.resource_version().is_empty() {
                body["metadata"]["resourceVersion"] = json!(app.resource_version());
            }
            match self.cluster.patch(&resources::APPLICATIONS, key, &Patch::merge(body)).await {
                Err(error) if error.is_conflict() && attempt < ATTEMPTS => attempt += 1,
                answer => return Ok(answer?),
            }
        }
    }

    /// Returns the address of the page of the Application called `name`, when the settings tell where the UI is.
    pub async fn url(&self, name: &str) -> Option<String> {
        let key = Key::new(&self.namespace, "argocd-cm");
        let settings = self.cluster.get(&resources::CONFIG_MAPS, &key).await.ok()??;
        let base = settings.str(&["data", "url"]);
        (!base.is_empty()).then(|| format!("{base}/applications/{name}"))
    }

    /// Returns the AppProject of the Application, `None` for a `default` project that nobody wrote down.
    pub async fn project(&self, app: &Object) -> Result<Option<Object>, Failure> {
        let name = super::view::project(app);
        let found = self.cluster.get(&resources::APP_PROJECTS, &Key::new(&self.namespace, name)).await;
        let found = match found {
            Err(error) if error.is_not_found() => None,
            found => found?,
        };
        if found.is_none() && name != "default" {
            let text = format!("app is not allowed in project {name:?}, or the project does not exist");
            return Err(Failure::rpc("InvalidArgument", text));
        }
        Ok(found)
    }
}
