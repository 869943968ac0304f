//! Columns with a type and blind indexes.

use crate::support::fresh;
use reseal::{
    BlindIndex, Column, Context, ErrorCode, Key, KeyUse, Keyring, Mode, NamedCodec, Normalizer,
    OsEntropy, Outcome, ValueType,
    codec::{CodecKind, Fernet, FernetKey, Form, Plain, Reseal, Rings, Stored, StoredValue},
};
use std::sync::Arc;

fn key(key_use: KeyUse) -> Key {
    Key::generate(key_use, &mut OsEntropy).unwrap()
}

fn app(ring: Keyring) -> NamedCodec {
    NamedCodec::new("app", Reseal::new(Arc::new(ring)))
}

fn ring() -> Keyring {
    Keyring::builder()
        .primary(key(KeyUse::Data))
        .build()
        .unwrap()
}

fn column(value_type: ValueType, mode: Mode, ring: Keyring) -> Column {
    Column::new(app(ring))
        .read(NamedCodec::new("plain", Plain))
        .unwrap()
        .value_type(value_type)
        .mode(mode)
}

fn seal(column: &Column, plaintext: &[u8]) -> reseal::Result<StoredValue> {
    let mut entropy = OsEntropy;
    let fresh = &mut fresh(&mut entropy, 1);
    column.seal(plaintext, &Context::new(), Form::Text, fresh)
}

fn reseal(column: &Column, stored: Stored<'_>) -> Outcome {
    let mut entropy = OsEntropy;
    column.reseal(Some(stored), &Context::new(), &mut fresh(&mut entropy, 1))
}

fn opened(column: &Column, stored: Stored<'_>) -> Vec<u8> {
    let read = column.open(stored, &Context::new()).unwrap();
    read.plaintext.to_vec()
}

fn value_of(outcome: Outcome) -> StoredValue {
    match outcome {
        Outcome::Resealed { value, .. } => value,
        other => panic!("{other:?}"),
    }
}

/// Spellings of one value, its canonical one last.
const SPELLED: [(ValueType, &[&str]); 5] = [
    (ValueType::Integer, &["+7", "007", "7"]),
    (ValueType::Decimal, &["1.50E+1", "15.0", "15"]),
    (ValueType::Boolean, &["true"]),
    (
        ValueType::Uuid,
        &[
            "67E55044-10B1-426F-9247-BB680E5FE0C8",
            "67e55044-10b1-426f-9247-bb680e5fe0c8",
        ],
    ),
    (
        ValueType::Timestamp,
        &["2024-05-01 12:00:00+00:00", "2024-05-01T12:00:00Z"],
    ),
];

#[test]
fn a_value_has_one_spelling_however_it_came_in() {
    for (value_type, spellings) in SPELLED {
        let column = column(value_type, Mode::Deterministic, ring());
        let canonical = spellings.last().unwrap();
        let expected = seal(&column, canonical.as_bytes()).unwrap();
        for spelling in spellings {
            let sealed = seal(&column, spelling.as_bytes()).unwrap();
            assert_eq!(sealed, expected, "{spelling}");
            // What stood in the column before, as its writer spelled it.
            let plain = Stored::Text(spelling);
            assert_eq!(opened(&column, plain), canonical.as_bytes());
            assert_eq!(value_of(reseal(&column, plain)), expected, "{spelling}");
        }
    }
}

#[test]
fn what_is_no_value_of_the_type_is_told_and_stays() {
    let column = column(ValueType::Integer, Mode::Random, ring());
    for wrong in ["", "seven", "7.5"] {
        let error = seal(&column, wrong.as_bytes()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ValueInvalid);
        let stored = Stored::Text(wrong);
        let error = column.open(stored, &Context::new()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ValueInvalid);
        let Outcome::Refused(error) = reseal(&column, stored) else {
            panic!("{wrong} is no integer");
        };
        assert_eq!(error.code(), ErrorCode::ValueInvalid);
    }
}

/// A key must go, whatever stands under it.
#[test]
fn a_rotation_keeps_what_is_no_value_of_the_type() {
    let (old, new) = (key(KeyUse::Data), key(KeyUse::Data));
    let before = Keyring::builder().primary(old.clone()).build().unwrap();
    let stored = seal(&Column::new(app(before)), b"seven").unwrap();
    let after = Keyring::builder().primary(new).decrypt_only(old);
    let column = column(ValueType::Integer, Mode::Random, after.build().unwrap());
    let rotated = value_of(reseal(&column, stored.as_stored()));
    let untyped = column.value_type(ValueType::Bytes);
    assert_eq!(opened(&untyped, rotated.as_stored()), b"seven");
}

/// JSON whose number has no canonical form.
const UNCANONICAL: &[u8] = br#"{"id":9007199254740993}"#;

