//! Values that nothing authenticates, and that are text under the key of another value by chance: about
//! one short value in a million and a half.

use crate::support::{fresh, text_place};
use data_encoding::BASE64;
use reseal::{
    Column, Context, ErrorCode, NamedCodec, OsEntropy, Outcome,
    codec::{
        Codec, Expect, Metabase, MetabaseKey, N8n, N8nBuilder, SqlalchemyEngine, SqlalchemyUtils,
        Stored, Trust,
    },
};

/// What SQLAlchemy-Utils wrote of this under "the old key".
const ALCHEMY: (&str, &[u8]) = ("c2sFm+sXBbpyaz+7Qi7j1Q==", b"8527d64cb0921ac");

fn alchemy(keys: &[&str]) -> SqlalchemyUtils {
    let engine = SqlalchemyEngine::parse("aes", Some("pkcs5")).unwrap();
    let codec = SqlalchemyUtils::new(keys, engine).unwrap();
    codec.expect(Expect::Utf8)
}

fn code_of(codec: &dyn Codec, stored: Stored<'_>) -> Option<ErrorCode> {
    let opened = codec.open(stored, &Context::new());
    opened.err().map(|error| error.code())
}

#[test]
fn sqlalchemy_utils() {
    let stored = Stored::Text(ALCHEMY.0);
    let opened = alchemy(&["the old key"]).open(stored, &Context::new());
    assert_eq!(*opened.unwrap().plaintext, ALCHEMY.1);
    // Garbage, which nothing but the other key tells from a text.
    let garbage = alchemy(&["the new key"]).open(stored, &Context::new());
    assert_ne!(*garbage.unwrap().plaintext, ALCHEMY.1);
    for keys in [
        ["the new key", "the old key"],
        ["the old key", "the new key"],
    ] {
        let found = code_of(&alchemy(&keys), stored);
        assert_eq!(found, Some(ErrorCode::AuthFailed), "{keys:?}");
    }
    // The same key twice is one key.
    let twice = alchemy(&["the old key", "the old key"]).open(stored, &Context::new());
    assert_eq!(twice.unwrap().key.as_deref(), Some("1"));
}

#[test]
fn n8n() {
    let stored = Stored::Text("U2FsdGVkX19QwoNTk5hwkD0+dwKRlbppvwM9OnwDytc=");
    let codec = |keys: &[&str], expect: Option<Expect>| {
        let builder = N8n::builder();
        let builder = keys.iter().fold(builder, |all, key| all.instance_key(key));
        let builder = expect.into_iter().fold(builder, N8nBuilder::expect);
        builder.build().unwrap()
    };
    let old = codec(&["the old key"], Some(Expect::Utf8));
    let opened = old.open(stored, &Context::new()).unwrap();
    assert_eq!(*opened.plaintext, b"83c2090ca2d49ac");
    for expect in [Some(Expect::Utf8), None] {
        let both = codec(&["the new key", "the old key"], expect);
        assert_eq!(code_of(&both, stored), Some(ErrorCode::AuthFailed));
    }
    // Two keys of which n8n makes the same password.
    let same = codec(&["\u{100}", "\u{200}"], Some(Expect::Utf8));
    let mut entropy = OsEntropy;
    let fresh = &mut fresh(&mut entropy, 1_800_000_000);
    let sealed = same.seal(b"hello", &text_place(&Context::new()), fresh);
    let opened = same.open(sealed.unwrap().as_stored(), &Context::new());
    assert_eq!(opened.unwrap().key.as_deref(), Some("1"));
}

#[test]
fn streams_of_metabase() {
    let stream =
        "QUVTL0NCQy9QS0NTNVBhZGRpbmcgICAgICAgICAgICCttChpoLw8qHrKAfVGE1s2pB8b+TALfLsYpELOegXajw==";
    let stream = BASE64.decode(stream.as_bytes()).unwrap();
    let codec = |keys: &[&str]| {
        let keys = keys.iter().map(|key| MetabaseKey::derive(key).unwrap());
        let codec = Metabase::new(keys.collect()).unwrap();
        codec.streams(true).expect(Expect::Utf8)
    };
    let [new, old] = ["the new secret of Metabase", "the old secret of Metabase"];
    let opened = codec(&[old]).open(Stored::Bytes(&stream), &Context::new());
    assert_eq!(*opened.unwrap().plaintext, b"the old content");
    let both = codec(&[new, old]);
    let found = code_of(&both, Stored::Bytes(&stream));
    assert_eq!(found, Some(ErrorCode::AuthFailed));
}

#[test]
fn codecs_of_a_column() {
    let named = |name: &str, key: &str| NamedCodec::new(name, alchemy(&[key]));
    let (none, stored) = (Context::new(), Stored::Text(ALCHEMY.0));
    let column = Column::new(named("new", "the new key"));
    let column = column.read(named("old", "the old key")).unwrap();
    let error = column.open(stored, &none).unwrap_err();
    assert_eq!(error.code(), ErrorCode::AuthFailed);
    let mut entropy = OsEntropy;
    let fresh = &mut fresh(&mut entropy, 1_800_000_000);
    let Outcome::Refused(error) = column.reseal(Some(stored), &none, fresh) else {
        panic!("nobody knows which text it is");
    };
    assert_eq!(error.code(), ErrorCode::AuthFailed);
    // What opens under one key alone is as it was.
    let usual = alchemy(&["the old key"]).seal(b"hello", &text_place(&none), fresh);
    let read = column.open(usual.unwrap().as_stored(), &none).unwrap();
    assert_eq!(
        (read.origin.codec.as_str(), read.trust),
        ("old", Trust::Checked)
    );
    // What was checked goes before what was not.
    let engine = SqlalchemyEngine::parse("aes", Some("pkcs5")).unwrap();
    let unchecked = SqlalchemyUtils::new(&["the new key"], engine).unwrap();
    let column = Column::new(NamedCodec::new("new", unchecked));
    let column = column.read(named("old", "the old key")).unwrap();
    let read = column.open(stored, &none).unwrap();
    assert_eq!(
        (read.origin.codec.as_str(), read.plaintext.as_slice()),
        ("old", ALCHEMY.1)
    );
}
