//! The verbs of `kubectl-argo-rollouts` against recorded cases.

mod help;

use std::collections::BTreeMap;
use std::time::Duration;

use cli::{Colour, words};
use object::{Object, Value, json};

use crate::api::Api;
use crate::case::{Case, Outcome, play};

/// How long after the recorded time the recorded program may have looked at its clock, in steps of 100 ms.
const LATE: std::ops::Range<u64> = 0..7;

async fn run(case: &Case, late: Duration) -> (Outcome, Api) {
    let api = Api::new(objects(case));
    let colour = if case.name.ends_with("-colour") { Colour::On } else { Colour::Off };
    let arguments = case.arguments_in_folder();
    let outcome = play(&api, case.now().after(late), colour, async |session| {
        cli::rollouts::run(arguments, session).await
    })
    .await;
    (outcome, api)
}

/// Returns what a recorded command found. Where other namespaces matter, which were not recorded with it: what the last
/// command before it found in each of them.
fn objects(case: &Case) -> Vec<Object> {
    if !case.name.ends_with("-all-namespaces") {
        return case.objects();
    }
    let mut cases: Vec<Case> =
        Case::all("cli-rollouts").into_iter().filter(|it| it.has("objects.yaml")).collect();
    cases.retain(|earlier| earlier.now() <= case.now());
    cases.sort_by_key(Case::now);
    let mut namespaces = BTreeMap::new();
    for objects in cases.iter().map(Case::objects).filter(|objects| !objects.is_empty()) {
        namespaces.insert(objects[0].namespace().to_owned(), objects);
    }
    namespaces.into_values().flatten().collect()
}

