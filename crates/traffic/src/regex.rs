//! Regular expressions made of plain texts.

/// Returns an anchored expression for texts that begin with `prefix`, whose characters stand for themselves.
///
/// Anchored because some data planes search and others match the whole text.
pub(crate) fn starting_with(prefix: &str) -> String {
    let mut expression = String::from("^");
    for character in prefix.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            expression.push('\\');
        }
        expression.push(character);
    }
    expression.push_str(".*");
    expression
}

#[cfg(test)]
mod tests {
    #[test]
    fn characters_stand_for_themselves() {
        assert_eq!(super::starting_with("1.2+x"), r"^1\.2\+x.*");
        assert_eq!(super::starting_with("canary"), "^canary.*");
    }
}
