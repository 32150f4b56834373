//! `app diff`.

use api::application::Application;
use diff::{Options, Secrets, applicable, compare, header, mask, normal};
use object::{Gvk, Object, ObjectKey, json};

use super::refresh::{self, Refresh};
use super::target::targets;
use crate::Exit;
use crate::argocd::arguments::Diff;
use crate::argocd::context::{Context, Failure};
use crate::argocd::live::live;

const HOOK: &str = "argocd.argoproj.io/hook";

/// One object as the source and the cluster have it.
struct Pair {
    key: ObjectKey,
    target: Option<Object>,
    live: Option<Object>,
}

/// Prints the differences; they make the exit code unless told otherwise.
pub(super) async fn run(options: &Diff, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut app = context.app(&options.name).await?;
    if options.refresh || options.hard_refresh {
        let how = if options.hard_refresh { Refresh::Hard } else { Refresh::Normal };
        app = refresh::run(&app, how, context).await?;
    }
    let targets = targets(&app, options.revision.as_deref(), context).await?;
    let typed = Application::from_object(&app).map_err(|error| Failure::fatal(error.to_string()))?;
    let mut found = false;
    for pair in pairs(&app, targets, context).await? {
        let text = difference(&pair, &typed);
        if !text.is_empty() {
            found = true;
            context.print(&format!("{}{text}", header(&pair.key)))?;
        }
    }
    if found && options.exit_code { Err(Failure::Quiet(Exit(options.code_for_differences))) } else { Ok(()) }
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

/// Returns how the live object differs from what it should be, empty when it does not.
fn difference(pair: &Pair, app: &Application) -> String {
    let Secrets { target, live } = mask(&Secrets { target: pair.target.clone(), live: pair.live.clone() });
    let (Some(target), Some(live)) = (&target, &live) else {
        return normal(live.as_ref(), target.as_ref());
    };
    let options = Options { ignores: applicable(&app.spec.ignore_differences, live), ..Options::default() };
    let comparison = compare(target, live, &options);
    if comparison.drifted {
        normal(Some(&comparison.live), Some(&comparison.predicted))
    } else {
        String::new()
    }
}
