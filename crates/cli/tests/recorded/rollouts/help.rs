//! Recorded help texts against ours: the commands, the flags and their defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

/// Flags that we have besides, with their command.
const MORE: [(&str, &str); 5] = [
    ("get experiment", "--timeout-seconds"),
    ("notifications", "--password"),
    ("notifications", "--help"),
    ("notifications", "--loglevel"),
    ("notifications", "--cache-dir"),
];

/// A flag: its letter, and its default where one is told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Flag {
    short: Option<String>,
    default: Option<String>,
}

/// Returns how our help of a command differs from the recorded one.
pub fn differences(arguments: &[OsString], recorded: &str, ours: &str) -> Vec<String> {
    let words: Vec<&str> =
        arguments.iter().filter_map(|it| it.to_str()).filter(|it| !it.starts_with('-')).collect();
    let command = words.join(" ");
    let mut strange = Vec::new();
    let (theirs, got) = (commands(recorded), commands(ours));
    let with_help =
        |all: &BTreeSet<String>| all.iter().filter(|it| *it != "help").cloned().collect::<BTreeSet<_>>();
    if with_help(&theirs) != with_help(&got) {
        strange.push(format!("commands {theirs:?}, ours {got:?}"));
    }
    let (theirs, got) = (flags(recorded), flags(ours));
    for (name, flag) in &theirs {
        match got.get(name) {
            None => strange.push(format!("no {name}")),
            // The letter of a connection flag is taken by another in one place; the default is that of its home.
            Some(_) if command == "notifications" || name == "--cache-dir" => {}
            Some(have) if have != flag => strange.push(format!("{name} is {have:?}, was {flag:?}")),
            Some(_) => {}
        }
    }
    let more =
        |name: &&String| !theirs.contains_key(*name) && !MORE.contains(&(command.as_str(), name.as_str()));
    strange.extend(got.keys().filter(more).map(|name| format!("{name} is new")));
    strange
}

/// Returns the commands that a help text lists.
fn commands(text: &str) -> BTreeSet<String> {
    let lines = text.lines().skip_while(|line| !matches!(*line, "Commands:" | "Available Commands:"));
    let lines = lines.skip(1).take_while(|line| !line.is_empty());
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Returns the flags that a help text lists, by name.
fn flags(text: &str) -> BTreeMap<String, Flag> {
    let mut flags: BTreeMap<String, Flag> = BTreeMap::new();
    let mut last = None;
    for line in text.lines().map(str::trim) {
        let mut words = line.split([' ', ',', '=']).filter(|word| !word.is_empty());
        let first = words.next().unwrap_or_default();
        let is_flag = first.len() > 1 && first.starts_with('-') && first != "--";
        if is_flag {
            let short = (first.len() == 2).then(|| first.to_owned());
            let name = if short.is_some() { words.next().unwrap_or_default() } else { first };
            let name: String =
                name.chars().take_while(|it| it.is_ascii_alphanumeric() || *it == '-').collect();
            flags.insert(name.clone(), Flag { short, default: None });
            last = Some(name);
        } else if line.is_empty() || line.ends_with(':') {
            last = None;
        }
        if let Some(flag) = last.as_ref().and_then(|name| flags.get_mut(name)) {
            flag.default = flag.default.take().or_else(|| default(line));
        }
    }
    flags
}

fn default(line: &str) -> Option<String> {
    let after = |sign: &str, end: char| {
        let rest = line.split(sign).nth(1)?;
        Some(rest.split(end).next().unwrap_or_default().trim_matches('"').to_owned())
    };
    let told = after("[default: ", ']').or_else(|| after("(default ", ')'));
    // Go does not tell the default of a number or a duration that is nothing, but that of a text.
    told.filter(|told| told != "0s" && told != "0")
}

/// Returns true when both tell a version in the same form, and the same platform where they tell one.
pub fn same_version(recorded: &str, ours: &str) -> bool {
    let number = |text: &str| {
        let version = text.lines().next().and_then(|line| line.strip_prefix("kubectl-argo-rollouts: v"))?;
        let (number, build) = version.split_once('+')?;
        let parts: Vec<&str> = number.split('.').collect();
        (parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok()) && !build.is_empty())
            .then_some(())
    };
    let labels = |text: &str| -> Vec<String> {
        text.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0.to_owned())).collect()
    };
    let theirs = labels(recorded);
    number(recorded).and(number(ours)).is_some()
        && labels(ours).len().min(1) == theirs.len().min(1)
        && labels(ours).iter().all(|label| theirs.contains(label))
}
