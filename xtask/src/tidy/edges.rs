//! Which crate may need which: object ← core ← machinery ← controllers ← sim ← server ← cli ← main.

use super::Problem;
use super::graph::Graph;

/// From the inside to the outside. A crate may need what is further inside; core and machinery crates also
/// each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    /// Kubernetes objects as data.
    Object,
    /// Pure decisions over values.
    Core,
    /// Own I/O.
    Machinery,
    /// Observe, plan, apply.
    Controllers,
    /// The simulated world around them.
    Simulation,
    /// What programs talk to.
    Server,
    /// What people talk to; it starts everything else.
    Cli,
    /// The binary.
    Main,
    /// Never shipped: tests and tasks.
    Tools,
    /// Programs that the demonstration deploys; they stand alone.
    Sample,
}

/// Every crate that stands or is planned.
const LAYERS: [(Layer, &[&str]); 10] = [
    (Layer::Object, &["object"]),
    (
        Layer::Core,
        &[
            "analysis",
            "api",
            "diff",
            "health",
            "helm",
            "jsonnet",
            "kustomize",
            "patch",
            "pipeline",
            "promotion",
            "render",
            "rollout",
            "sync",
            "traffic",
            "yaml",
        ],
    ),
    (
        Layer::Machinery,
        &["apiserver", "gateway", "metrics", "node", "promql", "runtime", "source", "store", "workload"],
    ),
    (Layer::Controllers, &["controllers"]),
    (Layer::Simulation, &["sim"]),
    (Layer::Server, &["server"]),
    (Layer::Cli, &["cli"]),
    (Layer::Main, &["slipway"]),
    (Layer::Tools, &["bench", "testkit", "transcript", "xtask"]),
    (Layer::Sample, &["colorapi"]),
];

/// Crates that do I/O or know the time; core must not reach them.
const IMPURE: [&str; 9] =
    ["axum", "gix", "hyper", "kube", "kube-client", "kube-runtime", "reqwest", "tokio", "tokio-util"];

/// Names that say nothing.
pub(super) const EMPTY_NAMES: [&str; 7] = ["common", "commons", "helper", "helpers", "misc", "util", "utils"];

pub(super) fn check(graph: &Graph) -> Vec<Problem> {
    let mut problems = Vec::new();
    for member in &graph.members {
        let name = graph.name(member);
        if EMPTY_NAMES.contains(&name) {
            problems.push(Problem::new(name, "a crate is named for what it holds"));
        }
        let Some(layer) = layer(name) else {
            problems.push(Problem::new(name, "has no layer: add it to xtask/src/tidy/edges.rs"));
            continue;
        };
        problems.extend(wrong_edges(graph, member, layer));
        if layer <= Layer::Core {
            problems.extend(impurities(graph, member));
        }
    }
    problems
}

fn layer(name: &str) -> Option<Layer> {
    LAYERS.iter().find(|(_, crates)| crates.contains(&name)).map(|(layer, _)| *layer)
}

fn may_need(from: Layer, to: Layer) -> bool {
    (to < from && from != Layer::Sample)
        || (from == to && matches!(from, Layer::Core | Layer::Machinery | Layer::Tools))
}

fn wrong_edges(graph: &Graph, member: &str, from: Layer) -> Vec<Problem> {
    let ours = graph.needs(member).filter(|needed| graph.members.contains(*needed));
    let wrong = ours.filter_map(|needed| {
        let to = layer(graph.name(needed))?;
        (!may_need(from, to)).then(|| {
            let text = format!("may not depend on {} ({from:?} on {to:?})", graph.name(needed));
            Problem::new(graph.name(member), text)
        })
    });
    wrong.collect()
}

fn impurities(graph: &Graph, member: &str) -> Vec<Problem> {
    let closure = graph.closure(member);
    let impure = closure.iter().filter(|(id, _)| IMPURE.contains(&graph.name(id)));
    let problem = |(id, by): (&&str, &&str)| {
        let text = format!("is pure, but reaches {} through {}", graph.name(id), graph.name(by));
        Problem::new(graph.name(member), text)
    };
    impure.map(problem).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::graph::Package;
    use super::*;

    fn graph(edges: &[(&str, &str)], members: &[&str]) -> Graph {
        let mut graph = Graph::default();
        let package = |name: &str| Package {
            id: name.to_owned(),
            name: name.to_owned(),
            version: String::new(),
            license: None,
            license_file: None,
        };
        let names: BTreeSet<_> =
            edges.iter().flat_map(|(from, to)| [*from, *to]).chain(members.iter().copied()).collect();
        graph.packages = names.iter().map(|name| ((*name).to_owned(), package(name))).collect();
        graph.members = members.iter().map(|name| (*name).to_owned()).collect();
        let mut normal: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in edges {
            normal.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        graph.normal = normal;
        graph
    }

    #[test]
    fn core_may_not_need_machinery() {
        let found =
            check(&graph(&[("sync", "runtime"), ("runtime", "object")], &["sync", "runtime", "object"]));
        assert_eq!(found, [Problem::new("sync", "may not depend on runtime (Core on Machinery)")]);
    }

    #[test]
    fn core_may_not_reach_io_through_others() {
        let found = check(&graph(&[("diff", "innocent"), ("innocent", "tokio")], &["diff"]));
        assert_eq!(found, [Problem::new("diff", "is pure, but reaches tokio through innocent")]);
    }

    #[test]
    fn nothing_that_ships_needs_the_tools() {
        let found = check(&graph(&[("cli", "testkit"), ("testkit", "cli")], &["cli", "testkit"]));
        assert_eq!(found, [Problem::new("cli", "may not depend on testkit (Cli on Tools)")]);
    }

    #[test]
    fn samples_stand_alone() {
        let found = check(&graph(&[("colorapi", "object")], &["colorapi", "object"]));
        assert_eq!(found, [Problem::new("colorapi", "may not depend on object (Sample on Object)")]);
    }

    #[test]
    fn a_crate_needs_a_layer_and_a_name() {
        let found = check(&graph(&[], &["utils"]));
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
