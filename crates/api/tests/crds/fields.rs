//! Every field our types read is in the schemas: the sources of the types against the definitions.

use std::collections::BTreeMap;
use std::path::Path;

use object::{Map, Value};

use crate::{schema, schema_at};

/// Which part of which definition each of our types reads.
const PLACES: &[(&str, &str, &str)] = &[
    ("RolloutSpec", "rollouts", "spec"),
    ("ObjectRef", "rollouts", "spec.workloadRef"),
    ("RolloutStrategy", "rollouts", "spec.strategy"),
    ("AnalysisHistory", "rollouts", "spec.analysis"),
    ("RollbackWindow", "rollouts", "spec.rollbackWindow"),
    ("BlueGreenStrategy", "rollouts", "spec.strategy.blueGreen"),
    ("CanaryStrategy", "rollouts", "spec.strategy.canary"),
    ("BackgroundAnalysis", "rollouts", "spec.strategy.canary.analysis"),
    ("RolloutAnalysis", "rollouts", "spec.strategy.canary.steps.[].analysis"),
    ("PodTemplateMetadata", "rollouts", "spec.strategy.canary.canaryMetadata"),
    ("AntiAffinity", "rollouts", "spec.strategy.canary.antiAffinity"),
    (
        "PreferredAntiAffinity",
        "rollouts",
        "spec.strategy.canary.antiAffinity.preferredDuringSchedulingIgnoredDuringExecution",
    ),
    ("PingPong", "rollouts", "spec.strategy.canary.pingPong"),
    ("ReplicaProgressThreshold", "rollouts", "spec.strategy.canary.replicaProgressThreshold"),
    ("CanaryStep", "rollouts", "spec.strategy.canary.steps.[]"),
    ("PauseStep", "rollouts", "spec.strategy.canary.steps.[].pause"),
    ("ExperimentStep", "rollouts", "spec.strategy.canary.steps.[].experiment"),
    ("ExperimentStepTemplate", "rollouts", "spec.strategy.canary.steps.[].experiment.templates.[]"),
    ("ExperimentStepAnalysis", "rollouts", "spec.strategy.canary.steps.[].experiment.analyses.[]"),
    ("ExperimentStepAnalysis", "experiments", "spec.analyses.[]"),
    ("SetCanaryScale", "rollouts", "spec.strategy.canary.steps.[].setCanaryScale"),
    ("SetHeaderRoute", "rollouts", "spec.strategy.canary.steps.[].setHeaderRoute"),
    ("HeaderMatch", "rollouts", "spec.strategy.canary.steps.[].setHeaderRoute.match.[]"),
    ("StringMatch", "rollouts", "spec.strategy.canary.steps.[].setHeaderRoute.match.[].headerValue"),
    ("SetMirrorRoute", "rollouts", "spec.strategy.canary.steps.[].setMirrorRoute"),
    ("RouteMatch", "rollouts", "spec.strategy.canary.steps.[].setMirrorRoute.match.[]"),
    ("StringMatch", "rollouts", "spec.strategy.canary.steps.[].setMirrorRoute.match.[].headers.{}"),
    ("PluginStep", "rollouts", "spec.strategy.canary.steps.[].plugin"),
    ("RolloutStatus", "rollouts", "status"),
    ("PauseCondition", "rollouts", "status.pauseConditions.[]"),
    ("AnalysisRunRef", "rollouts", "status.canary.currentStepAnalysisRunStatus"),
    ("CanaryStatus", "rollouts", "status.canary"),
    ("BlueGreenStatus", "rollouts", "status.blueGreen"),
    ("RolloutDuration", "rollouts", "status.duration"),
    ("AnalysisTemplateSpec", "analysistemplates", "spec"),
    ("AnalysisTemplateSpec", "clusteranalysistemplates", "spec"),
    ("TemplateRef", "analysistemplates", "spec.templates.[]"),
    ("TemplateRef", "rollouts", "spec.strategy.blueGreen.prePromotionAnalysis.templates.[]"),
    ("Argument", "analysisruns", "spec.args.[]"),
    ("SecretKeyRef", "analysisruns", "spec.args.[].valueFrom.secretKeyRef"),
    ("FieldRef", "rollouts", "spec.strategy.canary.analysis.args.[].valueFrom.fieldRef"),
    ("DryRun", "analysisruns", "spec.dryRun.[]"),
    ("MeasurementRetention", "analysisruns", "spec.measurementRetention.[]"),
    ("AnalysisRunSpec", "analysisruns", "spec"),
    ("TtlStrategy", "analysisruns", "spec.ttlStrategy"),
    ("Metric", "analysisruns", "spec.metrics.[]"),
    ("Metric", "analysistemplates", "spec.metrics.[]"),
    ("Provider", "analysisruns", "spec.metrics.[].provider"),
    ("WebMetric", "analysisruns", "spec.metrics.[].provider.web"),
    ("WebHeader", "analysisruns", "spec.metrics.[].provider.web.headers.[]"),
    ("AnalysisRunStatus", "analysisruns", "status"),
    ("RunSummary", "analysisruns", "status.runSummary"),
    ("MetricResult", "analysisruns", "status.metricResults.[]"),
    ("Measurement", "analysisruns", "status.metricResults.[].measurements.[]"),
    ("ExperimentSpec", "experiments", "spec"),
    ("ExperimentTemplate", "experiments", "spec.templates.[]"),
    ("TemplateService", "experiments", "spec.templates.[].service"),
    ("ExperimentStatus", "experiments", "status"),
    ("TemplateStatus", "experiments", "status.templateStatuses.[]"),
    ("ExperimentAnalysisRun", "experiments", "status.analysisRuns.[]"),
    ("ApplicationSpec", "applications", "spec"),
    ("ApplicationSpec", "applicationsets", "spec.template.spec"),
    ("Destination", "applications", "spec.destination"),
    ("Source", "applications", "spec.source"),
    ("Source", "applications", "spec.sources.[]"),
    ("Directory", "applications", "spec.source.directory"),
    ("SyncPolicy", "applications", "spec.syncPolicy"),
    ("Automated", "applications", "spec.syncPolicy.automated"),
    ("Retry", "applications", "spec.syncPolicy.retry"),
    ("Backoff", "applications", "spec.syncPolicy.retry.backoff"),
    ("ManagedNamespaceMetadata", "applications", "spec.syncPolicy.managedNamespaceMetadata"),
    ("IgnoreDifference", "applications", "spec.ignoreDifferences.[]"),
    ("Info", "applications", "spec.info.[]"),
    ("Operation", "applications", "operation"),
    ("Operation", "applications", "status.operationState.operation"),
    ("Initiator", "applications", "operation.initiatedBy"),
    ("SyncOperation", "applications", "operation.sync"),
    ("SyncStrategy", "applications", "operation.sync.syncStrategy"),
    ("HookStrategy", "applications", "operation.sync.syncStrategy.hook"),
    ("SyncResource", "applications", "operation.sync.resources.[]"),
    ("OperationState", "applications", "status.operationState"),
    ("SyncResult", "applications", "status.operationState.syncResult"),
    ("ResourceResult", "applications", "status.operationState.syncResult.resources.[]"),
    ("ApplicationStatus", "applications", "status"),
    ("SyncStatus", "applications", "status.sync"),
    ("ComparedTo", "applications", "status.sync.comparedTo"),
    ("HealthStatus", "applications", "status.health"),
    ("ResourceStatus", "applications", "status.resources.[]"),
    ("History", "applications", "status.history.[]"),
    ("ApplicationCondition", "applications", "status.conditions.[]"),
    ("Summary", "applications", "status.summary"),
    ("ProjectSpec", "appprojects", "spec"),
    ("ProjectDestination", "appprojects", "spec.destinations.[]"),
    ("ProjectKind", "appprojects", "spec.clusterResourceWhitelist.[]"),
    ("ProjectRole", "appprojects", "spec.roles.[]"),
    ("OrphanedResources", "appprojects", "spec.orphanedResources"),
];

