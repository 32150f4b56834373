//! Flags of the Argo Rollouts controller besides those that `slipway controller` shares by meaning.
//!
//! Each flag of the original either acts, or is accepted and told in the log to change nothing, or is refused; the list is
//! in the tests.

use runtime::Bounds;

/// Which versions of the routers' resources are spoken.
#[derive(Debug, clap::Args)]
pub struct RoutingFlags {
    /// Version of the group networking.istio.io
    #[arg(long, default_value = "v1alpha3", value_name = "VERSION")]
    istio_api_version: String,
    /// Version of the group split.smi-spec.io
    #[arg(long, default_value = "v1alpha1", value_name = "VERSION")]
    traffic_split_api_version: String,
}

impl RoutingFlags {
    /// Returns how routers are spoken to.
    pub fn settings(&self) -> traffic::Settings {
        traffic::Settings {
            istio_version: self.istio_api_version.clone(),
            traffic_split_version: self.traffic_split_api_version.clone(),
            ..traffic::Settings::default()
        }
    }
}

/// How often the API server is asked at most.
#[derive(Debug, clap::Args)]
pub struct RateFlags {
    /// Upper bound of requests per second; without it the API server's own pace is found and kept
    #[arg(long, value_name = "N")]
    qps: Option<f64>,
    /// Upper bound of requests at once after a rest, with --qps
    #[arg(long, value_name = "N")]
    burst: Option<u32>,
}

impl RateFlags {
    /// Returns the bounds.
    pub fn bounds(&self) -> Bounds {
        Bounds { qps: self.qps, burst: self.burst }
    }
}

/// Which controllers run.
#[derive(Debug, clap::Args)]
pub struct ControllerFlags {
    /// Run only these controllers
    #[arg(long, value_delimiter = ',', value_parser = ["analysis"], value_name = "NAMES")]
    controllers: Vec<String>,
}

impl ControllerFlags {
    /// Returns true when nothing but the AnalysisRun controller is to run.
    pub fn only_analysis(&self) -> bool {
        !self.controllers.is_empty()
    }
}

/// Flags that manifests of the original carry and that change nothing here; each that is given is told in the log.
#[derive(Debug, clap::Args)]
pub struct AcceptedFlags {
    /// Accepted; SLIPWAY_LOG decides what is logged
    #[arg(long, value_name = "LEVEL")]
    loglevel: Option<String>,
    /// Accepted; the log is text
    #[arg(long, value_name = "FORMAT")]
    logformat: Option<String>,
    /// Accepted; SLIPWAY_LOG decides what is logged
    #[arg(long, value_name = "LEVEL")]
    kloglevel: Option<String>,
    /// Accepted; every change is seen, nothing is looked at again for its own sake
    #[arg(long, value_name = "SECONDS")]
    rollout_resync: Option<u64>,
    /// Accepted; Services are worked on with their Rollouts
    #[arg(long, value_name = "N")]
    service_threads: Option<u32>,
    /// Accepted; Ingresses are worked on with their Rollouts
    #[arg(long, value_name = "N")]
    ingress_threads: Option<u32>,
    /// Accepted; metadata of pods is written with their Rollouts
    #[arg(long, value_name = "N")]
    ephemeral_metadata_threads: Option<u32>,
    /// Accepted; a write that fails is tried again until it succeeds
    #[arg(long, value_name = "N")]
    ephemeral_metadata_update_pod_retries: Option<u32>,
    #[command(flatten)]
    routers: RouterFlags,
    /// Accepted; notifications are not sent yet
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    self_service_notification_enabled: Option<bool>,
    /// Accepted; there is no pprof
    #[arg(long, value_name = "ADDRESS")]
    enable_pprof_address: Option<String>,
}

