//! Reading arguments, and refusing them in the words that the existing tools use.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, FromArgMatches};

/// Why no command runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Help was asked for: its text, for standard output.
    Help(String),
    /// The command is not complete: its help text.
    Usage(String),
    /// The arguments are wrong: one or more lines.
    Wrong(String),
}

/// Returns the arguments (without the program's name) as `T`.
///
/// Errors: [`Refusal`], in the words of cobra where it has some: `unknown flag: --x`, `unknown command "x" for "y"`.
pub fn parse<T: CommandFactory + FromArgMatches>(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<T, Refusal> {
    let command = T::command().args_override_self(true);
    let program = OsString::from(command.get_name());
    let all: Vec<OsString> = std::iter::once(program).chain(switched::<T>(arguments)?).collect();
    let matched =
        command.try_get_matches_from(&all).and_then(|mut found| T::from_arg_matches_mut(&mut found));
    matched.map_err(|error| refusal(&error, named::<T>(&all[1..])))
}

/// Returns the arguments with `--switch=true` as `--switch` and without `--switch=false`, for the switches that take no
/// value here: Go's tools let each of them have one.
fn switched<T: CommandFactory>(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Vec<OsString>, Refusal> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let (command, _) = named::<T>(&arguments);
    let mut kept = Vec::new();
    let mut words = arguments.into_iter();
    for word in words.by_ref() {
        if word == "--" {
            kept.push(word);
            break;
        }
        match switch(&command, &word.to_string_lossy()) {
            Some(Switch { flag, value: "true" | "TRUE" | "True" | "t" | "T" | "1", keeps }) => {
                kept.push(if keeps { format!("{flag}=true") } else { flag.to_owned() }.into());
            }
            Some(Switch { flag, value: "false" | "FALSE" | "False" | "f" | "F" | "0", keeps }) => {
                kept.extend(keeps.then(|| format!("{flag}=false").into()));
            }
            Some(Switch { flag, value, .. }) => {
                let cause = format!("strconv.ParseBool: parsing {value:?}: invalid syntax");
                return Err(invalid(&command, flag, value, &cause));
            }
            None => kept.push(word),
        }
    }
    kept.extend(words);
    Ok(kept)
}

/// A word like `--switch=true`.
struct Switch<'a> {
    flag: &'a str,
    value: &'a str,
    /// Whether the switch takes a value here too.
    keeps: bool,
}

/// Returns the parts of a word that gives a switch a value.
fn switch<'a>(command: &Command, word: &'a str) -> Option<Switch<'a>> {
    let (flag, value) = word.split_once('=')?;
    let arg = find(command, flag)?;
    let keeps = arg.get_action().takes_values();
    let values = arg.get_possible_values();
    let is_switch = !keeps || values.iter().map(clap::builder::PossibleValue::get_name).eq(["true", "false"]);
    is_switch.then_some(Switch { flag, value, keeps })
}

/// Returns the argument that `flag`, such as `--name` or `-n`, names.
fn find<'a>(command: &'a Command, flag: &str) -> Option<&'a clap::Arg> {
    let is = |arg: &&clap::Arg| {
        if let Some(long) = flag.strip_prefix("--") {
            return arg.get_long() == Some(long);
        }
        let mut letters = flag.strip_prefix('-').unwrap_or_default().chars();
        let letter = letters.next();
        letter.is_some() && letters.next().is_none() && arg.get_short() == letter
    };
    command.get_arguments().find(is)
}

/// Returns the refusal of a flag's value, in the words of Go's flags.
fn invalid(command: &Command, flag: &str, value: &str, cause: &str) -> Refusal {
    let name = match find(command, flag).map(|arg| (arg.get_short(), arg.get_long())) {
        Some((Some(short), Some(long))) => format!("-{short}, --{long}"),
        _ => flag.to_owned(),
    };
    let cause = if cause.is_empty() { String::new() } else { format!(": {cause}") };
    Refusal::Wrong(format!("invalid argument {value:?} for {name:?} flag{cause}"))
}

