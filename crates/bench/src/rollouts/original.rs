//! What the original needed: Argo Rollouts 1.8 on two cores shared with the control plane, its client limits raised until
//! the API server is the bottleneck, 1,000 Rollouts of one pod with one Service each.

/// What one phase took with 1,000 Rollouts.
pub(super) struct Phase {
    pub(super) name: &'static str,
    /// Until all were where they should be, in seconds.
    pub(super) seconds: f64,
    /// Of the controller, in seconds.
    pub(super) cpu: f64,
    /// Without Events.
    pub(super) requests: f64,
    pub(super) events: f64,
}

pub(super) const CREATE: Phase =
    Phase { name: "create → Healthy", seconds: 61.0, cpu: 16.4, requests: 9064.0, events: 1911.0 };
pub(super) const UPDATE: Phase =
    Phase { name: "new image → Paused", seconds: 66.0, cpu: 21.8, requests: 8032.0, events: 1173.0 };
pub(super) const PROMOTE: Phase =
    Phase { name: "promote → Healthy", seconds: 97.0, cpu: 35.4, requests: 13_051.0, events: 2190.0 };
pub(super) const FULL: Phase =
    Phase { name: "promote --full → Healthy", seconds: 52.0, cpu: 16.5, requests: 6030.0, events: 1461.0 };

/// Goal for the peak of the memory, in MiB: 30 for 1,000 Rollouts, 90 for 5,000, on a line between and beyond.
pub(super) fn memory_goal(count: usize) -> f64 {
    let thousands = u32::try_from(count).map_or(f64::MAX, f64::from) / 1000.0;
    15.0 + 15.0 * thousands
}
