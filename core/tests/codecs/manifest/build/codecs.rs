//! Codecs with their options and secrets.

use super::{everything, world};
use crate::support::{fresh, text_place};
use reseal::{
    Context, ErrorCode, OsEntropy,
    codec::{CodecKind, Form, Place, Stored},
    manifest::{CodecSpec, Manifest, Secrets},
};

#[test]
fn every_kind_is_built_and_goes_round() {
    let (manifest, secrets) = everything();
    let context = Context::new().with("column", "value").unwrap();
    for spec in manifest.codecs() {
        let named = manifest
            .codec(spec.name(), &secrets)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (named.name.as_str(), named.codec.kind()),
            (spec.name(), spec.kind())
        );
        let mut entropy = OsEntropy;
        let mut fresh = fresh(&mut entropy, 1_800_000_000);
        let is_pickled = spec.kind() == CodecKind::DjangoCryptography;
        let place = Place {
            form: if is_pickled { Form::Binary } else { Form::Text },
            ..text_place(&context)
        };
        let sealed = named.codec.seal(b"{\"a\": 1}", &place, &mut fresh);
        if spec.name() == "metabase_streams" {
            assert_eq!(sealed.unwrap_err().code(), ErrorCode::CodecReadOnly);
            continue;
        }
        let stored = sealed.unwrap();
        let opened = named.codec.open(stored.as_stored(), &context).unwrap();
        // A pickle holds the value of a document, and not its spaces.
        let expected: &[u8] = if is_pickled {
            b"{\"a\":1}"
        } else {
            b"{\"a\": 1}"
        };
        assert_eq!(*opened.plaintext, expected, "{}", spec.name());
        assert!(opened.current, "{}", spec.name());
    }
    let kinds: Vec<CodecKind> = manifest.codecs().map(CodecSpec::kind).collect();
    assert!(CodecKind::ALL.iter().all(|kind| kinds.contains(kind)));
}

#[test]
fn the_options_reach_the_codecs() {
    let (manifest, secrets) = everything();
    let scheme = |name: &str| {
        let context = Context::new().with("column", "value").unwrap();
        let named = manifest.codec(name, &secrets).unwrap();
        let mut entropy = OsEntropy;
        let place = text_place(&context);
        let stored = named
            .codec
            .seal(b"{}", &place, &mut fresh(&mut entropy, 1))
            .unwrap();
        let text = stored.as_stored().as_text().unwrap().to_owned();
        (
            named
                .codec
                .open(stored.as_stored(), &context)
                .unwrap()
                .scheme,
            text,
        )
    };
    let (rails, stored) = scheme("rails");
    assert_eq!(rails, "json-deterministic");
    assert!(stored.contains("\"i\":"), "store_key_references: {stored}");
    assert!(scheme("n8n").1.starts_with("bEc5AmLGiLrtdybl:"));
    assert!(scheme("export").1.starts_with("U2FsdGVkX1"));
    assert!(
        scheme("sentry")
            .1
            .starts_with("{\"sentry_encrypted_field_value\": \"enc:fernet:k2:")
    );
    assert!(scheme("sentry_text").1.starts_with("enc:fernet:k1:"));
}

#[test]
fn debug_shows_no_secret() {
    let (manifest, secrets) = everything();
    let columns = manifest.build(&secrets).unwrap();
    let shown = format!("{manifest:?} {secrets:?} {columns:?}");
    for secret in world().values().filter(|secret| secret.len() > 2) {
        assert!(!shown.contains(secret.trim()), "{secret}");
    }
    assert_eq!(
        format!("{secrets:?}"),
        "Secrets(21 contents and 3 rings, hidden)"
    );
}

/// One final line feed of a file is no part of the secret, and everything else is.
#[test]
fn secrets_reach_a_codec_verbatim() {
    let text = "version = 1\n[codecs.a]\nkind = 'n8n'\ninstance_keys = ['env:K']\nexpect = 'utf8'\n[codecs.b]\nkind = 'n8n'\ninstance_keys = ['file:k']\nexpect = 'utf8'";
    let manifest = Manifest::parse(text).unwrap();
    let codec = |name: &str, content: &str| {
        let mut secrets = Secrets::new();
        secrets.give(&manifest.wants_of(name).unwrap()[0], content);
        manifest.codec(name, &secrets).unwrap().codec
    };
    // Sealed with `test_key`.
    let stored = Stored::Text("U2FsdGVkX194VEoX27o3+y5jUd1JTTmVwkOKjVhB6Jg=");
    let opens = |name: &str, content: &str| {
        let opened = codec(name, content).open(stored, &Context::new());
        opened.is_ok_and(|opened| *opened.plaintext == b"random-string")
    };
    assert!(opens("a", "test_key") && opens("b", "test_key") && opens("b", "test_key\n"));
    assert!(!opens("a", "test_key\n") && !opens("b", "test_key\n\n") && !opens("b", " test_key"));
}
