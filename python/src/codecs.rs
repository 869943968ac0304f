//! The codecs that take a few options each; `rails.rs` and `n8n.rs` have the others.

use crate::{
    codec::{Codec, Named},
    convert::{argument_text, bytes_like, items, type_name},
    error::{Result, invalid_argument},
    keyring::Keyring,
    options::{expectation, flag, secret, secrets, word},
    ring::Ring,
};
use alloc::sync::Arc;
use pyo3::{
    intern,
    prelude::*,
    types::{PyBool, PyInt, PyMapping},
};
use reseal::{
    Zeroizing,
    codec::{
        Fernet, FernetKey, Freeboard, FreeboardKey, Metabase, MetabaseKey, Plain, Sentry,
        SentryField, SentryMethod,
    },
};

/// A row of Metabase's data keys is never longer.
const MAX_ROW_BYTES: usize = 1 << 16;
const MAX_NAME_BYTES: usize = 64;

/// No encryption: what stands in a column before Reseal, or after it.
///
/// It never reads or writes a value that starts like an envelope.
///
/// Example:
///     >>> from reseal import codecs
///     >>> codecs.plain().open("078-05-1120").plaintext
///     b'078-05-1120'
///
/// Errors: of seal and open looks-sealed.
#[pyfunction]
#[pyo3(signature = (name=None), text_signature = "(name='plain')")]
pub(crate) fn plain(name: Option<&Bound<'_, PyAny>>) -> Result<Codec> {
    Ok(Codec::fixed(named(name, "plain")?, Plain))
}

/// The envelopes of this project under a `Keyring`, or a `LiveKeyring`, which it follows.
///
/// Example:
///     >>> from reseal import codecs
///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
///     >>> codec = codecs.reseal(ring)
///     >>> stored = codec.seal("x", {"table": "users"})
///     >>> ring.open_str(stored, {"table": "users"})
///     'x'
///
/// Errors: invalid-argument for what is no ring.
#[pyfunction(name = "reseal")]
#[pyo3(signature = (ring, name=None), text_signature = "(ring, name='reseal')")]
pub(crate) fn reseal_codec(
    ring: &Bound<'_, PyAny>,
    name: Option<&Bound<'_, PyAny>>,
) -> Result<Codec> {
    let name = named(name, "reseal")?;
    let ring = ring_of(ring, "ring")?;
    Ok(Codec(Arc::new(Named::over(name, ring))))
}

/// Fernet and `MultiFernet`: the first key seals, all of them open. The age of a token does not
/// count, and a rotated one keeps its time. `lenient` reads base64 as Python does.
///
/// Example:
///     >>> from reseal import codecs
///     >>> codec = codecs.fernet(keys=["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="])
///     >>> codec.open(codec.seal("hello")).plaintext
///     b'hello'
///
/// Errors: invalid-key; invalid-argument without any key.
#[pyfunction]
#[pyo3(
    signature = (*, keys, lenient=None, name=None),
    text_signature = "(*, keys, lenient=False, name='fernet')"
)]
pub(crate) fn fernet(
    keys: &Bound<'_, PyAny>,
    lenient: Option<&Bound<'_, PyAny>>,
    name: Option<&Bound<'_, PyAny>>,
) -> Result<Codec> {
    let (name, lenient) = (named(name, "fernet")?, flag(lenient, "lenient", false)?);
    let keys = secrets(Some(keys), "keys")?;
    let keys = keys.iter().map(|key| FernetKey::parse(key));
    let codec = Fernet::new(keys.collect::<Result<_, _>>()?)?;
    Ok(Codec::fixed(name, codec.lenient(lenient)))
}

