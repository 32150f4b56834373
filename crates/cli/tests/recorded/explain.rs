//! `slipway explain` of recorded Rollouts: the planner knows the states that the existing controller left.

use std::time::Duration;

use cli::{Colour, words};
use object::{Key, Object, Value, json};
use runtime::{Clock, Cluster, Patch, resources};

use crate::api::Api;
use crate::case::{Case, Outcome, play};

/// Returns the Services of a Rollout, which were not recorded, as its controller left them.
fn services(rollout: &Object) -> Vec<Object> {
    let service = |strategy: &str, field: &str, hash: &[&str]| {
        let name = rollout.get(&["spec", "strategy", strategy, field])?.as_str()?;
        let mut selector = rollout.get(&["spec", "selector", "matchLabels"])?.clone();
        selector["rollouts-pod-template-hash"] = rollout.str(hash).into();
        let metadata = json!({"name": name, "namespace": rollout.namespace()});
        let (api, spec) = ("v1", json!({"selector": selector}));
        Some(Object::from_value(
            json!({"apiVersion": api, "kind": "Service", "metadata": metadata, "spec": spec}),
        ))
    };
    let all = [
        service("canary", "canaryService", &["status", "currentPodHash"]),
        service("canary", "stableService", &["status", "stableRS"]),
        service("blueGreen", "activeService", &["status", "blueGreen", "activeSelector"]),
        service("blueGreen", "previewService", &["status", "blueGreen", "previewSelector"]),
    ];
    all.into_iter().flatten().collect()
}

/// Explains the Rollout `name` of a recorded case, with these flags.
async fn explained(case: &str, name: &str, flags: &str) -> Outcome {
    let case = Case::all("cli-rollouts").into_iter().find(|it| it.name == case).unwrap();
    let mut objects = case.objects();
    objects.extend(objects.clone().iter().flat_map(services));
    let namespace = objects[0].namespace().to_owned();
    let arguments = words(&format!("explain rollout {name} -n {namespace} {flags}"));
    let command = async |session: &mut cli::Session| cli::run(cli::Face::Slipway, arguments, session).await;
    play(&Api::new(objects), case.now(), Colour::Off, command).await
}

#[tokio::test(start_paused = true)]
async fn recorded_rollouts_are_told() {
    for (case, name, lines) in [
        (
            "get-canary-paused-step1",
            "guestbook",
            vec![
                "Rollout gold-canary/guestbook is Paused: CanaryPauseStep\n",
                "  waiting on the user to promote (CanaryPauseStep)\n",
                "$ slipway rollouts promote guestbook -n gold-canary ",
                "  wait until somebody promotes\n",
                "  done: the new version is the stable one\n",
            ],
        ),
        (
            "get-canary-healthy-rev1",
            "guestbook",
            vec!["is Healthy\n", "done: fully rolled out and available\n"],
        ),
        (
            "get-canary-aborted",
            "guestbook",
            vec!["is Degraded: RolloutAborted", "$ slipway rollouts retry rollout guestbook -n gold-canary"],
        ),
        (
            "get-bluegreen-paused-preview",
            "shop",
            vec!["waiting on the user to promote (BlueGreenPause)", "  point Service shop-active to pods "],
        ),
        (
            "get-bluegreen-promoted-scaledown-delay",
            "shop",
            vec!["to be scaled to 0 at ", "    until ", " from 3 to 0\n"],
        ),
        (
            "get-invalid-spec",
            "invalid",
            vec![
                "blocked: The Rollout \"invalid\" is invalid: ",
                "$ kubectl edit rollout invalid -n gold-trouble",
            ],
        ),
        (
            "get-deadline-exceeded-bad-image",
            "broken-image",
            vec![
                "has timed out progressing",
                "waiting on pods of ReplicaSet broken-image-",
                "$ kubectl describe pods -l ",
            ],
        ),
    ] {
        let got = explained(case, name, "").await;
        assert_eq!((got.exit, got.err.as_str()), (0, ""), "{case}");
        for line in lines {
            assert!(got.out.contains(line), "{case}: no {line:?} in\n{}", got.out);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn programs_read_it_as_json_and_yaml() {
    let json = explained("get-canary-paused-step1", "guestbook", "-o json").await;
    let json: Value = json.out.parse().unwrap();
    assert_eq!((&json["namespace"], &json["phase"]), (&"gold-canary".into(), &"Paused".into()));
    assert_eq!(json["next"][0], "promotion");
    assert!(json.get("changes").is_none(), "nothing is to be changed: {}", json["changes"]);
    let yaml = explained("get-canary-paused-step1", "guestbook", "--output yaml").await;
    assert_eq!(object::yaml::document(&yaml.out).unwrap(), json);
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_exist_is_an_error() {
    let got = explained("get-canary-paused-step1", "absent", "").await;
    let text = "error: rollouts.argoproj.io \"absent\" not found in namespace \"gold-canary\"\n";
    assert_eq!((got.exit, got.out.as_str(), got.err.as_str()), (1, "", text));
    let got = explained("get-canary-paused-step1", "absent", "-w").await;
    assert_eq!((got.exit, got.err.as_str()), (1, text));
}

#[tokio::test(start_paused = true)]
async fn it_is_told_again_when_something_changes() {
    let case = Case::all("cli-rollouts").into_iter().find(|it| it.name == "get-canary-paused-step1").unwrap();
    let mut objects = case.objects();
    objects.extend(objects.clone().iter().flat_map(services));
    let api = Api::new(objects);
    let cluster = Cluster::new(api.client(), Clock::starting_at(case.now()));
    let resume = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let patch = Patch::merge(json!({"status": {"pauseConditions": null}}));
        cluster.patch(&resources::ROLLOUTS, &Key::new("gold-canary", "guestbook"), &patch).await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
    };
    let command = async |session: &mut cli::Session| {
        let arguments = words("explain rollout guestbook -n gold-canary -w -o yaml");
        tokio::select! {
            exit = cli::run(cli::Face::Slipway, arguments, session) => exit,
            () = resume => cli::Exit::OK,
        }
    };
    let got = Box::pin(play(&api, case.now(), Colour::Off, command)).await;
    assert_eq!((got.exit, got.err.as_str()), (0, ""));
    let told: Vec<&str> = got.out.split("phase: ").skip(1).map(|it| it.lines().next().unwrap()).collect();
    assert_eq!(told, ["Paused", "Progressing"], "{}", got.out);
}