/// Returns the help text of the command that `path` names, e.g. `["set", "image"]`.
pub fn help<T: CommandFactory>(path: &[&str]) -> String {
    let path: Vec<OsString> = path.iter().map(OsString::from).collect();
    named::<T>(&path).0.render_help().to_string()
}

/// Returns the innermost command that the arguments name, and whether that is the outermost one.
fn named<T: CommandFactory>(arguments: &[OsString]) -> (Command, bool) {
    let mut root = T::command();
    root.build();
    let (mut command, mut outermost) = (&root, true);
    for word in arguments {
        if let Some(inner) = command.find_subcommand(word) {
            (command, outermost) = (inner, false);
        }
    }
    (command.clone(), outermost)
}

fn refusal(error: &clap::Error, (mut command, outermost): (Command, bool)) -> Refusal {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    match error.kind() {
        ErrorKind::DisplayHelp => Refusal::Help(error.render().to_string()),
        ErrorKind::InvalidSubcommand if outermost => {
            let (program, word) = (command.get_name().to_owned(), context(ContextKind::InvalidSubcommand));
            let hint = format!("Run '{program} --help' for usage.");
            Refusal::Wrong(format!("unknown command {word:?} for {program:?}\n{hint}"))
        }
        ErrorKind::UnknownArgument if context(ContextKind::InvalidArg).starts_with('-') => {
            Refusal::Wrong(unknown_flag(&context(ContextKind::InvalidArg)))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let (flag, value) = (context(ContextKind::InvalidArg), context(ContextKind::InvalidValue));
            let flag = flag.split([' ', '=']).next().unwrap_or_default();
            if value.is_empty() {
                return Refusal::Wrong(format!("flag needs an argument: {flag}"));
            }
            let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            invalid(&command, flag, &value, &cause)
        }
        ErrorKind::ArgumentConflict | ErrorKind::TooManyValues => {
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default();
            Refusal::Wrong(line.trim_start_matches("error: ").to_owned())
        }
        _ => Refusal::Usage(command.render_help().to_string()),
    }
}

fn unknown_flag(flag: &str) -> String {
    if let Some(name) = flag.strip_prefix("--") {
        return format!("unknown flag: --{}", name.split('=').next().unwrap_or_default());
    }
    let letter = flag.chars().nth(1).unwrap_or('-');
    format!("unknown shorthand flag: {letter:?} in {flag}")
}

/// Reads a whole number, for use as a value parser; refused in Go's words.
pub fn integer(text: &str) -> Result<i64, String> {
    text.parse().map_err(|error| not_a_number("ParseInt", text, &error))
}

/// Reads a whole number of at least 0, for use as a value parser; refused in Go's words.
pub fn unsigned(text: &str) -> Result<u64, String> {
    text.parse().map_err(|error| not_a_number("ParseUint", text, &error))
}

fn not_a_number(parser: &str, text: &str, error: &std::num::ParseIntError) -> String {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    let cause = match error.kind() {
        PosOverflow | NegOverflow => "value out of range",
        _ => "invalid syntax",
    };
    format!("strconv.{parser}: parsing {text:?}: {cause}")
}

/// Reads a duration in Go's form and returns it as Go prints it, e.g. `1m0s` for `60s`; for use as a value parser.
pub fn go_duration(text: &str) -> Result<String, object::time::TimeError> {
    duration(text).map(object::time::format_duration)
}

/// Reads a duration in Go's form, e.g. `90s`, for use as a value parser.
pub fn duration(text: &str) -> Result<std::time::Duration, object::time::TimeError> {
    object::time::parse_duration(text)
}

