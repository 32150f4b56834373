//! Differences as text, as `argocd app diff` prints them.

use std::fmt::Write;

use object::Object;
use object::{ObjectKey, yaml};
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Returns the line above the differences of one object.
pub fn header(key: &ObjectKey) -> String {
    let (kind, place) = (&key.group_kind, &key.key);
    format!("\n===== {}/{} {}/{} ======\n", kind.group, kind.kind, place.namespace, place.name)
}

/// Returns the differences from `from` to `to` as YAML in the format of `diff`; empty when there are none. An absent
/// object is an empty text.
pub fn normal(from: Option<&Object>, to: Option<&Object>) -> String {
    let text = |object: Option<&Object>| {
        object.map(|object| yaml::to_string(&object.to_value())).unwrap_or_default()
    };
    let (from, to) = (text(from), text(to));
    let (old, new): (Vec<&str>, Vec<&str>) = (from.lines().collect(), to.lines().collect());
    let mut out = String::new();
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        hunk(&mut out, op, &old, &new);
    }
    out
}

fn hunk(out: &mut String, op: DiffOp, old: &[&str], new: &[&str]) {
    let (before, after) = (op.old_range(), op.new_range());
    let letter = match op {
        DiffOp::Equal { .. } => return,
        DiffOp::Delete { .. } => 'd',
        DiffOp::Insert { .. } => 'a',
        DiffOp::Replace { .. } => 'c',
    };
    let range = |range: &std::ops::Range<usize>| match range.len() {
        0 => range.start.to_string(),
        1 => (range.start + 1).to_string(),
        _ => format!("{},{}", range.start + 1, range.end),
    };
    let _ = writeln!(out, "{}{letter}{}", range(&before), range(&after));
    for line in &old[before] {
        let _ = writeln!(out, "< {line}");
    }
    if letter == 'c' {
        out.push_str("---\n");
    }
    for line in &new[after] {
        let _ = writeln!(out, "> {line}");
    }
}
