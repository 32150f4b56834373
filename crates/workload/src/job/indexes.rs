//! The completion indexes of an indexed Job: each of its pods has one, and each must succeed once. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use object::{Object, Value, json};

/// Annotation and label of a pod with its index.
pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// Variable of a pod's containers with its index.
const VARIABLE: &str = "JOB_COMPLETION_INDEX";

/// Returns true when the pods of `job` have indexes.
pub(super) fn is_indexed(job: &Object) -> bool {
    job.str(&["spec", "completionMode"]) == "Indexed"
}

/// Returns the index of a pod, `None` when it has none or one beyond the completions of `job`.
pub(super) fn index_of(pod: &Object, job: &Object) -> Option<u32> {
    let index = pod.annotation(INDEX)?.parse().ok()?;
    (i64::from(index) < job.int(&["spec", "completions"]).unwrap_or_default()).then_some(index)
}

/// A set of indexes, written as `0,2-4`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Indexes(BTreeSet<u32>);

impl Indexes {
    /// Returns the indexes in `status.completedIndexes` that are below the completions; what is no index is left out.
    pub(super) fn completed(job: &Object) -> Self {
        let end = u32::try_from(job.int(&["spec", "completions"]).unwrap_or_default()).unwrap_or_default();
        let mut indexes = BTreeSet::new();
        for part in job.str(&["status", "completedIndexes"]).split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
                indexes.extend(first..last.saturating_add(1).min(end));
            }
        }
        Self(indexes)
    }

    /// Returns the indexes that these pods have.
    pub(super) fn of<'a>(pods: impl IntoIterator<Item = &'a Arc<Object>>, job: &Object) -> Self {
        Self(pods.into_iter().filter_map(|pod| index_of(pod, job)).collect())
    }

    /// Adds an index.
    pub(super) fn insert(&mut self, index: u32) {
        self.0.insert(index);
    }

    /// Returns how many there are.
    pub(super) fn count(&self) -> i64 {
        i64::try_from(self.0.len()).unwrap_or(i64::MAX)
    }

    /// Returns the first `count` indexes below the completions of `job` that neither set has.
    pub(super) fn pending(&self, others: &Self, job: &Object, count: usize) -> Vec<u32> {
        let end = u32::try_from(job.int(&["spec", "completions"]).unwrap_or_default()).unwrap_or_default();
        (0..end).filter(|index| !self.0.contains(index) && !others.0.contains(index)).take(count).collect()
    }
}

impl fmt::Display for Indexes {
    /// Two in a row are written with a comma, more with a dash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.iter().copied().peekable();
        let mut separator = "";
        while let Some(first) = rest.next() {
            let mut last = first;
            while let Some(next) = rest.next_if_eq(&(last.saturating_add(1))) {
                last = next;
            }
            write!(f, "{separator}{first}")?;
            match last - first {
                0 => {}
                1 => write!(f, ",{last}")?,
                _ => write!(f, "-{last}")?,
            }
            separator = ",";
        }
        Ok(())
    }
}

/// Returns the active pods that must go: those without an index of the job, and all but one of each index.
///
/// Source: `appendDuplicatedIndexPodsForRemoval`.
pub(super) fn superfluous(active: &[Arc<Object>], job: &Object) -> Vec<Arc<Object>> {
    let mut seen = BTreeSet::new();
    let superfluous = |pod: &&Arc<Object>| index_of(pod, job).is_none_or(|index| !seen.insert(index));
    active.iter().filter(superfluous).cloned().collect()
}

/// Gives a pod of `job` its index: annotation, label, host name, variable and name.
pub(super) fn give(pod: &mut Object, job: &Object, index: u32) {
    pod.set_annotation(INDEX, &index.to_string());
    pod.set_label(INDEX, &index.to_string());
    pod.set(&["spec", "hostname"], format!("{}-{index}", job.name()));
    let suffix = format!("-{index}-");
    let end = job.name().len().min(58_usize.saturating_sub(suffix.len()));
    let prefix = job.name().get(..end).unwrap_or_else(|| job.name());
    pod.set(&["metadata", "generateName"], format!("{prefix}{suffix}"));
    for list in ["initContainers", "containers"] {
        let mut containers = pod.items(&["spec", list]).to_vec();
        containers.iter_mut().for_each(add_variable);
        if !containers.is_empty() {
            pod.set(&["spec", list], containers);
        }
    }
}

fn add_variable(container: &mut Value) {
    let mut variables = container["env"].as_array().cloned().unwrap_or_default();
    if variables.iter().any(|one| one["name"] == VARIABLE) {
        return;
    }
    let field = format!("metadata.labels['{INDEX}']");
    variables.push(json!({"name": VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": field}}}));
    container["env"] = variables.into();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(completed: &str) -> Object {
        Object::from_value(json!({
            "metadata": {"name": "j"}, "spec": {"completions": 10, "completionMode": "Indexed"},
            "status": {"completedIndexes": completed}
        }))
    }

    #[test]
    fn written_and_read() {
        for text in ["", "0", "3,4", "1,3-5,7", "0-9"] {
            assert_eq!(Indexes::completed(&job(text)).to_string(), text);
        }
        assert_eq!(Indexes::completed(&job("x,2-1,8-4000000000")).to_string(), "8,9");
    }

    #[test]
    fn what_is_still_to_do() {
        let job = job("0,2-4");
        let active = Indexes(BTreeSet::from([1, 6]));
        assert_eq!(Indexes::completed(&job).pending(&active, &job, 3), [5, 7, 8]);
    }

    #[test]
    fn a_pod_is_given_its_index_once() {
        let mut pod = Object::from_value(json!({"metadata": {}, "spec": {"containers": [
            {"name": "a"}, {"name": "b", "env": [{"name": "JOB_COMPLETION_INDEX", "value": "mine"}]}]}}));
        give(&mut pod, &job(""), 3);
        assert_eq!(index_of(&pod, &job("")), Some(3));
        assert_eq!(pod.str(&["metadata", "generateName"]), "j-3-");
        assert_eq!(pod.str(&["spec", "hostname"]), "j-3");
        let containers = pod.items(&["spec", "containers"]);
        let path = "metadata.labels['batch.kubernetes.io/job-completion-index']";
        assert_eq!(containers[0]["env"][0]["valueFrom"]["fieldRef"]["fieldPath"], path);
        assert_eq!(containers[1]["env"].as_array().unwrap().len(), 1);
        let (twin, stranger) = (pod.clone(), Object::from_value(json!({"metadata": {}})));
        let all = [pod, twin, stranger].map(Arc::new);
        assert_eq!(superfluous(&all, &job("")).len(), 2);
    }
}
