//! Libraries of Python: what they derive, and what their values may be taken for.

use crate::support::{base64, fresh, text, text_place, vectors};
use reseal::{
    Classified, Column, Context, ErrorCode, Key, KeyUse, Keyring, NamedCodec, OsEntropy, Outcome,
    ValueType,
    codec::{
        Certainty, Codec, CodecKind, DjangoCryptography, DjangoDigest, DjangoField, DjangoKeys,
        Expect, Fernet, FernetKey, Form, Place, Plain, Reseal, SqlalchemyEngine, SqlalchemyUtils,
        Stored, StoredValue, Trust,
    },
    manifest::Manifest,
};
use std::sync::Arc;

const TOKEN: &str = "gAAAAABrAI2LvehmDqauI3Eay2SlC88ixUoPOHCxJDF79Q0RfNQ1PIPygbh6SRKjbdQmJOiSiiUcQLiI_phCfkEmL5BJWAb35g==";

fn pickled(secrets: &[&str], field: DjangoField) -> DjangoCryptography {
    let codec = DjangoCryptography::new(secrets, &DjangoKeys::default());
    codec.unwrap().field(field)
}

fn alchemy(engine: &str, padding: Option<&str>, keys: &[&str]) -> SqlalchemyUtils {
    SqlalchemyUtils::new(keys, SqlalchemyEngine::parse(engine, padding).unwrap()).unwrap()
}

fn binary_place(context: &Context) -> Place<'_> {
    Place {
        form: Form::Binary,
        ..text_place(context)
    }
}

#[test]
fn options_that_are_none() {
    let none: [&str; 0] = [];
    let codes = [
        Fernet::django(&none, &["a"]).map(drop),
        Fernet::django(&["a"], &none).map(drop),
        Fernet::fields(Vec::new()).map(drop),
        DjangoCryptography::new(&[], &DjangoKeys::default()).map(drop),
        DjangoCryptography::new(&["a"], &DjangoKeys::Field(&[])).map(drop),
        DjangoDigest::parse("sha384").map(drop),
        DjangoDigest::parse("SHA256").map(drop),
        SqlalchemyUtils::new(&none, SqlalchemyEngine::AesGcm).map(drop),
        SqlalchemyEngine::parse("des", None).map(drop),
        SqlalchemyEngine::parse("aes", Some("none")).map(drop),
        SqlalchemyEngine::parse("aes-gcm", Some("pkcs5")).map(drop),
        DjangoField::parse("date").map(drop),
    ];
    for error in codes {
        assert_eq!(error.unwrap_err().code(), ErrorCode::InvalidArgument);
    }
    let empty_key = DjangoKeys::Settings {
        cryptography_keys: &[""],
        salt: "salt",
        digest: DjangoDigest::Sha256,
    };
    let empty = [
        Fernet::django(&["a", ""], &["a"]).map(drop),
        FernetKey::fields("", Fernet::PREFIX).map(drop),
        DjangoCryptography::new(&["a", ""], &DjangoKeys::default()).map(drop),
        DjangoCryptography::new(&["a"], &empty_key).map(drop),
        DjangoCryptography::new(&["a", ""], &DjangoKeys::Field(&[&[0; 32]])).map(drop),
        DjangoCryptography::new(&["a"], &DjangoKeys::Field(&[&[0; 32], &[]])).map(drop),
        DjangoCryptography::new(&["a"], &DjangoKeys::Field(&[&[0; 31]])).map(drop),
        SqlalchemyUtils::new(&["a", ""], SqlalchemyEngine::AesGcm).map(drop),
        SqlalchemyUtils::new(&[""], SqlalchemyEngine::Fernet).map(drop),
    ];
    for error in empty {
        assert_eq!(error.unwrap_err().code(), ErrorCode::InvalidKey);
    }
    let unsupported = [
        DjangoCryptography::new(&["a"], &DjangoKeys::Field(&[&[0; 24]])).map(drop),
        DjangoDigest::parse("sha3-256").map(drop),
        DjangoDigest::parse("blake2s").map(drop),
        DjangoDigest::parse("sm3").map(drop),
    ];
    for error in unsupported {
        assert_eq!(error.unwrap_err().code(), ErrorCode::FormatUnsupported);
    }
    let keys = DjangoKeys::Field(&[b"a key of 32 bytes, used as it is"]);
    assert_eq!(format!("{keys:?}"), "Field(1)");
    assert!(!format!("{empty_key:?}").contains("salt"), "{empty_key:?}");
}

