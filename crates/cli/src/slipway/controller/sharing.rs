//! `--shards`: replicas that share the objects instead of competing for one lease.

use controllers::instance::Instance;
use object::Time;
use runtime::ShardConfig;
use runtime::shards::Timings;

/// Whether and how the objects are shared.
#[derive(Debug, clap::Args)]
pub struct SharingFlags {
    /// Share the objects with the other replicas instead of competing for one lease: among all that live, however many
    #[arg(long, value_parser = mode, value_name = "auto")]
    shards: Option<Mode>,
}

/// What `--shards` says. A number of shards is no choice: each replica that lives is one, so that none is ever without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Auto,
    Off,
}

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "auto" => Ok(Mode::Auto),
        "off" => Ok(Mode::Off),
        number if number.parse::<u32>().is_ok() => Err(format!(
            "each replica that lives is a shard: run {number} replicas with --shards auto instead"
        )),
        _ => Err("must be auto or off".to_owned()),
    }
}

impl SharingFlags {
    /// Returns true when the objects are shared, and nobody competes for the one lease.
    pub fn is_shared(&self) -> bool {
        self.shards == Some(Mode::Auto)
    }
}

/// Longest value of a label.
const LABEL: usize = 63;
/// Longest part of a replica's name that comes from its host.
const HOST: usize = 200;

/// Returns where the replicas of this instance meet in `namespace`, and a name for this one that nobody had before.
pub fn config(namespace: &str, instance: &Instance, now: Time) -> ShardConfig {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "slipway".into());
    let nanoseconds = now.timestamp().as_nanosecond();
    ShardConfig {
        namespace: namespace.to_owned(),
        group: group(instance),
        member: format!("{}-{:x}-{nanoseconds:x}", host_part(&host), std::process::id()),
        timings: Timings::default(),
    }
}

/// Returns the label of those that work on the same objects.
fn group(instance: &Instance) -> String {
    let mut name = "argo-rollouts-controller".to_owned();
    for part in [instance.id.as_str(), instance.namespace.as_deref().unwrap_or_default()] {
        if !part.is_empty() {
            name = format!("{name}.{part}");
        }
    }
    if instance.namespace.is_some() {
        name.push_str(".namespaced");
    }
    if name.len() <= LABEL {
        return name;
    }
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("argo-rollouts-controller.{hash:016x}")
}

/// Returns the host's name as the first part of an object's name.
fn host_part(host: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = host.chars().take(HOST).map(plain).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "slipway".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_shards_is_told_how_to_say_it() {
        assert_eq!((mode("auto"), mode("off")), (Ok(Mode::Auto), Ok(Mode::Off)));
        assert!(mode("3").unwrap_err().contains("run 3 replicas with --shards auto"));
        assert_eq!(mode("some").unwrap_err(), "must be auto or off");
    }

    #[test]
    fn those_that_work_on_different_objects_do_not_meet() {
        let of = |id: &str, namespace: Option<&str>| {
            group(&Instance { id: id.into(), namespace: namespace.map(str::to_owned) })
        };
        let long = "x".repeat(60);
        let all = [of("", None), of("a", None), of("", Some("a")), of("a", Some("b")), of(&long, None)];
        let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), all.len(), "{all:?}");
        assert!(all.iter().all(|name| name.len() <= LABEL));
    }

    #[test]
    fn any_host_gives_a_name() {
        assert_eq!(host_part("Web_1.example"), "web-1-example");
        assert_eq!(host_part("___"), "slipway");
        let member = config("ns", &Instance::default(), Time::from_unix(1)).member;
        assert!(
            member.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-'),
            "{member}"
        );
        assert_ne!(member, config("ns", &Instance::default(), Time::from_unix(2)).member);
    }
}
