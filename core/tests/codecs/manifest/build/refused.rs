//! What secrets have to be: those that are missing, bad, or the key of a field.

use super::FERNET;
use crate::manifest::with;
use crate::support::{base64, vectors};
use reseal::{
    Context, Error, ErrorCode,
    codec::Stored,
    manifest::{Manifest, Secrets},
};

fn build_error(options: &str, given: &[(&str, &str)]) -> Error {
    let manifest = Manifest::parse(&with(&format!("[codecs.x]\n{options}"))).unwrap();
    let mut secrets = Secrets::new();
    for want in manifest.wants_of("x").unwrap() {
        if let Some((_, content)) = given.iter().find(|(name, _)| *name == want.name) {
            secrets.give(&want, *content);
        }
    }
    manifest.codec("x", &secrets).unwrap_err()
}

const ROWS: &str = "kind = 'n8n'\ninstance_keys = ['env:A']\nrows = 'file:r'";
const DATA_KEYS: &str = "kind = 'metabase'\nkeys = ['env:A']\ndata_keys = 'table:r'";
const BAD: &str = "hunter2-hunter2-hunter2";

/// Options, what is given, and the code and the beginning of the message.
type BadSecret = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

const BAD_SECRETS: &[BadSecret] = &[
    (
        "kind = 'fernet'\nkeys = ['env:A', 'env:B']",
        &[("A", FERNET)],
        "source-missing",
        "codecs.x.keys[1]: the variable B is not set",
    ),
    (
        "kind = 'fernet'\nkeys = ['file:a']",
        &[],
        "source-missing",
        "codecs.x.keys[0]: the file a was not read",
    ),
    (
        "kind = 'fernet'\nkeys = ['env:A']",
        &[("A", BAD)],
        "invalid-key",
        "codecs.x.keys[0]: a Fernet key is 32 bytes",
    ),
    (
        "kind = 'freeboard'\nkeys = ['env:A']",
        &[("A", BAD)],
        "invalid-key",
        "codecs.x.keys[0]: CREDENTIAL_ENCRYPTION_KEY is",
    ),
    (
        "kind = 'metabase'\nkeys = ['env:A']",
        &[("A", "short")],
        "invalid-key",
        "codecs.x.keys[0]: ",
    ),
    (
        "kind = 'sentry'\nkeys = { a = 'env:A' }\nprimary = 'a'",
        &[("A", BAD)],
        "invalid-key",
        "codecs.x: the key \"a\": a Fernet key",
    ),
    (
        "kind = 'sentry'\nkey_dir = 'd'\nprimary = 'a'",
        &[],
        "source-missing",
        "codecs.x.key_dir: the directory d was not read",
    ),
    (
        "kind = 'rails'\nprimary_keys = ['env:A']\nkey_derivation_salt = 'env:A'",
        &[("A", " ")],
        "invalid-argument",
        "codecs.x: a codec of Rails wants the key_derivation_salt",
    ),
    (
        "kind = 'n8n'\ninstance_keys = ['env:A']",
        &[("A", "")],
        "invalid-key",
        "codecs.x: an instance key of n8n is not empty",
    ),
    (
        "kind = 'reseal'\nkeyring = 'env'",
        &[],
        "source-missing",
        "codecs.x.keyring: no ring was given",
    ),
    (
        ROWS,
        &[("A", BAD), ("r", BAD)],
        "source-unreadable",
        "codecs.x.rows: the rows are no JSON list of objects with id, type, value",
    ),
    (
        ROWS,
        &[("A", BAD), ("r", "[{\"id\": 1}]")],
        "source-unreadable",
        "codecs.x.rows[0].id: expected text",
    ),
    (
        ROWS,
        &[("A", BAD), ("r", "[{\"id\": \"a\"}]")],
        "source-unreadable",
        "codecs.x.rows[0].type: expected text",
    ),
    (
        DATA_KEYS,
        &[("A", BAD)],
        "source-missing",
        "codecs.x.data_keys: the table r was not read",
    ),
    (
        DATA_KEYS,
        &[("A", BAD), ("r", "[{\"id\": -1}]")],
        "source-unreadable",
        "codecs.x.data_keys[0].id: expected a number",
    ),
    (
        DATA_KEYS,
        &[
            ("A", BAD),
            ("r", "[{\"id\": \"1\", \"key_material\": \"?\"}]"),
        ],
        "source-unreadable",
        "codecs.x.data_keys[0].key_material: expected base64",
    ),
    (
        DATA_KEYS,
        &[
            ("A", BAD),
            ("r", "[{\"id\": 1, \"key_material\": \"aHVudGVyMg==\"}]"),
        ],
        "invalid-key",
        "codecs.x.data_keys: ",
    ),
];

#[test]
fn what_is_missing_or_bad_is_named_and_not_shown() {
    for (options, given, code, message) in BAD_SECRETS {
        let error = build_error(options, given);
        assert_eq!(error.code().as_str(), *code, "{error}");
        assert!(error.message().starts_with(message), "{error}");
        assert!(!error.message().contains("hunter2"), "{error}");
    }
    let manifest = Manifest::parse(&with("")).unwrap();
    let want = &manifest.wants_of("tokens").unwrap()[0];
    let mut secrets = Secrets::new();
    secrets.give(want, [0xFF, 0xFE]);
    let error = manifest.codec("tokens", &secrets).unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (
            ErrorCode::SourceUnreadable,
            "codecs.tokens.keys[0]: env:FERNET_KEY is no text (UTF-8)"
        )
    );
}

#[test]
fn the_key_of_a_field_is_base64_and_the_digest_a_word() {
    let cases = vectors("django-cryptography");
    for (id, options) in [
        ("field-key-32", "field_keys = ['env:K']"),
        ("digest-md5", "digest = 'md5'"),
    ] {
        let case = cases.iter().find(|case| case["id"] == id).unwrap();
        let options = format!("kind = 'django-cryptography'\nsecrets = ['env:S']\n{options}");
        let manifest = Manifest::parse(&with(&format!("[codecs.x]\n{options}"))).unwrap();
        let mut secrets = Secrets::new();
        for want in manifest.wants_of("x").unwrap() {
            let content = match want.name.as_str() {
                "S" => &case["secrets"][0],
                _ => &case["field_keys"][0],
            };
            secrets.give(&want, content.as_str().unwrap());
        }
        let codec = manifest.codec("x", &secrets).unwrap().codec;
        let stored = base64(case, "ciphertext_b64");
        let opened = codec.open(Stored::Bytes(&stored), &Context::new()).unwrap();
        assert_eq!(*opened.plaintext, b"hello", "{id}");
    }
    let field = "kind = 'django-cryptography'\nsecrets = ['env:S']\nfield_keys = ['env:K']";
    for (key, code) in [
        (BAD, ErrorCode::InvalidKey),
        ("aGVsbG8=", ErrorCode::InvalidKey),
        (
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
            ErrorCode::FormatUnsupported,
        ),
    ] {
        let error = build_error(field, &[("S", "a secret"), ("K", key)]);
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.to_string().contains(key), "{error}");
    }
}
