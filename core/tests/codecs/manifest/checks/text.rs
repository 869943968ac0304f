//! The text: TOML, its version, its members and words, and how much of it there may be.

use super::{column, one, one_of_codec, one_of_column, problems, with};
use proptest::prelude::*;
use reseal::{
    ErrorCode,
    manifest::{MAX_MANIFEST_BYTES, Manifest},
};

#[test]
fn the_text_itself() {
    let no_toml = Manifest::parse("version = 1\nx = [1,\ny").unwrap_err();
    assert_eq!(no_toml.code(), ErrorCode::ManifestInvalid);
    let message = no_toml.message();
    assert!(
        message.starts_with("the manifest is not valid: line 3, column 2: this is no TOML:"),
        "{message}"
    );
    assert_eq!(
        problems("version = 1\n\u{e9}\u{e9} = 1").list()[0].column,
        1
    );
    one(
        "version = 1\nversion = 1",
        ": this is no TOML: duplicate key",
    );
    one(
        &" ".repeat(MAX_MANIFEST_BYTES + 1),
        ": a manifest has at most 1048576 bytes",
    );
    assert!(
        Manifest::parse(&format!(
            "version = 1{}",
            " ".repeat(MAX_MANIFEST_BYTES - 11)
        ))
        .is_ok()
    );

    assert!(Manifest::parse("\u{feff}version = 1\r\n").is_ok());
    one("", "version: it is missing: write version = 1");
    one("version = 'one'", "version: expected a whole number");
    one("version = -1", "version: expected a whole number");
    one(
        "version = 99999999999999999999",
        "version: expected a whole number",
    );
    let other = Manifest::parse("version = 2\nnew = 1").unwrap_err();
    assert_eq!(other.code(), ErrorCode::UnsupportedVersion);
    assert!(
        other
            .message()
            .contains("version: this release reads manifests of version 1")
    );
}

#[test]
fn unknown_members_and_words_by_name() {
    one(
        "version = 1\ncolums = []",
        r#"colums: there is no member "colums" of the manifest; did you mean "columns"?"#,
    );
    one(
        "version = 1\nzzz = 1",
        r#"zzz: there is no member "zzz" of the manifest: it is one of version, codecs, columns"#,
    );
    one_of_codec(
        "kind = 'rails'\nprimary_key = ['env:A']\nprimary_keys = ['env:A']\nkey_derivation_salt = 'env:S'",
        r#".primary_key: there is no member "primary_key" of a rails codec; did you mean "primary_keys"?"#,
    );
    one_of_codec(
        "kind = 'fernett'",
        r#".kind: there is no kind of codec "fernett"; did you mean "fernet"?"#,
    );
    one_of_codec(
        "kind = 'vault'",
        r#".kind: there is no kind of codec "vault": it is one of reseal, "#,
    );
    one_of_codec("", ".kind: it is missing: write kind = \"reseal\"");
    one_of_column(
        "write = 'ap'",
        r#"write: there is no codec "ap"; did you mean "app"?"#,
    );
    one_of_column(
        "read = ['app', 'rails']",
        r#"read[1]: there is no codec "rails": it is one of app, plain, tokens"#,
    );
    one_of_column(
        "mode = 'determinstic'",
        r#"mode: there is no mode "determinstic"; did you mean "deterministic"?"#,
    );
    one_of_column(
        "type = 'string'",
        r#"type: there is no type "string": it is one of text, "#,
    );
    one_of_column(
        "readers = { billing = ['rail'] }",
        r#"readers.billing[0]: there is no kind of codec "rail"; did you mean "rails"?"#,
    );
    one_of_column(
        "indexes = [{ name = 'a', column = 'b', bits = 8, normaliser = 'raw' }]",
        r#"indexes[0].normaliser: there is no member "normaliser" of an index; did you mean "normalizer"?"#,
    );
    one_of_column(
        "bind_rows = true",
        r#"bind_rows: there is no member "bind_rows" of a column; did you mean "bind_row"?"#,
    );
}

#[test]
fn every_problem_at_once_in_the_order_of_the_text() {
    let text = with(&format!(
        "{}{}",
        column("mode = 'x'\nwrite = 'ap'"),
        column("column = 'b'\nbind_row = 'yes'\nzz = 1")
    ));
    let found = problems(&text);
    let places: Vec<&str> = found
        .list()
        .iter()
        .map(|problem| problem.place.as_str())
        .collect();
    assert_eq!(
        places,
        [
            "columns[0].mode",
            "columns[0].write",
            "columns[1].bind_row",
            "columns[1].zz"
        ]
    );
    assert!(found.list().is_sorted_by_key(|problem| problem.line));
    let message = Manifest::parse(&text).unwrap_err().message().to_owned();
    assert_eq!(message.lines().count(), 5, "{message}");
    assert!(
        message.contains(
            "\n- columns[0].write: there is no codec \"ap\"; did you mean \"app\"? (line 10)"
        ),
        "{message}"
    );

    let many = problems(&format!("version = 1\n{}", "[[columns]]\n".repeat(1000)));
    assert_eq!((many.list().len(), many.has_more()), (20, true));
    assert!(many.to_string().ends_with("\n- and more"));
}

#[test]
fn deep_and_wide_texts_are_bounded() {
    let deep = format!(
        "version = 1\nx = {}{}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    assert!(Manifest::check(&deep).is_err());
    let lines: Vec<String> = (0..20_000).map(|at| format!("m{at} = 1")).collect();
    let wide = lines.join("\n");
    assert_eq!(problems(&format!("version = 1\n{wide}")).list().len(), 20);
    let columns = column("").repeat(2_000);
    let names: Vec<String> = (0..100_000).map(|at| format!("'{at}'")).collect();
    let row_id = format!("row_id = [{}]", names.join(","));
    one_of_column(&row_id, "row_id: the list has more than 64 items");
    assert!(problems(&with(&columns)).has_more());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _checked = Manifest::check(&text);
    }

    /// Texts that are nearly manifests.
    #[test]
    fn no_changed_manifest_makes_it_panic(at in any::<prop::sample::Index>(), put in "\\PC{0,8}", cut in 0usize..20, twice in any::<bool>()) {
        let text = format!("{}{}", super::documents::EVERYTHING, super::documents::example());
        let text = if twice { text } else { super::documents::EVERYTHING.to_owned() };
        let at = at.index(text.len());
        let start = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let end = (at + cut..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        let changed = format!("{}{put}{}", &text[..start], &text[end..]);
        if let Err(problems) = Manifest::check(&changed) {
            prop_assert!((1..=20).contains(&problems.list().len()));
        }
    }
}