/// Returns true when both did the same; help texts and the version are ours, so there only the place, the exit code and
/// what is told count.
fn agree(case: &Case, got: &Outcome) -> bool {
    let wanted = &case.recorded();
    match case.name.split('-').next() {
        Some("help") => {
            let strange = help::differences(&case.arguments(), &wanted.out, &got.out);
            strange.iter().for_each(|text| eprintln!("{}: {text}", case.name));
            return strange.is_empty() && (got.exit, &got.err) == (wanted.exit, &wanted.err);
        }
        Some("version") => return help::same_version(&wanted.out, &got.out) && got.exit == wanted.exit,
        _ => {}
    }
    if case.name == "list-rollouts-all-namespaces" {
        // This namespace went on after the last command that recorded it.
        let known = |text: &str| {
            text.lines()
                .filter(|line| !line.starts_with("gold-bluegreen"))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        return known(&got.out) == known(&wanted.out) && (got.exit, &got.err) == (wanted.exit, &wanted.err);
    }
    let is_usage = wanted.err.starts_with("Usage:");
    let same_talk = if is_usage { got.err.contains("Usage:") } else { got.err == wanted.err };
    same_talk && got.out == wanted.out && got.exit == wanted.exit
}

#[tokio::test(start_paused = true)]
async fn every_recorded_command_says_the_same() {
    let mut wrong = Vec::new();
    let cases = Case::all("cli-rollouts");
    assert_eq!(cases.len(), 172);
    for case in &cases {
        let (got, _) = run(case, Duration::ZERO).await;
        let mut same = agree(case, &got);
        for late in if case.has("objects.yaml") { LATE } else { 0..0 } {
            same = same || agree(case, &run(case, Duration::from_millis(100 * late)).await.0);
        }
        if !same {
            let wanted = case.recorded();
            wrong.push(case.name.clone());
            eprintln!("--- {}: wanted\n{}{}exit {}", case.name, wanted.out, wanted.err, wanted.exit);
            eprintln!("--- {}: got\n{}{}exit {}", case.name, got.out, got.err, got.exit);
        }
    }
    assert!(wrong.is_empty(), "{} differ: {wrong:?}", wrong.len());
}

/// Returns the method, the path's end and the body of what a recorded command writes when we run it.
async fn writes(name: &str) -> Vec<(String, String, Value)> {
    let case = Case::all("cli-rollouts").into_iter().find(|case| case.name == name).unwrap();
    let (_, api) = run(&case, Duration::ZERO).await;
    let tail = |path: &str| path.split("/namespaces/").nth(1).unwrap().split_once('/').unwrap().1.to_owned();
    api.writes().into_iter().map(|write| (write.method, tail(&write.path), write.body)).collect()
}

#[tokio::test(start_paused = true)]
async fn actions_write_what_they_say() {
    let status = |body: Value| ("rollouts/guestbook/status", json!({"status": body}));
    let spec = |body: Value| ("rollouts/guestbook", json!({"spec": body}));
    let table = [
        ("abort", vec![status(json!({"abort": true}))]),
        ("retry-rollout", vec![status(json!({"abort": false}))]),
        ("pause", vec![spec(json!({"paused": true}))]),
        ("promote", vec![status(json!({"pauseConditions": null}))]),
        ("promote-full", vec![status(json!({"promoteFull": true}))]),
        ("promote-nothing-to-do", vec![status(json!({"pauseConditions": null, "currentStepIndex": 6}))]),
        ("promote-skip-all-steps-deprecated", vec![status(json!({"currentStepIndex": 6}))]),
        ("promote-bluegreen", vec![("rollouts/shop/status", json!({"status": {"pauseConditions": null}}))]),
        ("promote-bluegreen-skip-step-error", vec![]),
        ("restart", vec![spec(json!({"restartAt": "2026-11-21T11:12:50Z"}))]),
        ("retry-experiment", vec![("experiments/doomed/status", json!({"status": null}))]),
        ("terminate-experiment", vec![("experiments/duel", json!({"spec": {"terminate": true}}))]),
        ("create-f-wrong-kind", vec![]),
        ("terminate-analysisrun", vec![("analysisruns/by-hand", json!({"spec": {"terminate": true}}))]),
        ("undo-to-same-revision", vec![]),
        ("set-image-unknown-container", vec![]),
    ];
    for (name, wanted) in table {
        let got = writes(name).await;
        let wanted: Vec<_> =
            wanted.into_iter().map(|(path, body)| ("PATCH".into(), path.to_owned(), body)).collect();
        assert_eq!(got, wanted, "{name}");
    }
}

/// Returns the object of this kind and name in what a recorded command found.
fn before(name: &str, kind: &str, object: &str) -> Object {
    let case = Case::all("cli-rollouts").into_iter().find(|case| case.name == name).unwrap();
    case.objects().into_iter().find(|found| found.kind() == kind && found.name() == object).unwrap()
}

#[tokio::test(start_paused = true)]
async fn templates_end_up_as_the_recorded_program_left_them() {
    let table = [
        ("set-image", "get-canary-paused-step1", "Rollout", "guestbook"),
        ("set-image-wildcard", "set-image-unknown-container", "Rollout", "guestbook"),
        ("bluegreen-set-image", "get-bluegreen-paused-preview", "Rollout", "shop"),
        ("undo", "get-canary-undo-paused", "Rollout", "guestbook"),
        ("undo-to-revision", "get-canary-user-paused", "Rollout", "guestbook"),
    ];
    for (name, next, kind, object) in table {
        let case = Case::all("cli-rollouts").into_iter().find(|case| case.name == name).unwrap();
        let (_, api) = run(&case, Duration::ZERO).await;
        let path = ["spec", "template"];
        let got =
            api.objects().into_iter().find(|found| found.kind() == kind && found.name() == object).unwrap();
        assert_eq!(got.get(&path), before(next, kind, object).get(&path), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_analysis_run_is_made_of_its_template() {
    let case =
        Case::all("cli-rollouts").into_iter().find(|case| case.name == "create-analysisrun-from").unwrap();
    let template = before("create-analysisrun-from", "AnalysisTemplate", "sleep");
    let (_, api) = run(&case, Duration::ZERO).await;
    let made = api.objects().into_iter().find(|found| found.name() == "by-hand").unwrap();
    let mut wanted = template.get(&["spec"]).unwrap().clone();
    wanted["args"] = json!([{"name": "seconds", "value": "60"}, {"name": "code", "value": "0"}]);
    assert_eq!((made.kind(), made.get(&["spec"])), ("AnalysisRun", Some(&wanted)));
}

#[tokio::test(start_paused = true)]
async fn a_referenced_deployment_is_changed_instead() {
    let written = writes("set-image-workload-ref").await;
    assert_eq!((written.len(), written[0].1.as_str()), (1, "deployments/referenced"));
    assert_eq!(written[0].2["spec"]["template"]["spec"]["containers"][0]["image"], "nginx:1.20-alpine");
}

#[tokio::test(start_paused = true)]
async fn arguments_that_make_no_command() {
    let unknown = "Error: unknown command \"frobnicate\" for \"kubectl-argo-rollouts\"\nRun 'kubectl-argo-rollouts --help' for usage.\n";
    let table = [
        ("frobnicate", unknown),
        ("list rollouts --frobnicate", "Error: unknown flag: --frobnicate\n"),
        ("status x --timeout", "Error: flag needs an argument: --timeout\n"),
        ("", "Usage:"),
        ("get", "kubectl-argo-rollouts get"),
        ("get rollout", "kubectl-argo-rollouts get rollout"),
        ("abort", "kubectl-argo-rollouts abort"),
        ("pause", "kubectl-argo-rollouts pause"),
        ("promote", "kubectl-argo-rollouts promote"),
        ("promote a b", "kubectl-argo-rollouts promote"),
        ("restart", "kubectl-argo-rollouts restart"),
        ("retry", "kubectl-argo-rollouts retry"),
        ("set image", "kubectl-argo-rollouts set image"),
        ("set image x", "kubectl-argo-rollouts set image"),
        ("status", "kubectl-argo-rollouts status"),
        ("undo", "kubectl-argo-rollouts undo"),
    ];
    let now = object::Time::from_unix(0);
    for (line, wanted) in table {
        let command = async |session: &mut cli::Session| cli::rollouts::run(words(line), session).await;
        let got = play(&Api::new(Vec::new()), now, Colour::Off, command).await;
        assert!(got.exit == 1 && got.out.is_empty() && got.err.contains(wanted), "{line}: {got:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn switches_may_have_values() {
    let case =
        Case::all("cli-rollouts").into_iter().find(|case| case.name == "status-healthy-nowatch").unwrap();
    let run = async |line: &str| {
        let arguments = words(line);
        let command = async |session: &mut cli::Session| cli::rollouts::run(arguments, session).await;
        play(&Api::new(case.objects()), case.now(), Colour::Off, command).await
    };
    let name = case.arguments()[1].to_str().unwrap().to_owned();
    let namespace = case.objects()[0].namespace().to_owned();
    for flag in ["--watch=false", "-w=false", "--watch=0"] {
        let got = run(&format!("status {name} {flag} -n {namespace}")).await;
        assert_eq!((got.exit, got.out.as_str()), (0, "Healthy\n"), "{flag}: {got:?}");
    }
    let got = run(&format!("get rollout {name} --watch=false --no-color=true -n {namespace}")).await;
    assert_eq!(got.exit, 0, "{got:?}");
    let wrong = run("status x --timeout soon").await;
    let text =
        "Error: invalid argument \"soon\" for \"-t, --timeout\" flag: time: invalid duration \"soon\"\n";
    assert_eq!((wrong.exit, wrong.err.as_str()), (1, text));
}

#[tokio::test(start_paused = true)]
async fn every_shell_is_told_how_to_complete() {
    let run = async |line: &str| {
        let command = async |session: &mut cli::Session| cli::rollouts::run(words(line), session).await;
        play(&Api::new(Vec::new()), object::Time::from_unix(0), Colour::Off, command).await
    };
    for (shell, sign) in [
        ("bash", "complete -F _kubectl__argo__rollouts"),
        ("zsh", "#compdef kubectl-argo-rollouts"),
        ("fish", "complete -c kubectl-argo-rollouts"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let got = run(&format!("completion {shell}")).await;
        assert_eq!((got.exit, got.err.as_str()), (0, ""), "{shell}");
        assert!(got.out.contains(sign) && got.out.contains("to-revision"), "{shell}: {}", got.out);
    }
    let got = run("completion tcsh").await;
    assert!(
        got.exit == 1 && got.out.is_empty() && got.err.starts_with("Error: invalid argument \"tcsh\""),
        "{got:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_comes_later_says_so() {
    for line in
        ["dashboard --port 8080", "notifications template get", "notifications trigger run x --secret :empty"]
    {
        let command = async |session: &mut cli::Session| cli::rollouts::run(words(line), session).await;
        let got = play(&Api::new(Vec::new()), object::Time::from_unix(0), Colour::Off, command).await;
        let word = line.split(' ').next().unwrap();
        assert_eq!(
            got.err,
            format!("Error: {word:?} is not offered yet: it comes with a later version of slipway\n")
        );
        assert_eq!((got.exit, got.out.as_str()), (1, ""));
    }
}

#[tokio::test(start_paused = true)]
async fn recorded_aliases_are_known() {
    let mut known = 0;
    for case in Case::all("cli-rollouts").iter().filter(|case| case.name.starts_with("help-")) {
        let recorded = case.recorded().out;
        let Some((_, rest)) = recorded.split_once("\nAliases:\n") else { continue };
        let mut arguments = case.arguments();
        let place = arguments.len() - 2;
        for alias in rest.lines().next().unwrap().trim().split(", ") {
            arguments[place] = alias.into();
            let arguments = arguments.clone();
            let command = async |session: &mut cli::Session| cli::rollouts::run(arguments, session).await;
            let got = play(&Api::new(Vec::new()), object::Time::from_unix(0), Colour::Off, command).await;
            assert!(got.exit == 0 && got.out.contains("Usage:"), "{} {alias}: {got:?}", case.name);
            known += 1;
        }
    }
    assert!(known >= 10, "{known}");
}
