//! Columns that are the same, overlap, or depend on each other.

use super::{column, one, warned, with};
use reseal::manifest::Manifest;

#[test]
fn the_same_column_twice() {
    let two = |one: &str, other: &str| with(&format!("{}{}", column(one), column(other)));
    one(
        &two("", ""),
        "columns[1].column: columns[0] is the same column, with the same where and path",
    );
    one(
        &two("where = 'a'", "where = 'a'"),
        "columns[1].column: columns[0] is the same column",
    );
    let json = |path: &str| format!("type = 'json'\npath = \"{path}\"");
    one(
        &two(&json("$.a"), &json("$['a']")),
        "columns[1].column: columns[0] is the same column",
    );
    for (one, other) in [("where = 'a'", "where = 'b'"), (&json("$.a"), &json("$.b"))] {
        let warnings = warned(&two(one, other));
        assert!(
            warnings
                .iter()
                .all(|warning| !warning.contains("same column")),
            "{warnings:?}"
        );
    }
    assert!(warned(&two("where = 'a'", "")).contains(&"columns[1].column: columns[0] has rows of the same column: one of the two has no where".to_owned()));
}

#[test]
fn paths_that_overlap() {
    let two = |one: &str, other: &str| with(&format!("{}{}", column(one), column(other)));
    let json = |path: &str| format!("type = 'json'\npath = '{path}'");
    let whole = "type = 'json'".to_owned();
    let filtered = |members: &str, filter: &str| format!("{members}\nwhere = '{filter}'");
    for (first, second) in [
        (json("$.a[*]"), json("$.a[0]")),
        (json("$.a"), json("$.a.b")),
        (json("$.a[3]"), json("$.a[*].b")),
        (whole, json("$.a")),
    ] {
        for (first, second) in [(&first, &second), (&second, &first)] {
            let begin =
                "columns[1].column: columns[0] is the same column, and the two paths overlap";
            one(&two(first, second), begin);
            one(&two(&filtered(first, "a"), &filtered(second, "a")), begin);
            let warns = |text: &str| {
                let warnings = warned(text);
                warnings.iter().any(|warning| {
                    warning.starts_with("columns[1].column: columns[0] has rows of the same column")
                })
            };
            assert!(warns(&two(&filtered(first, "a"), second)));
            assert!(warns(&two(first, &filtered(second, "a"))));
            assert!(!warns(&two(&filtered(first, "a"), &filtered(second, "b"))));
        }
    }
    for (first, second) in [
        ("$.a[0]", "$.a[1]"),
        ("$.a[*].b", "$.a[*].c"),
        ("$.a", "$.ab"),
    ] {
        assert!(Manifest::parse(&two(&json(first), &json(second))).is_ok());
    }
}

#[test]
fn a_column_of_terms_that_is_of_use_otherwise() {
    let two = |one: &str, other: &str| with(&format!("{}{}", column(one), column(other)));
    let indexed = |of: &str, column: &str| {
        format!("column = '{of}'\nindexes = [{{ name = 'eq', column = '{column}', bits = 64 }}]")
    };
    for (member, other) in [
        ("column", "column = 'it'"),
        ("column", "column = 'it'\nwrite = 'plain'"),
        ("row_id", "column = 'mail'\nrow_id = ['it']"),
        (
            "context",
            "column = 'mail'\ncontext = { a = { column = 'it' } }",
        ),
        ("indexes", &indexed("mail", "it")),
    ] {
        let shared = "an index has a column of its own, and it is of columns[0] as well";
        one(
            &two(&indexed("ssn", "it"), other),
            &format!("columns[1].{member}: {shared}"),
        );
        one(
            &two(other, &indexed("ssn", "it")),
            &format!("columns[1].indexes: {shared}"),
        );
        let elsewhere = format!("{other}\ntable = 'people'");
        assert!(Manifest::parse(&two(&indexed("ssn", "it"), &elsewhere)).is_ok());
    }
    // Parts of one column have their terms in one place.
    let part = |filter: &str| format!("{}\nwhere = '{filter}'", indexed("ssn", "it"));
    assert!(Manifest::parse(&two(&part("a"), &part("b"))).is_ok());
}

#[test]
fn a_column_that_depends_on_a_sealed_one() {
    let two = |one: &str, other: &str| with(&format!("{}{}", column(one), column(other)));
    let other = "column = 'mail'";
    let bound = "context = { mail = { column = 'mail' } }";
    one(
        &two(other, bound),
        "columns[1].context: mail is sealed itself, by columns[0]",
    );
    one(
        &two(bound, other),
        "columns[1].column: columns[0] depends on what it holds",
    );
    one(
        &two(other, "row_id = ['mail']"),
        "columns[1].row_id: mail is sealed itself, by columns[0]",
    );
    one(
        &two("row_id = ['mail']", &format!("{other}\nwhere = 'a'")),
        "columns[1].column: columns[0] depends on what it holds",
    );
    // What holds plaintext alone stays as it is, and so does a column of another table.
    for kept in [
        "column = 'mail'\nwrite = 'plain'",
        "column = 'mail'\ntable = 'people'",
    ] {
        assert!(Manifest::parse(&two(bound, kept)).is_ok());
        assert!(Manifest::parse(&two(kept, bound)).is_ok());
    }
}
