//! `promote`.

use object::{Object, Value, json};
use runtime::{Patch, Subresource, resources};

use super::arguments::Promote;
use super::context::{Context, Failure};
use super::view::current_step;

/// How far a Rollout is promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Past what it waits for.
    Next,
    /// To the end.
    Full,
    /// Past the current step, whatever it is.
    SkipStep,
    /// Past all steps.
    SkipAllSteps,
}

/// What is written: the parts for an API with a status subresource, and the whole for one without.
#[derive(Clone, Debug, Default, PartialEq)]
struct Promotion {
    spec: Option<Value>,
    status: Option<Value>,
    whole: Option<Value>,
}

/// Promotes the Rollout.
pub(super) async fn run(options: Promote, context: &mut Context<'_>) -> Result<(), Failure> {
    if options.skip_current_step {
        context.talk(
            "Flag --skip-current-step has been deprecated, use without the flag instead ex: promote ROLLOUT_NAME",
        )?;
    }
    if options.skip_all_steps {
        context.talk("Flag --skip-all-steps has been deprecated, use --full instead")?;
    }
    let reach = reach(&options)?;
    let rollout = context.existing(&resources::ROLLOUTS, &options.name).await?;
    if matches!(reach, Reach::SkipStep | Reach::SkipAllSteps) {
        check_skip(&rollout)?;
    }
    write(&options.name, promotion(&rollout, reach), context).await?;
    let how = if options.full { "fully promoted" } else { "promoted" };
    context.print(&format!("rollout '{}' {how}\n", options.name))
}

fn reach(options: &Promote) -> Result<Reach, Failure> {
    match (options.skip_current_step, options.skip_all_steps) {
        (true, true) => Err(Failure::Error(
            "Cannot use skip-current-step and skip-all-steps flags at the same time".into(),
        )),
        (true, false) => Ok(Reach::SkipStep),
        (false, true) => Ok(Reach::SkipAllSteps),
        (false, false) => Ok(if options.full { Reach::Full } else { Reach::Next }),
    }
}

fn check_skip(rollout: &Object) -> Result<(), Failure> {
    if rollout.get(&["spec", "strategy", "blueGreen"]).is_some() {
        return Err(Failure::Error("Cannot skip steps of a bluegreen rollout. Run without a flags".into()));
    }
    if rollout.items(&["spec", "strategy", "canary", "steps"]).is_empty() {
        return Err(Failure::Error("Cannot skip steps of a rollout without steps".into()));
    }
    Ok(())
}

async fn write(name: &str, promotion: Promotion, context: &Context<'_>) -> Result<(), Failure> {
    let key = context.key(name);
    let mut spec = promotion.spec;
    if let Some(status) = promotion.status {
        let patch = Patch::merge(status).on(Subresource::Status);
        match context.cluster.patch(&resources::ROLLOUTS, &key, &patch).await {
            Err(error) if error.is_not_found() => spec = promotion.whole,
            answer => drop(answer?),
        }
    }
    if let Some(spec) = spec {
        context.cluster.patch(&resources::ROLLOUTS, &key, &Patch::merge(spec)).await?;
    }
    Ok(())
}

/// Returns what promotes the Rollout. Source: `cmd/promote.getPatches`.
///
/// Pause conditions are cleared or the step index goes up, never both, but for a step whose analysis could not tell.
fn promotion(rollout: &Object, reach: Reach) -> Promotion {
    let same = |patch: Value| Promotion { spec: None, status: Some(patch.clone()), whole: Some(patch) };
    let steps = rollout.items(&["spec", "strategy", "canary", "steps"]).len();
    let (_, index) = current_step(rollout);
    let next = index.map(|index| (index + 1).min(steps));
    match reach {
        Reach::SkipStep => {
            next.map(|next| same(json!({"status": {"currentStepIndex": next}}))).unwrap_or_default()
        }
        Reach::SkipAllSteps => same(json!({"status": {"currentStepIndex": steps}})),
        Reach::Full => full(rollout),
        Reach::Next => Promotion {
            spec: rollout.flag(&["spec", "paused"]).then(|| json!({"spec": {"paused": false}})),
            ..go_on(rollout, next)
        },
    }
}

