//! Resource quantities in their canonical form.
//!
//! Source: `k8s.io/apimachinery/pkg/api/resource`: the canonical form has no fraction, the largest suffix that keeps the
//! number whole, and the notation (decimal, binary, exponent) in which the value was written.

use thiserror::Error;

/// A text that is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$' (found {text:?})"
)]
pub struct QuantityError {
    /// The text.
    pub text: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Notation {
    Decimal,
    Binary,
    Exponent,
}

const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// Nano-units of a quantity and how it was written.
fn read(text: &str) -> Option<(i128, Notation)> {
    let split =
        text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '+' | '-' | '.')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let (factor, notation) = factor(suffix)?;
    let negative = number.starts_with('-');
    let digits = number.trim_start_matches(['+', '-']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.len() > 18 || number.len() > 30 {
        return None;
    }
    let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let nano = match factor {
        Factor::Ten(exponent) if exponent >= -9 => {
            mantissa.checked_mul(10_i128.checked_pow(u32::try_from(exponent + 9).ok()?)?)?
        }
        Factor::Ten(_) => return None,
        Factor::Two(bits) => mantissa.checked_mul(1 << bits)?.checked_mul(1_000_000_000)?,
    };
    let nano = nano.div_euclid(scale) + i128::from(nano.rem_euclid(scale) != 0);
    Some((if negative { -nano } else { nano }, notation))
}

enum Factor {
    Ten(i32),
    Two(u32),
}

fn factor(suffix: &str) -> Option<(Factor, Notation)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((Factor::Ten(*exponent), Notation::Decimal));
    }
    if let Some((_, bits)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((Factor::Two(*bits), Notation::Binary));
    }
    let exponent =
        suffix.strip_prefix(['e', 'E'])?.parse().ok().filter(|exponent| (-9..=18).contains(exponent))?;
    Some((Factor::Ten(exponent), Notation::Exponent))
}

/// Returns the canonical text of a quantity.
///
/// Example: `"0.5"` is `"500m"`, `"1024Ki"` is `"1Mi"`, `"1000m"` is `"1"`.
///
/// Errors: [`QuantityError`] when the text is not a quantity.
pub fn canonical(text: &str) -> Result<String, QuantityError> {
    let (nano, notation) = read(text).ok_or_else(|| QuantityError { text: text.to_owned() })?;
    if nano == 0 {
        return Ok("0".into());
    }
    let whole = nano % 1_000_000_000 == 0;
    if notation == Notation::Binary && whole {
        let value = nano / 1_000_000_000;
        let best = BINARY.iter().rev().find(|(_, bits)| value % (1 << bits) == 0);
        return Ok(best.map_or_else(|| value.to_string(), |(name, bits)| format!("{}{name}", value >> bits)));
    }
    let unit = |exponent: i32| 10_i128.pow(u32::try_from(exponent + 9).unwrap_or_default());
    let (name, exponent) =
        DECIMAL.iter().rev().find(|(_, exponent)| nano % unit(*exponent) == 0).unwrap_or(&DECIMAL[0]);
    let number = nano / unit(*exponent);
    Ok(match notation {
        Notation::Exponent if *exponent != 0 => format!("{number}e{exponent}"),
        Notation::Decimal | Notation::Binary | Notation::Exponent => format!("{number}{name}"),
    })
}

/// Returns the value in thousandths of the unit, rounded up; `None` when the text is not a quantity.
pub fn milli(text: &str) -> Option<i64> {
    let (nano, _) = read(text)?;
    i64::try_from(nano.div_euclid(1_000_000) + i128::from(nano.rem_euclid(1_000_000) != 0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_forms() {
        for (text, expected) in [
            ("5m", "5m"),
            ("0.5", "500m"),
            ("1000m", "1"),
            ("1024Ki", "1Mi"),
            ("32Mi", "32Mi"),
            ("1.5Gi", "1536Mi"),
            ("1000Ki", "1000Ki"),
            ("2000", "2k"),
            ("1e3", "1e3"),
            ("100M", "100M"),
            ("0", "0"),
            ("0.1", "100m"),
        ] {
            assert_eq!(canonical(text).unwrap(), expected, "{text}");
        }
        for text in ["", "x", "1x", "1.2.3", "e3"] {
            assert!(canonical(text).is_err(), "{text}");
        }
    }

    #[test]
    fn milli_units() {
        assert_eq!(milli("1"), Some(1000));
        assert_eq!(milli("5m"), Some(5));
        assert_eq!(milli("1Ki"), Some(1_024_000));
    }
}
