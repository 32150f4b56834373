//! Flags that say which cluster is meant and who asks, with the names that kubectl gives them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use object::time::parse_duration;
use runtime::{Cluster, Connection};

const HEADING: &str = "Connection";

/// Flags of every command that talks to a cluster.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ConnectFlags {
    /// Namespace to work in; that of the kubeconfig's context when absent.
    #[arg(help_heading = HEADING, short, long, global = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Kubeconfig file; those that KUBECONFIG lists, else ~/.kube/config, when absent.
    #[arg(help_heading = HEADING, long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig.
    #[arg(help_heading = HEADING, long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Cluster of the kubeconfig.
    #[arg(help_heading = HEADING, long, global = true, value_name = "NAME")]
    pub cluster: Option<String>,
    /// User of the kubeconfig.
    #[arg(help_heading = HEADING, long, global = true, value_name = "NAME")]
    pub user: Option<String>,
    /// Address of the Kubernetes API server.
    #[arg(help_heading = HEADING, short, long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// Bearer token to log in with.
    #[arg(help_heading = HEADING, long, global = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// User to act as.
    #[arg(help_heading = HEADING, long = "as", global = true, value_name = "USER")]
    pub act_as: Option<String>,
    /// Group to act as; may be given several times.
    #[arg(help_heading = HEADING, long = "as-group", global = true, value_name = "GROUP")]
    pub act_as_groups: Vec<String>,
    /// UID to act as.
    #[arg(help_heading = HEADING, long = "as-uid", global = true, value_name = "UID")]
    pub act_as_uid: Option<String>,
    /// File with the certificates that sign the server's.
    #[arg(help_heading = HEADING, long, global = true, value_name = "FILE")]
    pub certificate_authority: Option<PathBuf>,
    /// File with the client's certificate.
    #[arg(help_heading = HEADING, long, global = true, value_name = "FILE")]
    pub client_certificate: Option<PathBuf>,
    /// File with the key of the client's certificate.
    #[arg(help_heading = HEADING, long, global = true, value_name = "FILE")]
    pub client_key: Option<PathBuf>,
    /// Do not check the server's certificate.
    #[arg(help_heading = HEADING, long, global = true)]
    pub insecure_skip_tls_verify: bool,
    /// Name that the server's certificate must have.
    #[arg(help_heading = HEADING, long, global = true, value_name = "NAME")]
    pub tls_server_name: Option<String>,
    /// Longest time one request may take, e.g. 30s or 30; 0 means any.
    #[arg(help_heading = HEADING, long, global = true, default_value = "0", value_parser = request_timeout, value_name = "DURATION")]
    pub request_timeout: Duration,
    /// Ask for answers that are not compressed.
    #[arg(help_heading = HEADING, long, global = true)]
    pub disable_compression: bool,
    /// Accepted for compatibility: nothing is cached on disk.
    #[arg(help_heading = HEADING, long, global = true, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
}

impl ConnectFlags {
    /// Returns the namespace asked for, else that of the kubeconfig's context.
    pub fn namespace_in(&self, cluster: &Cluster) -> String {
        self.namespace.clone().unwrap_or_else(|| cluster.default_namespace().to_owned())
    }

    /// Returns what the flags say.
    pub fn connection(&self) -> Connection {
        let flags = self.clone();
        Connection {
            kubeconfig: flags.kubeconfig,
            context: flags.context,
            cluster: flags.cluster,
            user: flags.user,
            server: flags.server,
            tls_server_name: flags.tls_server_name,
            certificate_authority: flags.certificate_authority,
            insecure_skip_tls_verify: flags.insecure_skip_tls_verify,
            client_certificate: flags.client_certificate,
            client_key: flags.client_key,
            token: flags.token,
            act_as: flags.act_as,
            act_as_groups: flags.act_as_groups,
            act_as_uid: flags.act_as_uid,
            request_timeout: (!flags.request_timeout.is_zero()).then_some(flags.request_timeout),
            disable_compression: flags.disable_compression,
        }
    }
}

/// Reads whole seconds or a Go duration. Source: client-go's `ParseTimeout`.
fn request_timeout(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    parse_duration(text).map_err(|_| {
        "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding \
         time unit (e.g. 1s | 2m | 3h)"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_seconds_or_durations() {
        assert_eq!(request_timeout("30"), Ok(Duration::from_secs(30)));
        assert_eq!(request_timeout("2m"), Ok(Duration::from_secs(120)));
        assert!(request_timeout("soon").unwrap_err().starts_with("Invalid timeout value"));
    }

    #[test]
    fn a_timeout_of_nothing_is_none() {
        assert_eq!(ConnectFlags::default().connection().request_timeout, None);
        let flags = ConnectFlags { request_timeout: Duration::from_secs(1), ..ConnectFlags::default() };
        assert_eq!(flags.connection().request_timeout, Some(Duration::from_secs(1)));
    }
}
