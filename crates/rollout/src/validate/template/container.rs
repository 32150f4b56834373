//! Containers: what all have, and what only regular or init containers may have.

use std::collections::BTreeSet;

use object::Value;

use super::volumes::Volumes;
use super::{Check, at, environment, items, names, ports, probe, resources, text, volumes};

/// Checks `containers` and `initContainers` of a pod's spec.
pub(super) fn check(check: &mut Check, spec: &Value, path: &str, volumes: &Volumes<'_>) {
    let regular = items(spec, "containers");
    let place = format!("{path}.containers");
    if regular.is_empty() {
        check.required(&place, "");
    }
    let mut seen = BTreeSet::new();
    for (index, container) in regular.iter().enumerate() {
        let path = at(&place, index);
        common(check, container, &path, volumes);
        if !seen.insert(text(container, "name")) {
            check.duplicate(&format!("{path}.name"), text(container, "name"));
        }
        probe::lifecycle(check, &container["lifecycle"], &format!("{path}.lifecycle"));
        probe::probes(check, container, &path);
    }
    ports::host_conflicts(check, regular, &place);
    init(check, items(spec, "initContainers"), &format!("{path}.initContainers"), (seen, volumes));
}

fn init<'a>(
    check: &mut Check,
    containers: &'a [Value],
    place: &str,
    (mut seen, volumes): (BTreeSet<&'a str>, &Volumes<'_>),
) {
    for (index, container) in containers.iter().enumerate() {
        let path = at(place, index);
        common(check, container, &path, volumes);
        let name = text(container, "name");
        if seen.contains(name) {
            check.duplicate(&format!("{path}.name"), name);
        } else if !name.is_empty() {
            seen.insert(name);
        }
        ports::host_conflicts(check, std::slice::from_ref(container), place);
        if text(container, "restartPolicy") == "Always" {
            probe::lifecycle(check, &container["lifecycle"], &format!("{path}.lifecycle"));
            probe::probes(check, container, &path);
            continue;
        }
        for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            if !container[field].is_null() {
                let message = "may not be set for init containers without restartPolicy=Always";
                check.forbidden(&format!("{path}.{field}"), message);
            }
        }
    }
}

/// Source: `validateContainerCommon`.
fn common(check: &mut Check, container: &Value, path: &str, volumes: &Volumes<'_>) {
    let name = text(container, "name");
    if name.is_empty() {
        check.required(&format!("{path}.name"), "");
    } else {
        names::label(check, &format!("{path}.name"), name);
    }
    if text(container, "image").is_empty() {
        check.required(&format!("{path}.image"), "");
    }
    let policies = ["File", "FallbackToLogsOnError"];
    let field = "terminationMessagePolicy";
    check.one_of(&format!("{path}.{field}"), &container[field], &policies);
    ports::check(check, items(container, "ports"), &format!("{path}.ports"));
    environment::variables(check, items(container, "env"), &format!("{path}.env"));
    environment::sources(check, items(container, "envFrom"), &format!("{path}.envFrom"));
    volumes::mounts(check, items(container, "volumeMounts"), &format!("{path}.volumeMounts"), volumes);
    let pulls = ["Always", "IfNotPresent", "Never"];
    check.one_of(&format!("{path}.imagePullPolicy"), &container["imagePullPolicy"], &pulls);
    resources::check(check, &container["resources"], &format!("{path}.resources"));
    let user = &container["securityContext"]["runAsUser"];
    check.within(&format!("{path}.securityContext.runAsUser"), user, (0, i64::from(i32::MAX)));
}
