//! What is told of a pod as Kubernetes Events, in the words of the kubelet.
//!
//! Source: `pkg/kubelet/events/event.go` and the messages of `kuberuntime` and `images` of Kubernetes 1.36.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object::{Object, Time};
use runtime::{Clock, EventType, Recorder};

/// Events of one type that may come at once. Source: client-go `defaultSpamBurst`.
const BURST: u32 = 25;
/// Time after which one more may come. Source: client-go `defaultSpamQPS`.
const REFILL: Duration = Duration::from_secs(300);

/// Something that happened to a pod or to one of its containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// The image is in the store.
    ImagePresent(String),
    /// The image is looked for.
    ImagePulling(String),
    /// The image is not there, and why.
    ImageFailed(String, String),
    /// The image is looked for again later.
    ImageBackOff(String),
    /// The image is not there and must not be looked for elsewhere.
    ImageNever(String),
    /// The container cannot be made or started; with the cause.
    Failed(String),
    /// The container has all that it needs.
    Created,
    /// Its process runs.
    Started,
    /// It is being stopped; with the reason as a sentence.
    Killing(String),
    /// It waits before it is started again: container and pod.
    RestartBackOff(String, String),
    /// A probe failed: its kind and the cause.
    Unhealthy(&'static str, String),
    /// A hook failed. Not why: its output may hold secrets.
    PostStartFailed,
    /// A hook failed. Not why: its output may hold secrets.
    PreStopFailed,
    /// Volumes cannot be written; with the cause.
    MountFailed(String),
    /// The pod was active for too long; with the sentence of its status.
    DeadlineExceeded(String),
    /// Output of the container is lost; with the cause. No word of upstream's.
    OutputLost(String),
}

impl Happening {
    /// Returns type, reason and message.
    fn told(&self) -> (EventType, &'static str, String) {
        use EventType::{Normal, Warning};
        match self {
            Self::ImagePresent(image) => {
                let message = format!(
                    "Container image \"{image}\" already present on machine and can be accessed by the pod"
                );
                (Normal, "Pulled", message)
            }
            Self::ImagePulling(image) => (Normal, "Pulling", format!("Pulling image \"{image}\"")),
            Self::ImageFailed(image, why) => {
                (Warning, "Failed", format!("Failed to pull image \"{image}\": {why}"))
            }
            Self::ImageBackOff(image) => (Normal, "BackOff", image_back_off(image)),
            Self::ImageNever(image) => (Warning, "ErrImageNeverPull", image_never(image)),
            Self::Failed(why) => (Warning, "Failed", format!("Error: {why}")),
            Self::Created => (Normal, "Created", "Container created".into()),
            Self::Started => (Normal, "Started", "Container started".into()),
            Self::Killing(why) => (Normal, "Killing", why.clone()),
            Self::RestartBackOff(container, pod) => {
                (Warning, "BackOff", format!("Back-off restarting failed container {container} in pod {pod}"))
            }
            Self::Unhealthy(kind, why) => (Warning, "Unhealthy", format!("{kind} probe failed: {why}")),
            Self::PostStartFailed => (Warning, "FailedPostStartHook", "PostStartHook failed".into()),
            Self::PreStopFailed => (Warning, "FailedPreStopHook", "PreStopHook failed".into()),
            Self::MountFailed(why) => (Warning, "FailedMount", format!("MountVolume.SetUp failed: {why}")),
            Self::DeadlineExceeded(why) => (Normal, "DeadlineExceeded", why.clone()),
            Self::OutputLost(why) => (Warning, "OutputLost", format!("Container output is lost: {why}")),
        }
    }
}

/// Returns the sentence that says that an image is looked for again later.
pub(crate) fn image_back_off(image: &str) -> String {
    format!("Back-off pulling image \"{image}\"")
}

/// Returns the sentence that says that an image is missing and must not be looked for.
pub(crate) fn image_never(image: &str) -> String {
    format!("Container image \"{image}\" is not present with pull policy of Never")
}

