//! How long a value becomes is known before it is sealed: a plan compares it with the column.

use crate::support::{fresh, n8n_row};
use reseal::{
    Context, Entropy, Mode, OsEntropy,
    codec::{
        Codec, DjangoCryptography, DjangoField, DjangoKeys, Fernet, Form, Freeboard, FreeboardKey,
        Metabase, MetabaseKey, N8n, Place, Rails, RailsSerializer, Sentry, SentryField,
        SentryMethod, SqlalchemyEngine, SqlalchemyUtils, StoredValue,
    },
};

const FERNET: &str = "fn1e6PrRXKIvPkwnZGcFUouLeIEFe45dsK-C-nvMaoc=";
const NOW: u64 = 1_800_000_000;
/// The longest label of Rails.
const LABEL: &str = "stateless-ISO-2022-JP-KDDI";

fn sentry(id: &str) -> Sentry {
    Sentry::new([(id, FERNET)], id).unwrap()
}

fn metabase() -> Metabase {
    Metabase::new(vec![
        MetabaseKey::derive("a secret of some length").unwrap(),
    ])
    .unwrap()
}

fn rails(change: impl FnOnce(reseal::codec::RailsBuilder) -> reseal::codec::RailsBuilder) -> Rails {
    let builder = Rails::builder()
        .primary_keys(["the primary key"])
        .deterministic_keys(["the deterministic key"])
        .key_derivation_salt("the salt");
    change(builder).build().unwrap()
}

/// Every way in which a foreign codec writes.
fn codecs() -> Vec<(&'static str, Box<dyn Codec>)> {
    let json = |codec: Sentry| codec.field(SentryField::Json);
    let freeboard = FreeboardKey::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    vec![
        ("sentry", Box::new(sentry("key_2024"))),
        ("sentry odd", Box::new(sentry("k\"\\\u{1}\u{e9}"))),
        ("sentry json", Box::new(json(sentry("key_2024")))),
        (
            "sentry json odd",
            Box::new(json(sentry("k\"\\\u{1}\u{e9}"))),
        ),
        (
            "sentry plaintext",
            Box::new(sentry("k").method(SentryMethod::Plaintext)),
        ),
        ("rails", Box::new(rails(|it| it))),
        ("rails raw", Box::new(rails(|it| it.compress(false)))),
        (
            "rails references",
            Box::new(rails(|it| it.store_key_references(true))),
        ),
        (
            "rails deterministic",
            Box::new(rails(|it| it.deterministic(true).compress(false))),
        ),
        (
            "rails envelope",
            Box::new(rails(|it| it.envelope(true).store_key_references(true))),
        ),
        (
            "rails packed",
            Box::new(rails(|it| it.serializer(RailsSerializer::MessagePack))),
        ),
        (
            "rails packed deterministic",
            Box::new(rails(|it| {
                let it = it.serializer(RailsSerializer::MessagePack);
                it.deterministic(true).compress(false)
            })),
        ),
        (
            "rails packed envelope",
            Box::new(rails(|it| {
                it.serializer(RailsSerializer::MessagePack).envelope(true)
            })),
        ),
        ("metabase", Box::new(metabase())),
        ("n8n", Box::new(N8n::new("the key").unwrap())),
        ("n8n row", Box::new(n8n_row())),
        (
            "freeboard",
            Box::new(Freeboard::new(vec![freeboard]).unwrap()),
        ),
        (
            "django-fernet",
            Box::new(Fernet::django(&["secret"], &["salt"]).unwrap()),
        ),
        ("pickle text", Box::new(pickled(DjangoField::Text))),
        ("pickle bytes", Box::new(pickled(DjangoField::Bytes))),
        ("alchemy aes", Box::new(alchemy("aes"))),
        ("alchemy gcm", Box::new(alchemy("aes-gcm"))),
        ("alchemy fernet", Box::new(alchemy("fernet"))),
    ]
}

fn pickled(field: DjangoField) -> DjangoCryptography {
    let codec = DjangoCryptography::new(&["secret"], &DjangoKeys::default());
    codec.unwrap().field(field)
}

fn alchemy(engine: &str) -> SqlalchemyUtils {
    let engine = SqlalchemyEngine::parse(engine, None).unwrap();
    SqlalchemyUtils::new(&["key"], engine).unwrap()
}

fn random(bytes: usize) -> Vec<u8> {
    let mut random = vec![0; bytes];
    OsEntropy.fill(&mut random).unwrap();
    random
}

