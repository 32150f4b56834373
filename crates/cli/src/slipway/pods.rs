//! Flags about how pods run.

use std::path::PathBuf;

use anyhow::Context as _;
use node::{Pods, Rules};

/// How pods run.
#[derive(Debug, clap::Args)]
pub struct PodFlags {
    /// Do not run processes: pods become ready by rules
    #[arg(long)]
    simulate_pods: bool,
    /// YAML list of rules for simulated pods: {image, labels, readyAfter, neverReady, exitAfter, exitCode, imagePullError},
    /// the first that applies counts; without any, pods are ready after a second
    #[arg(long, value_name = "FILE", requires = "simulate_pods")]
    pod_rules: Option<PathBuf>,
}

impl PodFlags {
    /// Returns how pods run.
    ///
    /// Errors: the file of rules cannot be read.
    pub fn pods(&self) -> anyhow::Result<Pods> {
        if !self.simulate_pods {
            return Ok(Pods::Processes);
        }
        let Some(file) = &self.pod_rules else { return Ok(Pods::Simulated(Rules::default())) };
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let rules = Rules::parse(&text).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Pods::Simulated(rules))
    }
}
