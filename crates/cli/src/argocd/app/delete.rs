//! `app delete`.

use std::io::{IsTerminal as _, Write as _};

use object::{Object, Value, json};
use runtime::{Deletion, Tasks, resources};

use super::names;
use crate::argocd::arguments::Delete;
use crate::argocd::context::{Context, Failure};
use crate::rollouts::One;

const FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";

enum Answer {
    Yes,
    No,
    All,
}

/// Deletes the Applications, with their resources unless told otherwise.
pub(super) async fn run(options: &Delete, context: &mut Context<'_>) -> Result<(), Failure> {
    if options.names.is_empty() && options.selector.is_none() {
        return Err(Failure::usage(&["app", "delete"]));
    }
    let names = names(&options.names, options.selector.as_deref(), context).await?;
    let mut ask = options.cascade && !options.yes && context.interactive && std::io::stdin().is_terminal();
    for name in &names {
        if ask {
            match question(name, names.len(), context)? {
                Answer::Yes => {}
                Answer::All => ask = false,
                Answer::No => {
                    context.print(&format!("The command to delete '{name}' was cancelled.\n"))?;
                    continue;
                }
            }
        }
        delete(name, options, context).await?;
        context.print(&format!("application '{name}' deleted\n"))?;
    }
    Ok(())
}

fn question(name: &str, count: usize, context: &mut Context<'_>) -> Result<Answer, Failure> {
    let all = if count > 1 { "/A" } else { "" };
    write!(
        context.session.err,
        "Are you sure you want to delete '{name}' and all its resources? [y/n{all}] "
    )?;
    context.session.err.flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(match line.trim() {
        "y" | "Y" | "yes" => Answer::Yes,
        "A" | "a" if count > 1 => Answer::All,
        _ => Answer::No,
    })
}

async fn delete(name: &str, options: &Delete, context: &Context<'_>) -> Result<(), Failure> {
    let app = context.app(name).await?;
    let wanted = |app: &Object| finalizers(app, options);
    if wanted(&app)? != app.items(&["metadata", "finalizers"]) {
        let change = |app: &Object| Ok(json!({"metadata": {"finalizers": wanted(app)?}}));
        context.update(&app.key(), change).await?;
    }
    context.cluster.delete(&resources::APPLICATIONS, &app.key(), &Deletion::default()).await?;
    if options.wait {
        let tasks = Tasks::new();
        let mut one = One::open(&context.cluster, &tasks, &resources::APPLICATIONS, &app.key()).await;
        while one.get().is_some_and(|found| found.uid() == app.uid()) {
            one.changed().await;
        }
        tasks.abort();
    }
    Ok(())
}

/// Returns the finalizers that make the controller delete the resources, or leave them.
fn finalizers(app: &Object, options: &Delete) -> Result<Vec<Value>, Failure> {
    let mut all = app.items(&["metadata", "finalizers"]).to_vec();
    let wanted = match options.propagation_policy.as_deref() {
        None | Some("" | "foreground") => FINALIZER.to_owned(),
        Some("background") => format!("{FINALIZER}/background"),
        Some(other) => {
            return Err(Failure::rpc("InvalidArgument", format!("invalid propagation policy: {other}")));
        }
    };
    if options.cascade && all.iter().any(|finalizer| *finalizer == wanted) {
        return Ok(all);
    }
    let ours = |finalizer: &Value| finalizer.as_str().is_some_and(|text| text.starts_with(FINALIZER));
    all.retain(|finalizer| !ours(finalizer));
    if options.cascade {
        all.push(wanted.into());
    }
    Ok(all)
}