fn full(rollout: &Object) -> Promotion {
    let spec = rollout.flag(&["spec", "paused"]).then(|| json!({"spec": {"paused": false}}));
    if rollout.str(&["status", "currentPodHash"]) == rollout.str(&["status", "stableRS"]) {
        return Promotion { spec, ..Promotion::default() };
    }
    let status = json!({"status": {"promoteFull": true}});
    let whole = json!({"spec": {"paused": false}, "status": {"promoteFull": true}});
    Promotion { spec, status: Some(status), whole: Some(whole) }
}

fn go_on(rollout: &Object, next: Option<usize>) -> Promotion {
    let with_spec = |status: Value| Promotion {
        spec: None,
        whole: Some(json!({"spec": {"paused": false}, "status": status})),
        status: Some(json!({"status": status})),
    };
    let paused = !rollout.items(&["status", "pauseConditions"]).is_empty();
    match next.filter(|_| rollout.get(&["spec", "strategy", "canary"]).is_some()) {
        Some(next) if is_inconclusive(rollout) => {
            with_spec(json!({"pauseConditions": null, "controllerPause": false, "currentStepIndex": next}))
        }
        _ if paused => with_spec(json!({"pauseConditions": null})),
        Some(next) => with_spec(json!({"pauseConditions": null, "currentStepIndex": next})),
        None => Promotion {
            whole: Some(json!({"spec": {"paused": false}, "status": {"pauseConditions": null}})),
            ..Promotion::default()
        },
    }
}

/// Returns true when the Rollout waits because the analysis of its step could not tell.
fn is_inconclusive(rollout: &Object) -> bool {
    rollout.flag(&["status", "controllerPause"])
        && rollout.str(&["status", "canary", "currentStepAnalysisRunStatus", "status"]) == "Inconclusive"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(status: &Value) -> Object {
        Object::from_value(json!({
            "spec": {"strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}}},
            "status": status
        }))
    }

    fn status(object: &Object, reach: Reach) -> Option<Value> {
        promotion(object, reach).status.map(|patch| patch["status"].clone())
    }

    #[test]
    fn a_pause_is_cleared_and_nothing_else() {
        let paused =
            rollout(&json!({"currentStepIndex": 1, "pauseConditions": [{"reason": "CanaryPauseStep"}]}));
        assert_eq!(status(&paused, Reach::Next), Some(json!({"pauseConditions": null})));
        assert_eq!(promotion(&paused, Reach::Next).spec, None);
    }

    #[test]
    fn without_a_pause_the_step_goes_up_to_the_end() {
        let at = |index: i64| rollout(&json!({"currentStepIndex": index}));
        let next = |index: i64| json!({"pauseConditions": null, "currentStepIndex": index});
        assert_eq!(status(&at(0), Reach::Next), Some(next(1)));
        assert_eq!(status(&at(2), Reach::Next), Some(next(2)));
        assert_eq!(status(&at(0), Reach::SkipAllSteps), Some(json!({"currentStepIndex": 2})));
    }

    #[test]
    fn an_inconclusive_step_is_passed() {
        let object = rollout(&json!({
            "currentStepIndex": 0, "controllerPause": true, "pauseConditions": [{"reason": "InconclusiveAnalysis"}],
            "canary": {"currentStepAnalysisRunStatus": {"status": "Inconclusive"}}
        }));
        let patch = json!({"pauseConditions": null, "controllerPause": false, "currentStepIndex": 1});
        assert_eq!(status(&object, Reach::Next), Some(patch));
    }

    #[test]
    fn full_promotion_needs_something_to_promote() {
        let same = rollout(&json!({"currentPodHash": "a", "stableRS": "a"}));
        assert_eq!(promotion(&same, Reach::Full), Promotion::default());
        let mut other = rollout(&json!({"currentPodHash": "b", "stableRS": "a"}));
        other.set(&["spec", "paused"], true);
        assert_eq!(status(&other, Reach::Full), Some(json!({"promoteFull": true})));
        assert_eq!(promotion(&other, Reach::Full).spec, Some(json!({"spec": {"paused": false}})));
    }
}
