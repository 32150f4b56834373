use thiserror::Error;

/// Why a patch was not applied. The text of each variant is the one Kubernetes clients see.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatchError {
    /// The patch itself is not of the format's shape. HTTP 400, reason `BadRequest`.
    #[error("{0}")]
    Malformed(String),
    /// More operations or bytes than are accepted. HTTP 413, reason `RequestEntityTooLarge`.
    #[error("{0}")]
    TooLarge(String),
    /// The patch is well formed but does not fit this document. HTTP 422, reason `Invalid`, empty details; upstream
    /// tells clients only "the server rejected our request due to an error in our request".
    #[error("{0}")]
    NotApplicable(String),

    /// What upstream answers as HTTP 500, reason `InternalError`, though the patch is at fault.
    #[error("{0}")]
    Internal(String),
}