/// The encrypted fields of Sentry. `keys` maps the name of each key file to its content, and
/// `primary` names the one that seals.
///
/// `field` says whether the field holds text or JSON. `method` is what is written: tokens, or
/// plaintext with a marker, which is **not encrypted**. `plaintext` says whether values that were
/// never encrypted are believed, as Sentry does; say False as soon as none are left. `lenient` reads
/// base64 as Python does, and unwraps JSON that was never encrypted.
///
/// Example:
///     >>> from reseal import codecs
///     >>> keys = {"key_2024": "fn1e6PrRXKIvPkwnZGcFUouLeIEFe45dsK-C-nvMaoc="}
///     >>> codec = codecs.sentry(keys=keys, primary="key_2024")
///     >>> codec.seal("hello").startswith("enc:fernet:key_2024:")
///     True
///
/// Errors: invalid-key names the id of a key that is none; invalid-argument.
#[pyfunction]
#[pyo3(
    signature = (*, keys, primary, field=None, method=None, plaintext=None, lenient=None, name=None),
    text_signature = "(*, keys, primary, field='text', method='fernet', plaintext=True, lenient=False, name='sentry')"
)]
pub(crate) fn sentry(
    keys: &Bound<'_, PyAny>,
    primary: &Bound<'_, PyAny>,
    field: Option<&Bound<'_, PyAny>>,
    method: Option<&Bound<'_, PyAny>>,
    plaintext: Option<&Bound<'_, PyAny>>,
    lenient: Option<&Bound<'_, PyAny>>,
    name: Option<&Bound<'_, PyAny>>,
) -> Result<Codec> {
    let (name, lenient) = (named(name, "sentry")?, flag(lenient, "lenient", false)?);
    let fields = [("text", SentryField::Text), ("json", SentryField::Json)];
    let field = word(field, "field", &fields)?.unwrap_or_default();
    let methods = [
        ("fernet", SentryMethod::Fernet),
        ("plaintext", SentryMethod::Plaintext),
    ];
    let method = word(method, "method", &methods)?.unwrap_or_default();
    let keys = pairs(keys, "keys")?
        .iter()
        .map(|(id, key)| {
            let id = argument_text(id, "the id of a key")?.into_owned();
            Ok((id, secret(key, "each of keys")?))
        })
        .collect::<Result<Vec<_>>>()?;
    let borrowed = keys.iter().map(|(id, key)| (id.as_str(), key.as_str()));
    let codec = Sentry::new(borrowed, &argument_text(primary, "primary")?)?;
    let plaintext = flag(plaintext, "plaintext", true)?;
    let codec = codec.field(field).method(method).plaintext(plaintext);
    let codec = codec.lenient(lenient);
    Ok(Codec::fixed(name, codec))
}

/// The encrypted columns of Metabase, under one `MB_ENCRYPTION_SECRET_KEY` or several: the first
/// seals, all of them open.
///
/// `data_keys` maps `id` to `key_material` of the table `data_encryption_key`, decoded from base64;
/// with them the newest one seals. `aad` is what each value is bound to, with names of its context in
/// braces. `streams` says that the column holds streams and nothing else, which are only read, and
/// `expect` what their plaintexts are: nothing authenticates them. `lenient` takes for encrypted what
/// older releases do.
///
/// Example:
///     >>> from reseal import codecs
///     >>> codec = codecs.metabase(keys=["legacy-golden-test-key-0000000000000000000"])
///     >>> stored = "ttCPpQ92by4mOXOJBbhRE28T4c9WN02MBnHrnucZZ69tLceopuoUpgAy/eB2fAyqWZaFHPsuEaXGCdFwQKY9rA=="
///     >>> codec.open(stored).plaintext
///     b'legacy golden'
///
/// Errors: invalid-key, also for a row that no key wrapped; duplicate-key; invalid-argument.
#[pyfunction]
#[pyo3(
    signature = (*, keys, data_keys=None, aad=None, streams=None, expect=None, lenient=None, name=None),
    text_signature = "(*, keys, data_keys={}, aad=None, streams=False, expect=None, lenient=False, name='metabase')"
)]
#[expect(clippy::too_many_arguments, reason = "keywords of Python")]
pub(crate) fn metabase(
    py: Python<'_>,
    keys: &Bound<'_, PyAny>,
    data_keys: Option<&Bound<'_, PyAny>>,
    aad: Option<&Bound<'_, PyAny>>,
    streams: Option<&Bound<'_, PyAny>>,
    expect: Option<&Bound<'_, PyAny>>,
    lenient: Option<&Bound<'_, PyAny>>,
    name: Option<&Bound<'_, PyAny>>,
) -> Result<Codec> {
    let (name, lenient) = (named(name, "metabase")?, flag(lenient, "lenient", false)?);
    let expect = expectation(expect)?;
    let rows = data_keys.map_or_else(|| Ok(Vec::new()), key_rows)?;
    let keys = secrets(Some(keys), "keys")?;
    let derive = || keys.iter().map(|key| MetabaseKey::derive(key));
    let keys = py.detach(|| derive().collect::<Result<Vec<_>, _>>())?;
    let borrowed = rows.iter().map(|(id, row)| (*id, row.as_slice()));
    let streams = flag(streams, "streams", false)?;
    let codec = Metabase::new(keys)?.data_keys(borrowed)?;
    let mut codec = codec.streams(streams).lenient(lenient);
    if let Some(aad) = aad.filter(|aad| !aad.is_none()) {
        codec = codec.aad(&argument_text(aad, "aad")?)?;
    }
    if let Some(expect) = expect {
        codec = codec.expect(expect);
    }
    Ok(Codec::fixed(name, codec))
}

