//! The keys, settings and attribute of a case, as a codec.

use super::super::{
    case::{Given, flag, known, list, member, object, text, texts},
    codecs::told,
};
use reseal::codec::{Rails, RailsBuilder, RailsDigest, RailsSerializer};
use serde_json::Value;

/// Rails downcases before it encrypts; the plaintexts are so already.
const ATTRIBUTE: [&str; 7] = [
    "compress",
    "deterministic",
    "downcase",
    "ignore_case",
    "key",
    "previous",
    "type",
];
const SETTINGS: [&str; 6] = [
    "hash_digest_class",
    "key_provider",
    "message_serializer",
    "store_key_references",
    "support_sha1_for_non_deterministic_encryption",
    // Plaintext is for the plain codec.
    "support_unencrypted_data",
];

pub(super) fn builder(case: &Value) -> Given<RailsBuilder> {
    let (keys, settings) = (object(case, "keys")?, object(case, "settings")?);
    let attribute = object(case, "attribute")?;
    known(attribute, &ATTRIBUTE)?;
    known(settings, &SETTINGS)?;
    let deterministic = is_deterministic(case)?;
    let envelope = match text(settings, "key_provider")? {
        "derived" => false,
        "envelope" => !deterministic,
        other => return Err(format!("unknown provider {other}")),
    };
    let keys_of = |name| texts(member(attribute, "key").or_else(|| member(keys, name)));
    let previous = list(attribute, "previous")?.iter();
    let previous: Vec<_> = previous
        .map(|scheme| known(scheme, &["key"]).and_then(|()| text(scheme, "key")))
        .collect::<Given<_>>()?;
    let serializer = RailsSerializer::parse(text(settings, "message_serializer")?);
    Ok(Rails::builder()
        .primary_keys(keys_of("primary_key")?)
        .deterministic_keys(keys_of("deterministic_key")?)
        .previous_keys(previous)
        .key_derivation_salt(text(keys, "key_derivation_salt")?)
        .digests(digests(settings, deterministic)?)
        .deterministic(deterministic)
        .envelope(envelope)
        .store_key_references(flag(settings, "store_key_references")? == Some(true))
        .serializer(serializer.map_err(told)?)
        .compress(flag(attribute, "compress")? != Some(false)))
}

fn digests(settings: &Value, deterministic: bool) -> Given<Vec<RailsDigest>> {
    let name = text(settings, "hash_digest_class")?;
    let mut digests = vec![RailsDigest::parse(name).map_err(told)?];
    let older = flag(settings, "support_sha1_for_non_deterministic_encryption")?;
    if older == Some(true) && !deterministic {
        digests.push(RailsDigest::Sha1);
    }
    Ok(digests)
}

/// It may be an object with further options.
pub(super) fn is_deterministic(case: &Value) -> Given<bool> {
    let said = member(object(case, "attribute")?, "deterministic");
    Ok(said.is_some_and(|said| *said != Value::Bool(false)))
}
