//! Pods that do not run: what they show follows from a rule, their own status and the time.
//!
//! Rules are data in the manner of kwok. Nothing is kept in memory, so a restart changes nothing.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use object::{LabelSelector, Object};

mod rules_file;
mod runner;
mod step;

pub use rules_file::RulesError;
pub(crate) use runner::run;
pub(crate) use step::read;

/// What happens to the pods that a rule applies to. All times count from the start of the container.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Image of the first container, with `*` for any text; empty for any image.
    pub image: String,
    /// Labels of the pod; the empty selector for any.
    pub labels: LabelSelector,
    /// When the containers are ready.
    pub ready_after: Duration,
    /// They run but are never ready.
    pub never_ready: bool,
    /// When the containers end. Pods of Jobs end after `ready_after` when nothing is said.
    pub exit_after: Option<Duration>,
    /// Exit code with which they end.
    pub exit_code: i32,
    /// The image cannot be had.
    pub image_pull_error: bool,
}

impl Default for Rule {
    /// Returns the rule for any pod: ready after 1 s, for ever.
    fn default() -> Self {
        Self {
            image: String::new(),
            labels: LabelSelector::default(),
            ready_after: Duration::from_secs(1),
            never_ready: false,
            exit_after: None,
            exit_code: 0,
            image_pull_error: false,
        }
    }
}

/// Rules, the first that applies counts; without any the default rule does.
#[derive(Clone, Debug, Default)]
pub struct Rules(Arc<Vec<Rule>>);

impl Rules {
    /// Returns these rules in order.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(Arc::new(rules))
    }

    pub(crate) fn find(&self, pod: &Object) -> Rule {
        let image = pod.items(&["spec", "containers"]).first().map(|first| first["image"].clone());
        let image = image.as_ref().and_then(|image| image.as_str()).unwrap_or_default();
        let labels = pod.labels();
        let applies = |rule: &&Rule| {
            (rule.image.is_empty() || matches(&rule.image, image)) && rule.labels.matches(&labels)
        };
        let mut rule = self.0.iter().find(applies).cloned().unwrap_or_default();
        let is_job = pod.controller().is_some_and(|owner| owner.kind == "Job");
        if is_job && rule.exit_after.is_none() {
            rule.exit_after = Some(rule.ready_after);
        }
        rule
    }
}

/// Returns true when `text` is `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(first) else { return false };
    (0..=text.len()).any(|at| text.is_char_boundary(at) && matches(rest, &text[at..]))
}

/// Returns the `index`-th address of simulated pods. Nobody listens there, so it is no loopback address, which
/// EndpointSlices would not take.
fn address(index: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 128, 0, 1)) + index % 0x7f_fff0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    #[test]
    fn the_first_rule_that_applies_counts() {
        let broken = Rule { image: "color:*-bad".into(), image_pull_error: true, ..Rule::default() };
        let slow = Rule {
            labels: LabelSelector::parse("tier=slow").unwrap(),
            ready_after: Duration::from_secs(9),
            ..Rule::default()
        };
        let rules = Rules::new(vec![broken, slow]);
        let pod = |image: &str, tier: &str| {
            Object::from_value(json!({
                "metadata": {"labels": {"tier": tier}}, "spec": {"containers": [{"image": image}]}
            }))
        };
        assert!(rules.find(&pod("color:2-bad", "slow")).image_pull_error);
        assert_eq!(rules.find(&pod("color:2", "slow")).ready_after.as_secs(), 9);
        assert_eq!(rules.find(&pod("color:2", "fast")), Rule::default());
    }

    #[test]
    fn pods_of_jobs_end() {
        let pod = Object::from_value(json!({"metadata": {"ownerReferences": [
            {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u", "controller": true}]}}));
        assert_eq!(Rules::default().find(&pod).exit_after, Some(Duration::from_secs(1)));
    }
}
