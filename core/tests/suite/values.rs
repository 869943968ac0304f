//! Typed values, beyond their vectors.

use proptest::prelude::*;
use reseal::{Mode, ValueType};

#[test]
fn bytes_are_bytes_and_everything_else_is_utf_8() {
    for kind in ValueType::ALL {
        let given = kind.canonical(b"\xff", Mode::Random);
        match kind {
            ValueType::Bytes => assert_eq!(*given.unwrap(), *b"\xff"),
            _ => assert_eq!(given.unwrap_err().code().as_str(), "invalid-text"),
        }
        assert_eq!(ValueType::parse(kind.as_str()).unwrap(), kind);
    }
    assert!(ValueType::parse("Text").is_err());
}

proptest! {
    #[test]
    fn no_text_panics_and_each_form_is_its_own(text in "[-+0-9.eE:TZ ]{0,30}|.{0,30}", deterministic: bool) {
        let mode = if deterministic { Mode::Deterministic } else { Mode::Random };
        for kind in ValueType::ALL {
            let Ok(first) = kind.canonical(text.as_bytes(), mode) else { continue };
            prop_assert_eq!(&kind.canonical(&first, mode).unwrap(), &first);
        }
    }

    #[test]
    fn numbers_keep_their_value(integer: i128, places in 0_u32..30) {
        let text = integer.to_string();
        prop_assert_eq!(&*ValueType::Integer.canonical(text.as_bytes(), Mode::Random).unwrap(), text.as_bytes());
        let scaled = format!("{integer}e-{places}");
        let canonical = ValueType::Decimal.canonical(scaled.as_bytes(), Mode::Random).unwrap();
        let back = format!("{}e{places}", core::str::from_utf8(&canonical).unwrap());
        let back = ValueType::Decimal.canonical(back.as_bytes(), Mode::Random).unwrap();
        prop_assert_eq!(&*back, text.as_bytes());
    }

    #[test]
    fn every_double_stays_as_it_is_printed(bits: u64) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        prop_assert_eq!(json(&printed(number)), Some(printed(number)));
    }

    #[test]
    fn a_number_of_json_is_the_double_that_is_nearest(
        digits in "(0|[1-9][0-9]{0,19})(\\.[0-9]{1,20})?",
        exponent in -345_i32..330,
        negative: bool,
    ) {
        let minus = if negative { "-" } else { "" };
        let text = format!("{minus}{digits}e{exponent}");
        let nearest: f64 = text.parse().unwrap();
        let expected = nearest.is_finite().then(|| printed(nearest));
        let expected = expected.filter(|printed| decimal(printed) == decimal(&text));
        prop_assert_eq!(json(&text), expected);
    }
}

#[test]
fn json_is_sorted_without_white_space_at_any_depth() {
    let text = " {\t\"b\" :\r\n[ 1 , { } , [ ] , -0 ,1e1, null ,true] , \"a\\\"}\" : { \"\\u00e9\" : \"\\u0041\\\\\" , \"\": false } } ";
    let canonical = "{\"a\\\"}\":{\"\":false,\"é\":\"A\\\\\"},\"b\":[1,{},[],0,10,null,true]}";
    assert_eq!(json(text).as_deref(), Some(canonical));
    // By units of UTF-16.
    assert_eq!(
        json("{\"\u{fffd}\":1,\"\u{1f980}\":2}").as_deref(),
        Some("{\"\u{1f980}\":2,\"\u{fffd}\":1}")
    );
    for refused in [
        "{\"a\":[{\"b\":1,\"\\u0062\":2}]}",
        "[\"\\ud800\"]",
        "{\"\\udc00\":1}",
        "[1,]",
        "[1 2]",
        "{\"a\":1,}",
        "[1]]",
        "",
        "nul",
        "[12345678901234567]",
        "[0.12345678901234567890]",
    ] {
        assert_eq!(json(refused), None, "{refused}");
    }
    for (depth, expected) in [(128, true), (129, false), (100_000, false)] {
        let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(json(&text).is_some(), expected, "{depth}");
        let text = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert_eq!(json(&text).is_some(), expected, "{depth}");
    }
}

#[test]
fn json_has_the_escapes_it_needs_and_may_grow() {
    for char in (0..=0x7f).chain([0xe9, 0x2028, 0xfffd]) {
        let text: String = core::iter::repeat_n(char::from_u32(char).unwrap(), 2).collect();
        let needed = serde_json::to_string(&format!("a{text}b")).unwrap();
        let more = format!("\"a{}b\"", format!("\\u{char:04X}").repeat(2));
        assert_eq!(json(&needed).as_deref(), Some(needed.as_str()));
        assert_eq!(json(&more), Some(needed));
    }
    let short = format!("[{}1e20]", "1e20,".repeat(1000));
    let long = short.replace("1e20", "100000000000000000000");
    assert_eq!(json(&short), Some(long));
}

#[test]
fn the_form_of_json_takes_no_longer_where_it_is_deep() {
    let items = format!("[{}1]", "1,".repeat(20_000));
    let deep = format!("{}{items}{}", "[".repeat(120), "]".repeat(120));
    let quickest = |text: &str| {
        let runs = (0..5).map(|_| {
            let began = std::time::Instant::now();
            assert_eq!(json(text).as_deref(), Some(text));
            began.elapsed()
        });
        runs.min().unwrap()
    };
    assert!(quickest(&deep) < quickest(&items) * 20);
}

#[test]
fn the_largest_and_the_smallest_doubles_are_numbers_of_json() {
    for number in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::from_bits(1)] {
        assert_eq!(json(&printed(number)), Some(printed(number)));
        // With all of its digits.
        let whole = format!("{number}");
        assert_eq!(json(&whole), Some(printed(number)));
    }
    assert_eq!(json("-0"), Some("0".into()));
    assert_eq!(json("1.7976931348623159e308"), None);
    assert_eq!(json("1e309"), None);
    assert_eq!(json("3e-324"), None);
    assert_eq!(json("9007199254740993"), None);
}

/// The canonical form of a document, if it has one.
fn json(text: &str) -> Option<String> {
    let canonical = ValueType::Json.canonical(text.as_bytes(), Mode::Deterministic);
    Some(String::from_utf8(canonical.ok()?.to_vec()).unwrap())
}

/// As JavaScript prints it.
fn printed(number: f64) -> String {
    ryu_js::Buffer::new().format_finite(number).into()
}

fn decimal(text: &str) -> Option<Vec<u8>> {
    let decimal = ValueType::Decimal.canonical(text.as_bytes(), Mode::Deterministic);
    Some(decimal.ok()?.to_vec())
}