#[test]
fn a_token_is_shown_once_and_belongs_to_every_library_that_writes_tokens() {
    let shown: Vec<_> = CodecKind::recognize_any(Stored::Text(TOKEN)).collect();
    let kinds: Vec<_> = shown.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["fernet", "plain"]);
    for kind in ["django-fernet", "fernet-fields", "sqlalchemy-utils"] {
        let kind = CodecKind::parse(kind).unwrap();
        let shown = kind.recognize(Stored::Text(TOKEN)).unwrap();
        assert_eq!((shown.certainty, shown.scheme), (Certainty::Yes, "fernet"));
    }
    // Codecs of two libraries in one column: the one that opens it is named.
    let django = Fernet::django(&["django-insecure-t3st$ecret"], &["new-salt-0123456789"]);
    let fields = Fernet::fields(vec![FernetKey::fields("x", Fernet::PREFIX).unwrap()]);
    let column = Column::new(NamedCodec::new("fields", fields.unwrap()));
    let column = column
        .read(NamedCodec::new("django", django.unwrap()))
        .unwrap();
    let read = column.open(Stored::Text(TOKEN), &Context::new()).unwrap();
    assert_eq!(
        (read.origin.codec.as_str(), read.plaintext.as_slice()),
        ("django", &b"hello"[..])
    );
}

#[test]
fn nothing_of_an_engine_without_authentication_is_resealed_without_expect() {
    let case = vectors("sqlalchemy-utils");
    let case = case
        .iter()
        .find(|case| case["id"] == "aes-naive-ascii")
        .unwrap();
    let stored = Stored::Text(text(case, "ciphertext"));
    let key = Key::generate(KeyUse::Data, &mut OsEntropy).unwrap();
    let ring = Arc::new(Keyring::builder().primary(key).build().unwrap());
    let column = |codec: SqlalchemyUtils| {
        let app = NamedCodec::new("app", Reseal::new(Arc::clone(&ring)));
        Column::new(app)
            .read(NamedCodec::new("old", codec))
            .unwrap()
    };
    let codec = || alchemy("aes", None, &["another", "secretkey1234"]);
    let (none, mut entropy) = (Context::new(), OsEntropy);
    let fresh = &mut fresh(&mut entropy, 1_800_000_000);
    let unchecked = column(codec());
    let read = unchecked.open(stored, &none).unwrap();
    assert_eq!(
        (read.trust, read.plaintext.as_slice()),
        (Trust::Unchecked, &b"hello"[..])
    );
    let Outcome::Refused(error) = unchecked.reseal(Some(stored), &none, fresh) else {
        panic!("it is not authenticated");
    };
    assert_eq!(error.code(), ErrorCode::ExpectRequired);
    let rotated = codec().rotate(stored, &text_place(&none), fresh);
    assert_eq!(rotated.unwrap_err().code(), ErrorCode::ExpectRequired);
    let rotated = codec()
        .expect(Expect::Utf8)
        .rotate(stored, &text_place(&none), fresh);
    let opened = codec().open(rotated.unwrap().as_stored(), &none).unwrap();
    assert_eq!(
        (opened.key.as_deref(), opened.plaintext.as_slice()),
        (Some("1"), &b"hello"[..])
    );
    let checked = column(codec().expect(Expect::Utf8));
    let Outcome::Resealed { value, from, .. } = checked.reseal(Some(stored), &none, fresh) else {
        panic!("it is text");
    };
    assert_eq!((from.key.as_deref(), from.scheme), (Some("2"), "aes"));
    let read = checked.open(value.as_stored(), &none).unwrap();
    assert_eq!(
        (read.trust, read.plaintext.as_slice()),
        (Trust::Authenticated, &b"hello"[..])
    );
    // What the codec would not open again it does not write, nor ask for.
    let write = alchemy("aes", None, &["secretkey1234"]).expect(Expect::Json);
    let error = write.seal(b"hello", &text_place(&none), fresh).unwrap_err();
    assert_eq!(error.code(), ErrorCode::CodecReadOnly);
    let error = write
        .lookup_values(b"hello", &text_place(&none))
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::CodecReadOnly);
    // A column that only reads it asks for what the others may hold.
    let plain = NamedCodec::new("plain", Plain);
    let old = alchemy("aes", None, &["secretkey1234"]).expect(Expect::Json);
    let moved = Column::new(plain)
        .read(NamedCodec::new("old", old))
        .unwrap();
    let asked = |value| moved.lookup_values(value, &none, Form::Text).unwrap();
    assert_eq!((asked(b"hello").len(), asked(b"{}").len()), (1, 2));
    assert!(write.seal(b"{}", &text_place(&none), fresh).is_ok());
    let json = column(codec().expect(Expect::Json));
    let error = json.open(stored, &none).unwrap_err();
    assert_eq!(error.code(), ErrorCode::AuthFailed);
}