#[test]
fn what_has_no_canonical_form_does_not_become_deterministic() {
    let ring = Arc::new(ring());
    let column = |mode| {
        Column::new(NamedCodec::new("app", Reseal::new(Arc::clone(&ring))))
            .value_type(ValueType::Json)
            .mode(mode)
    };
    let random = seal(&column(Mode::Random), UNCANONICAL).unwrap();
    let Outcome::Refused(error) = reseal(&column(Mode::Deterministic), random.as_stored()) else {
        panic!("two spellings of one document would differ");
    };
    assert_eq!(error.code(), ErrorCode::ValueInvalid);
    let padded = value_of(reseal(&column(Mode::Padded), random.as_stored()));
    assert_eq!(
        opened(&column(Mode::Padded), padded.as_stored()),
        UNCANONICAL
    );
}

#[test]
fn a_key_and_a_context_can_go_whatever_they_protect() {
    let (old, new) = (key(KeyUse::Data), key(KeyUse::Data));
    let people = Context::new().with("table", "people").unwrap();
    let before = Keyring::builder().primary(old.clone()).build().unwrap();
    let stored = seal(&Column::new(app(before)).context(people.clone()), b"seven").unwrap();
    let after = Keyring::builder().primary(new).decrypt_only(old);
    let column = column(
        ValueType::Integer,
        Mode::Deterministic,
        after.build().unwrap(),
    )
    .mode(Mode::Random)
    .earlier_context(people);
    let moved = value_of(reseal(&column, stored.as_stored()));
    let untyped = column.value_type(ValueType::Bytes);
    assert_eq!(opened(&untyped, moved.as_stored()), b"seven");
}

#[test]
fn reopening_brings_a_foreign_spelling_to_the_canonical_one() {
    let ring = Arc::new(ring());
    let app = || NamedCodec::new("app", Reseal::new(Arc::clone(&ring)));
    let untyped = Column::new(app()).mode(Mode::Deterministic);
    let typed = untyped.clone().value_type(ValueType::Integer);
    let stored = seal(&untyped, b"007").unwrap();
    assert!(matches!(
        reseal(&typed, stored.as_stored()),
        Outcome::Current
    ));
    let mut entropy = OsEntropy;
    let fresh = &mut fresh(&mut entropy, 1);
    let reopened = typed.reopen(Some(stored.as_stored()), &Context::new(), fresh);
    assert_eq!(value_of(reopened), seal(&typed, b"7").unwrap());
}

#[test]
fn an_envelope_inside_a_foreign_value_is_told_and_kept() {
    let key = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    let fernet = Fernet::new(vec![FernetKey::parse(key).unwrap()]).unwrap();
    let old = NamedCodec::new("old", fernet);
    let column = Column::new(app(ring())).read(old.clone()).unwrap();
    let inner = seal(&column, b"x").unwrap();
    let twice = seal(&Column::new(old), inner.as_stored().as_bytes()).unwrap();
    let read = column.open(twice.as_stored(), &Context::new()).unwrap();
    assert_eq!(read.doubled, Some(CodecKind::Reseal));
    let Outcome::Refused(error) = reseal(&column, twice.as_stored()) else {
        panic!("nobody would find it");
    };
    assert_eq!(error.code(), ErrorCode::DoubleEncrypted);
    let mut entropy = OsEntropy;
    let fresh = &mut fresh(&mut entropy, 1);
    let none = Context::new();
    let error = column
        .unwrap_twice(twice.as_stored(), &none, fresh)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::FormatMismatch);
    let kept = column.keep_twice(twice.as_stored(), &none, fresh).unwrap();
    assert_eq!(
        opened(&column, kept.as_stored()),
        inner.as_stored().as_bytes()
    );
}

