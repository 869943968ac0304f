//! The codecs of libraries of Python: those of Django, and SQLAlchemy-Utils.

use crate::{
    codec::Codec,
    codecs::{borrowed, listed, named},
    convert::{argument_text, bytes_like, type_name},
    error::{Result, invalid_argument},
    options::{expectation, flag, secret, secrets, word},
};
use alloc::borrow::Cow;
use pyo3::prelude::*;
use reseal::Zeroizing;
use reseal::codec::{
    DjangoCryptography, DjangoDigest, DjangoField, DjangoKeys, Fernet, FernetKey, SqlalchemyEngine,
    SqlalchemyUtils,
};

/// The fields of django-fernet-encrypted-fields. `secrets` are `SECRET_KEY` and
/// `SECRET_KEY_FALLBACKS`, `salts` what `SALT_KEY` has: the first of both seals, and every secret
/// with every salt opens. Each pair takes 100,000 rounds of PBKDF2, once. `lenient` reads base64
/// as Python does.
///
/// Example:
///     >>> from reseal import codecs
///     >>> codec = codecs.django_fernet(secrets=["a secret key"], salts=["a salt"])
///     >>> codec.open(codec.seal("hello")).plaintext
///     b'hello'
///
/// Errors: invalid-argument without any secret or salt; invalid-key for an empty secret.
#[pyfunction]
#[pyo3(
    signature = (*, secrets, salts, lenient=None, name=None),
    text_signature = "(*, secrets, salts, lenient=False, name='django-fernet')"
)]
pub(crate) fn django_fernet(
    py: Python<'_>,
    secrets: &Bound<'_, PyAny>,
    salts: &Bound<'_, PyAny>,
    lenient: Option<&Bound<'_, PyAny>>,
    name: Option<&Bound<'_, PyAny>>,
) -> Result<Codec> {
    let (name, lenient) = (
        named(name, "django-fernet")?,
        flag(lenient, "lenient", false)?,
    );
    let secrets = self::secrets(Some(secrets), "secrets")?;
    let salts = self::secrets(Some(salts), "salts")?;
    let codec = py.detach(|| Fernet::django(&borrowed(&secrets), &borrowed(&salts)))?;
    Ok(Codec::fixed(name, codec.lenient(lenient)))
}

/// The fields of django-fernet-fields, its second version and djfernet, in binary columns.
///
/// `secrets` are `FERNET_KEYS`, or `SECRET_KEY`: the first seals, all of them open. `prefix` is
/// `DJFERNET_PREFIX` where the settings have one; `hkdf` is `FERNET_USE_HKDF`, without which the
/// secrets are Fernet keys themselves. `lenient` reads base64 as Python does.
///
/// Example:
///     >>> from reseal import codecs
///     >>> codec = codecs.fernet_fields(secrets=["new key", "old key"])
///     >>> codec.open(codec.seal("hello", binary=True)).plaintext
///     b'hello'
///
/// Errors: invalid-key; invalid-argument without any secret, and for a prefix without hkdf.
#[pyfunction]
#[pyo3(
    signature = (*, secrets, prefix=None, hkdf=None, lenient=None, name=None),
    text_signature = "(*, secrets, prefix=None, hkdf=True, lenient=False, name='fernet-fields')"
)]
pub(crate) fn fernet_fields(
    secrets: &Bound<'_, PyAny>,
    prefix: Option<&Bound<'_, PyAny>>,
    hkdf: Option<&Bound<'_, PyAny>>,
    lenient: Option<&Bound<'_, PyAny>>,
    name: Option<&Bound<'_, PyAny>>,
) -> Result<Codec> {
    let (name, lenient) = (
        named(name, "fernet-fields")?,
        flag(lenient, "lenient", false)?,
    );
    let prefix = prefix.filter(|prefix| !prefix.is_none());
    let prefix = prefix.map(|prefix| argument_text(prefix, "prefix"));
    let prefix = prefix.transpose()?;
    let hkdf = flag(hkdf, "hkdf", true)?;
    if prefix.is_some() && !hkdf {
        return Err(invalid_argument(
            "without hkdf nothing is derived: leave the prefix out",
        ));
    }
    let prefix = prefix.as_deref().unwrap_or(Fernet::PREFIX);
    let secrets = self::secrets(Some(secrets), "secrets")?;
    let keys = secrets.iter().map(|secret| {
        if hkdf {
            FernetKey::fields(secret, prefix)
        } else {
            FernetKey::parse(secret)
        }
    });
    let codec = Fernet::fields(keys.collect::<Result<_, _>>()?)?;
    Ok(Codec::fixed(name, codec.lenient(lenient)))
}

