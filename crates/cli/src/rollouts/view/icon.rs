//! Signs of states.

use crate::Colour;
use crate::print::{Ink, paint};

/// The sign of a state. Source: `pkg/kubectl-argo-rollouts/info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// Has not started.
    Waiting,
    /// On its way.
    Progressing,
    /// Something is wrong that may pass.
    Warning,
    /// Cannot be told.
    Unknown,
    /// Good.
    Ok,
    /// Failed.
    Bad,
    /// Paused.
    Paused,
    /// Neither good nor bad.
    Neutral,
    /// A state without a sign.
    None,
}

impl Icon {
    /// Returns the character.
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Waiting => "◷",
            Self::Progressing => "◌",
            Self::Warning => "⚠",
            Self::Unknown => "?",
            Self::Ok => "✔",
            Self::Bad => "✖",
            Self::Paused => "॥",
            Self::Neutral => "•",
            Self::None => " ",
        }
    }

    /// Returns the character in its colour.
    pub fn painted(self, colour: Colour) -> String {
        let ink = match self {
            Self::Waiting | Self::Unknown => Ink::Yellow,
            Self::Progressing => Ink::Blue,
            Self::Warning | Self::Bad => Ink::Red,
            Self::Ok => Ink::Green,
            Self::Paused | Self::Neutral | Self::None => Ink::Plain,
        };
        paint(self.glyph(), ink, colour)
    }
}
