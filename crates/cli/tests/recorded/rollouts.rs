//! The verbs of `kubectl-argo-rollouts` against recorded cases.

use std::time::Duration;

use cli::Colour;
use object::{Object, Value, json};

use crate::api::Api;
use crate::case::{Case, Outcome, play, words};

/// Cases that are about something else than the command: the version of the recorded build, or objects of other
/// namespaces that were not recorded.
const ELSEWHERE: [&str; 4] =
    ["version", "version-short", "list-rollouts-all-namespaces", "list-experiments-all-namespaces"];

/// How long after the recorded time the recorded program may have looked at its clock, in steps of 100 ms.
const LATE: std::ops::Range<u64> = 0..7;

async fn run(case: &Case, late: Duration) -> (Outcome, Api) {
    let api = Api::new(case.objects());
    let colour = if case.name.ends_with("-colour") { Colour::On } else { Colour::Off };
    let arguments = case.arguments_in_folder();
    let outcome = play(&api, case.now().after(late), colour, async |session| {
        cli::rollouts::run(arguments, session).await
    })
    .await;
    (outcome, api)
}

/// Returns true when both did the same; help texts are ours, so there only the place and the exit code count.
fn agree(got: &Outcome, wanted: &Outcome) -> bool {
    let is_usage = wanted.err.starts_with("Usage:");
    let same_talk = if is_usage { got.err.contains("Usage:") } else { got.err == wanted.err };
    same_talk && got.out == wanted.out && got.exit == wanted.exit
}

#[tokio::test(start_paused = true)]
async fn every_recorded_command_says_the_same() {
    let mut wrong = Vec::new();
    for case in Case::all("cli-rollouts").iter().filter(|case| !ELSEWHERE.contains(&case.name.as_str())) {
        let wanted = case.recorded();
        let (got, _) = run(case, Duration::ZERO).await;
        let mut same = agree(&got, &wanted);
        for late in LATE {
            same = same || agree(&run(case, Duration::from_millis(100 * late)).await.0, &wanted);
        }
        if !same {
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

/// Returns the recorded flags: command (`*` for all), shorthand, name and default.
fn recorded_flags() -> Vec<(String, Option<String>, String, Option<String>)> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cli-rollouts-flags.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let parse = |line: &str| {
        let (command, flag) = line.split_once(": ").unwrap();
        let word = |prefix: &str| {
            let found =
                flag.split(' ').find(|word| word.starts_with(prefix) && (prefix != "-" || word.len() == 2));
            found.map(str::to_owned)
        };
        let default = word("=").map(|word| word.trim_start_matches('=').to_owned());
        (command.to_owned(), word("-"), word("--").unwrap(), default)
    };
    text.lines().filter(|line| !line.starts_with('#')).map(parse).collect()
}

#[tokio::test(start_paused = true)]
async fn every_recorded_flag_is_there_with_its_default() {
    let now = object::Time::from_unix(0);
    for (command, short, name, default) in recorded_flags() {
        let line = if command == "*" { "abort --help".to_owned() } else { format!("{command} --help") };
        let run = async |session: &mut cli::Session| cli::rollouts::run(words(&line), session).await;
        let got = play(&Api::new(Vec::new()), now, Colour::Off, run).await;
        assert_eq!((got.exit, got.err.as_str()), (0, ""), "{line}");
        let flag = short.map_or_else(|| format!("    {name}"), |short| format!("{short}, {name}"));
        let mut lines = got.out.lines().skip_while(|text| {
            !text.contains(&flag) || text.split(&flag).nth(1).is_some_and(|rest| rest.starts_with('-'))
        });
        let head = lines.next().unwrap_or_else(|| panic!("{line} has no {flag}:\n{}", got.out));
        let below = lines.take_while(|text| !text.trim_start().starts_with('-'));
        let told = below.fold(head.to_owned(), |told, text| told + " " + text.trim());
        if let Some(default) = default {
            assert!(told.contains(&format!("[default: {default}]")), "{line}: {told}");
        }
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
