//! What people type.

use crate::dev::{Dev, Following, example, has, kubectl_is_here, slipway, text};

#[tokio::test]
async fn kubectl_works_with_real_pods() {
    if !kubectl_is_here() {
        return;
    }
    let guard = tempfile::tempdir().unwrap();
    Dev::images(guard.path()).await;
    let dev = Dev::start(slipway(), guard.path()).await;
    reads(&dev);
    endpoints(&dev);
    logs(&dev);
    changes(&dev);
    rollouts_of_deployments(&dev);
    deletes(&dev);
    typed_commands(&dev);
    our_kinds(&dev);
    dev.server.stop().await;
}

fn reads(dev: &Dev) {
    let app = example("1-deployment");
    has(&dev.ok(&["apply", "-f", &app]), &["deployment.apps/colorapi created", "service/colorapi created"]);
    dev.ok(&["rollout", "status", "deployment/colorapi", "--timeout=60s"]);
    has(&dev.ok(&["get", "pods", "-o", "wide"]), &["READY", "1/1", "Running", "slipway", "127."]);
    assert_eq!(dev.ok(&["get", "pods", "-l", "app=colorapi", "-o", "name"]).lines().count(), 4);
    let running = ["get", "pods", "--field-selector", "status.phase=Running", "-o", "name"];
    assert_eq!(dev.ok(&running).lines().count(), 4);
    assert_eq!(dev.ok(&["get", "deploy", "colorapi", "-o", "jsonpath={.status.readyReplicas}"]), "4");
    has(&dev.ok(&["get", "deploy", "colorapi", "-o", "yaml"]), &["kind: Deployment", "readyReplicas: 4"]);
    has(&dev.ok(&["get", "deploy", "colorapi", "-o", "json"]), &["\"readyReplicas\": 4"]);
    let pod = dev.ok(&["get", "pods", "-o", "jsonpath={.items[0].metadata.name}"]);
    has(&dev.ok(&["describe", "pod", &pod]), &["Status:", "Running", "http-get http://:web/healthz"]);
    has(&dev.ok(&["describe", "deployment", "colorapi"]), &["NewReplicaSetAvailable", "ScalingReplicaSet"]);
    has(&dev.ok(&["events"]), &["ScalingReplicaSet", "SuccessfulCreate"]);
    has(&dev.ok(&["api-resources", "--api-group=argoproj.io"]), &["rollouts", "applications", "Experiment"]);
    has(&dev.ok(&["explain", "rollout.spec.strategy.canary"]), &["FIELDS:", "steps", "trafficRouting"]);
    has(&dev.refused(&["exec", &pod, "--", "ls"]), &["exec is not served"]);
    has(&dev.refused(&["cp", &app, &format!("{pod}:/tmp/x")]), &["exec is not served"]);
}

fn endpoints(dev: &Dev) {
    let addresses = dev.ok(&["get", "pods", "-o", "jsonpath={.items[*].status.podIP}"]);
    let query = "jsonpath={.items[*].endpoints[*].addresses[0]}";
    let sliced = dev.ok(&["get", "endpointslices", "-l", "kubernetes.io/service-name=colorapi", "-o", query]);
    let sorted = |text: &str| {
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        words.sort();
        words
    };
    assert_eq!(sorted(&sliced), sorted(&addresses));
    let query = "jsonpath={.subsets[*].addresses[*].ip}";
    let classic = dev.kubectl(&["get", "endpoints", "colorapi", "-o", query]).output().unwrap();
    assert_eq!(sorted(&String::from_utf8_lossy(&classic.stdout)), sorted(&addresses));
}

fn logs(dev: &Dev) {
    let pod = dev.ok(&["get", "pods", "-o", "jsonpath={.items[0].metadata.name}"]);
    has(&dev.ok(&["logs", &pod]), &["colorapi 1.0 (red) listens on 127."]);
    has(&dev.ok(&["logs", "deployment/colorapi", "--tail=1"]), &["listens on"]);
    let followed = Following::start(dev, &["logs", "-f", &pod]);
    let watched =
        Following::start(dev, &["get", "pods", "-w", "--output-watch-events", "--request-timeout=8s"]);
    has(&dev.ok(&["delete", "pod", &pod, "--grace-period=1"]), &["deleted"]);
    has(&followed.end(), &["listens on 127."]);
    has(&watched.end(), &["ADDED", "MODIFIED", &pod]);
}

