//! What a query asks for where equal values are stored equally.

use crate::support::fresh;
use reseal::{
    Column, Context, ErrorCode, Key, KeyUse, Keyring, Mode, NamedCodec, OsEntropy, ValueType,
    codec::{
        Fernet, Form, Plain, Rails, RailsDigest, RailsSerializer, Reseal, SqlalchemyEngine,
        SqlalchemyUtils, StoredValue,
    },
};
use std::sync::Arc;

fn key() -> Key {
    Key::generate(KeyUse::Data, &mut OsEntropy).unwrap()
}

fn rails(deterministic: bool, key: &str) -> reseal::codec::RailsBuilder {
    Rails::builder()
        .primary_keys([key])
        .deterministic_keys([key])
        .key_derivation_salt("salt")
        .deterministic(deterministic)
}

fn alchemy(engine: &str, keys: &[&str]) -> SqlalchemyUtils {
    SqlalchemyUtils::new(keys, SqlalchemyEngine::parse(engine, None).unwrap()).unwrap()
}

fn named(name: &str, codec: impl reseal::codec::Codec + 'static) -> NamedCodec {
    NamedCodec::new(name, codec)
}

fn seal(column: &Column, value: &[u8], facts: &Context, form: Form) -> StoredValue {
    let mut entropy = OsEntropy;
    let fresh = &mut fresh(&mut entropy, 1_800_000_000);
    column.seal(value, facts, form, fresh).unwrap()
}

#[test]
fn it_finds_what_every_codec_key_and_earlier_context_wrote() {
    let (old, new) = (key(), key());
    let ring = |keys: &[&Key]| {
        let builder = Keyring::builder().primary(keys[0].clone());
        let others = keys[1..].iter().map(|key| (*key).clone());
        Arc::new(
            others
                .fold(builder, reseal::KeyringBuilder::decrypt_only)
                .build()
                .unwrap(),
        )
    };
    let context = |column: &str| Context::new().with("column", column).unwrap();
    let facts = Context::new().with("tenant", 7).unwrap();
    let alone = |codec: NamedCodec, context: Context| {
        Column::new(codec)
            .context(context)
            .mode(Mode::Deterministic)
            .value_type(ValueType::Integer)
    };
    let previous = rails(true, "the oldest key").digests([RailsDigest::Sha1]);
    let in_rails = || {
        rails(true, "the key")
            .previous_keys(["the old key"])
            .previous(previous.clone())
    };
    let column = alone(
        named("app", Reseal::new(ring(&[&new, &old]))),
        context("now"),
    )
    .earlier_context(context("before"))
    .read(named("rails", in_rails().build().unwrap()))
    .unwrap()
    .read(named("alchemy", alchemy("aes", &["first", "second"])))
    .unwrap()
    .read(named("plain", Plain))
    .unwrap();
    let of_ring = |key: &Key, it: &str| alone(named("x", Reseal::new(ring(&[key]))), context(it));
    let of_rails = |builder: reseal::codec::RailsBuilder| {
        alone(named("x", builder.build().unwrap()), Context::new())
    };
    let of_alchemy = |key| alone(named("x", alchemy("aes", &[key])), Context::new());
    let writers = [
        of_ring(&new, "now"),
        of_ring(&old, "now"),
        of_ring(&new, "before"),
        of_ring(&old, "before"),
        of_rails(rails(true, "the key")),
        of_rails(rails(true, "the old key")),
        of_rails(previous.clone()),
        of_alchemy("first"),
        of_alchemy("second"),
        alone(named("x", Plain), Context::new()),
    ];
    for form in [Form::Text, Form::Binary] {
        // Any spelling asks for the canonical one.
        let asked = column.lookup_values(b"+0042", &facts, form).unwrap();
        // A binary column may hold the text of an envelope as well.
        let texts: Vec<StoredValue> = writers[..4]
            .iter()
            .filter(|_| form == Form::Binary)
            .map(|writer| seal(writer, b"42", &facts, Form::Text))
            .map(|text| StoredValue::Bytes(text.as_stored().as_bytes().to_vec()))
            .collect();
        assert_eq!(asked.len(), writers.len() + texts.len());
        for text in &texts {
            assert!(asked.contains(text));
            assert_eq!(
                *column.open(text.as_stored(), &facts).unwrap().plaintext,
                b"42"
            );
        }
        assert_eq!(asked[0], seal(&column, b"42", &facts, form));
        for writer in &writers {
            let stored = seal(writer, b"42", &facts, form);
            assert!(asked.contains(&stored), "{writer:?}");
            assert_eq!(
                *column.open(stored.as_stored(), &facts).unwrap().plaintext,
                b"42"
            );
        }
        let other = column.lookup_values(b"43", &facts, form).unwrap();
        assert!(asked.iter().all(|one| !other.contains(one)));
    }
}

