//! Lines of a command, as a shell would split them.

use std::ffi::OsString;

/// Returns the words of a text, with single or double quotes around those with spaces.
pub fn words(text: &str) -> Vec<OsString> {
    let mut words = Vec::new();
    let (mut word, mut quote): (Option<String>, Option<char>) = (None, None);
    for character in text.chars() {
        match quote {
            Some(end) if character == end => quote = None,
            None if matches!(character, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            None if character.is_whitespace() => words.extend(word.take()),
            Some(_) | None => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words.into_iter().map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_be_quoted() {
        assert_eq!(words("--grpc-web  -N 'a b' \"\""), ["--grpc-web", "-N", "a b", ""]);
        assert!(words(" ").is_empty());
    }
}
