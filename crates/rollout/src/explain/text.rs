//! Explanations for people.

use std::fmt;

use object::Time;
use object::time::human_duration;

use super::{Explanation, Next, Told};

impl fmt::Display for Explanation {
    /// Writes the state, the reasons with what would end them, and what comes next.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = if self.phase.is_empty() { "not looked at yet" } else { &self.phase };
        write!(f, "Rollout {} is {phase}", self.rollout)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        writeln!(f)?;
        if let Some(at) = &self.step {
            writeln!(f, "At step {} of {}: {}", at.number, at.of, at.step)?;
        }
        writeln!(f)?;
        told(f, &self.why, 0, self.at)?;
        if !self.changes.is_empty() {
            writeln!(f, "\nThe controller does now:")?;
            self.changes.iter().try_for_each(|change| writeln!(f, "  {change}"))?;
        }
        if !self.next.is_empty() {
            writeln!(f, "\nNext, if pods become available, analyses succeed and somebody promotes:")?;
            let mut depth = 1;
            for next in &self.next {
                let is_step = matches!(next, Next::Step { .. } | Next::Done);
                depth = if is_step { 1 } else { depth };
                writeln!(f, "{:indent$}{next}", "", indent = depth * 2)?;
                depth = if is_step { 2 } else { depth };
            }
        }
        Ok(())
    }
}

fn told(f: &mut fmt::Formatter<'_>, why: &Told, depth: usize, now: Time) -> fmt::Result {
    let indent = depth * 2;
    writeln!(f, "{:indent$}{}", "", why.text)?;
    if let Some(since) = why.since {
        writeln!(f, "{:indent$}  since {since}, {} ago", "", human_duration(now.since(since)))?;
    }
    if let Some(until) = why.until.filter(|until| *until > now) {
        writeln!(f, "{:indent$}  until {until}, in {}", "", human_duration(until.since(now)))?;
    }
    let width = why.unblock.iter().map(|remedy| remedy.command.len()).max().unwrap_or(0);
    for remedy in &why.unblock {
        writeln!(f, "{:indent$}  $ {:width$}  # {}", "", remedy.command, remedy.does)?;
    }
    why.because.iter().try_for_each(|why| told(f, why, depth + 1, now))
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { number, step } => write!(f, "step {number}: {step}"),
            Self::Create { set } => write!(f, "create ReplicaSet {set}"),
            Self::Scale { set, from, to } => write!(f, "scale ReplicaSet {set} from {from} to {to}"),
            Self::Weight { weight, of } => write!(f, "route {weight} of {of} to the new version"),
            Self::Switch { service, to } => write!(f, "point Service {service} to pods {to}"),
            Self::Analysis { run } => write!(f, "begin AnalysisRun {run}"),
            Self::Experiment { experiment } => write!(f, "begin Experiment {experiment}"),
            Self::Delete { set } => write!(f, "delete ReplicaSet {set}"),
            Self::Wait { duration } => write!(f, "wait {duration}"),
            Self::Promotion => f.write_str("wait until somebody promotes"),
            Self::Resume => f.write_str("wait until somebody resumes"),
            Self::Success { of } => write!(f, "wait until {of} succeeds"),
            Self::Done => f.write_str("done: the new version is the stable one"),
        }
    }
}
