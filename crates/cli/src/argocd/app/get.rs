//! `app get`.

use std::time::Duration;

use object::Object;

use super::refresh::{self, Refresh};
use crate::argocd::arguments::{Get, position};
use crate::argocd::context::{Context, Failure};
use crate::argocd::live::{nodes, with_health};
use crate::argocd::view::{
    Detail, Page, Shape, conditions, operation, parameters, plain, resource_table, shaped, summary,
    tree_table, with_states,
};

/// Shows one Application.
pub(super) async fn run(options: &Get, context: &mut Context<'_>) -> Result<(), Failure> {
    let limit = (options.timeout > 0).then(|| Duration::from_secs(options.timeout));
    let app = within(limit, find(options, context), context).await?;
    let position = position(&app, options.source_position, options.source_name.as_deref())?;
    check_position(&app, position)?;
    let windows = windows(&app, context).await?;
    let app = with_health(&context.cluster, &context.discovery, &app).await?.into_owned();
    let text = match options.output.as_str() {
        "json" => shaped(&plain(&app), Shape::Json),
        "yaml" => shaped(&plain(&app), Shape::Yaml),
        "wide" | "" | "tree" | "tree=detailed" => {
            let page = Page { url: context.url(app.name()).await, windows };
            let below = below(&app, &options.output, context).await?;
            let mut text = page_text(&app, &page, options, context);
            if options.show_params {
                text.push_str(&parameters(&app, position));
            }
            text + &below
        }
        other => return Err(Failure::fatal(format!("unknown output format: {other}"))),
    };
    context.print(&text)
}

fn page_text(app: &Object, page: &Page, options: &Get, context: &Context<'_>) -> String {
    let mut out = summary(app, page);
    let conditions = conditions(app);
    if !conditions.is_empty() {
        out.push_str(&format!("\n{conditions}\n"));
    }
    if options.show_operation {
        let operation = operation(app, context.now());
        if !operation.is_empty() {
            out.push_str(&format!("\n{operation}"));
        }
    }
    out
}

/// Returns the Application, compared again first when asked for.
async fn find(options: &Get, context: &Context<'_>) -> Result<Object, Failure> {
    let app = context.app(&options.name).await?;
    if !options.refresh && !options.hard_refresh {
        return Ok(app);
    }
    let how = if options.hard_refresh { Refresh::Hard } else { Refresh::Normal };
    refresh::run(&app, how, context).await
}

/// Returns what `work` does, a failure when it takes longer than `limit`.
async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, Failure>>,
    context: &Context<'_>,
) -> Result<T, Failure> {
    let Some(limit) = limit else { return work.await };
    let end = context.now().after(limit);
    tokio::select! {
        done = work => done,
        () = context.session.clock.sleep_until(end) => {
            Err(Failure::rpc("DeadlineExceeded", "context deadline exceeded"))
        }
    }
}

fn check_position(app: &Object, position: Option<usize>) -> Result<(), Failure> {
    let count = app.items(&["spec", "sources"]).len();
    if count > 0 && position.is_some_and(|position| position > count) {
        return Err(Failure::fatal(
            "Source position should be less than the number of sources in the application",
        ));
    }
    Ok(())
}

/// Returns what stands below the key rows: the table of resources or their tree.
pub(super) async fn below(app: &Object, output: &str, context: &Context<'_>) -> Result<String, Failure> {
    let detail = match output {
        "tree" => Detail::Brief,
        "tree=detailed" => Detail::Full,
        _ => return Ok(resources_below(app)),
    };
    let nodes = with_states(app, nodes(&context.cluster, &context.discovery, app).await?);
    if nodes.is_empty() {
        return Ok(String::new());
    }
    Ok(format!("\n{}", tree_table(&nodes, detail, context.now())))
}

/// Returns the table of resources with an empty line above, nothing without resources.
fn resources_below(app: &Object) -> String {
    match resource_table(app) {
        table if table.is_empty() => table,
        table => format!("\n{table}"),
    }
}

/// Returns the sync windows of the project, written as the existing tool does; all of them, whether they match or not.
async fn windows(app: &Object, context: &Context<'_>) -> Result<Vec<String>, Failure> {
    let Some(project) = context.project(app).await? else { return Ok(Vec::new()) };
    let text = |window: &object::Value, field: &str| window[field].as_str().unwrap_or_default().to_owned();
    let all = project.items(&["spec", "syncWindows"]).iter();
    Ok(all
        .map(|window| [text(window, "kind"), text(window, "schedule"), text(window, "duration")].join(":"))
        .collect())
}
