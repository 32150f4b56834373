//! Rules as a file.

use std::time::Duration;

use object::{LabelSelector, time, yaml};
use serde::Deserialize;
use thiserror::Error;

use super::{Rule, Rules};

/// Why a file holds no rules.
#[derive(Debug, Error)]
pub enum RulesError {
    /// It is no YAML list of rules.
    #[error("pod rules: {0}")]
    File(String),
    /// A field of a rule cannot be read.
    #[error("pod rules: rule {number}: {field}: {problem}")]
    Field {
        /// Number of the rule, from 1.
        number: usize,
        /// Field.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Entry {
    image: String,
    labels: String,
    ready_after: Option<String>,
    never_ready: bool,
    exit_after: Option<String>,
    exit_code: i32,
    image_pull_error: bool,
}

impl Rules {
    /// Returns the rules in a YAML list of `{image, labels, readyAfter, neverReady, exitAfter, exitCode, imagePullError}`,
    /// all optional: `image` with `*` for any text, `labels` as a selector, times as Go durations from the start of the container.
    ///
    /// Errors: [`RulesError`].
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let value = yaml::document(text).map_err(|error| RulesError::File(error.to_string()))?;
        let entries =
            Vec::<Entry>::deserialize(value).map_err(|error| RulesError::File(error.to_string()))?;
        let rules = entries.into_iter().enumerate();
        let rules = rules.map(|(index, entry)| rule(entry, index + 1)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(rules))
    }
}

fn rule(entry: Entry, number: usize) -> Result<Rule, RulesError> {
    let field = |field, problem: String| RulesError::Field { number, field, problem };
    let duration = |name, text: &str| -> Result<Duration, RulesError> {
        time::parse_duration(text).map_err(|error| field(name, error.to_string()))
    };
    let standard = Rule::default();
    Ok(Rule {
        image: entry.image,
        labels: LabelSelector::parse(&entry.labels).map_err(|error| field("labels", error.to_string()))?,
        ready_after: entry
            .ready_after
            .map_or(Ok(standard.ready_after), |text| duration("readyAfter", &text))?,
        never_ready: entry.never_ready,
        exit_after: entry.exit_after.map(|text| duration("exitAfter", &text)).transpose()?,
        exit_code: entry.exit_code,
        image_pull_error: entry.image_pull_error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_rules() {
        let rules = Rules::parse(
            "- {image: '*:slow', readyAfter: 20s}\n- {labels: app=x, exitAfter: 1s, exitCode: 3}\n",
        );
        let rules = rules.unwrap();
        assert_eq!(rules.0[0].image, "*:slow");
        assert_eq!(rules.0[0].ready_after, Duration::from_secs(20));
        assert_eq!(rules.0[1].exit_after, Some(Duration::from_secs(1)));
        assert_eq!(rules.0[1].ready_after, Duration::from_secs(1));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let said = |text: &str| Rules::parse(text).unwrap_err().to_string();
        assert!(said("- {image: x, readyAfter: soon}").starts_with("pod rules: rule 1: readyAfter: "));
        assert!(said("- {imagee: x}").contains("imagee"));
    }
}
