//! Section 1: key text, strict in the core and trimmed by loaders.

use crate::common::key;
use reseal::{Error, ErrorCode, Key, KeyId, KeyUse, OsEntropy};

fn refusal(text: &str) -> Error {
    let error = Key::parse(text).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidKey, "{error}");
    error
}

#[test]
fn a_key_text_is_read_back() {
    for key_use in [KeyUse::Data, KeyUse::Index, KeyUse::Kek] {
        let key = key(key_use);
        let text = key.export();
        assert_eq!(text.len(), "rsk1..".len() + key_use.as_str().len() + 48);
        let again = Key::parse(&text).unwrap();
        assert_eq!((again.id(), again.key_use()), (key.id(), key_use));
    }
}

#[test]
fn every_changed_character_is_noticed() {
    let text = key(KeyUse::Data).export();
    for at in 0..text.len() {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        refusal(core::str::from_utf8(&bytes).unwrap());
        refusal(&text[..at]);
    }
    for other in ["A", "=", "\n", "é"] {
        refusal(&format!("{}{other}", *text));
    }
}

#[test]
fn messages_help_and_show_nothing_of_the_key() {
    let key = key(KeyUse::Data);
    let text = key.export();
    let body = &text["rsk1.data.".len()..];
    for (wrong, hint) in [
        (format!("'{}'", *text), "quotation mark"),
        (format!("{}\"", *text), "quotation mark"),
        (format!(" {}", *text), "white space"),
        (format!("{}\n", *text), "line feed"),
        (text[..40].to_owned(), "cut"),
        (format!("{}xyz", *text), "longer"),
        (text.replace("rsk1", "rsk2"), "version"),
        (text.replace("data", "sign"), "another use"),
        (text.replace("data", "index"), "checksum"),
        (body.to_owned(), "rsk1."),
        (String::new(), "empty"),
    ] {
        let message = refusal(&wrong).to_string();
        assert!(message.contains(hint), "{message}");
        for start in 0..body.len() - 5 {
            assert!(!message.contains(&body[start..start + 5]), "{message}");
        }
    }
}

#[test]
fn loaders_trim_and_lists_have_no_empty_item() {
    let [one, two] = [key(KeyUse::Data), key(KeyUse::Index)];
    let [a, b] = [one.export(), two.export()];
    let list = Key::load_list(&format!(" {}\n,\t{}\r\n", *a, *b)).unwrap();
    assert_eq!(
        list.iter().map(Key::id).collect::<Vec<_>>(),
        [one.id(), two.id()]
    );
    for empty in [
        format!("{},", *a),
        format!(",{}", *a),
        format!("{},,{}", *a, *b),
        String::new(),
    ] {
        let error = Key::load_list(&empty).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidKey);
    }
    let no_break_space = format!("\u{a0}{}", *a);
    assert!(
        Key::load(&no_break_space).is_err(),
        "only ASCII white space is trimmed"
    );
}

#[test]
fn a_key_has_32_bytes() {
    for len in [0, 31, 33, 64] {
        let error = Key::from_bytes(KeyUse::Data, &vec![1; len]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidKey);
        assert!(error.to_string().contains(&len.to_string()));
    }
}

#[test]
fn the_use_is_part_of_the_id() {
    let ids = [KeyUse::Data, KeyUse::Index, KeyUse::Kek]
        .map(|key_use| Key::from_bytes(key_use, &[7; 32]).unwrap().id());
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
}

#[test]
fn a_key_id_is_exactly_32_characters() {
    let id = Key::generate(KeyUse::Data, &mut OsEntropy).unwrap().id();
    assert_eq!(KeyId::parse(&id.to_string()).unwrap(), id);
    let upper = id.to_string().to_ascii_uppercase();
    for wrong in ["", "abc", &upper, &format!("{id}a"), &"1".repeat(32)] {
        assert_eq!(
            KeyId::parse(wrong).unwrap_err().code(),
            ErrorCode::InvalidArgument
        );
    }
}