#[test]
fn what_may_be_a_value_is_never_taken_for_plaintext() {
    let plain = || NamedCodec::new("plain", Plain);
    let none = Context::new();
    let text = |engine, stored: &str| {
        let column = Column::new(NamedCodec::new("old", alchemy(engine, None, &["key"])));
        let opened = column
            .read(plain())
            .unwrap()
            .open(Stored::Text(stored), &none);
        opened.map(|read| read.origin.codec)
    };
    // A value under another key, and a digest that looks like one.
    for (engine, stored) in [
        ("aes", "TK6BdvqZbLgCdkBS0tg9eQ=="),
        ("aes", &"0123456789abcdef".repeat(4)),
        ("aes-gcm", "EDywngfz86v3uNY/khyPhD4AuWKqi+TRivuW/+ASSOew"),
        ("fernet", TOKEN),
    ] {
        let error = text(engine, stored).unwrap_err();
        assert_eq!(error.code(), ErrorCode::AuthFailed, "{engine} {stored}");
    }
    for stored in ["", "hello", "078-05-1120", "TK6BdvqZbLgCdkBS0tg9e"] {
        assert_eq!(text("aes", stored).unwrap(), "plain", "{stored}");
    }
    // Without a key a digest is none, nor is what AES-GCM may have written.
    let kind = CodecKind::SqlalchemyUtils;
    assert!(
        kind.recognize(Stored::Text(&"0123456789abcdef".repeat(4)))
            .is_none()
    );
    assert!(
        kind.recognize(Stored::Text("EDywngfz86v3uNY/khyPhD4AuWKqi+TRivuW/+ASSOew"))
            .is_none()
    );
    assert_eq!(
        kind.recognize(Stored::Text("TK6BdvqZbLgCdkBS0tg9eQ=="))
            .unwrap()
            .certainty,
        Certainty::Maybe
    );
}

#[test]
fn a_census_without_keys_sees_the_engine_of_the_manifest() {
    let stored = Stored::Text("EDywngfz86v3uNY/khyPhD4AuWKqi+TRivuW/+ASSOew");
    let text = "version = 1
        [codecs.old]
        kind = 'sqlalchemy-utils'
        keys = ['env:A']
        engine = 'aes-gcm'
        [[columns]]
        table = 't'
        column = 'c'
        row_id = ['id']
        write = 'old'
        read = ['plain']";
    let column = &Manifest::parse(text).unwrap().keyless().unwrap()[0];
    let Classified::In { origin, certainty } = column.classify(Some(stored)) else {
        panic!("it is in a codec");
    };
    assert_eq!((origin.codec.as_str(), origin.scheme), ("old", "aes-gcm"));
    assert_eq!(certainty, Certainty::Maybe);
}

#[test]
fn a_lenient_codec_reads_base64_as_python_does() {
    let (stored, none) = ("TK6Bdvq\nZbLgCdkBS0tg9eQ==\n", Context::new());
    let codec = || alchemy("aes", Some("pkcs5"), &["secretkey1234"]).expect(Expect::Utf8);
    let error = codec().open(Stored::Text(stored), &none).unwrap_err();
    assert_eq!(error.code(), ErrorCode::FormatMismatch);
    let opened = codec()
        .lenient(true)
        .open(Stored::Text(stored), &none)
        .unwrap();
    assert_eq!(*opened.plaintext, b"hello");
    let token = format!("\n{TOKEN}");
    let django = || Fernet::django(&["django-insecure-t3st$ecret"], &["new-salt-0123456789"]);
    assert!(django().unwrap().open(Stored::Text(&token), &none).is_err());
    let opened = django()
        .unwrap()
        .lenient(true)
        .open(Stored::Text(&token), &none);
    assert_eq!(*opened.unwrap().plaintext, b"hello");
}

#[test]
fn a_rotated_pickle_keeps_its_content_whatever_that_is() {
    let cases = vectors("django-cryptography");
    let stored = |id: &str| {
        base64(
            cases.iter().find(|case| case["id"] == id).unwrap(),
            "ciphertext_b64",
        )
    };
    let both = pickled(&["new", "django-insecure-t3st$ecret"], DjangoField::Text);
    let new = pickled(&["new"], DjangoField::Text);
    let (none, mut entropy) = (Context::new(), OsEntropy);
    for (id, code) in [("str", None), ("date", Some(ErrorCode::FormatUnsupported))] {
        let before = stored(id);
        let fresh = &mut fresh(&mut entropy, 1);
        let after = both.rotate(Stored::Bytes(&before), &binary_place(&none), fresh);
        let after = after.unwrap();
        assert_eq!(
            after.as_stored().as_bytes()[..9],
            before[..9],
            "the time stays"
        );
        let opened = new.open(after.as_stored(), &none);
        assert_eq!(opened.as_ref().err().map(reseal::Error::code), code, "{id}");
        assert!(opened.is_err() || opened.is_ok_and(|it| it.current && *it.plaintext == b"hello"));
    }
}

