/// What a store accepts and how much history it keeps.
///
/// History beyond either bound is compacted by the write that crosses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Changes kept for watches and snapshots. Units: revisions; 0 counts as 1. Default 10,000.
    pub history_revisions: usize,
    /// Memory that superseded values and bookkeeping of the history may take. Units: bytes, approximate. Default 32 MiB.
    pub history_bytes: usize,
    /// Longest key accepted. Units: bytes. Default 2 KiB.
    pub key_bytes: usize,
    /// Largest value accepted. Units: bytes. Default 1.5 MiB.
    ///
    /// **Source:** etcd's `--max-request-bytes`.
    pub value_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { history_revisions: 10_000, history_bytes: 32 << 20, key_bytes: 2 << 10, value_bytes: 3 << 19 }
    }
}