/// Tells what happens to one pod, or to one container of it. Cheap to clone; never waits.
///
/// Of each type of Event 25 may come at once and one more every 5 minutes, so that a pod that fails for ever does not
/// write for ever. Source: client-go `EventSourceObjectSpamFilter`.
#[derive(Clone)]
pub(crate) struct Teller {
    recorder: Recorder,
    pod: Arc<Object>,
    clock: Clock,
    allowances: Arc<Mutex<[Allowance; 2]>>,
}

impl Teller {
    /// Returns a teller of what happens to `pod` as a whole.
    pub(crate) fn new(recorder: &Recorder, pod: &Arc<Object>, clock: &Clock) -> Self {
        let full = Allowance { used: 0, since: clock.now() };
        let allowances = Arc::new(Mutex::new([full, full]));
        Self { recorder: recorder.clone(), pod: pod.clone(), clock: clock.clone(), allowances }
    }

    /// Returns a teller of what happens to a part of the pod, with the same allowance.
    pub(crate) fn of_part(&self, field_path: &str) -> Self {
        Self { recorder: self.recorder.about_part(field_path), ..self.clone() }
    }

    /// Records the Event, unless there were too many.
    pub(crate) fn tell(&self, happening: &Happening) {
        let (event_type, reason, message) = happening.told();
        let slot = usize::from(event_type == EventType::Warning);
        let mut allowances = self.allowances.lock().unwrap_or_else(PoisonError::into_inner);
        if allowances.get_mut(slot).is_some_and(|allowance| allowance.take(self.clock.now())) {
            self.recorder.record(&self.pod, event_type, reason, &message);
        } else {
            tracing::debug!(pod = %self.pod.key(), reason, message, "too many events about the pod");
        }
    }
}

/// A bucket of [`BURST`] tokens that gets one more each [`REFILL`].
#[derive(Clone, Copy, Debug)]
struct Allowance {
    used: u32,
    since: Time,
}

impl Allowance {
    /// Takes a token; false when there is none.
    fn take(&mut self, now: Time) -> bool {
        while self.used > 0 && now.since(self.since) >= REFILL {
            self.used -= 1;
            self.since = self.since.after(REFILL);
        }
        if self.used == 0 {
            self.since = now;
        }
        let free = self.used < BURST;
        self.used += u32::from(free);
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let told = |happening: Happening| {
            let (event_type, reason, message) = happening.told();
            format!("{event_type:?} {reason} {message}")
        };
        for (happening, expected) in [
            (
                Happening::ImagePresent("a:1".into()),
                "Normal Pulled Container image \"a:1\" already present on machine and can be accessed by the pod",
            ),
            (
                Happening::ImageFailed("a:1".into(), "gone".into()),
                "Warning Failed Failed to pull image \"a:1\": gone",
            ),
            (
                Happening::ImageNever("a:1".into()),
                "Warning ErrImageNeverPull Container image \"a:1\" is not present with pull policy of Never",
            ),
            (Happening::Failed("ErrImagePull".into()), "Warning Failed Error: ErrImagePull"),
            (Happening::Killing("Stopping container web".into()), "Normal Killing Stopping container web"),
            (
                Happening::RestartBackOff("web".into(), "p_ns(uid)".into()),
                "Warning BackOff Back-off restarting failed container web in pod p_ns(uid)",
            ),
            (Happening::Unhealthy("Liveness", "no".into()), "Warning Unhealthy Liveness probe failed: no"),
        ] {
            assert_eq!(told(happening), expected);
        }
    }

    #[test]
    fn twenty_five_at_once_then_one_in_five_minutes() {
        let start = Time::from_unix(0);
        let mut allowance = Allowance { used: 0, since: start };
        let taken = (0..30).filter(|_| allowance.take(start.after(Duration::from_secs(10)))).count();
        assert_eq!(taken, 25);
        assert!(!allowance.take(start.after(Duration::from_secs(309))));
        assert!(allowance.take(start.after(Duration::from_secs(310))));
        assert!(!allowance.take(start.after(Duration::from_secs(311))));
        let later = start.after(REFILL * 100);
        assert_eq!((0..30).filter(|_| allowance.take(later)).count(), 25);
    }
}
