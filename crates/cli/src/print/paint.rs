//! Colours of a terminal.

use crate::Colour;

/// A foreground colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// The terminal's own.
    #[default]
    Plain,
    /// Bad.
    Red,
    /// Good.
    Green,
    /// Undecided.
    Yellow,
    /// Moving.
    Blue,
}

impl Ink {
    fn code(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
            Self::Blue => 94,
        }
    }
}

/// Returns `text` in the given colour; unchanged when colours are off.
///
/// Plain text is wrapped too, so that a coloured column has escape sequences of one length on each line.
pub fn paint(text: &str, ink: Ink, colour: Colour) -> String {
    match colour {
        Colour::On => format!("\u{1b}[{}m{text}\u{1b}[0m", ink.code()),
        Colour::Off => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paints_only_when_on() {
        assert_eq!(paint("x", Ink::Red, Colour::On), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(paint("x", Ink::Red, Colour::Off), "x");
    }
}
