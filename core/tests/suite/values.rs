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
}
