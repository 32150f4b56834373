//! Flags that say when and how an Application is synced.

use clap::Args;
use object::{Object, Value, json};

use super::super::context::Failure;
use crate::print::arguments::{go_duration, integer};

/// Flags about when and how is synced.
#[derive(Args, Debug, Default)]
pub(in super::super) struct Automation {
    /// When to sync: automated (auto) or none.
    #[arg(long)]
    pub sync_policy: Option<String>,
    /// Delete what the source no longer has.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub auto_prune: Option<bool>,
    /// Undo changes made to the cluster.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub self_heal: Option<bool>,
    /// Sync even when nothing is left.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub allow_empty: Option<bool>,
    /// Options of a sync, e.g. CreateNamespace=true; `!` before to take one back.
    #[arg(long = "sync-option", value_name = "KEY=VALUE")]
    pub sync_options: Vec<String>,
    /// How often a failed sync is tried again.
    #[arg(long, allow_hyphen_values = true, value_parser = integer)]
    pub sync_retry_limit: Option<i64>,
    /// First wait between tries.
    #[arg(long, value_parser = go_duration)]
    pub sync_retry_backoff_duration: Option<String>,
    /// Longest wait between tries.
    #[arg(long, value_parser = go_duration)]
    pub sync_retry_backoff_max_duration: Option<String>,
    /// How much longer each wait is.
    #[arg(long, value_parser = integer)]
    pub sync_retry_backoff_factor: Option<i64>,
    /// Try again with the latest revision instead of the first one.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub sync_retry_refresh: Option<bool>,
}

impl Automation {
    /// Writes what the flags say into `spec.syncPolicy`; returns whether any flag was given.
    pub(super) fn write(&self, app: &mut Object) -> Result<bool, Failure> {
        let mut given = self.write_policy(app)?;
        let switches = [
            (self.auto_prune, "auto-prune", "prune"),
            (self.self_heal, "self-heal", "selfHeal"),
            (self.allow_empty, "allow-empty", "allowEmpty"),
        ];
        for (value, flag, field) in switches {
            let Some(value) = value else { continue };
            if app.get(&["spec", "syncPolicy", "automated"]).is_none_or(Value::is_null) {
                let text = format!("Cannot set --{flag}: application not configured with automatic sync");
                return Err(Failure::failed(text));
            }
            app.set(&["spec", "syncPolicy", "automated", field], value);
            given = true;
        }
        given |= !self.sync_options.is_empty();
        self.sync_options.iter().for_each(|option| set_option(app, option));
        Ok(self.write_retry(app) || given)
    }

    fn write_policy(&self, app: &mut Object) -> Result<bool, Failure> {
        match self.sync_policy.as_deref() {
            None => return Ok(false),
            Some("none" | "manual") => {
                app.remove(&["spec", "syncPolicy", "automated"]);
                if app.get(&["spec", "syncPolicy"]).is_some_and(|policy| *policy == json!({})) {
                    app.remove(&["spec", "syncPolicy"]);
                }
            }
            Some("automated" | "automatic" | "auto") => {
                if app.get(&["spec", "syncPolicy", "automated"]).is_none() {
                    app.set(&["spec", "syncPolicy", "automated"], json!({}));
                }
            }
            Some(other) => return Err(Failure::failed(format!("Invalid sync-policy: {other}"))),
        }
        Ok(true)
    }

    fn write_retry(&self, app: &mut Object) -> bool {
        let retry = ["spec", "syncPolicy", "retry"];
        let mut given = false;
        let mut set = |field: &[&str], value: Option<Value>| {
            if let Some(value) = value {
                let path: Vec<&str> = retry.iter().chain(field).copied().collect();
                app.set(&path, value);
                given = true;
            }
        };
        set(&["limit"], self.sync_retry_limit.map(Value::from));
        set(&["backoff", "duration"], self.sync_retry_backoff_duration.clone().map(Value::from));
        set(&["backoff", "maxDuration"], self.sync_retry_backoff_max_duration.clone().map(Value::from));
        set(&["backoff", "factor"], self.sync_retry_backoff_factor.map(Value::from));
        set(&["refresh"], self.sync_retry_refresh.map(Value::from));
        given
    }
}

/// Adds a sync option, or takes the one behind `!` back.
fn set_option(app: &mut Object, option: &str) {
    let path = ["spec", "syncPolicy", "syncOptions"];
    let mut all = app.items(&path).to_vec();
    match option.strip_prefix('!') {
        Some(option) => all.retain(|known| known != option),
        None if !all.iter().any(|known| known == option) => all.push(option.into()),
        None => {}
    }
    app.set(&path, all);
}