/// Types that read parts of two kinds: each field is in one of the places.
const SPLIT: &[(&str, &[(&str, &str)])] = &[(
    "ValueFrom",
    &[
        ("analysisruns", "spec.args.[].valueFrom"),
        ("rollouts", "spec.strategy.canary.steps.[].analysis.args.[].valueFrom"),
    ],
)];

#[test]
fn every_field_our_types_read_is_in_a_schema() {
    let types = types();
    assert!(types.len() > 70, "only {} types read", types.len());
    for &(name, plural, path) in PLACES {
        let fields = types.get(name).unwrap_or_else(|| panic!("no type {name}"));
        let properties = schema_at(plural, path)["properties"].clone();
        for field in fields {
            assert!(properties.get(field).is_some(), "{name}.{field} is not in {plural} {path}");
        }
    }
    for &(name, places) in SPLIT {
        for field in &types[name] {
            let known = places
                .iter()
                .any(|(plural, path)| schema_at(plural, path)["properties"].get(field).is_some());
            assert!(known, "{name}.{field} is nowhere");
        }
    }
}

#[test]
fn types_without_a_stated_place_have_one() {
    let mut objects = Vec::new();
    for definition in api::crds::all() {
        collect(schema(&definition), &mut objects);
    }
    let placed = |name: &str| SPLIT.iter().any(|split| split.0 == name);
    for (name, fields) in types().into_iter().filter(|(name, _)| !placed(name)) {
        let has = |properties: &Map<String, Value>| fields.iter().all(|field| properties.contains_key(field));
        assert!(objects.iter().any(has), "no object of a schema has all fields of {name}: {fields:?}");
    }
}

