//! The manifest: what is refused and in which words, what it needs, and the columns that it makes.

mod build;
mod checks;
mod documents;
mod keyless;

use reseal::manifest::{Manifest, Problem, Problems};

/// A manifest with a ring, tokens and whatever else.
pub(crate) fn with(rest: &str) -> String {
    format!(
        "version = 1
[codecs.app]
kind = 'reseal'
keyring = 'env'
[codecs.tokens]
kind = 'fernet'
keys = ['env:FERNET_KEY']
{rest}"
    )
}

/// A column that is valid; the members that are given come first.
pub(crate) fn column(members: &str) -> String {
    let mut text = format!("[[columns]]\n{members}\n");
    for (name, value) in [
        ("table", "'users'"),
        ("column", "'ssn'"),
        ("row_id", "['id']"),
        ("context", "{ table = 'users', column = 'ssn' }"),
        ("write", "'app'"),
    ] {
        let there = |line: &str| line.trim_start().starts_with(&format!("{name} ="));
        if !members.lines().any(there) {
            text.extend([name, " = ", value, "\n"]);
        }
    }
    text
}

pub(crate) fn problems(text: &str) -> Problems {
    match Manifest::check(text) {
        Ok(_) => panic!("this was accepted:\n{text}"),
        Err(problems) => problems,
    }
}

/// `place: message` of each problem or warning.
pub(crate) fn told(list: &[Problem]) -> Vec<String> {
    let shown = |problem: &Problem| format!("{}: {}", problem.place, problem.message);
    list.iter().map(shown).collect()
}