/// The encrypted fields of django-cryptography, in binary columns.
///
/// `secrets` are those of `SECRET_KEY`: the first seals, all of them open. `cryptography_keys`
/// are those of `CRYPTOGRAPHY_KEY`, `salt` is `CRYPTOGRAPHY_SALT` and `digest` is
/// `CRYPTOGRAPHY_DIGEST`, "sha256", "sha512-256" or "md5", where the settings have them. Each
/// key takes 30,000 rounds of PBKDF2, once. `field_keys` are in their place what `key=` of
/// `encrypt()` has, bytes of AES-128 or AES-256, which are used as they are.
///
/// `field` says what the field holds: "text", "bytes", "integer", "float", "boolean" or "json".
/// Values are pickles, of which only those that build nothing by code are read: no dates, no
/// decimal numbers.
///
/// Example:
///     >>> from reseal import codecs
///     >>> codec = codecs.django_cryptography(secrets=["a secret key"], field="integer")
///     >>> codec.open(codec.seal("42", binary=True)).plaintext
///     b'42'
///
/// Errors: invalid-argument without any secret, and for what derives keys beside those of a
/// field; invalid-key for an empty one, and for bytes that are no key; format-unsupported for
/// AES-192 and for other digests that the library can use.
#[pyfunction]
#[pyo3(
    signature = (*, secrets, cryptography_keys=None, salt=None, digest=None, field_keys=None, field=None, name=None),
    text_signature = "(*, secrets, cryptography_keys=(), salt=None, digest=None, field_keys=(), field='text', name='django-cryptography')"
)]
#[expect(clippy::too_many_arguments, reason = "keywords of Python")]
pub(crate) fn django_cryptography(
    py: Python<'_>,
    secrets: &Bound<'_, PyAny>,
    cryptography_keys: Option<&Bound<'_, PyAny>>,
    salt: Option<&Bound<'_, PyAny>>,
    digest: Option<&Bound<'_, PyAny>>,
    field_keys: Option<&Bound<'_, PyAny>>,
    field: Option<&Bound<'_, PyAny>>,
    name: Option<&Bound<'_, PyAny>>,
) -> Result<Codec> {
    let name = named(name, "django-cryptography")?;
    let secrets = self::secrets(Some(secrets), "secrets")?;
    let keys = self::secrets(cryptography_keys, "cryptography_keys")?;
    let salt = salt.filter(|salt| !salt.is_none());
    let salt = salt.map(|salt| secret(salt, "salt")).transpose()?;
    let digest = digest.filter(|digest| !digest.is_none());
    let digest = digest.map(|digest| argument_text(digest, "digest"));
    let digest = digest.transpose()?;
    let of_field = listed(field_keys, "field_keys")?;
    let of_field = of_field.iter().map(field_key).collect::<Result<Vec<_>>>()?;
    let derives = !keys.is_empty() || salt.is_some() || digest.is_some();
    if derives && !of_field.is_empty() {
        return Err(invalid_argument(
            "the keys of a field are not derived: leave out cryptography_keys, salt and digest",
        ));
    }
    let digest = digest.as_deref().map(DjangoDigest::parse).transpose()?;
    let field = word(field, "field", &DjangoField::ALL)?.unwrap_or_default();
    let codec = py.detach(|| {
        let (keys, of_field): (_, Vec<&[u8]>) = (
            borrowed(&keys),
            of_field.iter().map(|key| key.as_slice()).collect(),
        );
        let keys = if of_field.is_empty() {
            DjangoKeys::Settings {
                cryptography_keys: &keys,
                salt: salt.as_ref().map_or(DjangoKeys::SALT, |salt| salt),
                digest: digest.unwrap_or_default(),
            }
        } else {
            DjangoKeys::Field(&of_field)
        };
        DjangoCryptography::new(&borrowed(&secrets), &keys)
    })?;
    Ok(Codec::fixed(name, codec.field(field)))
}

