//! `set image`.

use object::{Object, Value};
use runtime::{ApiError, Subresource, resources};

use super::arguments::Set;
use super::context::{Context, Failure};
use super::undo::holder;

/// How often a write that met another one is tried.
const ATTEMPTS: usize = 5;

/// Changes the image of one container, or of all, in the Rollout or in the workload that it refers to.
pub(super) async fn run(what: Set, context: &mut Context<'_>) -> Result<(), Failure> {
    let Set::Image { name, image } = what;
    let parts: Vec<&str> = image.split('=').collect();
    let [container, image] = parts[..] else { return Err(Failure::usage(&["set", "image"])) };
    let mut attempt = 1;
    loop {
        match try_once(&name, container, image, context).await {
            Ok(Ok(subject)) => return context.print(&format!("{subject} image updated\n")),
            Ok(Err(error)) if error.is_conflict() && attempt < ATTEMPTS => attempt += 1,
            Ok(Err(error)) => return Err(error.into()),
            Err(failure) => return Err(failure),
        }
    }
}

/// Returns what was changed, e.g. `rollout "x"`, or what the server said to the write.
async fn try_once(
    name: &str,
    container: &str,
    image: &str,
    context: &Context<'_>,
) -> Result<Result<String, ApiError>, Failure> {
    let rollout = context.existing(&resources::ROLLOUTS, name).await?;
    let (resource, mut object) = holder(&rollout, context).await?;
    if !change(&mut object, container, image) {
        return Err(Failure::Error(format!("unable to find container named {container:?}")));
    }
    let written = context.cluster.replace(resource, &object, Subresource::None).await;
    Ok(written.map(|object| format!("{} {:?}", resource.kind.to_lowercase(), object.name())))
}

/// Sets the image of each container with this name (`*`: any); returns false when there is none.
fn change(object: &mut Object, container: &str, image: &str) -> bool {
    let mut found = false;
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        let mut containers = object.items(&["spec", "template", "spec", list]).to_vec();
        for entry in &mut containers {
            if container == "*" || entry["name"] == container {
                entry["image"] = Value::from(image);
                found = true;
            }
        }
        if !containers.is_empty() {
            object.set(&["spec", "template", "spec", list], containers);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    #[test]
    fn containers_of_all_sorts_are_found_by_name_or_all_at_once() {
        let start = json!({"spec": {"template": {"spec": {
            "initContainers": [{"name": "i", "image": "1"}], "containers": [{"name": "c", "image": "1"}]
        }}}});
        let image =
            |object: &Object, list| object.items(&["spec", "template", "spec", list])[0]["image"].clone();
        let mut object = Object::from_value(start);
        assert!(change(&mut object, "i", "2"));
        assert_eq!(
            (image(&object, "initContainers"), image(&object, "containers")),
            (json!("2"), json!("1"))
        );
        assert!(change(&mut object, "*", "3"));
        assert_eq!(
            (image(&object, "initContainers"), image(&object, "containers")),
            (json!("3"), json!("3"))
        );
        assert!(!change(&mut object, "nope", "4"));
    }
}
