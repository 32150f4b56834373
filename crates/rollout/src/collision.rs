//! Two templates with one hash.

use api::rollout::Rollout;
use object::Object;

use crate::{Checked, Plan, Reason, Why, invalid, template};

/// Returns true when `existing`, which has the name of a ReplicaSet to be created, is not that of the current template:
/// another's, or of another template. When it is ours, the plan was made before it was seen: plan again.
pub fn collides(checked: &Checked<Rollout>, existing: &Object) -> bool {
    let ours = existing.controller_uid() == Some(checked.value().object.uid());
    let of_set = existing.get(&["spec", "template"]);
    !ours || !of_set.is_some_and(|of_set| template::same(of_set, &checked.settings().template))
}

/// Returns the plan after such a collision: it is counted, which changes the hash.
///
/// Source: `createDesiredReplicaSet`, `status.collisionCount`.
pub fn collided(checked: &Checked<Rollout>) -> Plan {
    let rollout = checked.value();
    let mut status = rollout.status.clone();
    status.collision_count = Some(status.collision_count.unwrap_or(0) + 1);
    invalid::plan_of(rollout, &status, Why::new(Reason::WaitingOnOwnChange { actions: 0 }))
}
