//! What comes next: the planner, played ahead.

mod world;

use api::rollout::Rollout;
use object::{Object, Time, Value, time};
use serde::Serialize;

use crate::{Action, Observed, Plan, Reason, Step, Why, plan, validate};
use world::World;

/// Most passes that are played. A canary of twenty steps takes fewer than a hundred.
const MAX_PASSES: usize = 600;
/// Most things that are told.
const MAX_TOLD: usize = 200;

/// Something that comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Next {
    /// A step begins.
    Step {
        /// Its number, from 1.
        number: usize,
        /// What it does.
        step: String,
    },
    /// A ReplicaSet is made.
    Create {
        /// Its name.
        set: String,
    },
    /// A ReplicaSet changes its size.
    Scale {
        /// Its name.
        set: String,
        /// Pods before.
        from: i32,
        /// Pods after.
        to: i32,
    },
    /// The routers are told another weight of the new version.
    Weight {
        /// The weight.
        weight: i64,
        /// What all weights add up to.
        of: i32,
    },
    /// A Service points to other pods.
    Switch {
        /// The Service.
        service: String,
        /// Hash of the pods.
        to: String,
    },
    /// An AnalysisRun begins.
    Analysis {
        /// The run.
        run: String,
    },
    /// An Experiment begins.
    Experiment {
        /// The Experiment.
        experiment: String,
    },
    /// A ReplicaSet is deleted.
    Delete {
        /// Its name.
        set: String,
    },
    /// Time passes.
    Wait {
        /// How long, as Go writes durations.
        duration: String,
    },
    /// Somebody has to promote.
    Promotion,
    /// Somebody has to take `spec.paused` back.
    Resume,
    /// AnalysisRuns or an Experiment have to succeed.
    Success {
        /// Its name.
        of: String,
    },
    /// The new version is the stable one, and nothing is left to do.
    Done,
}

/// Returns what comes, in order, if pods become available, analyses succeed and somebody promotes; it ends early where
/// something else is needed.
pub(super) fn forecast(rollout: &Object, observed: &Observed, now: Time) -> Vec<Next> {
    let mut world = World::new(rollout, observed, now);
    let mut told = Told::default();
    for _ in 0..MAX_PASSES {
        let Some((checked, plan)) = planned(&world) else { break };
        told.changes(&world, &checked, &plan);
        let still = plan.is_empty();
        world.apply(&plan);
        if still && plan.why.settled() {
            told.0.push(Next::Done);
            break;
        }
        if told.0.len() > MAX_TOLD || (still && !told.assume(&mut world, &plan)) {
            break;
        }
    }
    told.0
}

/// The sizes of a Rollout that count here.
struct Bounds {
    steps: Vec<Step>,
    max: i32,
}

fn planned(world: &World) -> Option<(Bounds, Plan)> {
    let rollout = Rollout::from_object(&world.rollout).ok()?;
    let checked = validate(&rollout, &world.observed.referenced).ok()?;
    let plan = plan(&checked, &world.observed, world.now);
    let settings = checked.settings();
    Some((Bounds { steps: settings.steps.clone(), max: settings.max_weight() }, plan))
}

#[derive(Default)]
struct Told(Vec<Next>);

impl Told {
    /// Notes what a plan changes that matters to people.
    fn changes(&mut self, world: &World, bounds: &Bounds, plan: &Plan) {
        for action in &plan.actions {
            self.action(action);
        }
        let Some(after) = &plan.status else { return };
        let before = world.rollout.get(&["status"]).unwrap_or(&Value::Null);
        let weight = |status: &Value| status["canary"]["weights"]["canary"]["weight"].as_i64();
        if let Some(weight) = weight(after).filter(|new| weight(before).unwrap_or(0) != *new) {
            self.0.push(Next::Weight { weight, of: bounds.max });
        }
        let index = |status: &Value| status["currentStepIndex"].as_u64();
        let moved = index(after).filter(|_| index(before) != index(after));
        let moved = moved.and_then(|index| usize::try_from(index).ok());
        if let Some((index, step)) = moved.and_then(|index| Some((index, bounds.steps.get(index)?))) {
            self.0.push(Next::Step { number: index + 1, step: describe(step) });
        }
    }

