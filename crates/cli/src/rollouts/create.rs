//! `create`, `create analysisrun`.

use std::io::Read as _;

use object::{Object, Value, json, yaml};
use runtime::{Resource, resources};

use super::arguments::{AnalysisRunFlags, Create, CreateWhat, Get, GetOne};
use super::context::{Context, Failure};

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 3 << 20;
/// Label by which controllers share the objects of a cluster.
const INSTANCE: &str = "argo-rollouts.argoproj.io/controller-instance-id";

/// Creates the first object of each file, or an AnalysisRun of a template.
///
/// Source: the existing tool, which reads no further than the first document of a file.
pub(super) async fn run(options: Create, context: &mut Context<'_>) -> Result<(), Failure> {
    if let Some(CreateWhat::AnalysisRun(flags)) = options.what {
        return analysis_run(&flags, context).await;
    }
    if options.filenames.is_empty() {
        return Err(Failure::usage(&["create"]));
    }
    let mut last = None;
    for file in &options.filenames {
        let object = read(file)?;
        let resource = known(&object)?;
        last = Some((resource.kind.to_string(), create(&resource, object, context).await?));
    }
    let Some((kind, object)) = last.filter(|_| options.watch) else { return Ok(()) };
    let shown = GetOne {
        name: object.name().to_owned(),
        watch: true,
        no_color: options.no_color,
        timeout_seconds: 0,
    };
    match kind.as_str() {
        "Rollout" => super::get::run(Get::Rollout(shown), context).await,
        "Experiment" => super::get::run(Get::Experiment(shown), context).await,
        _ => Ok(()),
    }
}

fn read(file: &str) -> Result<Object, Failure> {
    let fail = |error: std::io::Error| {
        let cause = if error.kind() == std::io::ErrorKind::NotFound {
            "no such file or directory".to_owned()
        } else {
            error.to_string()
        };
        Failure::Error(format!("open {file}: {cause}"))
    };
    let mut text = String::new();
    std::fs::File::open(file).map_err(fail)?.take(MAX_FILE).read_to_string(&mut text).map_err(fail)?;
    let documents = yaml::documents(&text).map_err(|error| Failure::Error(error.to_string()))?;
    let first = documents.into_iter().next().unwrap_or_default();
    Object::parse(first).map_err(|error| Failure::Error(format!("{file}: {error}")))
}

/// Returns the resource of an object that may be created here.
fn known(object: &Object) -> Result<Resource, Failure> {
    let all = [
        resources::ROLLOUTS,
        resources::EXPERIMENTS,
        resources::ANALYSIS_TEMPLATES,
        resources::CLUSTER_ANALYSIS_TEMPLATES,
        resources::ANALYSIS_RUNS,
    ];
    let gvk = object.gvk();
    let found = all.into_iter().find(|resource| resource.gvk().group_kind() == gvk.group_kind());
    found.ok_or_else(|| Failure::Error(format!("creates of {}/{} unsupported", gvk.group, gvk.kind)))
}

/// Creates the object in its own namespace, else in that of the command, and says so.
async fn create(
    resource: &Resource,
    mut object: Object,
    context: &mut Context<'_>,
) -> Result<Object, Failure> {
    if object.namespace().is_empty() && resource.namespaced {
        object.set(&["metadata", "namespace"], context.namespace.clone());
    }
    let made = context.cluster.create(resource, &object).await?;
    context.print(&format!("{}.argoproj.io/{} created\n", resource.kind.to_lowercase(), made.name()))?;
    Ok(made)
}

async fn analysis_run(flags: &AnalysisRunFlags, context: &mut Context<'_>) -> Result<(), Failure> {
    let template = template(flags, context).await?;
    let run = run_of(&template, flags)?;
    create(&resources::ANALYSIS_RUNS, run, context).await.map(drop)
}

/// Returns the template that the flags name, of the cluster or of a file.
async fn template(flags: &AnalysisRunFlags, context: &Context<'_>) -> Result<Object, Failure> {
    match (&flags.from, &flags.from_file) {
        (None, None) => Err(Failure::Error("one of --from or --from-file must be specified".into())),
        (Some(_), Some(_)) => Err(Failure::Error("can only specify one of --from or --from-file".into())),
        (Some(name), None) if flags.global => {
            let path = resources::CLUSTER_ANALYSIS_TEMPLATES.path("", name);
            Ok(Object::from_value(context.cluster.fetch(&path).await?))
        }
        (Some(name), None) => context.existing(&resources::ANALYSIS_TEMPLATES, name).await,
        (None, Some(file)) => read(file),
    }
}

/// Returns the AnalysisRun of a template. Source: `NewAnalysisRunFromUnstructured`.
fn run_of(template: &Object, flags: &AnalysisRunFlags) -> Result<Object, Failure> {
    let mut run = Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": {},
        "spec": template.get(&["spec"]).cloned().unwrap_or_else(|| json!({})),
    }));
    match (&flags.name, &flags.generate_name) {
        (Some(name), _) => run.set(&["metadata", "name"], name.clone()),
        (None, Some(prefix)) => run.set(&["metadata", "generateName"], prefix.clone()),
        (None, None) => run.set(&["metadata", "generateName"], format!("{}-", template.name())),
    }
    if let Some(id) = flags.instance_id.as_deref().filter(|id| !id.is_empty()) {
        run.set_label(INSTANCE, id);
    }
    let args = arguments(template.items(&["spec", "args"]), &flags.arguments)?;
    if !args.is_empty() {
        run.set(&["spec", "args"], args);
    }
    Ok(run)
}

/// Returns the arguments of the template with the values given; each must have one then.
fn arguments(declared: &[Value], given: &[String]) -> Result<Vec<Value>, Failure> {
    let mut args = declared.to_vec();
    for text in given {
        let Some((name, value)) = text.split_once('=') else {
            return Err(Failure::Error("arguments must be in the form NAME=VALUE".into()));
        };
        if let Some(arg) = args.iter_mut().find(|arg| arg["name"] == name) {
            *arg = json!({"name": name, "value": value});
        }
    }
    let is_open = |arg: &&Value| arg.get("value").is_none() && arg.get("valueFrom").is_none();
    match args.iter().find(is_open) {
        Some(arg) => {
            let name = arg["name"].as_str().unwrap_or_default();
            Err(Failure::Error(format!("args.{name} was not resolved")))
        }
        None => Ok(args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_filled_in() {
        let declared = [json!({"name": "a", "value": "1"}), json!({"name": "b"})];
        let filled = arguments(&declared, &["b=2=3".into(), "other=4".into()]).unwrap();
        assert_eq!(filled, [json!({"name": "a", "value": "1"}), json!({"name": "b", "value": "2=3"})]);
        let open = arguments(&declared, &[]).unwrap_err();
        assert_eq!(open, Failure::Error("args.b was not resolved".into()));
    }
}
