//! What columns without keys see of a value: no less than those that have them.

use reseal::{
    codec::Stored,
    manifest::{Manifest, Secrets},
};

const CODECS: &str = "version = 1
[codecs.tokens]
kind = 'fernet'
keys = ['env:FERNET']
[codecs.django]
kind = 'django-fernet'
secrets = ['env:SECRET']
salts = ['env:SECRET']
[codecs.fields]
kind = 'fernet-fields'
secrets = ['env:SECRET']
[codecs.alchemy]
kind = 'sqlalchemy-utils'
keys = ['env:SECRET']
[codecs.alchemy_gcm]
kind = 'sqlalchemy-utils'
keys = ['env:SECRET']
engine = 'aes-gcm'
[codecs.alchemy_tokens]
kind = 'sqlalchemy-utils'
keys = ['env:SECRET']
engine = 'fernet'
[codecs.metabase]
kind = 'metabase'
keys = ['env:SECRET']
[codecs.n8n]
kind = 'n8n'
instance_keys = ['env:SECRET']
[codecs.sentry]
kind = 'sentry'
keys = { a = 'env:FERNET' }
primary = 'a'
[codecs.sentry_json]
kind = 'sentry'
keys = { a = 'env:FERNET' }
primary = 'a'
field = 'json'
[codecs.freeboard]
kind = 'freeboard'
keys = ['env:FREEBOARD']
[codecs.rails]
kind = 'rails'
primary_keys = ['env:SECRET']
key_derivation_salt = 'env:SECRET'
";

/// The same with `lenient` in each codec.
fn lenient() -> String {
    let lines = CODECS.lines().map(|line| match line {
        line if line.starts_with("kind") => format!("{line}\nlenient = true\n"),
        line => format!("{line}\n"),
    });
    lines.collect()
}

const VALUES: [&str; 12] = [
    "",
    "hello",
    // A token after a line end, one with junk in it, one that was cut.
    "\ngAAAAABrAI2LvehmDqauI3Eay2SlC88ixUoPOHCxJDF79Q0RfNQ1PIPygbh6SRKjbdQmJOiSiiUcQLiI_phCfkEmL5BJWAb35g==",
    "gAAA AABrAI2LvehmDqauI3Eay2SlC88ixUoPOHCxJDF79Q0RfNQ1PIPygbh6SRKjbdQmJOiSiiUcQLiI_phCfkEmL5BJWAb35g==",
    " gAAAAABrAI2L",
    // Blocks of AES, and a nonce, a tag and a ciphertext, both with a line end.
    "TK6BdvqZbLgCdkBS\n0tg9eQ==",
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\nGBkaGxwdHh8=",
    // A digest.
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    // What Node.js reads: with white space, and in the other alphabet.
    " U2FsdGVkX194VEoX27o3+y5jUd1JTTmVwkOKjVhB6Jg=",
    "U2FsdGVkX194VEoX27o3-y5jUd1JTTmVwkOKjVhB6Jg",
    r#"{"sentry_encrypted_field_value": "{\"a\":1}"}"#,
    r#"{"sentry_encrypted_field_value": "hello"}"#,
];

#[test]
fn they_see_what_columns_with_keys_see() {
    for (text, fewest) in [(CODECS.to_owned(), 5), (lenient(), 30)] {
        let manifest = Manifest::parse(&text).unwrap();
        let mut secrets = Secrets::new();
        for want in manifest.wants() {
            secrets.give(
                &want,
                match want.name.as_str() {
                    "FERNET" => "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
                    "FREEBOARD" => "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                    _ => "a secret of some length",
                },
            );
        }
        let mut seen = 0;
        for spec in manifest.codecs() {
            let with_keys = manifest.codec(spec.name(), &secrets).unwrap();
            for value in VALUES {
                for stored in [Stored::Text(value), Stored::Bytes(value.as_bytes())] {
                    let shown = with_keys.codec.recognize(stored);
                    let without = spec.keyless().codec.recognize(stored);
                    assert_eq!(without, shown, "{} of {value}", spec.name());
                    seen += usize::from(shown.is_some_and(|shown| shown.scheme != "plain"));
                }
            }
        }
        assert!(seen >= fewest, "{seen} of {fewest}");
    }
}