    fn action(&mut self, action: &Action) {
        let next = match action {
            Action::CreateReplicaSet(set) => Next::Create { set: set.name().to_owned() },
            Action::ScaleReplicaSet { key, from, to, .. } => return self.scale(&key.name, *from, *to),
            Action::DeleteReplicaSet { key, .. } => Next::Delete { set: key.name.clone() },
            Action::SwitchService(switch) => {
                Next::Switch { service: switch.key.name.clone(), to: switch.to.clone() }
            }
            Action::CreateAnalysisRun(run) => Next::Analysis { run: run.name().to_owned() },
            Action::CreateExperiment(made) => Next::Experiment { experiment: made.name().to_owned() },
            Action::AdoptReplicaSet { .. }
            | Action::AnnotateReplicaSet { .. }
            | Action::PatchRollout { .. }
            | Action::TerminateAnalysisRun { .. }
            | Action::DeleteAnalysisRun { .. }
            | Action::TerminateExperiment { .. }
            | Action::DeleteExperiment { .. }
            | Action::CreateConfig(_)
            | Action::DeleteConfig { .. }
            | Action::ScaleWorkload { .. }
            | Action::PatchPod { .. }
            | Action::Route(_)
            | Action::EvictPod { .. } => return,
        };
        self.0.push(next);
    }

    /// Notes a change of size, joined with those of the same ReplicaSet just before.
    fn scale(&mut self, name: &str, start: i32, end: i32) {
        let recent = self.0.iter_mut().rev().take_while(|it| matches!(it, Next::Scale { .. }));
        for next in recent {
            if let Next::Scale { set, to, .. } = next
                && set == name
            {
                *to = end;
                return;
            }
        }
        self.0.push(Next::Scale { set: name.to_owned(), from: start, to: end });
    }

    /// Lets happen what a plan that changes nothing waits for; returns false when that is not for anybody to say.
    fn assume(&mut self, world: &mut World, plan: &Plan) -> bool {
        let mut reasons = Vec::new();
        collect(&plan.why, &mut reasons);
        let until = |wanted: fn(&Reason) -> Option<&String>| {
            reasons.iter().filter_map(|it| Time::parse(wanted(it)?).ok()).min()
        };
        let pause = until(|it| if let Reason::WaitingOnTime { until } = it { Some(until) } else { None });
        if let Some(end) = pause {
            return self.wait(world, end);
        }
        if reasons.iter().any(|it| matches!(it, Reason::WaitingOnPromotion { .. })) {
            self.0.push(Next::Promotion);
            return world.promote();
        }
        if reasons.contains(&&Reason::WaitingOnResume) {
            self.0.push(Next::Resume);
            return world.resume();
        }
        if let Some(name) = reasons.iter().find_map(|reason| world.succeed(reason)) {
            self.0.push(Next::Success { of: name });
            return true;
        }
        let down =
            until(|it| if let Reason::WaitingOnScaleDown { until, .. } = it { Some(until) } else { None });
        let restart = until(|it| if let Reason::WaitingOnRestart { at, .. } = it { Some(at) } else { None });
        down.or(restart).is_some_and(|end| self.wait(world, end))
    }

    /// Lets time pass until `end`; returns false when it has.
    fn wait(&mut self, world: &mut World, end: Time) -> bool {
        if end <= world.now {
            return false;
        }
        self.0.push(Next::Wait { duration: time::format_duration(end.since(world.now)) });
        world.now = end;
        true
    }
}

fn collect<'a>(why: &'a Why, reasons: &mut Vec<&'a Reason>) {
    reasons.push(&why.reason);
    why.because.iter().for_each(|why| collect(why, reasons));
}

/// Returns what a step does.
pub(super) fn describe(step: &Step) -> String {
    let names = |names: Vec<&str>| names.join(", ");
    match step {
        Step::SetWeight(weight) => format!("set the weight to {weight}"),
        Step::Pause(None) => "pause until promoted".to_owned(),
        Step::Pause(Some(duration)) => format!("pause for {}", time::format_duration(*duration)),
        Step::Analysis(analysis) => {
            let of = analysis.templates.iter().map(|it| it.template_name.as_str()).collect();
            format!("analysis of {}", names(of))
        }
        Step::Experiment(experiment) => {
            let of = experiment.templates.iter().map(|it| it.name.as_str()).collect();
            format!("experiment with {}", names(of))
        }
        Step::SetCanaryScale(scale) => match (scale.replicas, scale.weight) {
            (Some(pods), _) => format!("scale the new version to {pods} pods"),
            (None, Some(weight)) => format!("scale the new version to {weight} %"),
            (None, None) => "scale the new version with its weight".to_owned(),
        },
        Step::SetHeaderRoute(route) => format!("route by header: {}", route.name),
        Step::SetMirrorRoute(route) => format!("mirror requests: {}", route.name),
    }
}
