use super::*;
use object::json;

const IP: Ipv4Addr = Ipv4Addr::new(127, 64, 0, 9);

#[expect(clippy::needless_pass_by_value, reason = "json!() at the call reads better so")]
fn probe(spec: Value) -> Probe {
    let container = json!({"ports": [{"name": "http", "containerPort": 5000}]});
    Probe::read(&spec, &container, IP).unwrap()
}

#[test]
fn actions() {
    let http = probe(json!({"httpGet": {"path": "/healthz", "port": "http"}}));
    assert_eq!(http.action, Action::Http { url: "http://127.64.0.9:5000/healthz".into(), headers: vec![] });
    assert_eq!((http.period.as_secs(), http.timeout.as_secs(), http.failures), (10, 1, 3));
    let tcp = probe(json!({"tcpSocket": {"port": 80, "host": "h"}, "periodSeconds": 2}));
    assert_eq!(tcp.action, Action::Tcp { host: "h".into(), port: 80 });
    assert!(Probe::read(&json!({"httpGet": {"port": "none"}}), &json!({}), IP).is_none());
    assert!(Probe::read(&Value::Null, &json!({}), IP).is_none());
}

#[test]
fn thresholds() {
    let probe = probe(json!({"tcpSocket": {"port": 1}, "failureThreshold": 3, "successThreshold": 2}));
    let mut tally = Tally::starting(true);
    let mut results = Vec::new();
    for answer in [false, false, true, false, false, false, true, false, true, true] {
        results.push(tally.take(&probe, answer));
    }
    let none: Option<bool> = None;
    assert_eq!(results, [none, none, none, none, none, Some(false), none, none, none, Some(true)]);
}

fn launch() -> Launch {
    Launch {
        program: "/bin/sh".into(),
        args: vec![],
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        cwd: "/".into(),
    }
}

#[tokio::test]
async fn a_command_is_well_by_its_exit_code_and_within_its_time() {
    let exec = |text: &str| Action::Exec(vec!["sh".into(), "-c".into(), text.into()]);
    let second = Duration::from_secs(10);
    assert_eq!(exec("true").run(&launch(), second).await, Ok(()));
    assert_eq!(exec("exit 3").run(&launch(), second).await, Err("sh: exit code 3".into()));
    let told = exec("echo not yet; echo because >&2; sleep 100 & exit 1").run(&launch(), second).await;
    let told = told.unwrap_err();
    assert!(told.contains("not yet") && told.contains("because"), "{told}");
    assert_eq!(exec("yes | head -c 1000000; true").run(&launch(), second).await, Ok(()));
    let late = exec("sleep 100").run(&launch(), Duration::from_millis(50)).await;
    assert_eq!(late, Err("command \"sh -c sleep 100\" timed out".into()));
}

#[tokio::test]
async fn a_connection_must_be_accepted() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tcp = Action::Tcp { host: "127.0.0.1".into(), port };
    assert_eq!(tcp.run(&launch(), Duration::from_secs(5)).await, Ok(()));
    drop(listener);
    let refused = |address: String| format!("dial tcp {address}: connect: connection refused");
    let outcome = tcp.run(&launch(), Duration::from_secs(5)).await;
    assert_eq!(outcome, Err(refused(format!("127.0.0.1:{port}"))));
    let url = format!("http://127.0.0.1:{port}/x");
    let http = Action::Http { url: url.clone(), headers: vec![] };
    let outcome = http.run(&launch(), Duration::from_secs(5)).await;
    assert_eq!(outcome, Err(format!("Get \"{url}\": {}", refused(format!("127.0.0.1:{port}")))));
}

#[tokio::test]
async fn an_http_answer_of_500_is_not_well() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let http = Action::Http { url, headers: vec![] };
    for (status, well) in [("204 Fine", true), ("500 Bad", false)] {
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream
        };
        let launch = launch();
        let (outcome, _stream) = tokio::join!(http.run(&launch, Duration::from_secs(5)), serve);
        assert_eq!(outcome.is_ok(), well, "{outcome:?}");
    }
}