fn changes(dev: &Dev) {
    let file = example("1-deployment/app.yaml");
    let deployment = std::fs::read_to_string(&file).unwrap();
    let applied = dev.ok(&["apply", "--server-side", "--force-conflicts", "-f", &file]);
    has(&applied, &["serverside-applied"]);
    let mut edit = dev.kubectl(&["edit", "deployment", "colorapi"]);
    let edited = edit.env("KUBE_EDITOR", "sed -i s/replicas:.4/replicas:\\ 3/").output().unwrap();
    has(&text(&edited), &["deployment.apps/colorapi edited"]);
    let replicas = |wanted: &str| {
        assert_eq!(dev.ok(&["get", "deploy", "colorapi", "-o", "jsonpath={.spec.replicas}"]), wanted);
    };
    replicas("3");
    let patch = r#"[{"op":"replace","path":"/spec/replicas","value":2}]"#;
    dev.ok(&["patch", "deploy", "colorapi", "--type=json", "-p", patch]);
    replicas("2");
    dev.ok(&["patch", "deploy", "colorapi", "--type=merge", "-p", r#"{"spec":{"replicas":1}}"#]);
    replicas("1");
    let containers = r#"{"spec":{"template":{"spec":{"containers":[{"name":"colorapi","tty":false}]}}}}"#;
    has(&dev.ok(&["patch", "deploy", "colorapi", "-p", containers]), &["patched"]);
    let live = dev.ok(&["get", "deploy", "colorapi", "-o", "yaml"]);
    has(&dev.with_file(&["replace"], &live.replace("replicas: 1", "replicas: 2")), &["replaced"]);
    dev.ok(&["scale", "deploy", "colorapi", "--replicas=3"]);
    replicas("3");
    dev.ok(&["wait", "--for=jsonpath={.status.readyReplicas}=3", "deploy/colorapi", "--timeout=30s"]);
    has(&dev.ok(&["label", "deploy", "colorapi", "tier=front"]), &["labeled"]);
    has(&dev.ok(&["annotate", "deploy", "colorapi", "note=seen"]), &["annotated"]);
    let dry =
        dev.with_file(&["apply", "--dry-run=server"], &deployment.replace("replicas: 4", "replicas: 9"));
    has(&dry, &["(server dry run)"]);
    replicas("3");
    has(&dev.refused(&["diff", "-f", &file]), &["-  replicas: 3", "+  replicas: 4"]);
}

fn rollouts_of_deployments(dev: &Dev) {
    dev.ok(&["set", "image", "deployment/colorapi", "colorapi=colorapi:2.0"]);
    dev.ok(&["rollout", "status", "deployment/colorapi", "--timeout=60s"]);
    has(&dev.ok(&["rollout", "history", "deployment/colorapi"]), &["REVISION", "\n1 ", "\n2 "]);
    has(&dev.ok(&["rollout", "undo", "deployment/colorapi"]), &["rolled back"]);
    dev.ok(&["rollout", "status", "deployment/colorapi", "--timeout=60s"]);
    let image = "jsonpath={.spec.template.spec.containers[0].image}";
    assert_eq!(dev.ok(&["get", "deploy", "colorapi", "-o", image]), "colorapi:1.0");
}

fn deletes(dev: &Dev) {
    dev.ok(&["delete", "deploy", "colorapi", "--cascade=orphan"]);
    has(&dev.ok(&["get", "rs,pods", "-o", "name"]), &["replicaset.apps/colorapi", "pod/colorapi"]);
    dev.ok(&["delete", "rs", "-l", "app=colorapi", "--cascade=background"]);
    dev.ok(&["wait", "--for=delete", "pod", "-l", "app=colorapi", "--timeout=30s"]);
    dev.ok(&["apply", "-f", &example("1-deployment/app.yaml")]);
    dev.ok(&["wait", "--for=condition=Available", "deploy/colorapi", "--timeout=30s"]);
    dev.ok(&["delete", "deploy", "colorapi", "--cascade=foreground"]);
    has(&dev.ok(&["get", "rs,pods"]), &["No resources found"]);
}

/// These send protobuf.
fn typed_commands(dev: &Dev) {
    has(&dev.ok(&["create", "namespace", "shop"]), &["namespace/shop created"]);
    dev.ok(&[
        "create",
        "deployment",
        "web",
        "--image=colorapi:1.0",
        "--replicas=2",
        "--port=5000",
        "-n",
        "shop",
    ]);
    let query = "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].ports[0].containerPort}";
    assert_eq!(dev.ok(&["get", "deploy", "web", "-n", "shop", "-o", query]), "2 5000");
    dev.ok(&["create", "configmap", "c", "--from-literal=a=b"]);
    assert_eq!(dev.ok(&["get", "cm", "c", "-o", "jsonpath={.data.a}"]), "b");
    dev.ok(&["create", "secret", "generic", "s", "--from-literal=a=b"]);
    assert_eq!(dev.ok(&["get", "secret", "s", "-o", "jsonpath={.data.a}"]), "Yg==");
    dev.ok(&["create", "service", "clusterip", "svc", "--tcp=80:web"]);
    assert_eq!(dev.ok(&["get", "svc", "svc", "-o", "jsonpath={.spec.ports[0].targetPort}"]), "web");
    dev.ok(&["create", "job", "j", "--image=colorapi:1.0"]);
    dev.ok(&["delete", "job", "j"]);
    assert_eq!(dev.ok(&["auth", "can-i", "create", "rollouts.argoproj.io"]), "yes\n");
    dev.ok(&["delete", "namespace", "shop", "--timeout=60s"]);
    has(&dev.refused(&["get", "namespace", "shop"]), &["NotFound"]);
}

fn our_kinds(dev: &Dev) {
    dev.ok(&["apply", "-f", &example("3-rollout")]);
    dev.ok(&["wait", "--for=jsonpath={.status.phase}=Healthy", "rollout/colorapi", "--timeout=60s"]);
    let table = dev.ok(&["get", "rollouts"]);
    has(&table, &["NAME       DESIRED   CURRENT   UP-TO-DATE   AVAILABLE   AGE", "colorapi   5         5"]);
    has(&dev.ok(&["describe", "rollout", "colorapi"]), &["RolloutCompleted", "Stable RS:"]);
    let application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a, namespace: argocd}\n\
        spec: {project: default, source: {repoURL: 'file:///nowhere', path: .}, destination: {namespace: default}}\n";
    dev.with_file(&["create"], application);
    has(&dev.ok(&["get", "applications", "-n", "argocd"]), &["NAME   SYNC STATUS   HEALTH STATUS"]);
}
