//! Flags of every verb: which cluster, which namespace, and those of the existing tool that say how to reach its server.

use clap::{Args, ValueEnum};
use runtime::Connection;

use super::super::context::Failure;
use crate::print::arguments::integer;

/// Flags of every verb.
#[derive(Args, Debug)]
pub(in super::super) struct Global {
    /// Namespace of the Applications; ARGOCD_NAMESPACE, else argocd, when absent.
    #[arg(short = 'N', long, global = true, value_name = "NAMESPACE")]
    pub app_namespace: Option<String>,
    /// Kubeconfig file; those that KUBECONFIG lists, else ~/.kube/config, when absent.
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<std::path::PathBuf>,
    /// Context of the kubeconfig.
    #[arg(long, global = true, value_name = "NAME")]
    pub kube_context: Option<String>,
    /// Form of log lines.
    #[arg(long, global = true, value_enum, default_value = "json")]
    pub logformat: LogFormat,
    /// Level of log lines: debug, info, warn or error.
    #[arg(long, global = true, default_value = "info", value_parser = ["debug", "info", "warn", "error"],
        hide_possible_values = true)]
    pub loglevel: String,
    #[command(flatten)]
    server: ServerFlags,
    #[command(flatten)]
    ignored: IgnoredFlags,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// `key=value` pairs.
    Text,
}

/// Flags that name a server or a login there. Nothing is asked of a server here, so they are refused, lest another
/// cluster than the one that is meant is changed; with `--core` they mean nothing to the existing tool either.
#[derive(Args, Debug)]
struct ServerFlags {
    /// Talk to Kubernetes and not to a server; always so here, but flags that name a server are passed over.
    #[arg(long, global = true)]
    core: bool,
    /// Refused without --core: address of a server.
    #[arg(long, global = true, value_name = "ADDRESS", hide = true)]
    server: Option<String>,
    /// Refused without --core: token for a server.
    #[arg(long, global = true, value_name = "TOKEN", hide = true)]
    auth_token: Option<String>,
    /// Refused without --core: name of a server in the configuration of the existing tool.
    #[arg(long, global = true, value_name = "NAME", hide = true)]
    argocd_context: Option<String>,
}

/// Flags about the way to a server, of which there is none: they change nothing.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of the command line")]
struct IgnoredFlags {
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    grpc_web: bool,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    grpc_web_root_path: Option<String>,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    insecure: bool,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    plaintext: bool,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    port_forward: bool,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    port_forward_namespace: Option<String>,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    prompts_enabled: bool,
    /// Accepted for compatibility.
    #[arg(short = 'H', long, global = true, hide = true)]
    header: Vec<String>,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true, value_parser = integer)]
    http_retry_max: Option<i64>,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    config: Option<String>,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    client_crt: Option<String>,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    client_crt_key: Option<String>,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    server_crt: Option<String>,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    controller_name: Option<String>,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    repo_server_name: Option<String>,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    server_name: Option<String>,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    redis_name: Option<String>,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    redis_haproxy_name: Option<String>,
    /// Accepted for compatibility.
    #[arg(long, global = true, hide = true)]
    redis_compress: Option<String>,
}

impl Global {
    /// Returns the namespace of the Applications that have no other one named.
    pub fn namespace(&self) -> String {
        let named = self.app_namespace.clone().filter(|name| !name.is_empty());
        named
            .or_else(|| std::env::var("ARGOCD_NAMESPACE").ok().filter(|name| !name.is_empty()))
            .unwrap_or_else(|| "argocd".into())
    }

    /// Returns the cluster that is meant.
    ///
    /// Errors: a flag that names a server, without `--core`.
    pub fn connection(&self) -> Result<Connection, Failure> {
        let ServerFlags { core, server, auth_token, argocd_context } = &self.server;
        let given = [("server", server), ("auth-token", auth_token), ("argocd-context", argocd_context)];
        if let Some((flag, _)) = given.iter().find(|(_, value)| value.is_some() && !core) {
            return Err(Failure::fatal(format!(
                "--{flag} is about an Argo CD API server, but this program changes Applications straight on the Kubernetes \
                 API of the kubeconfig: leave it out, or add --core"
            )));
        }
        Ok(Connection {
            kubeconfig: self.kubeconfig.clone(),
            context: self.kube_context.clone(),
            ..Connection::default()
        })
    }
}
