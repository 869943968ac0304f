//! Values that were encrypted twice in formats whose values carry no mark, and JSON strings of them.

use super::{FERNET, app, fernet, key, plain, refused, reseal, row, seal};
use crate::support::fresh;
use reseal::{
    Column, Context, ErrorCode, NamedCodec, OsEntropy, ValueType,
    codec::{CodecKind, Metabase, MetabaseKey, SqlalchemyEngine, SqlalchemyUtils, Stored},
};

fn metabase() -> NamedCodec {
    let key = MetabaseKey::derive("a secret of at least 16 characters").unwrap();
    NamedCodec::new("metabase", Metabase::new(vec![key]).unwrap())
}

fn alchemy(engine: SqlalchemyEngine) -> NamedCodec {
    NamedCodec::new("alchemy", SqlalchemyUtils::new(&["a key"], engine).unwrap())
}

#[test]
fn a_value_without_a_mark_that_was_encrypted_twice_is_refused_and_repaired() {
    for old in [metabase(), alchemy(SqlalchemyEngine::AesGcm)] {
        let kind = old.codec.kind();
        let before = Column::new(old.clone());
        let inner = seal(&before, b"the value", &Context::new());
        let twice = seal(&before, inner.as_stored().as_bytes(), &Context::new());
        let column = Column::new(app(&key(), &[])).read(old).unwrap();

        let read = column.open(twice.as_stored(), &row(1)).unwrap();
        assert_eq!(read.doubled, Some(kind));
        assert_eq!(
            refused(reseal(&column, twice.as_stored(), &row(1))),
            "double-encrypted"
        );
        let mut entropy = OsEntropy;
        let fresh = &mut fresh(&mut entropy, 1);
        let repaired = column.unwrap_twice(twice.as_stored(), &row(1), fresh);
        let repaired = repaired.unwrap();
        let read = column.open(repaired.as_stored(), &row(1)).unwrap();
        assert_eq!((&**read.plaintext, read.doubled), (&b"the value"[..], None));

        // What has the shape alone is a plaintext.
        let other = seal(
            &before,
            &inner.as_stored().as_bytes().to_ascii_uppercase(),
            &row(1),
        );
        let read = column.open(other.as_stored(), &row(1)).unwrap();
        assert_eq!(read.doubled, None);
        let once = column.unwrap_twice(other.as_stored(), &row(1), fresh);
        assert_eq!(once.unwrap_err().code(), ErrorCode::FormatMismatch);
    }
}

#[test]
fn a_foreign_value_in_quotes_is_no_json_document() {
    let old = fernet("tokens", &FERNET[..1]);
    let token = seal(&Column::new(old.clone()), br#"{"a":1}"#, &Context::new());
    let quoted = serde_json::to_string(token.as_stored().as_text().unwrap()).unwrap();
    let stored = Stored::Text(&quoted);
    let reads = |value_type| {
        let column = Column::new(app(&key(), &[])).read(old.clone()).unwrap();
        column.read(plain()).unwrap().value_type(value_type)
    };
    let column = reads(ValueType::Json);
    let read = column.open(stored, &row(1)).unwrap();
    assert_eq!(read.doubled, Some(CodecKind::Fernet));
    assert_eq!(
        refused(reseal(&column, stored, &row(1))),
        "double-encrypted"
    );
    let mut entropy = OsEntropy;
    let repaired = column.unwrap_twice(stored, &row(1), &mut fresh(&mut entropy, 1));
    let repaired = repaired.unwrap();
    let read = column.open(repaired.as_stored(), &row(1)).unwrap();
    assert_eq!(**read.plaintext, br#"{"a":1}"#[..]);
    // Elsewhere quotes are quotes.
    let read = reads(ValueType::Text).open(stored, &row(1)).unwrap();
    assert_eq!(read.doubled, None);
}
