//! The tree under a Rollout or an Experiment.

use object::Time;

use crate::Colour;
use crate::print::{Ink, Table, age, paint};

use super::{AnalysisRunInfo, ExperimentInfo, Icon, ReplicaSetInfo, RolloutInfo, Row};

/// Returns the table below `get rollout`.
pub(super) fn of_rollout(info: &RolloutInfo, now: Time, colour: Colour) -> String {
    let mut tree = Tree::new(now, colour);
    tree.line(&Branch::root(), &Line::new("⟳", "Rollout", &info.row));
    for (branch, revision) in Branch::root().children(info.revisions()) {
        tree.revision(&branch, revision, info);
    }
    tree.table.render()
}

/// Returns the table below `get experiment`.
pub(super) fn of_experiment(info: &ExperimentInfo, now: Time, colour: Colour) -> String {
    let mut tree = Tree::new(now, colour);
    tree.line(&Branch::root(), &Line::new("Σ", "Experiment", &info.row));
    tree.inside_experiment(&Branch::root(), info);
    tree.table.render()
}

/// What a row says.
struct Line<'a> {
    sign: &'static str,
    kind: &'static str,
    /// Name in its colour.
    name: String,
    row: &'a Row,
    info: String,
}

impl<'a> Line<'a> {
    fn new(sign: &'static str, kind: &'static str, row: &'a Row) -> Self {
        Self { sign, kind, name: row.name.clone(), row, info: String::new() }
    }

    fn named(self, name: String) -> Self {
        Self { name, ..self }
    }

    fn info(self, info: String) -> Self {
        Self { info, ..self }
    }
}

/// Where a row hangs: what is drawn before it and before what hangs from it.
#[derive(Clone, Default)]
struct Branch {
    before: String,
    below: String,
}

impl Branch {
    fn root() -> Self {
        Self::default()
    }

    /// Pairs each item with the branch that it hangs from.
    fn children<T>(&self, items: Vec<T>) -> Vec<(Self, T)> {
        let last = items.len().saturating_sub(1);
        let branch = |index| {
            let (arm, trunk) = if index == last { ("└──", "   ") } else { ("├──", "│  ") };
            Self { before: format!("{}{arm}", self.below), below: format!("{}{trunk}", self.below) }
        };
        items.into_iter().enumerate().map(|(index, item)| (branch(index), item)).collect()
    }
}

enum Child<'a> {
    ReplicaSet(&'a ReplicaSetInfo),
    Experiment(&'a ExperimentInfo),
    AnalysisRun(&'a AnalysisRunInfo),
}

struct Tree {
    table: Table,
    now: Time,
    colour: Colour,
}

impl Tree {
    fn new(now: Time, colour: Colour) -> Self {
        let mut table = Table::new();
        table.line(["NAME", "KIND", "STATUS", "AGE", "INFO"]);
        Self { table, now, colour }
    }

    fn line(&mut self, branch: &Branch, line: &Line<'_>) {
        self.table.line([
            format!("{}{} {}", branch.before, line.sign, line.name),
            line.kind.to_owned(),
            format!("{} {}", line.row.icon.painted(self.colour), line.row.status),
            age(line.row.created, self.now),
            line.info.clone(),
        ]);
    }

    fn revision(&mut self, branch: &Branch, revision: i64, info: &RolloutInfo) {
        let name = format!("{}# revision:{revision}", branch.before);
        self.table.line([name.as_str(), "", " ", "", ""]);
        let sets = info.replica_sets.iter().filter(|set| set.revision == revision).map(Child::ReplicaSet);
        let experiments = info.experiments.iter().filter(|experiment| experiment.revision == revision);
        let runs = info.analysis_runs.iter().filter(|run| run.revision == revision).map(Child::AnalysisRun);
        let children = sets.chain(experiments.map(Child::Experiment)).chain(runs).collect();
        self.children(branch, children);
    }

    fn children(&mut self, branch: &Branch, children: Vec<Child<'_>>) {
        for (branch, child) in branch.children(children) {
            match child {
                Child::ReplicaSet(set) => self.replica_set(&branch, set),
                Child::Experiment(experiment) => {
                    let name = paint(&experiment.row.name, phase_ink(&experiment.row), self.colour);
                    self.line(&branch, &Line::new("Σ", "Experiment", &experiment.row).named(name));
                    self.inside_experiment(&branch, experiment);
                }
                Child::AnalysisRun(run) => self.analysis_run(&branch, run),
            }
        }
    }

    fn inside_experiment(&mut self, branch: &Branch, experiment: &ExperimentInfo) {
        let sets = experiment.replica_sets.iter().map(Child::ReplicaSet);
        let runs = experiment.analysis_runs.iter().map(Child::AnalysisRun);
        self.children(branch, sets.chain(runs).collect());
    }

    fn replica_set(&mut self, branch: &Branch, set: &ReplicaSetInfo) {
        let mut name = set.row.name.clone();
        let mut info = Vec::new();
        for tag in set.tags() {
            name = paint(&name, tag.ink(), self.colour);
            info.push(paint(&tag.text(), tag.ink(), self.colour));
        }
        if let Some(delay) = set.delay(self.now) {
            info.push(format!("delay:{delay}"));
        }
        self.line(branch, &Line::new("⧉", "ReplicaSet", &set.row).named(name).info(info.join(",")));
        for (branch, pod) in branch.children(set.pods.iter().collect()) {
            let mut info = format!("ready:{}/{}", pod.ready, pod.containers);
            if pod.restarts > 0 {
                info.push_str(&format!(",restarts:{}", pod.restarts));
            }
            self.line(&branch, &Line::new("□", "Pod", &pod.row).info(info));
        }
    }

    fn analysis_run(&mut self, branch: &Branch, run: &AnalysisRunInfo) {
        let counts = [
            (Icon::Ok, run.successful),
            (Icon::Bad, run.failed),
            (Icon::Unknown, run.inconclusive),
            (Icon::Warning, run.error),
        ];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(icon, count)| format!("{} {count}", icon.painted(self.colour)))
            .collect();
        let name = paint(&run.row.name, phase_ink(&run.row), self.colour);
        self.line(branch, &Line::new("α", "AnalysisRun", &run.row).named(name).info(counts.join(",")));
        for (branch, job) in branch.children(run.jobs.iter().collect()) {
            let name = paint(&job.row.name, phase_ink(&job.row), self.colour);
            self.line(&branch, &Line::new("⊞", "Job", &job.row).named(name));
        }
    }
}

/// Returns the colour of the name of something that is measured.
fn phase_ink(row: &Row) -> Ink {
    match row.icon {
        Icon::Waiting | Icon::Progressing => Ink::Blue,
        Icon::Warning | Icon::Unknown | Icon::Ok | Icon::Bad | Icon::Paused | Icon::Neutral | Icon::None => {
            Ink::Plain
        }
    }
}