/// Those of them that are about routers.
#[derive(Debug, clap::Args)]
pub struct RouterFlags {
    /// Accepted; Ambassador is no router here
    #[arg(long, value_name = "VERSION")]
    ambassador_api_version: Option<String>,
    /// Accepted; Traefik is no router here
    #[arg(long, value_name = "GROUP")]
    traefik_api_group: Option<String>,
    /// Accepted; Traefik is no router here
    #[arg(long, value_name = "VERSION")]
    traefik_api_version: Option<String>,
    /// Accepted; Ingresses are those of networking.k8s.io/v1
    #[arg(long, value_name = "VERSION")]
    ingress_api_version: Option<String>,
    /// Accepted; App Mesh is no router here
    #[arg(long, value_name = "VERSION")]
    appmesh_crd_version: Option<String>,
    /// Accepted; the Rollout says which Ingress is of which router
    #[arg(long, value_delimiter = ',', value_name = "CLASSES")]
    alb_ingress_classes: Vec<String>,
    /// Accepted; the Rollout says which Ingress is of which router
    #[arg(long, value_delimiter = ',', value_name = "CLASSES")]
    nginx_ingress_classes: Vec<String>,
    /// Accepted when false; target groups are not verified yet, so true is refused
    #[arg(long, alias = "alb-verify-weight", value_parser = unverified, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    aws_verify_target_group: Option<bool>,
    /// Accepted; only verification needs it
    #[arg(long, value_name = "KEY")]
    alb_tag_key_resource_id: Option<String>,
    /// Accepted; only verification needs it
    #[arg(long, value_name = "VERSION")]
    aws_target_group_binding_api_version: Option<String>,
}

/// Whoever asks for verification counts on it: going on without could take pods away that still get traffic.
fn unverified(text: &str) -> Result<bool, String> {
    match text.parse() {
        Ok(false) => Ok(false),
        Ok(true) => {
            Err("target groups of AWS are not verified yet; leave the flag out to go on without".into())
        }
        Err(_) => Err("must be true or false".into()),
    }
}

impl RouterFlags {
    fn given(&self) -> [(&'static str, bool); 10] {
        [
            ("--ambassador-api-version", self.ambassador_api_version.is_some()),
            ("--traefik-api-group", self.traefik_api_group.is_some()),
            ("--traefik-api-version", self.traefik_api_version.is_some()),
            ("--ingress-api-version", self.ingress_api_version.is_some()),
            ("--appmesh-crd-version", self.appmesh_crd_version.is_some()),
            ("--alb-ingress-classes", !self.alb_ingress_classes.is_empty()),
            ("--nginx-ingress-classes", !self.nginx_ingress_classes.is_empty()),
            ("--aws-verify-target-group", self.aws_verify_target_group.is_some()),
            ("--alb-tag-key-resource-id", self.alb_tag_key_resource_id.is_some()),
            ("--aws-target-group-binding-api-version", self.aws_target_group_binding_api_version.is_some()),
        ]
    }
}

impl AcceptedFlags {
    /// Returns the flags that were given and change nothing.
    fn noted(&self) -> Vec<&'static str> {
        let given = [
            ("--loglevel", self.loglevel.is_some()),
            ("--logformat", self.logformat.is_some()),
            ("--kloglevel", self.kloglevel.is_some()),
            ("--rollout-resync", self.rollout_resync.is_some()),
            ("--service-threads", self.service_threads.is_some()),
            ("--ingress-threads", self.ingress_threads.is_some()),
            ("--ephemeral-metadata-threads", self.ephemeral_metadata_threads.is_some()),
            ("--ephemeral-metadata-update-pod-retries", self.ephemeral_metadata_update_pod_retries.is_some()),
            ("--self-service-notification-enabled", self.self_service_notification_enabled.is_some()),
            ("--enable-pprof-address", self.enable_pprof_address.is_some()),
        ];
        given
            .into_iter()
            .chain(self.routers.given())
            .filter(|(_, given)| *given)
            .map(|(flag, _)| flag)
            .collect()
    }

    /// Logs which flags were given that change nothing.
    pub fn tell(&self) {
        for flag in self.noted() {
            tracing::info!(flag, "accepted, changes nothing");
        }
    }
}

#[cfg(test)]
mod tests;
