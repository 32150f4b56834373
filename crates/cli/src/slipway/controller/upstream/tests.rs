use clap::Parser as _;

use super::super::Arguments;

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// What is done about a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// It means what it means there.
    Acts,
    /// It is accepted, and told in the log to change nothing.
    Noted,
    /// The controller does not start, and says why.
    Refused,
}
use Does::{Acts, Noted, Refused};

/// The flags of the original's controller, with values that its manifests and documents give.
const FLAGS: [(&str, Does); 62] = [
    ("--rollout-threads=10", Acts),
    ("--experiment-threads=10", Acts),
    ("--analysis-threads=30", Acts),
    ("--service-threads=10", Noted),
    ("--ingress-threads=10", Noted),
    ("--ephemeral-metadata-threads=10", Noted),
    ("--ephemeral-metadata-update-pod-retries=3", Noted),
    ("--qps=40", Acts),
    ("--burst=80", Acts),
    ("--rollout-resync=900", Noted),
    ("--leader-elect", Acts),
    ("--leader-elect=false", Acts),
    ("--leader-election-namespace=argo-rollouts", Acts),
    ("--leader-election-lease-duration=15s", Acts),
    ("--leader-election-renew-deadline=10s", Acts),
    ("--leader-election-retry-period=2s", Acts),
    ("--namespaced", Acts),
    ("--instance-id=blue", Acts),
    ("--loglevel=debug", Noted),
    ("--logformat=json", Noted),
    ("--kloglevel=6", Noted),
    ("--metricsPort=8090", Acts),
    ("--metricsport=8090", Acts),
    ("--healthzPort=8080", Acts),
    ("--controllers=analysis", Acts),
    ("--controllers=rollouts", Refused),
    ("--istio-api-version=v1", Acts),
    ("--traffic-split-api-version=v1alpha2", Acts),
    ("--ambassador-api-version=getambassador.io/v2", Noted),
    ("--traefik-api-group=traefik.io", Noted),
    ("--traefik-api-version=traefik.io/v1alpha1", Noted),
    ("--ingress-api-version=networking.k8s.io/v1", Noted),
    ("--appmesh-crd-version=v1beta2", Noted),
    ("--alb-ingress-classes=alb,internal", Noted),
    ("--nginx-ingress-classes=nginx", Noted),
    ("--aws-verify-target-group", Refused),
    ("--aws-verify-target-group=true", Refused),
    ("--aws-verify-target-group=false", Noted),
    ("--alb-verify-weight", Refused),
    ("--alb-verify-weight=false", Noted),
    ("--alb-tag-key-resource-id=ingress.k8s.aws/resource", Noted),
    ("--aws-target-group-binding-api-version=elbv2.k8s.aws/v1beta1", Noted),
    ("--self-service-notification-enabled", Noted),
    ("--self-service-notification-enabled=false", Noted),
    ("--enable-pprof-address=:6060", Noted),
    ("--namespace=shop", Acts),
    ("--kubeconfig=config", Acts),
    ("--context=c", Acts),
    ("--cluster=c", Acts),
    ("--user=u", Acts),
    ("--server=https://s", Acts),
    ("--token=t", Acts),
    ("--as=u", Acts),
    ("--as-group=g", Acts),
    ("--as-uid=1", Acts),
    ("--certificate-authority=f", Acts),
    ("--client-certificate=f", Acts),
    ("--client-key=f", Acts),
    ("--insecure-skip-tls-verify", Acts),
    ("--tls-server-name=n", Acts),
    ("--request-timeout=30s", Acts),
    ("--disable-compression", Acts),
];

#[test]
fn each_flag_of_the_original_is_known() {
    for (flag, does) in FLAGS {
        let name =
            flag.split('=').next().unwrap().replace("--alb-verify-weight", "--aws-verify-target-group");
        let parsed = Line::try_parse_from(["controller", flag]);
        let found = match &parsed {
            Err(_) => Refused,
            Ok(line) if line.arguments.accepted.noted() == [name.as_str()] => Noted,
            Ok(line) => {
                assert_eq!(line.arguments.accepted.noted(), [""; 0], "{flag}");
                Acts
            }
        };
        assert_eq!(found, does, "{flag}: {:?}", parsed.err().map(|error| error.to_string()));
    }
}

#[test]
fn what_is_refused_says_why() {
    let error = Line::try_parse_from(["controller", "--alb-verify-weight"]).unwrap_err().to_string();
    assert!(error.contains("target groups of AWS are not verified yet"), "{error}");
    let error = Line::try_parse_from(["controller", "--shards", "3"]).unwrap_err().to_string();
    assert!(error.contains("run 3 replicas with --shards auto"), "{error}");
    assert!(Line::try_parse_from(["controller", "--no-such-flag"]).is_err());
}

#[test]
fn what_acts_arrives() {
    let line = "controller --istio-api-version v1 --qps 100 --burst 200 --controllers analysis --metricsPort 1 \
        --healthzPort 2 --leader-election-lease-duration 30s --instance-id blue --shards auto";
    let arguments = Line::try_parse_from(line.split_whitespace()).unwrap().arguments;
    assert_eq!(arguments.routing.settings().istio_version, "v1");
    assert_eq!(arguments.routing.settings().traffic_split_version, "v1alpha1");
    let bounds = arguments.rate.bounds();
    assert_eq!((bounds.qps, bounds.burst), (Some(100.0), Some(200)));
    assert!(arguments.only.only_analysis() && arguments.sharing.is_shared());
    assert_eq!((arguments.metrics_port, arguments.healthz_port), (1, 2));
    let lease = super::super::lease(&arguments);
    assert_eq!((lease.lease_duration.as_secs(), lease.renew_deadline.as_secs()), (30, 10));
    assert_eq!(lease.lease.name, "argo-rollouts-controller-lock-blue");
}