#[test]
fn a_codec_whose_values_vary_is_named_and_refused() {
    let ring = || Reseal::new(Arc::new(Keyring::builder().primary(key()).build().unwrap()));
    let mixed = rails(true, "a").previous(rails(false, "b"));
    let fernet = Fernet::django(&["secret"], &["salt"]).unwrap();
    let none = Context::new();
    for (kind, codec) in [
        ("reseal", named("odd", ring())),
        ("rails", named("odd", rails(false, "a").build().unwrap())),
        ("rails", named("odd", mixed.build().unwrap())),
        ("django-fernet", named("odd", fernet)),
        ("sqlalchemy-utils", named("odd", alchemy("aes-gcm", &["a"]))),
        ("sqlalchemy-utils", named("odd", alchemy("fernet", &["a"]))),
    ] {
        let reads = Column::new(named("plain", Plain))
            .read(codec.clone())
            .unwrap();
        for column in [Column::new(codec), reads] {
            let error = column.lookup_values(b"x", &none, Form::Text).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument, "{kind}");
            let begin = format!("the codec odd, of kind {kind}, stores equal values differently");
            assert!(error.message().starts_with(&begin), "{error}");
            assert!(error.message().contains("blind index"), "{error}");
        }
    }
}

#[test]
fn what_is_stored_in_unknown_bytes_is_refused_whoever_writes() {
    let none = Context::new();
    let ring = || Reseal::new(Arc::new(Keyring::builder().primary(key()).build().unwrap()));
    let (long, bytes) = ([b'x'; 141], [0xff; 141]);
    let uncompressed = || rails(true, "a").compress(false);
    for (codec, is_hidden) in [
        (rails(true, "a"), true),
        (uncompressed(), false),
        (uncompressed().previous(rails(true, "b")), true),
    ] {
        let column = Column::new(named("app", ring()))
            .read(named("rails", codec.build().unwrap()))
            .unwrap()
            .mode(Mode::Deterministic);
        let asked = column.lookup_values(&long, &none, Form::Text);
        if is_hidden {
            let error = asked.unwrap_err();
            assert_eq!(error.code(), ErrorCode::CodecReadOnly);
            assert!(error.message().starts_with("Rails compresses"), "{error}");
        } else {
            assert_eq!(asked.unwrap().len(), 2);
        }
        // What Rails cannot hold at all stands in no row: these are an envelope in both forms.
        let asked = column.lookup_values(&bytes, &none, Form::Binary).unwrap();
        assert_eq!(asked.len(), 2);
    }
}

#[test]
fn a_scheme_of_binary_columns_hides_no_other_one() {
    let none = Context::new();
    let packed = || rails(true, "b").serializer(RailsSerializer::MessagePack);
    let alone = Column::new(named("rails", rails(true, "a").build().unwrap()));
    let stored = seal(&alone, b"x", &none, Form::Text);
    for codec in [
        rails(true, "a").previous(packed()),
        packed().previous(rails(true, "a")),
    ] {
        let column = Column::new(named("plain", Plain))
            .read(named("rails", codec.build().unwrap()))
            .unwrap();
        let asked = |form| column.lookup_values(b"x", &none, form).unwrap();
        assert_eq!(
            asked(Form::Text),
            [StoredValue::Text("x".into()), stored.clone()]
        );
        assert_eq!(asked(Form::Binary).len(), 3);
    }
    let error = Column::new(named("rails", packed().build().unwrap()))
        .lookup_values(b"x", &none, Form::Text)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::CodecReadOnly);
}

#[test]
fn what_cannot_be_stored_is_not_asked_for() {
    let none = Context::new();
    let column = Column::new(named("plain", Plain));
    let asked = |value: &[u8], form| column.lookup_values(value, &none, form).unwrap();
    assert!(asked(b"rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg", Form::Text).is_empty());
    assert!(asked(b"\xff", Form::Text).is_empty());
    assert_eq!(
        asked(b"\xff", Form::Binary),
        [StoredValue::Bytes(vec![0xff])]
    );
    let rails = Column::new(named("rails", rails(true, "a").build().unwrap()));
    let error = rails
        .lookup_values(&[b'x'; 141], &none, Form::Text)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::CodecReadOnly);
    let typed = column.value_type(ValueType::Integer);
    let error = typed.lookup_values(b"x", &none, Form::Text).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ValueInvalid);
}
