//! `spec/errors.md` and the enum say the same, and every error says how to mend it.

use reseal::{ErrorClass, ErrorCode};

const SPEC: &str = include_str!("../../../spec/errors.md");

#[test]
fn the_specification_lists_every_code_with_its_class() {
    let mut listed: Vec<(&str, &str)> = SPEC
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(code, rest)| (code, rest.split(" |").next().unwrap()))
        .collect();
    let class = |code: &ErrorCode| match code.class() {
        ErrorClass::Decrypt => "DecryptError",
        ErrorClass::Keyring => "KeyringError",
        ErrorClass::Format => "FormatError",
        ErrorClass::Other => "ResealError",
    };
    let mut codes: Vec<_> = ErrorCode::ALL
        .iter()
        .map(|code| (code.as_str(), class(code)))
        .collect();
    listed.sort_unstable();
    codes.sort_unstable();
    assert_eq!(listed, codes);
}

#[test]
fn codes_are_the_kebab_case_of_their_names() {
    for code in ErrorCode::ALL {
        let mut kebab = String::new();
        for letter in format!("{code:?}").chars() {
            if letter.is_uppercase() && !kebab.is_empty() {
                kebab.push('-');
            }
            kebab.extend(letter.to_lowercase());
        }
        assert_eq!(code.as_str(), kebab);
    }
}