#[test]
fn a_pickle_holds_values_of_its_field_alone() {
    let (none, mut entropy) = (Context::new(), OsEntropy);
    let fresh = &mut fresh(&mut entropy, 1);
    let mut seal = |field, plaintext: &[u8], place: &Place<'_>| {
        let sealed = pickled(&["secret"], field).seal(plaintext, place, fresh);
        sealed.map_err(|error| error.code())
    };
    let deep = |count: usize| ["[".repeat(count), "]".repeat(count)].concat();
    for (field, plaintext) in [
        (DjangoField::Text, &b"\xff"[..]),
        (DjangoField::Integer, b"1.5"),
        (DjangoField::Integer, b"9223372036854775808"),
        (DjangoField::Boolean, b"1"),
        (DjangoField::Float, b"inf"),
        (DjangoField::Float, b"x"),
        (DjangoField::Json, b"{"),
        (DjangoField::Json, b"9223372036854775808"),
        (DjangoField::Json, deep(128).as_bytes()),
    ] {
        let refused = seal(field, plaintext, &binary_place(&none));
        assert_eq!(
            refused,
            Err(ErrorCode::CodecReadOnly),
            "{field:?} {plaintext:?}"
        );
        let refused = seal(field, b"1", &text_place(&none));
        assert_eq!(refused, Err(ErrorCode::CodecReadOnly));
    }
    for (field, plaintext) in [
        (DjangoField::Json, deep(127)),
        (DjangoField::Json, format!("[{}1]", "1,".repeat(3000))),
        (DjangoField::Text, "\0x".repeat(40_000)),
    ] {
        let codec = pickled(&["secret"], field);
        let stored = seal(field, plaintext.as_bytes(), &binary_place(&none)).unwrap();
        let opened = codec.open(stored.as_stored(), &none).unwrap();
        assert_eq!(opened.plaintext.as_slice(), plaintext.as_bytes());
    }
    let many = format!("[{}1]", "1,".repeat(1 << 20));
    let refused = seal(DjangoField::Json, many.as_bytes(), &binary_place(&none));
    assert_eq!(refused, Err(ErrorCode::TooLarge));
    let shown = format!("{:?}", pickled(&["a long secret"], DjangoField::Text));
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn a_boolean_of_django_fernet_is_spelled_as_python_does() {
    let django = || {
        let codec = Fernet::django(&["django-insecure-t3st$ecret"], &["new-salt-0123456789"]);
        NamedCodec::new("django", codec.unwrap())
    };
    let key = Key::generate(KeyUse::Data, &mut OsEntropy).unwrap();
    let ring = Arc::new(Keyring::builder().primary(key).build().unwrap());
    let app = || NamedCodec::new("app", Reseal::new(Arc::clone(&ring)));
    let column = |write: NamedCodec, read: NamedCodec| {
        let column = Column::new(write).read(read).unwrap();
        column.value_type(ValueType::Boolean)
    };
    let (there, here) = (column(django(), app()), column(app(), django()));
    // As they stand in the tokens.
    let texts = Column::new(django());
    let (none, mut entropy) = (Context::new(), OsEntropy);
    let fresh = &mut fresh(&mut entropy, 1);
    let opened = |column: &Column, stored: &StoredValue| {
        let read = column.open(stored.as_stored(), &none).unwrap();
        String::from_utf8(read.plaintext.to_vec()).unwrap()
    };
    for (canonical, own) in [("true", "True"), ("false", "False")] {
        let stored = there
            .seal(canonical.as_bytes(), &none, Form::Text, fresh)
            .unwrap();
        assert_eq!(opened(&texts, &stored), own);
        assert_eq!(opened(&there, &stored), canonical);
        let outcome = here.reseal(Some(stored.as_stored()), &none, fresh);
        let Outcome::Resealed { value: sealed, .. } = outcome else {
            panic!("it is in another codec");
        };
        assert_eq!(opened(&Column::new(app()), &sealed), canonical);
        let outcome = there.reseal(Some(sealed.as_stored()), &none, fresh);
        let Outcome::Resealed { value: back, .. } = outcome else {
            panic!("it is in another codec");
        };
        assert_eq!(opened(&texts, &back), own);
    }
    for wrong in ["TRUE", "yes", "1"] {
        let stored = texts.seal(wrong.as_bytes(), &none, Form::Text, fresh);
        let error = there.open(stored.unwrap().as_stored(), &none).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ValueInvalid);
    }
}
