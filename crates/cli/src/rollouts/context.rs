//! What every verb works with, and how it fails.

use std::io::Write as _;

use object::{Key, Object, Time};
use runtime::{ApiError, Cluster, ClusterError, Patch, Resource, Subresource};

use crate::Session;
use crate::print::arguments::help;

use super::arguments::{Arguments, Global};

/// Why a verb did not do its work.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The arguments make no sense together: the help of the verb.
    Usage(String),
    /// Anything else: a sentence.
    Error(String),
}

impl Failure {
    /// Returns the failure for arguments that the verb `path` does not take.
    pub fn usage(path: &[&str]) -> Self {
        Self::Usage(help::<Arguments>(path))
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Error(error.message)
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        Self::Error(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Error(error.to_string())
    }
}

/// The session of one verb with its cluster and namespace.
pub(super) struct Context<'a> {
    pub session: &'a mut Session,
    pub cluster: Cluster,
    pub namespace: String,
}

impl<'a> Context<'a> {
    /// Connects.
    pub async fn open(global: &Global, session: &'a mut Session) -> Result<Self, Failure> {
        let cluster = session.connect(global.connect.connection()).await?;
        let namespace = global.connect.namespace_in(&cluster);
        Ok(Self { session, cluster, namespace })
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

    /// Writes a line of talk.
    pub fn talk(&mut self, line: &str) -> Result<(), Failure> {
        Ok(writeln!(self.session.err, "{line}")?)
    }

    /// Returns the key of `name` in this namespace.
    pub fn key(&self, name: &str) -> Key {
        Key::new(&self.namespace, name)
    }

    /// Returns the object; one that does not exist is a failure that names its resource, as the server would say.
    pub async fn existing(&self, resource: &Resource, name: &str) -> Result<Object, Failure> {
        let path = resource.path(&self.namespace, name);
        Ok(Object::from_value(self.cluster.fetch(&path).await?))
    }

    /// Patches the status of an object, through the object itself where its kind has no status subresource.
    pub async fn patch_status(
        &self,
        resource: &Resource,
        name: &str,
        patch: &Patch,
    ) -> Result<Object, ApiError> {
        let key = self.key(name);
        match self.cluster.patch(resource, &key, &patch.clone().on(Subresource::Status)).await {
            Err(error) if error.is_not_found() => self.cluster.patch(resource, &key, patch).await,
            answer => answer,
        }
    }
}
