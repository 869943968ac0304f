//! What a fuzzer feeds to the codecs of libraries of Python, under the keys of their vectors.

use super::codecs::{check, read, seal};
use hmac::{Hmac, KeyInit, Mac};
use reseal::{
    Context,
    codec::{
        Codec, DjangoCryptography, DjangoField, DjangoKeys, Expect, Fernet, FernetKey,
        SqlalchemyEngine, SqlalchemyPadding, SqlalchemyUtils, Stored,
    },
};
use reseal_primitives::Cbc256;
use sha2::Sha256;
use std::sync::LazyLock;

const SECRET: &str = "django-insecure-t3st$ecret";
const SALT: &str = "new-salt-0123456789";
const FIELD_KEY: &[u8; 32] = b"a key of 32 characters, verbatim";

/// Tokens of django-fernet-encrypted-fields.
pub fn django_fernet(data: &[u8]) {
    static CODEC: LazyLock<Fernet> = LazyLock::new(|| Fernet::django(&[SECRET], &[SALT]).unwrap());
    check(&*CODEC, data);
}

/// Tokens of django-fernet-fields, also with junk between their characters.
pub fn fernet_fields(data: &[u8]) {
    static CODECS: LazyLock<[Fernet; 2]> = LazyLock::new(|| {
        [false, true].map(|lenient| {
            let key = FernetKey::fields("new key", Fernet::PREFIX).unwrap();
            Fernet::fields(vec![key]).unwrap().lenient(lenient)
        })
    });
    for codec in &*CODECS {
        check(codec, data);
    }
}

/// Values of django-cryptography; and pickles, which are authentic.
pub fn django_cryptography(data: &[u8]) {
    static SETTINGS: LazyLock<DjangoCryptography> =
        LazyLock::new(|| DjangoCryptography::new(&[SECRET], &DjangoKeys::default()).unwrap());
    static FIELDS: LazyLock<[DjangoCryptography; 6]> = LazyLock::new(|| {
        DjangoField::ALL.map(|(_, field)| {
            let keys = DjangoKeys::Field(&[FIELD_KEY]);
            let codec = DjangoCryptography::new(&[SECRET], &keys).unwrap();
            codec.field(field)
        })
    });
    check(&*SETTINGS, data);
    let pickled = sealed(data);
    for codec in &*FIELDS {
        spelled(codec, data);
        read(codec, Stored::Bytes(&pickled), &Context::new());
        if let Ok(opened) = codec.open(Stored::Bytes(&pickled), &Context::new()) {
            spelled(codec, &opened.plaintext);
        }
    }
}

/// Values of SQLAlchemy-Utils, of every engine and padding.
pub fn sqlalchemy_utils(data: &[u8]) {
    static CODECS: LazyLock<Vec<SqlalchemyUtils>> = LazyLock::new(|| {
        let paddings = [
            SqlalchemyPadding::Naive,
            SqlalchemyPadding::Pkcs5,
            SqlalchemyPadding::OneAndZeroes,
            SqlalchemyPadding::Zeroes,
        ];
        let engines = paddings.map(SqlalchemyEngine::Aes).into_iter();
        engines
            .chain([SqlalchemyEngine::AesGcm, SqlalchemyEngine::Fernet])
            .map(|engine| SqlalchemyUtils::new(&["secretkey1234"], engine).unwrap())
            .map(|codec| codec.expect(Expect::Utf8))
            .collect()
    });
    for codec in &*CODECS {
        check(codec, data);
    }
}

/// A value has one spelling: what was written opens to it, and is written and opened as it again.
fn spelled(codec: &dyn Codec, plaintext: &[u8]) {
    let through = |plaintext: &[u8]| {
        let stored = seal(codec, plaintext, &Context::new())?;
        Some(codec.open(stored.as_stored(), &Context::new()).unwrap())
    };
    if let Some(first) = through(plaintext) {
        let second = through(&first.plaintext).unwrap();
        assert_eq!(*first.plaintext, *second.plaintext, "not its own spelling");
    }
}

/// A value of any bytes in place of a pickle, as the library would write it.
fn sealed(pickle: &[u8]) -> Vec<u8> {
    let iv = [3; 16];
    let mut value = vec![0x80];
    value.extend_from_slice(&1_800_000_000_u64.to_be_bytes());
    value.extend_from_slice(&iv);
    value.extend_from_slice(&Cbc256::new(FIELD_KEY).unwrap().encrypt(iv, pickle));
    let mut mac: Hmac<Sha256> = Hmac::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&value);
    value.extend_from_slice(&mac.finalize().into_bytes());
    value
}
