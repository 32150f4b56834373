//! Transcripts of the Kubernetes wire protocol: a script of requests, played against any API server, and its
//! answers in a form that two servers can be compared by.
//!
//! The same player runs against a real kube-apiserver (`cargo xtask kube record`, which keeps the answers as
//! recordings) and against the embedded one (the replay test of crate `apiserver`). A difference between the two
//! is a defect of the embedded server or a listed, reasoned exception.
//!
//! This crate never decides whether two answers agree, and it is for tests and tooling only: nothing that ships
//! depends on it.
//!
//! Start reading at [`play`]. The file formats are described in `crates/apiserver/tests/transcripts/README.md`.

mod answer;
mod filter;
mod normal;
mod play;
mod reference;
mod script;

pub use answer::{Answer, Recording};
pub use play::{PlayError, play};
pub use script::{Eventually, History, Method, Script, ScriptError, Step, Watch};