#[test]
fn a_column_that_becomes_deterministic_gets_one_spelling() {
    let ring = Arc::new(ring());
    let column = |mode| {
        Column::new(NamedCodec::new("app", Reseal::new(Arc::clone(&ring))))
            .value_type(ValueType::Json)
            .mode(mode)
    };
    let (random, deterministic) = (column(Mode::Random), column(Mode::Deterministic));
    let producers = seal(&random, br#"{ "b": 1.0, "a": [] }"#).unwrap();
    assert_eq!(
        opened(&random, producers.as_stored()),
        br#"{ "b": 1.0, "a": [] }"#
    );
    let moved = value_of(reseal(&deterministic, producers.as_stored()));
    assert_eq!(moved, seal(&deterministic, br#"{"a":[],"b":1}"#).unwrap());
    assert!(matches!(
        reseal(&deterministic, moved.as_stored()),
        Outcome::Current
    ));
}

#[test]
fn equal_values_have_equal_terms_under_every_key() {
    let (first, second) = (key(KeyUse::Index), key(KeyUse::Index));
    let ring = |primary: &Key, old: Option<&Key>| {
        let builder = Keyring::builder()
            .primary(key(KeyUse::Data))
            .primary(primary.clone());
        let builder = match old {
            Some(old) => builder.decrypt_only(old.clone()),
            None => builder,
        };
        builder.build().unwrap()
    };
    let index = || BlindIndex::new("n_eq", Normalizer::Raw, 64).unwrap();
    let with = |ring| {
        column(ValueType::Integer, Mode::Random, ring)
            .index(index())
            .unwrap()
    };
    let before = with(ring(&first, None));
    let after = with(ring(&second, Some(&first)));
    let tenant = Context::new().with("tenant", 7).unwrap();
    let none = Context::new();
    let term = before.index_term("n_eq", b"007", &tenant).unwrap();
    assert_eq!(before.index_term("n_eq", b"7", &tenant).unwrap(), term);
    assert_ne!(before.index_term("n_eq", b"8", &tenant).unwrap(), term);
    assert_ne!(before.index_term("n_eq", b"7", &none).unwrap(), term);
    let asked = after.index_terms("n_eq", b"7", &tenant).unwrap();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], after.index_term("n_eq", b"7", &tenant).unwrap());
    assert_eq!(asked[1], term);
}

#[test]
fn a_query_asks_with_every_context() {
    let (data, first, second) = (key(KeyUse::Data), key(KeyUse::Index), key(KeyUse::Index));
    let table = |name: &str| Context::new().with("table", name).unwrap();
    let index = || BlindIndex::new("eq", Normalizer::Raw, 64).unwrap();
    let ring = |index: &Key| {
        Keyring::builder()
            .primary(data.clone())
            .primary(index.clone())
    };
    let of = |ring: reseal::KeyringBuilder, context| {
        let column = column(ValueType::Text, Mode::Random, ring.build().unwrap());
        column.context(context).index(index()).unwrap()
    };
    let renamed = of(ring(&second).decrypt_only(first.clone()), table("people"))
        .earlier_context(table("users"))
        .earlier_context(table("persons"))
        .earlier_context(table("users"));
    let tenant = Context::new().with("tenant", 7).unwrap();
    let asked = renamed.index_terms("eq", b"a@b.example", &tenant).unwrap();
    let mut expected = Vec::new();
    for context in ["people", "users", "persons"] {
        for key in [&second, &first] {
            let alone = of(ring(key), table(context));
            expected.push(alone.index_term("eq", b"a@b.example", &tenant).unwrap());
        }
    }
    assert_eq!(asked, expected);
    // What is stored has the present one.
    let stored = renamed.index_term("eq", b"a@b.example", &tenant).unwrap();
    assert_eq!(stored, asked[0]);
}

/// A ring whose source is out of reach for longer than its lease.
struct Stale(Arc<Keyring>);

impl Rings for Stale {
    fn to_open(&self) -> reseal::Result<Arc<Keyring>> {
        Ok(Arc::clone(&self.0))
    }

    fn to_seal(&self) -> reseal::Result<Arc<Keyring>> {
        Err(reseal::Error::new(ErrorCode::RingStale, "it is too old"))
    }
}

#[test]
fn a_term_is_stored_under_a_ring_that_seals_and_asked_for_under_one_that_opens() {
    let ring = Keyring::builder().primary(key(KeyUse::Data));
    let ring = Arc::new(ring.primary(key(KeyUse::Index)).build().unwrap());
    let column = Column::new(NamedCodec::new("plain", Plain))
        .read(NamedCodec::new("app", Reseal::new(Stale(ring))))
        .unwrap()
        .index(BlindIndex::new("eq", Normalizer::Raw, 64).unwrap())
        .unwrap();
    let none = Context::new();
    let error = column.index_term("eq", b"x", &none).unwrap_err();
    assert_eq!(error.code(), ErrorCode::RingStale);
    assert_eq!(column.index_terms("eq", b"x", &none).unwrap().len(), 1);
}

#[test]
fn an_index_needs_a_name_a_ring_and_a_value() {
    let index = |name| BlindIndex::new(name, Normalizer::Raw, 64).unwrap();
    let none = Context::new();
    let code = |result: reseal::Result<String>| result.unwrap_err().code();
    let plain = Column::new(NamedCodec::new("plain", Plain))
        .index(index("a"))
        .unwrap();
    assert_eq!(
        code(plain.index_term("a", b"7", &none)),
        ErrorCode::InvalidArgument
    );
    let twice = plain.clone().index(index("a")).unwrap_err();
    assert_eq!(twice.code(), ErrorCode::InvalidArgument);
    let column = column(ValueType::Integer, Mode::Random, ring())
        .index(index("a"))
        .unwrap();
    assert_eq!(
        code(column.index_term("b", b"7", &none)),
        ErrorCode::InvalidArgument
    );
    assert_eq!(
        code(column.index_term("a", b"x", &none)),
        ErrorCode::ValueInvalid
    );
    assert_eq!(
        code(column.index_term("a", b"7", &none)),
        ErrorCode::NoPrimary
    );
}

#[test]
fn a_column_says_that_it_writes_plaintext() {
    let plain = NamedCodec::new("plain", Plain);
    assert!(Column::new(plain.clone()).writes_plaintext());
    assert!(
        !Column::new(app(ring()))
            .read(plain)
            .unwrap()
            .writes_plaintext()
    );
}