/// The credential profiles of Freeboard, under one `CREDENTIAL_ENCRYPTION_KEY` or several: the first
/// seals, all of them open. `lenient` reads base64 as Node.js does.
///
/// Example:
///     >>> from reseal import codecs
///     >>> codec = codecs.freeboard(keys=["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="])
///     >>> codec.open(codec.seal('{"token":"x"}')).plaintext
///     b'{"token":"x"}'
///
/// Errors: invalid-key; invalid-argument without any key.
#[pyfunction]
#[pyo3(
    signature = (*, keys, lenient=None, name=None),
    text_signature = "(*, keys, lenient=False, name='freeboard')"
)]
pub(crate) fn freeboard(
    keys: &Bound<'_, PyAny>,
    lenient: Option<&Bound<'_, PyAny>>,
    name: Option<&Bound<'_, PyAny>>,
) -> Result<Codec> {
    let (name, lenient) = (named(name, "freeboard")?, flag(lenient, "lenient", false)?);
    let keys = secrets(Some(keys), "keys")?;
    let keys = keys.iter().map(|key| FreeboardKey::parse(key));
    let codec = Freeboard::new(keys.collect::<Result<_, _>>()?)?;
    Ok(Codec::fixed(name, codec.lenient(lenient)))
}

/// The ring of a `Keyring` or a `LiveKeyring`.
pub(crate) fn ring_of<'a>(ring: &'a Bound<'_, PyAny>, argument: &str) -> Result<&'a Ring> {
    match ring.cast::<Keyring>() {
        Ok(keyring) => Ok(&keyring.get().0),
        Err(_) => Err(invalid_argument(format!(
            "{argument} is a Keyring or a LiveKeyring, not {}",
            type_name(ring)
        ))),
    }
}

/// The name that an argument gives to a codec.
pub(crate) fn named(name: Option<&Bound<'_, PyAny>>, default: &str) -> Result<String> {
    let Some(name) = name.filter(|name| !name.is_none()) else {
        return Ok(default.to_owned());
    };
    let name = argument_text(name, "name")?.into_owned();
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return Err(invalid_argument("the name of a codec has 1 to 64 bytes"));
    }
    Ok(name)
}

/// The pairs of a mapping, in its order.
pub(crate) fn pairs<'py>(
    mapping: &Bound<'py, PyAny>,
    option: &str,
) -> Result<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    if mapping.cast::<PyMapping>().is_err() {
        return Err(invalid_argument(format!(
            "{option} is a mapping, not {}",
            type_name(mapping)
        )));
    }
    let listed = mapping.call_method0(intern!(mapping.py(), "items"))?;
    let pairs = listed.try_iter()?;
    Ok(pairs.map(|pair| pair?.extract()).collect::<PyResult<_>>()?)
}

/// Ids and bytes of data keys.
fn key_rows(mapping: &Bound<'_, PyAny>) -> Result<Vec<(u32, Zeroizing<Vec<u8>>)>> {
    let pairs = pairs(mapping, "data_keys")?;
    let row = |(id, bytes): &(Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let id = id
            .cast::<PyInt>()
            .ok()
            .filter(|id| !id.is_instance_of::<PyBool>());
        let id = id.and_then(|id| id.extract().ok()).ok_or_else(|| {
            invalid_argument("data_keys has integers from 0 to 2^32 - 1, the ids of the rows")
        })?;
        let too_long = |_: &Bound<'_, PyAny>| Err(no_row(bytes));
        let bytes = bytes_like(bytes, MAX_ROW_BYTES, too_long)?.ok_or_else(|| no_row(bytes))?;
        Ok((id, Zeroizing::new(bytes.to_vec())))
    };
    pairs.iter().map(row).collect()
}

fn no_row(found: &Bound<'_, PyAny>) -> crate::error::Failure {
    let name = type_name(found);
    invalid_argument(format!(
        "data_keys has the bytes of key_material, decoded from base64, not {name}"
    ))
}

/// The texts of a list, borrowed.
pub(crate) fn borrowed(texts: &[Zeroizing<String>]) -> Vec<&str> {
    texts.iter().map(|text| text.as_str()).collect()
}

/// The items of a list of mappings; none where nothing is given.
pub(crate) fn listed<'py>(
    values: Option<&Bound<'py, PyAny>>,
    option: &str,
) -> Result<Vec<Bound<'py, PyAny>>> {
    values.map_or_else(|| Ok(Vec::new()), |values| items(values, option))
}
