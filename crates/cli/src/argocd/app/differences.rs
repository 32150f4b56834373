//! How the live objects of an Application differ from what they should be.

use api::application::Application;
use diff::{Options, Secrets, applicable, compare, header, mask, normal};
use object::{Gvk, Object, ObjectKey, json};

use super::external::external;
use crate::argocd::context::{Context, Failure};
use crate::argocd::live::live;

const HOOK: &str = "argocd.argoproj.io/hook";

/// One object as the source and the cluster have it.
struct Pair {
    key: ObjectKey,
    target: Option<Object>,
    live: Option<Object>,
}

/// Prints the differences between `targets` and what is live; returns whether there are any.
pub(super) async fn print(
    app: &Object,
    targets: Vec<Object>,
    context: &mut Context<'_>,
) -> Result<bool, Failure> {
    let typed = Application::from_object(app).map_err(|error| Failure::fatal(error.to_string()))?;
    let program = std::env::var("KUBECTL_EXTERNAL_DIFF").ok().filter(|program| !program.trim().is_empty());
    let mut found = false;
    for pair in pairs(app, targets, context).await? {
        let Some((from, to)) = difference(&pair, &typed) else { continue };
        let text = match &program {
            Some(program) => external(program, pair.key.key.name.as_str(), from.as_ref(), to.as_ref())?,
            None => normal(from.as_ref(), to.as_ref()),
        };
        found = true;
        context.print(&format!("{}{text}", header(&pair.key)))?;
    }
    Ok(found)
}

/// Returns the resources of the status in their order, then what only the source has; hooks are left out.
async fn pairs(app: &Object, targets: Vec<Object>, context: &Context<'_>) -> Result<Vec<Pair>, Failure> {
    let is_hook = |object: &Object| object.annotation(HOOK).is_some();
    let mut targets: Vec<Object> = targets.into_iter().filter(|target| !is_hook(target)).collect();
    let mut pairs = Vec::new();
    for entry in app.items(&["status", "resources"]) {
        let text = |field: &str| entry[field].as_str().unwrap_or_default();
        let gvk = Gvk::new(text("group"), text("version"), text("kind"));
        let key = ObjectKey {
            group_kind: gvk.group_kind(),
            key: object::Key::new(text("namespace"), text("name")),
        };
        let index = targets.iter().position(|target| target.object_key() == key);
        let target = index.map(|index| targets.remove(index));
        let live = live(&context.cluster, &context.discovery, entry).await?;
        if !live.as_ref().is_some_and(is_hook) {
            pairs.push(Pair { key, target, live });
        }
    }
    for target in targets {
        let gvk = target.gvk();
        let entry = json!({"group": gvk.group, "version": gvk.version, "kind": gvk.kind,
            "namespace": target.namespace(), "name": target.name()});
        let live = live(&context.cluster, &context.discovery, &entry).await?;
        pairs.push(Pair { key: target.object_key(), target: Some(target), live });
    }
    Ok(pairs)
}

/// Returns the live object and what it should be, `None` when there is no difference; values of Secrets are masked.
fn difference(pair: &Pair, app: &Application) -> Option<(Option<Object>, Option<Object>)> {
    let Secrets { target, live } = mask(&Secrets { target: pair.target.clone(), live: pair.live.clone() });
    let (Some(target), Some(live)) = (&target, &live) else {
        return (live.is_some() || target.is_some()).then_some((live, target));
    };
    let options = Options { ignores: applicable(&app.spec.ignore_differences, live), ..Options::default() };
    let comparison = compare(target, live, &options);
    comparison.drifted.then_some((Some(comparison.live), Some(comparison.predicted)))
}
