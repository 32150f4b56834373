//! `app list`.

use object::{Object, Value};

use crate::argocd::arguments::List;
use crate::argocd::context::{Context, Failure};
use crate::argocd::view::{Shape, list_table, plain, project, shaped, sources};

/// Lists the Applications of the namespace.
pub(super) async fn run(options: &List, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut apps = context.apps(options.selector.as_deref()).await?;
    apps.retain(|app| is_chosen(app, options));
    let all = || Value::Array(apps.iter().map(plain).collect());
    let text = match options.output.as_str() {
        "wide" | "" => list_table(&apps),
        "name" => apps.iter().map(|app| app.key().to_string() + "\n").collect(),
        "json" => shaped(&all(), Shape::Json),
        "yaml" => shaped(&all(), Shape::Yaml),
        other => return Err(Failure::fatal(format!("unknown output format: {other}"))),
    };
    context.print(&text)
}

fn is_chosen(app: &Object, options: &List) -> bool {
    let projects = &options.projects;
    let cluster = |wanted: &String| {
        [&["spec", "destination", "server"], &["spec", "destination", "name"]]
            .iter()
            .any(|path| app.str(*path) == wanted)
    };
    let repo = |wanted: &String| sources(app).iter().any(|source| source["repoURL"].as_str() == Some(wanted));
    (projects.is_empty() || projects.iter().any(|wanted| wanted == project(app)))
        && options.repo.as_ref().is_none_or(repo)
        && options.cluster.as_ref().is_none_or(cluster)
}
