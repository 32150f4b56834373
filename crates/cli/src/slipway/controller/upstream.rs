//! Flags of the Argo Rollouts controller besides those that `slipway controller` shares by meaning.

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
    /// Accepted; requests are not limited, reads are watches and writes are few
    #[arg(long, value_name = "N")]
    qps: Option<f64>,
    /// Accepted, as --qps
    #[arg(long, value_name = "N")]
    burst: Option<u32>,
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
}

impl AcceptedFlags {
    /// Logs which flags were given that change nothing.
    pub fn tell(&self) {
        let given = [
            ("--loglevel", self.loglevel.is_some()),
            ("--logformat", self.logformat.is_some()),
            ("--kloglevel", self.kloglevel.is_some()),
            ("--qps", self.qps.is_some()),
            ("--burst", self.burst.is_some()),
            ("--rollout-resync", self.rollout_resync.is_some()),
            ("--service-threads", self.service_threads.is_some()),
            ("--ingress-threads", self.ingress_threads.is_some()),
            ("--ephemeral-metadata-threads", self.ephemeral_metadata_threads.is_some()),
            ("--ephemeral-metadata-update-pod-retries", self.ephemeral_metadata_update_pod_retries.is_some()),
        ];
        for (flag, _) in given.iter().filter(|(_, given)| *given) {
            tracing::info!(flag, "accepted, changes nothing");
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Flags {
        #[command(flatten)]
        routing: RoutingFlags,
        #[command(flatten)]
        accepted: AcceptedFlags,
    }

    #[test]
    fn manifests_of_the_original_start() {
        let line = "x --istio-api-version v1 --loglevel debug --kloglevel 6 --qps 100 --burst 200 --rollout-resync 900";
        let flags = Flags::try_parse_from(line.split(' ')).unwrap();
        assert_eq!(flags.routing.settings().istio_version, "v1");
        assert_eq!(flags.routing.settings().traffic_split_version, "v1alpha1");
        flags.accepted.tell();
        assert_eq!(flags.accepted.kloglevel.as_deref(), Some("6"));
    }
}