/// Fails for a command or a flag, here or below, that says nothing of itself; commands that do something show an example.
#[cfg(test)]
#[track_caller]
pub fn assert_told<T: CommandFactory>(except: &[&str]) {
    fn check(command: &Command, path: &str, except: &[&str]) {
        let path = format!("{path} {}", command.get_name());
        assert!(command.get_about().is_some(), "{path} does not say what it does");
        for arg in command.get_arguments() {
            assert!(arg.get_help().is_some(), "{path}: {} has no help", arg.get_id());
        }
        let acts = !command.has_subcommands() && !except.iter().any(|name| path.contains(name));
        assert!(!acts || command.get_after_help().is_some(), "{path} shows no example");
        command.get_subcommands().for_each(|inner| check(inner, &path, except));
    }
    let mut command = T::command().disable_help_subcommand(true);
    command.build();
    command.clone().debug_assert();
    check(&command, "", except);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser, Debug)]
    #[command(name = "tool")]
    struct Arguments {
        #[command(subcommand)]
        verb: Verb,
    }

    #[derive(clap::Subcommand, Debug)]
    enum Verb {
        /// Does.
        Run {
            _name: String,
            #[arg(short, long)]
            fast: bool,
            #[arg(short, long, value_parser = unsigned, default_value_t = 0)]
            times: u64,
            #[arg(long, value_parser = duration)]
            wait: Option<std::time::Duration>,
        },
    }

    fn refused(words: &[&str]) -> Refusal {
        parse::<Arguments>(words.iter().map(OsString::from)).unwrap_err()
    }

    #[test]
    fn refusals_use_the_words_of_the_existing_tools() {
        let wrong = |text: &str| Refusal::Wrong(text.to_owned());
        assert_eq!(refused(&["run", "x", "--no=1"]), wrong("unknown flag: --no"));
        assert_eq!(refused(&["run", "x", "-z"]), wrong("unknown shorthand flag: 'z' in -z"));
        assert_eq!(
            refused(&["walk"]),
            wrong("unknown command \"walk\" for \"tool\"\nRun 'tool --help' for usage.")
        );
        assert_eq!(refused(&["run", "x", "--wait"]), wrong("flag needs an argument: --wait"));
        let text = "invalid argument \"5\" for \"--wait\" flag: time: invalid duration \"5\"";
        assert_eq!(refused(&["run", "x", "--wait", "5"]), wrong(text));
    }

    #[test]
    fn switches_take_values_and_the_last_one_counts() {
        let run = |words: &[&str]| {
            let Verb::Run { fast, times, .. } =
                parse::<Arguments>(words.iter().map(OsString::from)).unwrap().verb;
            (fast, times)
        };
        assert_eq!(run(&["run", "x", "--fast=true"]), (true, 0));
        assert_eq!(run(&["run", "x", "--fast=false", "--times", "1", "-t=2"]), (false, 2));
        assert_eq!(run(&["run", "-f", "-f", "--", "--fast=false"]), (true, 0));
        let wrong = |text: &str| Refusal::Wrong(text.to_owned());
        let text = "invalid argument \"x\" for \"-f, --fast\" flag: strconv.ParseBool: parsing \"x\": invalid syntax";
        assert_eq!(refused(&["run", "x", "--fast=x"]), wrong(text));
        let text = "invalid argument \"-1\" for \"-t, --times\" flag: strconv.ParseUint: parsing \"-1\": invalid syntax";
        assert_eq!(refused(&["run", "x", "--times=-1"]), wrong(text));
    }

    #[test]
    fn what_is_missing_is_answered_with_the_help_of_the_command() {
        let Refusal::Usage(text) = refused(&["run"]) else { panic!("no usage") };
        assert!(text.contains("tool run"), "{text}");
        assert!(matches!(refused(&["run", "a", "b"]), Refusal::Usage(_)));
        assert!(matches!(refused(&[]), Refusal::Usage(_)));
        assert!(matches!(refused(&["run", "--help"]), Refusal::Help(_)));
    }
}
