//! Section 4: names, values, limits and canonical bytes.

use reseal::{Context, ErrorCode};

fn code(name: &str, value: &[u8]) -> Option<ErrorCode> {
    Context::new()
        .with(name, value)
        .err()
        .map(|error| error.code())
}

#[test]
fn names_follow_the_pattern() {
    for name in ["a", "z9_", "table", "rsx", "r_s", &"a".repeat(32)] {
        assert_eq!(code(name, b""), None, "{name}");
    }
    for name in [
        "",
        "A",
        "1a",
        "_a",
        "a-b",
        "a b",
        "aé",
        "é",
        "a\0",
        "a\n",
        "rs_",
        "rs_purpose",
        &"a".repeat(33),
    ] {
        assert_eq!(code(name, b""), Some(ErrorCode::ContextInvalid), "{name:?}");
    }
}

#[test]
fn values_have_at_most_4096_bytes() {
    assert_eq!(code("row", &[0; 4096]), None);
    assert_eq!(code("row", &[0; 4097]), Some(ErrorCode::ContextInvalid));
}

#[test]
fn a_context_has_at_most_16_pairs_and_each_name_once() {
    let mut context = Context::new();
    for number in 0..16 {
        context.insert(&format!("k{number}"), number).unwrap();
    }
    let before = context.clone();
    for name in ["k16", "k3"] {
        assert_eq!(
            context.insert(name, 1).unwrap_err().code(),
            ErrorCode::ContextInvalid
        );
        assert_eq!(context, before);
    }
    assert_eq!((context.len(), context.is_empty()), (16, false));
    assert_eq!(
        (Context::new().len(), Context::default().is_empty()),
        (0, true)
    );
}

#[test]
fn integers_are_decimal_text() {
    let with = |value: reseal::ContextValue<'_>| Context::new().with("row", value).unwrap();
    assert_eq!(with(1.into()), with("1".into()));
    assert_eq!(with(i64::MIN.into()), with("-9223372036854775808".into()));
    assert_eq!(
        with(u128::MAX.into()),
        with("340282366920938463463374607431768211455".into())
    );
    assert_eq!(with(String::from("x").into()), with(b"x".as_slice().into()));
}

#[test]
fn the_bytes_are_those_of_the_specification() {
    let context = Context::new()
        .with("table", "users")
        .unwrap()
        .with("column", "ssn")
        .unwrap();
    assert_eq!(
        context.as_bytes(),
        b"\0\x02\0\x06column\0\x03ssn\0\x05table\0\x05users"
    );
    assert_eq!(Context::new().as_bytes(), b"\0\0");
}
