//! Whether a node takes a pod.

use std::collections::BTreeMap;

use object::{ConditionStatus, LabelSelector, Object, Value, quantity};

/// Why a node does not take a pod, in the order that is checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Misfit {
    /// The node is cordoned.
    Unschedulable,
    /// The node is not ready.
    NotReady,
    /// `spec.nodeSelector` asks for other labels.
    Selector,
    /// The node has a taint that the pod does not tolerate; with its key and value.
    Taint(String),
    /// The node has as many pods as it takes.
    TooManyPods,
    /// Not enough of this resource is left.
    Insufficient(&'static str),
}

/// Returns why `node`, on which the pods `there` are, does not take `pod`.
pub(super) fn misfit(pod: &Object, node: &Object, there: &[&Object]) -> Option<Misfit> {
    if node.flag(&["spec", "unschedulable"]) {
        return Some(Misfit::Unschedulable);
    }
    if let Some(taint) = node.items(&["spec", "taints"]).iter().find(|taint| repels(taint, pod)) {
        let text = |field: &str| taint[field].as_str().unwrap_or_default().to_owned();
        return Some(Misfit::Taint(format!("{}: {}", text("key"), text("value"))));
    }
    if node.condition("Ready").is_none_or(|ready| ready.status != ConditionStatus::True) {
        return Some(Misfit::NotReady);
    }
    let selector =
        LabelSelector::from_json(&object::json!({"matchLabels": pod.get(&["spec", "nodeSelector"])}));
    if selector.is_ok_and(|selector| !selector.matches(&node.labels())) {
        return Some(Misfit::Selector);
    }
    if allocatable(node, "pods").is_some_and(|pods| milli(there.len()) >= pods) {
        return Some(Misfit::TooManyPods);
    }
    ["cpu", "memory"].into_iter().find_map(|resource| {
        let used: i64 = there.iter().map(|pod| request(pod, resource)).sum();
        let wanted = request(pod, resource);
        let short = allocatable(node, resource).is_some_and(|all| wanted > 0 && used + wanted > all);
        short.then_some(Misfit::Insufficient(resource))
    })
}

fn repels(taint: &Value, pod: &Object) -> bool {
    let effect = taint["effect"].as_str().unwrap_or_default();
    if !matches!(effect, "NoSchedule" | "NoExecute") {
        return false;
    }
    !pod.items(&["spec", "tolerations"]).iter().any(|toleration| {
        let text = |field: &str| toleration[field].as_str().unwrap_or_default();
        let same_effect = text("effect").is_empty() || text("effect") == effect;
        let same_key = text("key").is_empty() || taint["key"] == text("key");
        let same_value =
            text("operator") == "Exists" || taint["value"].as_str().unwrap_or_default() == text("value");
        same_effect && same_key && same_value
    })
}

fn allocatable(node: &Object, resource: &str) -> Option<i64> {
    quantity::milli(node.str(&["status", "allocatable", resource]))
}

/// Thousandths of `resource` that the pod's containers ask for.
fn request(pod: &Object, resource: &str) -> i64 {
    let containers = pod.items(&["spec", "containers"]).iter();
    containers
        .filter_map(|container| quantity::milli(container["resources"]["requests"][resource].as_str()?))
        .sum()
}

fn milli(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(1000)
}

/// Returns the message of the `PodScheduled` condition in upstream's form.
pub(super) fn message(nodes: usize, misfits: &BTreeMap<Misfit, usize>) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".into();
    }
    let reasons: Vec<String> =
        misfits.iter().map(|(misfit, count)| format!("{count} {}", text(misfit))).collect();
    format!("0/{nodes} nodes are available: {}.", reasons.join(", "))
}

fn text(misfit: &Misfit) -> String {
    match misfit {
        Misfit::Unschedulable => "node(s) were unschedulable".into(),
        Misfit::NotReady => "node(s) were not ready".into(),
        Misfit::Selector => "node(s) didn't match Pod's node affinity/selector".into(),
        Misfit::Taint(taint) => format!("node(s) had untolerated taint {{{taint}}}"),
        Misfit::TooManyPods => "Too many pods".into(),
        Misfit::Insufficient(resource) => format!("Insufficient {resource}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    #[expect(clippy::needless_pass_by_value, reason = "json!() at the call reads better so")]
    fn node(spec: Value) -> Object {
        Object::from_value(json!({
            "metadata": {"name": "n", "labels": {"disk": "ssd"}}, "spec": spec,
            "status": {"conditions": [{"type": "Ready", "status": "True"}],
                "allocatable": {"cpu": "2", "memory": "1Gi", "pods": "2"}}
        }))
    }

    #[expect(clippy::needless_pass_by_value, reason = "json!() at the call reads better so")]
    fn pod(spec: Value) -> Object {
        Object::from_value(json!({"metadata": {"name": "p"}, "spec": spec}))
    }

    #[test]
    fn table() {
        let taint = json!({"taints": [{"key": "gpu", "value": "x", "effect": "NoSchedule"}]});
        let cpu = |amount: &str| json!({"containers": [{"resources": {"requests": {"cpu": amount}}}]});
        let cases = [
            (json!({}), json!({}), None),
            (json!({"unschedulable": true}), json!({}), Some(Misfit::Unschedulable)),
            (taint.clone(), json!({}), Some(Misfit::Taint("gpu: x".into()))),
            (taint.clone(), json!({"tolerations": [{"key": "gpu", "operator": "Exists"}]}), None),
            (
                taint,
                json!({"tolerations": [{"key": "gpu", "value": "y"}]}),
                Some(Misfit::Taint("gpu: x".into())),
            ),
            (json!({}), json!({"nodeSelector": {"disk": "hdd"}}), Some(Misfit::Selector)),
            (json!({}), json!({"nodeSelector": {"disk": "ssd"}}), None),
            (json!({}), cpu("2"), None),
            (json!({}), cpu("2100m"), Some(Misfit::Insufficient("cpu"))),
        ];
        for (node_spec, pod_spec, expected) in cases {
            assert_eq!(misfit(&pod(pod_spec.clone()), &node(node_spec), &[]), expected, "{pod_spec}");
        }
        let other = pod(json!({}));
        assert_eq!(misfit(&other, &node(json!({})), &[&other, &other]), Some(Misfit::TooManyPods));
    }

    #[test]
    fn the_message_counts_by_reason() {
        let misfits = BTreeMap::from([(Misfit::Selector, 1), (Misfit::Unschedulable, 2)]);
        assert_eq!(
            message(3, &misfits),
            "0/3 nodes are available: 2 node(s) were unschedulable, 1 node(s) didn't match Pod's node affinity/selector."
        );
    }
}
