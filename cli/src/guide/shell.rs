//! Words of a POSIX shell.

/// A word as a shell takes it, quoted where it has to be.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The name of a variable with the name of a codec in it.
pub(super) fn variable(start: &str, codec: &str) -> String {
    let name = codec.to_ascii_uppercase().replace('-', "_");
    format!("{start}_{name}")
}

#[cfg(test)]
mod tests {
    use super::{quoted, variable};

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(quoted("keys/ring.json"), "keys/ring.json");
        assert_eq!(quoted("my ring.json"), "'my ring.json'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted("-x"), "'-x'");
        assert_eq!(quoted(""), "''");
        assert_eq!(variable("OLD", "app-2"), "OLD_APP_2");
    }
}