/// Adds the fields of each object in `schema`.
fn collect(schema: &Value, objects: &mut Vec<Map<String, Value>>) {
    for below in ["items", "additionalProperties"] {
        if let Some(below) = schema.get(below) {
            collect(below, objects);
        }
    }
    if let Some(properties) = schema["properties"].as_object() {
        objects.push(properties.clone());
        properties.values().for_each(|field| collect(field, objects));
    }
}

/// Returns the wire names of the fields of each type of this crate that is read from JSON.
fn types() -> BTreeMap<String, Vec<String>> {
    let mut types = BTreeMap::new();
    read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut types);
    types
}

fn read_folder(folder: &Path, types: &mut BTreeMap<String, Vec<String>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "crds" {
                read_folder(&path, types);
            }
        } else if name != "tests" && name != "crds" {
            read_source(&std::fs::read_to_string(&path).unwrap(), types);
        }
    }
}

fn read_source(source: &str, types: &mut BTreeMap<String, Vec<String>>) {
    let mut derives = "";
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("#[derive") {
            derives = line;
        }
        let name = line.strip_prefix("pub struct ").and_then(|rest| rest.strip_suffix(" {"));
        if let Some(name) = name {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "}").collect();
            if derives.contains("Deserialize") {
                types.insert(name.to_owned(), wire_names(&body));
            }
            derives = "";
        }
    }
}

fn wire_names(body: &[&str]) -> Vec<String> {
    let mut attributes = String::new();
    let mut names = Vec::new();
    for line in body.iter().map(|line| line.trim()).filter(|line| !line.starts_with("//")) {
        let Some(field) = line.strip_prefix("pub ").and_then(|rest| rest.split_once(':')) else {
            attributes.push_str(line);
            continue;
        };
        if !attributes.contains("flatten") {
            let renamed = attributes.split_once("rename = \"").and_then(|(_, rest)| rest.split_once('"'));
            names.push(renamed.map_or_else(|| camel_case(field.0), |(name, _)| name.to_owned()));
        }
        attributes.clear();
    }
    names
}

fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |done, part| done + &part[..1].to_uppercase() + &part[1..])
}