/// Bytes of any length that is no surprise; the codec tells which are keys.
fn field_key(key: &Bound<'_, PyAny>) -> Result<Zeroizing<Vec<u8>>> {
    const MAX_BYTES: usize = 256;
    let no_key = || {
        let name = type_name(key);
        invalid_argument(format!(
            "each of field_keys is the bytes of a key, 16 or 32, not {name}"
        ))
    };
    let too_long = |_: &Bound<'_, PyAny>| Err(no_key());
    let bytes = bytes_like(key, MAX_BYTES, too_long)?.ok_or_else(no_key)?;
    Ok(Zeroizing::new(bytes.to_vec()))
}

/// The encrypted types of SQLAlchemy-Utils. `keys` are texts: the first seals, all of them open.
/// `engine` is "aes", "aes-gcm" or "fernet", and `padding` that of "aes": "naive", "pkcs5",
/// "oneandzeroes" or "zeroes". The engine "aes" authenticates nothing: its values are resealed
/// with `expect` alone, which says what the plaintexts are. `lenient` reads base64 as Python
/// does.
///
/// Example:
///     >>> from reseal import codecs
///     >>> codec = codecs.sqlalchemy_utils(keys=["secretkey1234"], padding="pkcs5", expect="utf8")
///     >>> codec.open("TK6BdvqZbLgCdkBS0tg9eQ==").plaintext
///     b'hello'
///
/// Errors: invalid-argument without any key, and for an option of another engine; invalid-key for
/// an empty key.
#[pyfunction]
#[pyo3(
    signature = (*, keys, engine=None, padding=None, expect=None, lenient=None, name=None),
    text_signature = "(*, keys, engine='aes', padding=None, expect=None, lenient=False, name='sqlalchemy-utils')"
)]
pub(crate) fn sqlalchemy_utils(
    keys: &Bound<'_, PyAny>,
    engine: Option<&Bound<'_, PyAny>>,
    padding: Option<&Bound<'_, PyAny>>,
    expect: Option<&Bound<'_, PyAny>>,
    lenient: Option<&Bound<'_, PyAny>>,
    name: Option<&Bound<'_, PyAny>>,
) -> Result<Codec> {
    let (name, lenient) = (
        named(name, "sqlalchemy-utils")?,
        flag(lenient, "lenient", false)?,
    );
    let text = |option: Option<&Bound<'_, PyAny>>, what: &str| {
        let given = option.filter(|given| !given.is_none());
        given
            .map(|given| argument_text(given, what).map(Cow::into_owned))
            .transpose()
    };
    let (engine, padding) = (text(engine, "engine")?, text(padding, "padding")?);
    let engine = engine.as_deref().unwrap_or("aes");
    let engine = SqlalchemyEngine::parse(engine, padding.as_deref())?;
    let expect = expectation(expect)?;
    if expect.is_some() && !matches!(engine, SqlalchemyEngine::Aes(_)) {
        return Err(invalid_argument(
            "only the engine aes of SQLAlchemy-Utils takes expect: leave it out",
        ));
    }
    let keys = secrets(Some(keys), "keys")?;
    let codec = SqlalchemyUtils::new(&borrowed(&keys), engine)?.lenient(lenient);
    Ok(Codec::fixed(
        name,
        match expect {
            Some(expect) => codec.expect(expect),
            None => codec,
        },
    ))
}
