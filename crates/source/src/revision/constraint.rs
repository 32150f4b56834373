//! Version constraints in the syntax of the Go library Masterminds/semver.

use semver::{BuildMetadata, Prerelease, Version};

/// A version constraint such as `>=1.2 <2`, `1.x`, `^1.2.3 || ~2.1` or `1.2 - 1.4`.
///
/// A constraint without a pre-release matches no pre-release. **Source:** Masterminds/semver v3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// One must match; all parts of it must.
    any: Vec<Vec<Clause>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Tilde,
    Caret,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Clause {
    operator: Operator,
    /// Missing numbers are zero.
    version: Version,
    /// How many of major, minor and patch were given.
    given: usize,
}

impl Constraint {
    /// Returns the constraint in `text`; none when it is none, or an exact version, which is the name of a tag.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || version(text).is_some() {
            return None;
        }
        let any = text.split("||").map(|part| clauses(part.trim())).collect::<Option<Vec<_>>>()?;
        Some(Self { any })
    }

    /// True when `version` satisfies the constraint.
    pub fn matches(&self, version: &Version) -> bool {
        self.any.iter().any(|all| all.iter().all(|clause| clause.matches(version)))
    }
}

/// Returns the version in the name of a tag: `1.2.3`, `v1.2`, `v1`, with pre-release and build; none otherwise.
pub fn version(text: &str) -> Option<Version> {
    let partial = partial(text)?;
    (!partial.wild).then_some(partial.version)
}

/// A version whose trailing numbers may be missing or wild cards.
struct Partial {
    /// Missing numbers are zero.
    version: Version,
    /// How many numbers there are.
    given: usize,
    /// True when a number is `x`, `X` or `*`.
    wild: bool,
}

fn partial(text: &str) -> Option<Partial> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let (text, build) = text.split_once('+').unwrap_or((text, ""));
    let (core, pre) = text.split_once('-').unwrap_or((text, ""));
    let mut numbers = [0; 3];
    let (mut given, mut wild) = (0, false);
    for (at, part) in core.split('.').enumerate() {
        let slot = numbers.get_mut(at)?;
        if matches!(part, "x" | "X" | "*") {
            wild = true;
        } else if wild || part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        } else {
            *slot = part.parse().ok()?;
            given += 1;
        }
    }
    if wild && !(pre.is_empty() && build.is_empty()) {
        return None;
    }
    let [major, minor, patch] = numbers;
    let (pre, build) = (Prerelease::new(pre).ok()?, BuildMetadata::new(build).ok()?);
    Some(Partial { version: Version { major, minor, patch, pre, build }, given, wild })
}

fn clauses(text: &str) -> Option<Vec<Clause>> {
    if let Some((low, high)) = text.split_once(" - ") {
        let clause = |operator, text: &str| clause(operator, text.trim());
        return Some(vec![clause(Operator::GreaterEqual, low)?, clause(Operator::LessEqual, high)?]);
    }
    let mut out = Vec::new();
    let mut rest = text.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let (operator, after) = operator(rest);
        let after = after.trim_start();
        let end = after.find([' ', ',']).unwrap_or(after.len());
        out.push(clause(operator, &after[..end])?);
        rest = after[end..].trim_start_matches([' ', ',']);
    }
    (!out.is_empty()).then_some(out)
}

fn operator(text: &str) -> (Operator, &str) {
    const OPERATORS: [(&str, Operator); 11] = [
        ("!=", Operator::NotEqual),
        (">=", Operator::GreaterEqual),
        ("=>", Operator::GreaterEqual),
        ("<=", Operator::LessEqual),
        ("=<", Operator::LessEqual),
        ("~>", Operator::Tilde),
        ("~", Operator::Tilde),
        ("^", Operator::Caret),
        (">", Operator::Greater),
        ("<", Operator::Less),
        ("=", Operator::Equal),
    ];
    OPERATORS
        .into_iter()
        .find_map(|(sign, operator)| Some((operator, text.strip_prefix(sign)?)))
        .unwrap_or((Operator::Equal, text))
}

