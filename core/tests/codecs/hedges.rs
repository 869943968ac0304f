//! No nonce twice: each codec that writes, with a source that repeats itself.

use crate::support::{fresh, n8n_row, place};
use data_encoding::{BASE64, BASE64URL};
use reseal::{
    Context, Entropy, EntropyKind, Result,
    codec::{
        Codec, DjangoCryptography, DjangoKeys, Fernet, FernetKey, Form, Freeboard, FreeboardKey,
        Metabase, MetabaseKey, N8n, N8nDataKey, Rails, RailsBuilder, Sentry, SqlalchemyEngine,
        SqlalchemyUtils, Stored,
    },
};
use serde_json::Value;
use std::collections::HashSet;

const FERNET: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const DATA_KEY_ROW: &str =
    "yt+PKk1LdyTo8NLQn2rh4a/CCk+8lK9BkkKTkoVIry0YAzOQfTFJtHecJj2gkqjJlypF39h+m0AtDsil";

/// What a machine draws that was cloned, from a generator in user space or, to compare, as a system
/// call never does.
struct Repeating(EntropyKind);

impl Entropy for Repeating {
    fn kind(&self) -> EntropyKind {
        self.0
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        bytes.fill(0x5A);
        Ok(())
    }
}

/// A codec, and where what is random of its values stands.
struct Case {
    name: &'static str,
    codec: Box<dyn Codec>,
    form: Form,
    random: fn(Stored<'_>) -> Vec<u8>,
}

fn case<C: Codec + 'static>(
    name: &'static str,
    codec: C,
    random: fn(Stored<'_>) -> Vec<u8>,
) -> Case {
    let codec = Box::new(codec);
    let form = Form::Text;
    Case {
        name,
        codec,
        form,
        random,
    }
}

fn text(stored: Stored<'_>) -> &str {
    stored.as_text().unwrap()
}

fn base64(text: &str, at: core::ops::Range<usize>) -> Vec<u8> {
    BASE64.decode(text.as_bytes()).unwrap()[at].to_vec()
}

fn token(token: &[u8]) -> Vec<u8> {
    BASE64URL.decode(token).unwrap()[9..25].to_vec()
}

fn json(stored: Stored<'_>) -> Value {
    serde_json::from_str(text(stored)).unwrap()
}

fn rails(change: fn(RailsBuilder) -> RailsBuilder) -> Rails {
    let builder = Rails::builder()
        .primary_keys(["the primary key"])
        .key_derivation_salt("the salt");
    change(builder).build().unwrap()
}

fn rails_iv(stored: Stored<'_>) -> Vec<u8> {
    base64(json(stored)["h"]["iv"].as_str().unwrap(), 0..12)
}

fn body(stored: Stored<'_>) -> &str {
    text(stored).rsplit(':').next().unwrap()
}

fn metabase(secret: &str) -> Metabase {
    Metabase::new(vec![MetabaseKey::derive(secret).unwrap()]).unwrap()
}

/// Every way in which a foreign codec writes with random bytes.
fn cases() -> Vec<Case> {
    let key = || FernetKey::parse(FERNET).unwrap();
    let freeboard = FreeboardKey::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    let golden = metabase("golden-envelope-test-key-000000000000000000");
    let row = BASE64.decode(DATA_KEY_ROW.as_bytes()).unwrap();
    let django = DjangoCryptography::new(&["a secret"], &DjangoKeys::default()).unwrap();
    vec![
        case("fernet", Fernet::new(vec![key()]).unwrap(), |stored| {
            token(stored.as_bytes())
        }),
        case(
            "sentry",
            Sentry::new([("key", FERNET)], "key").unwrap(),
            |stored| token(&BASE64.decode(body(stored).as_bytes()).unwrap()),
        ),
        Case {
            form: Form::Binary,
            ..case("django-cryptography", django, |stored| {
                stored.as_bytes()[9..25].to_vec()
            })
        },
        case(
            "sqlalchemy-utils",
            SqlalchemyUtils::new(&["a key"], SqlalchemyEngine::AesGcm).unwrap(),
            |stored| base64(text(stored), 0..12),
        ),
        case("rails", rails(|it| it), rails_iv),
        case("rails envelope", rails(|it| it.envelope(true)), rails_iv),
        case("metabase legacy", metabase("a secret of some length"), {
            |stored| base64(text(stored), 0..16)
        }),
        case(
            "metabase v2",
            golden.data_keys([(1, row.as_slice())]).unwrap(),
            |stored| base64(text(stored), 7..19),
        ),
        case("n8n", N8n::new("the key").unwrap(), |stored| {
            base64(body(stored), 8..16)
        }),
        case("n8n gcm row", n8n_row(), |stored| {
            base64(body(stored), 1..33)
        }),
        case(
            "freeboard",
            Freeboard::new(vec![freeboard]).unwrap(),
            |stored| base64(json(stored)["iv"].as_str().unwrap(), 0..12),
        ),
    ]
}

impl Case {
    fn random(&self, plaintext: &str, kind: EntropyKind) -> Vec<u8> {
        let context = Context::new();
        let mut entropy = Repeating(kind);
        let stored = self.codec.seal(
            plaintext.as_bytes(),
            &place(&context, self.form),
            &mut fresh(&mut entropy, 1_800_000_000),
        );
        let stored = stored.unwrap();
        let opened = self.codec.open(stored.as_stored(), &context).unwrap();
        assert_eq!(*opened.plaintext, plaintext.as_bytes(), "{}", self.name);
        (self.random)(stored.as_stored())
    }
}

#[test]
fn a_repeating_indirect_source_never_repeats_a_nonce_for_different_plaintexts() {
    for case in cases() {
        // Long enough that Rails compresses some of them.
        let plaintexts: Vec<_> = (0..200).map(|at| format!("\"{at:0at$}\"")).collect();
        let indirect = |text: &String| case.random(text, EntropyKind::Indirect);
        let seen: HashSet<_> = plaintexts.iter().map(indirect).collect();
        assert_eq!(seen.len(), plaintexts.len(), "{}", case.name);
        let bytes = seen.iter().next().unwrap().len();
        assert!(!seen.contains(&vec![0x5A; bytes]), "{}", case.name);
        assert!(seen.contains(&indirect(&plaintexts[0])), "{}", case.name);
        let direct = case.random(&plaintexts[0], EntropyKind::Direct);
        assert_eq!(direct, vec![0x5A; bytes], "{}", case.name);
    }
}

/// A clone may draw the same key for two values, and wraps it in the same way.
#[test]
fn a_data_key_of_rails_that_repeats_is_wrapped_as_before() {
    let codec = rails(|it| it.envelope(true));
    let context = Context::new();
    let wrapped = |plaintext: &[u8]| {
        let mut entropy = Repeating(EntropyKind::Indirect);
        let fresh = &mut fresh(&mut entropy, 1);
        let stored = codec.seal(plaintext, &place(&context, Form::Text), fresh);
        json(stored.unwrap().as_stored())["h"]["k"].clone()
    };
    let one = wrapped(b"one");
    assert_eq!(one, wrapped(b"another"));
    assert_ne!(one["h"]["iv"].as_str(), Some("WlpaWlpaWlpaWlpa"));
}

#[test]
fn a_data_key_of_n8n_is_wrapped_under_a_salt_of_its_own() {
    let salt = |text: &str, kind| {
        let key = N8nDataKey::from_text(text).unwrap();
        let value = key.wrap("the key", &mut Repeating(kind)).unwrap();
        base64(&value, 1..33)
    };
    let [one, other] = ["one", "other"].map(|text| salt(text, EntropyKind::Indirect));
    assert_ne!(one, other);
    assert_eq!(one, salt("one", EntropyKind::Indirect));
    assert_eq!(salt("one", EntropyKind::Direct), [0x5A; 32]);
}
