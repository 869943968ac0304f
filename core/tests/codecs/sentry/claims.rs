//! What a value claims and nothing vouches for: that it was never encrypted, its key id, and its
//! layers.

use super::{KEY, code, json_field, sealed, text_field};
use crate::support::{fresh, text_place};
use reseal::{
    Context, Mode, OsEntropy,
    codec::{Certainty, Codec, CodecKind, Fernet, FernetKey, Sentry, SentryMethod, Stored, Trust},
};

#[test]
fn what_was_never_encrypted_is_believed_unless_it_is_refused() {
    let stored = Stored::Text("enc:plaintext:Zm9yZ2Vk");
    let opened = text_field().open(stored, &Context::new()).unwrap();
    assert_eq!((opened.trust, opened.current), (Trust::Plain, false));
    let refusing = text_field().plaintext(false);
    assert_eq!(code(&refusing, stored), "format-unsupported");
    assert_eq!(refusing.is_current(stored, Mode::Random), Some(false));
    // What it writes, it reads.
    let writing = text_field()
        .plaintext(false)
        .method(SentryMethod::Plaintext);
    let opened = writing.open(stored, &Context::new()).unwrap();
    assert_eq!((opened.trust, opened.current), (Trust::Plain, true));
    let token = sealed(&text_field(), b"x");
    let opened = refusing.open(Stored::Text(&token), &Context::new());
    assert_eq!(opened.unwrap().trust, Trust::Authenticated);
}

#[test]
fn both_layers_of_a_value_that_was_sealed_twice_open() {
    let inner = sealed(&text_field(), b"1");
    // As Sentry seals it, which this codec refuses to do.
    let fernet = Fernet::new(vec![FernetKey::parse(KEY).unwrap()]).unwrap();
    let context = Context::new();
    let mut entropy = OsEntropy;
    let mut fresh = fresh(&mut entropy, 1);
    let token = fernet
        .seal(inner.as_bytes(), &text_place(&context), &mut fresh)
        .unwrap();
    let token = data_encoding::BASE64.encode(token.as_stored().as_bytes());
    let bare = format!("enc:fernet:a:{token}");
    let wrapped = format!(r#"{{"sentry_encrypted_field_value": "{bare}"}}"#);
    for (codec, outer) in [(text_field(), bare), (json_field(), wrapped)] {
        let opened = codec.open(Stored::Text(&outer), &context).unwrap();
        assert_eq!(*opened.plaintext, inner.as_bytes());
        let shown = codec.recognize(Stored::Bytes(&opened.plaintext)).unwrap();
        assert_eq!(shown.certainty, Certainty::Yes);
        let again = codec.seal(&opened.plaintext, &text_place(&context), &mut fresh);
        assert_eq!(again.unwrap_err().code().as_str(), "codec-read-only");
    }
}

#[test]
fn an_id_that_is_a_key_is_not_shown() {
    let other = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    for error in [
        Sentry::new([(KEY, "key_2024")], "key_2024").unwrap_err(),
        Sentry::new([("key_2024", KEY)], KEY).unwrap_err(),
        Sentry::new([("key_2024", KEY)], &format!("{KEY}\n")).unwrap_err(),
        Sentry::new([(KEY, other)], KEY).unwrap_err(),
    ] {
        assert_eq!(error.code().as_str(), "invalid-argument");
        assert!(!error.to_string().contains(&KEY[..8]), "{error}");
    }
}

#[test]
fn ids_in_values_are_bounded() {
    let long = "k".repeat(256);
    let stored = format!("enc:fernet:{long}:x");
    let shown = CodecKind::Sentry.recognize(Stored::Text(&stored)).unwrap();
    assert_eq!((shown.scheme, shown.key), ("fernet", None));
    let stored = stored.replacen('k', "", 1);
    let shown = CodecKind::Sentry.recognize(Stored::Text(&stored)).unwrap();
    assert_eq!(shown.key.unwrap().len(), 255);
    // The codec itself compares the whole id.
    let codec = Sentry::new([(long.as_str(), KEY)], &long).unwrap();
    let own = sealed(&codec, b"x");
    let own = Stored::Text(&own);
    assert_eq!(codec.is_current(own, Mode::Random), Some(true));
    assert!(codec.open(own, &Context::new()).unwrap().current);
    // Many colons are not as many ids.
    let colons = format!("enc:fernet:x{}", ":".repeat(1 << 24));
    assert_eq!(code(&codec, Stored::Text(&colons)), "unknown-key");
}
