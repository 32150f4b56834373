//! What a request may ask for beside its object.

use object::{Value, json};

/// Which objects of a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selection {
    /// One namespace instead of all. [`crate::Cluster::list`] takes its namespace as an argument and ignores this.
    pub namespace: Option<String>,
    /// Label selector in its query form.
    pub labels: Option<String>,
    /// Field selector in its query form.
    pub fields: Option<String>,
}

impl Selection {
    /// Returns everything with these labels.
    pub fn labels(selector: &str) -> Self {
        Self { labels: Some(selector.to_owned()), ..Self::default() }
    }

    /// Returns everything with these fields.
    pub fn fields(selector: &str) -> Self {
        Self { fields: Some(selector.to_owned()), ..Self::default() }
    }

    /// Returns everything in `namespace`.
    pub fn namespace(namespace: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..Self::default() }
    }

    pub(crate) fn query(&self) -> Vec<(&'static str, String)> {
        let labels = self.labels.iter().map(|text| ("labelSelector", text.clone()));
        labels.chain(self.fields.iter().map(|text| ("fieldSelector", text.clone()))).collect()
    }
}

/// The part of an object that a request goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subresource {
    /// The object itself.
    #[default]
    None,
    /// `/status`.
    Status,
    /// `/scale`.
    Scale,
    /// `/eviction` of a pod.
    Eviction,
    /// `/binding` of a pod.
    Binding,
    /// `/finalize` of a namespace.
    Finalize,
}

impl Subresource {
    pub(crate) fn path(self, mut object: String) -> String {
        object.push_str(match self {
            Self::None => "",
            Self::Status => "/status",
            Self::Scale => "/scale",
            Self::Eviction => "/eviction",
            Self::Binding => "/binding",
            Self::Finalize => "/finalize",
        });
        object
    }
}

/// What the server does about fields that its schema does not know and about fields given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValidation {
    /// Refuses the request.
    Strict,
    /// Drops the fields in silence.
    Ignore,
}

impl FieldValidation {
    pub(crate) fn query(self) -> (&'static str, String) {
        let value = match self {
            Self::Strict => "Strict",
            Self::Ignore => "Ignore",
        };
        ("fieldValidation", value.to_owned())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Merge,
    Strategic,
    Apply,
}

/// A change of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    kind: Kind,
    pub(crate) body: Value,
    pub(crate) subresource: Subresource,
    manager: Option<String>,
    force: bool,
    dry_run: bool,
    validation: Option<FieldValidation>,
}

impl Patch {
    fn new(kind: Kind, body: Value) -> Self {
        Self {
            kind,
            body,
            subresource: Subresource::None,
            manager: None,
            force: false,
            dry_run: false,
            validation: None,
        }
    }

    /// Returns a JSON patch (RFC 6902).
    pub fn json(operations: Value) -> Self {
        Self::new(Kind::Json, operations)
    }

    /// Returns a JSON merge patch (RFC 7386).
    pub fn merge(body: Value) -> Self {
        Self::new(Kind::Merge, body)
    }

    /// Returns a strategic merge patch; for built-in kinds only.
    pub fn strategic(body: Value) -> Self {
        Self::new(Kind::Strategic, body)
    }

    /// Returns a server-side apply of `body` by `manager`.
    pub fn apply(body: Value, manager: &str) -> Self {
        Self::new(Kind::Apply, body).manager(manager)
    }

    /// Returns the same patch for a subresource.
    #[must_use]
    pub fn on(mut self, subresource: Subresource) -> Self {
        self.subresource = subresource;
        self
    }

    /// Returns the same patch in the name of `manager`.
    #[must_use]
    pub fn manager(mut self, manager: &str) -> Self {
        self.manager = Some(manager.to_owned());
        self
    }

    /// Returns the same apply, taking over fields of other managers.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// Returns the same patch, answered but not stored.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Returns the same patch with unknown and repeated fields treated as `validation` says; without it the server only
    /// warns.
    #[must_use]
    pub fn field_validation(mut self, validation: FieldValidation) -> Self {
        self.validation = Some(validation);
        self
    }

    /// Returns the body of the patch.
    pub fn body(&self) -> &Value {
        &self.body
    }

    pub(crate) fn content_type(&self) -> &'static str {
        match self.kind {
            Kind::Json => "application/json-patch+json",
            Kind::Merge => "application/merge-patch+json",
            Kind::Strategic => "application/strategic-merge-patch+json",
            Kind::Apply => "application/apply-patch+yaml",
        }
    }

    pub(crate) fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        if let Some(manager) = &self.manager {
            query.push(("fieldManager", manager.clone()));
        }
        if self.force {
            query.push(("force", "true".to_owned()));
        }
        if self.dry_run {
            query.push(("dryRun", "All".to_owned()));
        }
        query.extend(self.validation.map(FieldValidation::query));
        query
    }
}

/// What happens to the objects that the deleted one owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They go first, the object waits for them.
    Foreground,
    /// The object goes first.
    Background,
    /// They stay.
    Orphan,
}

/// How an object is deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletion {
    /// Fate of owned objects; the server's default when absent.
    pub propagation: Option<Propagation>,
    /// Grace period in seconds; the object's own when absent.
    pub grace: Option<u32>,
    /// Uid that the object must have.
    pub uid: Option<String>,
    /// Version that the object must have.
    pub resource_version: Option<String>,
}

impl Deletion {
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
        if let Some(propagation) = self.propagation {
            body["propagationPolicy"] = match propagation {
                Propagation::Foreground => "Foreground",
                Propagation::Background => "Background",
                Propagation::Orphan => "Orphan",
            }
            .into();
        }
        if let Some(grace) = self.grace {
            body["gracePeriodSeconds"] = grace.into();
        }
        if let Some(uid) = &self.uid {
            body["preconditions"]["uid"] = uid.clone().into();
        }
        if let Some(version) = &self.resource_version {
            body["preconditions"]["resourceVersion"] = version.clone().into();
        }
        body
    }
}

/// Answer to an eviction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Eviction {
    /// The pod is being deleted.
    Evicted,
    /// The pod does not exist.
    Gone,
    /// A disruption budget does not allow it now; with the server's message.
    Refused(String),
}