/// Plaintexts of so many bytes: any bytes, JSON with escapes, and text that is not ASCII.
fn plaintexts(bytes: usize) -> Vec<Vec<u8>> {
    const ESCAPES: [&str; 5] = ["\\n", "\\\"", "\\u0001", "\\\\", "x"];
    let mut json = String::from("\"");
    for byte in random(bytes) {
        let escape = ESCAPES[usize::from(byte) % ESCAPES.len()];
        if json.len() + escape.len() < bytes {
            json.push_str(escape);
        }
    }
    let padded = format!(
        "{json}\"{}",
        " ".repeat(bytes.saturating_sub(json.len() + 1))
    );
    let mut text = String::new();
    for pair in random(2 * bytes).chunks_exact(2) {
        let point = 0x80 + u32::from(u16::from_le_bytes([pair[0], pair[1]]));
        let char = char::from_u32(point).unwrap_or('\u{1f600}');
        if text.len() + char.len_utf8() <= bytes {
            text.push(char);
        }
    }
    text.push_str(&"x".repeat(bytes - text.len()));
    let mut all = vec![random(bytes), text.into_bytes()];
    all.extend((bytes > 1).then(|| padded.into_bytes()));
    assert!(all.iter().all(|plaintext| plaintext.len() == bytes));
    all
}

fn len(value: &StoredValue) -> usize {
    match value {
        StoredValue::Text(text) => text.chars().count(),
        StoredValue::Bytes(bytes) => bytes.len(),
    }
}

#[test]
fn no_value_is_longer_than_its_codec_says_and_few_are_half_as_long() {
    let context = Context::new();
    for (name, codec) in codecs() {
        let mut sealed = 0;
        for form in [Form::Text, Form::Binary] {
            let place = Place {
                context: &context,
                mode: Mode::Random,
                form,
            };
            for bytes in 0..=300 {
                for plaintext in plaintexts(bytes) {
                    let mut entropy = OsEntropy;
                    let fresh = &mut fresh(&mut entropy, NOW);
                    // What the format cannot hold has no length.
                    let Ok(value) = codec.seal(&plaintext, &place, fresh) else {
                        continue;
                    };
                    sealed += 1;
                    let bound = codec.sealed_len(bytes, Mode::Random, form).unwrap();
                    let long = len(&value);
                    assert!(long <= bound, "{name} {bytes}: {long} > {bound}");
                    // What Rails compresses may shrink to anything.
                    let shrinks = name.starts_with("rails") && bytes > 140;
                    if shrinks && plaintext.starts_with(b"\"") {
                        continue;
                    }
                    assert!(bound <= 2 * long, "{name} {bytes}: {bound} > 2 * {long}");
                }
            }
        }
        assert!(sealed > 250, "{name} sealed but {sealed}");
    }
}

#[test]
fn a_label_of_rails_and_a_stream_that_is_compressed_again_fit_as_well() {
    let context = Context::new();
    let stream = |bytes: usize| {
        let noise = random(bytes);
        miniz_oxide::deflate::compress_to_vec_zlib(&noise, 6)
    };
    for (name, codec) in codecs() {
        if !name.starts_with("rails") || name.contains("deterministic") {
            continue;
        }
        let form = if name.contains("packed") {
            Form::Binary
        } else {
            Form::Text
        };
        let place = Place {
            context: &context,
            mode: Mode::Random,
            form,
        };
        let mut all: Vec<Vec<u8>> = (0..=300).map(random).collect();
        all.extend([150, 300, 40_000, 200_000].map(stream));
        all.push(random(1 << 20));
        for plaintext in all {
            let mut entropy = OsEntropy;
            let fresh = &mut fresh(&mut entropy, NOW);
            let value = codec.seal_labelled(&plaintext, Some(LABEL), &place, fresh);
            let long = len(&value.unwrap());
            let bound = codec.sealed_len(plaintext.len(), Mode::Random, form);
            assert!(Some(long) <= bound, "{name}: {long} > {bound:?}");
        }
    }
}

#[test]
fn base64_of_metabase_in_a_binary_column_fits_after_a_rotation() {
    let context = Context::new();
    let codec = metabase();
    for bytes in 1..=300 {
        let plaintext = "x".repeat(bytes);
        let mut place = Place {
            context: &context,
            mode: Mode::Random,
            form: Form::Text,
        };
        let mut entropy = OsEntropy;
        let fresh = &mut fresh(&mut entropy, NOW);
        let value = codec.seal(plaintext.as_bytes(), &place, fresh).unwrap();
        place.form = Form::Binary;
        let armored = reseal::codec::Stored::Bytes(value.as_stored().as_bytes());
        let value = codec.rotate(armored, &place, fresh).unwrap();
        let bound = codec.sealed_len(bytes, Mode::Random, Form::Binary);
        assert!(Some(len(&value)) <= bound, "{bytes}");
    }
}

#[test]
fn what_a_codec_does_not_write_has_no_length() {
    let expect = reseal::codec::Expect::Json;
    let codecs: [Box<dyn Codec>; 3] = [
        Box::new(sentry("a:b")),
        Box::new(metabase().streams(true).expect(expect)),
        Box::new(rails(|it| it.serializer(RailsSerializer::MessagePack))),
    ];
    for codec in codecs {
        assert_eq!(codec.sealed_len(10, Mode::Random, Form::Text), None);
    }
    for (name, codec) in self::codecs() {
        let bound = codec.sealed_len(usize::MAX, Mode::Random, Form::Text);
        assert_eq!(bound, None, "{name}");
    }
}