fn clause(operator: Operator, text: &str) -> Option<Clause> {
    let Partial { version, given, .. } = partial(text)?;
    Some(Clause { operator, version, given })
}

impl Clause {
    fn matches(&self, version: &Version) -> bool {
        if !version.pre.is_empty() && self.version.pre.is_empty() {
            return false;
        }
        let order = version.cmp_precedence(&self.version);
        let within = order.is_ge() && self.agrees(version, self.given);
        match self.operator {
            Operator::Equal if self.given == 3 => order.is_eq(),
            Operator::Equal => within,
            Operator::NotEqual if self.given == 3 => order.is_ne(),
            Operator::NotEqual => !within,
            Operator::Greater if self.given == 3 => order.is_gt(),
            Operator::Greater => order.is_gt() && !within,
            Operator::GreaterEqual => order.is_ge(),
            Operator::Less => order.is_lt(),
            Operator::LessEqual if self.given == 3 => order.is_le(),
            Operator::LessEqual => order.is_lt() || within,
            Operator::Tilde => order.is_ge() && self.agrees(version, self.given.min(2)),
            Operator::Caret => order.is_ge() && self.agrees(version, self.caret()),
        }
    }

    /// True when the first `count` numbers are the same.
    fn agrees(&self, version: &Version, count: usize) -> bool {
        let numbers = |v: &Version| [v.major, v.minor, v.patch];
        numbers(version)[..count] == numbers(&self.version)[..count]
    }

    /// How many numbers a caret holds fast: up to the first that is not zero, or all that were given.
    fn caret(&self) -> usize {
        let numbers = [self.version.major, self.version.minor, self.version.patch];
        let first = numbers.iter().position(|number| *number != 0).map_or(3, |at| at + 1);
        first.min(self.given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(constraint: &str, yes: &[&str], no: &[&str]) {
        let parsed = Constraint::parse(constraint).unwrap_or_else(|| panic!("{constraint}"));
        for (versions, expected) in [(yes, true), (no, false)] {
            for text in versions {
                assert_eq!(parsed.matches(&version(text).unwrap()), expected, "{constraint} {text}");
            }
        }
    }

    #[test]
    fn constraints_match_as_in_masterminds() {
        check("*", &["0.1.0", "9.9.9"], &["1.0.0-rc.1"]);
        check("1.x", &["1.0.0", "1.99.1"], &["2.0.0", "0.9.0"]);
        check("1.2.x", &["1.2.0", "1.2.9"], &["1.3.0"]);
        check(">=1.2 <2", &["1.2.0", "1.99.0"], &["2.0.0", "1.1.9"]);
        check(">= 1.2, < 2.0.0", &["1.2.0"], &["2.0.0"]);
        check(">1.2", &["1.3.0"], &["1.2.9", "1.2.0"]);
        check(">11", &["12.0.0"], &["11.1.0"]);
        check("<=2", &["2.9.9", "1.0.0"], &["3.0.0"]);
        check("!=1.x", &["2.0.0"], &["1.5.0"]);
        check("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0", "1.2.2"]);
        check("~1", &["1.0.0", "1.9.0"], &["2.0.0"]);
        check("^1.2.3", &["1.2.3", "1.9.0"], &["2.0.0", "1.2.2"]);
        check("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0"]);
        check("^0.0.3", &["0.0.3"], &["0.0.4"]);
        check("^0.0", &["0.0.9"], &["0.1.0"]);
        check("^0", &["0.9.0"], &["1.0.0"]);
        check("1.2 - 1.4.5", &["1.2.0", "1.4.5"], &["1.4.6", "1.1.0"]);
        check("~1.2 || ^3", &["1.2.1", "3.4.0"], &["2.0.0"]);
        check(">=1.0.0-0", &["1.0.0-rc.1", "1.0.0"], &["0.9.0"]);
    }

    #[test]
    fn exact_versions_and_names_are_no_constraints() {
        for text in
            ["v1.2.3", "1.2", "7", "1.2.3-rc.1", "", "main", "release/1.x", "1.x-fixes/a", "v1.x.y.z", "a*"]
        {
            assert_eq!(Constraint::parse(text), None, "{text}");
        }
    }
}
