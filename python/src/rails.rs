//! Active Record Encryption: its options have the names that Rails gives them.

use crate::{
    codec::Codec,
    codecs::{borrowed, listed, named, pairs},
    convert::argument_text,
    error::{Failure, Result, invalid_argument},
    options::{flag, secret, secrets},
};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDict, PyString},
};
use reseal::codec::{Rails, RailsBuilder, RailsDigest, RailsSerializer};

/// Encrypted attributes of Ruby on Rails.
///
/// `primary_keys`, `key_derivation_salt`, `store_key_references`, `serializer` ("json" or
/// "message_pack"), `compress`, `deterministic` and `previous` are the options of
/// `config.active_record.encryption` and of `encrypts`. Of several keys **the last one seals**, as in
/// Rails. `digests` are those of `hash_digest_class`, "sha256" or "sha1": the first seals, all of them
/// open, and it is "sha256" where nothing is said. `previous_keys` are keys that open under the same options; each of `previous` is a mapping
/// with the options of a whole scheme. `envelope` stands for `EnvelopeEncryptionKeyProvider`.
/// `lenient` reads as Rails does where the headers were changed.
///
/// Key texts and the salt are taken as they are: a line end more makes another key. Each key takes
/// 65,536 rounds per digest, once.
///
/// Example:
///     >>> from reseal import codecs
///     >>> codec = codecs.rails(
///     ...     primary_keys=["the old key", "the new key"], key_derivation_salt="a salt"
///     ... )
///     >>> codec.open(codec.seal("x")).plaintext
///     b'x'
///
/// Errors: invalid-argument where a key or the salt is missing, or options contradict each other;
/// invalid-key for a key that is blank.
#[pyfunction]
#[pyo3(
    signature = (**options),
    text_signature = "(*, primary_keys=(), key_derivation_salt, digests=(), deterministic_keys=(), previous_keys=(), previous=(), deterministic=False, envelope=False, store_key_references=False, serializer='json', compress=True, lenient=False, name='rails')"
)]
pub(crate) fn rails(py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> Result<Codec> {
    let (mut name, mut builder) = (None, Rails::builder());
    for (option, value) in options.into_iter().flatten() {
        let option = argument_text(&option, "an option")?.into_owned();
        if option == "name" {
            name = Some(value);
            continue;
        }
        builder = with(builder, &option, &value)?.ok_or_else(|| {
            let message = format!("rails() got an unexpected keyword argument '{option}'");
            Failure::Python(PyTypeError::new_err(message))
        })?;
    }
    let name = named(name.as_ref(), "rails")?;
    Ok(Codec::fixed(name, py.detach(|| builder.build())?))
}

/// The builder with one option more; nothing for an option that there is not.
fn with(
    builder: RailsBuilder,
    option: &str,
    value: &Bound<'_, PyAny>,
) -> Result<Option<RailsBuilder>> {
    let keys = || secrets(Some(value), option);
    let flag = |default| flag(Some(value), option, default);
    Ok(Some(match option {
        "primary_keys" => builder.primary_keys(borrowed(&keys()?)),
        "deterministic_keys" => builder.deterministic_keys(borrowed(&keys()?)),
        "previous_keys" => builder.previous_keys(borrowed(&keys()?)),
        "key_derivation_salt" => builder.key_derivation_salt(&secret(value, option)?),
        "digests" => builder.digests(digests(value)?),
        "deterministic" => builder.deterministic(flag(false)?),
        "envelope" => builder.envelope(flag(false)?),
        "store_key_references" => builder.store_key_references(flag(false)?),
        "serializer" => builder.serializer(RailsSerializer::parse(&argument_text(value, option)?)?),
        "compress" => builder.compress(flag(true)?),
        "lenient" => builder.lenient(flag(false)?),
        "previous" => {
            let mut builder = builder;
            for scheme in listed(Some(value), option)? {
                builder = builder.previous(scheme_of(&scheme)?);
            }
            builder
        }
        _ => return Ok(None),
    }))
}

fn digests(value: &Bound<'_, PyAny>) -> Result<Vec<RailsDigest>> {
    let digest = |name: &Bound<'_, PyAny>| {
        Ok(RailsDigest::parse(&argument_text(
            name,
            "each of digests",
        )?)?)
    };
    listed(Some(value), "digests")?.iter().map(digest).collect()
}

/// A scheme of `previous`.
fn scheme_of(options: &Bound<'_, PyAny>) -> Result<RailsBuilder> {
    let mut builder = Rails::builder();
    for (option, value) in pairs(options, "each of previous")? {
        let option = option
            .cast::<PyString>()
            .ok()
            .map(|text| text.to_string_lossy());
        let option = option.unwrap_or_default();
        builder = with(builder, &option, &value)?.ok_or_else(|| {
            invalid_argument(format!(
                "there is no option {option:?} of a scheme of previous"
            ))
        })?;
    }
    Ok(builder)
}
