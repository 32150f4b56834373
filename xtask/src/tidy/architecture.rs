//! docs/ARCHITECTURE.md is short and answers three questions.

use std::path::Path;

use super::Problem;

const FILE: &str = "docs/ARCHITECTURE.md";
const LINES: usize = 300;
const HEADINGS: [&str; 3] = ["Bird's eye view", "Code map", "Invariants"];

pub(super) fn check(root: &Path) -> Vec<Problem> {
    match std::fs::read_to_string(root.join(FILE)) {
        Ok(text) => check_text(&text),
        Err(error) => vec![Problem::new(FILE, error.to_string())],
    }
}

fn check_text(text: &str) -> Vec<Problem> {
    let headings: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim().replace('\u{2019}', "'").to_lowercase())
        .collect();
    let missing = HEADINGS.iter().filter(|wanted| !headings.contains(&wanted.to_lowercase()));
    let mut problems: Vec<_> =
        missing.map(|wanted| Problem::new(FILE, format!("has no heading \"{wanted}\""))).collect();
    let lines = text.lines().count();
    if lines > LINES {
        problems.push(Problem::new(FILE, format!("has {lines} lines; at most {LINES}")));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_length_are_checked() {
        assert!(check_text("# A\n## Bird’s eye view\n## Code map\n## Invariants\n").is_empty());
        assert_eq!(check_text("## Code map\n").len(), 2);
        let long = format!("# Bird's eye view\n# Code map\n# Invariants\n{}", "x\n".repeat(LINES));
        assert_eq!(check_text(&long), [Problem::new(FILE, "has 303 lines; at most 300")]);
    }
}
