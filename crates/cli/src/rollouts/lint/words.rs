//! The words of Go's YAML reader (`gopkg.in/yaml.v2`) for what ours finds, as far as the two agree on the place.

use object::yaml::YamlError;

/// How the line that Go tells follows from the one found here; Go tells none for the first.
#[derive(Clone, Copy)]
enum Line {
    /// The line before: its parser counts from 0.
    Before,
    /// The same: its scanner adds 1.
    Same,
    /// The next: it notices there.
    Next,
    /// The one after the last, counted from 0.
    End,
    /// The one after the last, counted from 1.
    PastEnd,
}

const SEQUENCE: &str = "did not find expected ',' or ']'";
const MAPPING: &str = "did not find expected ',' or '}'";
const TOKEN: &str = "found character that cannot start any token";
const STREAM: &str = "found unexpected end of stream";

/// Beginnings of our messages, what Go says, and where.
const WORDS: [(&str, &str, Line); 22] = [
    ("unclosed bracket '['", SEQUENCE, Line::End),
    ("unclosed bracket '{'", MAPPING, Line::End),
    ("mismatched bracket '['", SEQUENCE, Line::Before),
    ("mismatched bracket '{'", MAPPING, Line::Before),
    ("while parsing a flow sequence", SEQUENCE, Line::Before),
    ("while parsing a flow mapping", MAPPING, Line::Before),
    ("misplaced bracket", "did not find expected key", Line::Before),
    ("while parsing a block mapping", "did not find expected key", Line::Before),
    ("while parsing a block collection", "did not find expected '-' indicator", Line::Before),
    ("while parsing a node, did", "did not find expected node content", Line::Before),
    ("did not find expected <document start>", "did not find expected <document start>", Line::Before),
    ("mapping values are not allowed", "mapping values are not allowed in this context", Line::Same),
    ("mapping keys are not allowed", "mapping keys are not allowed in this context", Line::Same),
    (
        "block sequence entries are not allowed",
        "block sequence entries are not allowed in this context",
        Line::Same,
    ),
    ("unexpected character", TOKEN, Line::Same),
    ("tabs disallowed", TOKEN, Line::Same),
    ("while scanning a block scalar, did", "did not find expected comment or line break", Line::Same),
    ("while parsing a quoted scalar, found unknown", "found unknown escape character", Line::Same),
    ("while scanning a plain scalar", "found a tab character that violates indentation", Line::Next),
    ("simple key expected", "could not find expected ':'", Line::Next),
    ("invalid indentation in multiline quoted scalar", STREAM, Line::PastEnd),
    ("unclosed quote", STREAM, Line::PastEnd),
];

/// Returns what Go says of a text that cannot be read; our own words where it has none.
pub(super) fn of(text: &str, error: &YamlError) -> String {
    let (message, place) = error.message.rsplit_once(" at line ").unwrap_or((&error.message, ""));
    let line: usize = place.split(',').next().and_then(|line| line.parse().ok()).unwrap_or(0);
    let known = WORDS.iter().find(|(ours, ..)| message.starts_with(ours));
    let Some((_, words, place)) = known else { return format!("yaml: {}", error.message) };
    let ends = text.matches('\n').count();
    let told = match place {
        Line::Before => line.saturating_sub(1),
        Line::Same if line == 1 => 0,
        Line::Same => line,
        Line::Next => line + 1,
        Line::End => ends,
        Line::PastEnd => ends + 1,
    };
    if told == 0 { format!("yaml: {words}") } else { format!("yaml: line {told}: {words}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `gopkg.in/yaml.v2` v2.4.0 says of each text.
    const SAID: [(&str, &str); 17] = [
        ("a: 1\nb: [x\n", "line 2: did not find expected ',' or ']'"),
        ("a: 1\nb: {x: 1\nc: 2\n", "line 2: did not find expected ',' or '}'"),
        ("a: 1\n b: 2\n", "line 2: mapping values are not allowed in this context"),
        ("a:\n  - x\n y: 1\n", "line 2: did not find expected key"),
        ("a: 1\n\tb: 2\n", "line 2: found a tab character that violates indentation"),
        ("a:\n\tb: 2\n", "line 2: found character that cannot start any token"),
        ("a: \"unclosed\nb: 1\n", "line 3: found unexpected end of stream"),
        ("a: b: c\n", "mapping values are not allowed in this context"),
        ("a: 1\nb\nc: 2\n", "line 3: could not find expected ':'"),
        ("a: @x\n", "found character that cannot start any token"),
        ("a: - b\n", "block sequence entries are not allowed in this context"),
        ("a: |x\n  b\n", "did not find expected comment or line break"),
        ("a: \"\\q\"\n", "found unknown escape character"),
        ("a: 1\n- b\n", "line 1: did not find expected key"),
        ("- a\nb: 1\n", "line 1: did not find expected '-' indicator"),
        ("a: 1\n---\nb: [1\n", "line 3: did not find expected ',' or ']'"),
        ("{\"a\": 1\n \"b\": 2}\n", "line 1: did not find expected ',' or '}'"),
    ];

    #[test]
    fn words_are_those_of_go() {
        for (text, said) in SAID {
            let error = object::yaml::documents(text).unwrap_err();
            assert_eq!(of(text, &error), format!("yaml: {said}"), "{text:?}");
        }
    }
}
