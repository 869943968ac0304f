//! The shape "RS1 vectors": the law of the envelope.

use super::{Outcome, Report, keyset, refused, same, unexpected};
use crate::{
    hex::Hex,
    ops::{Prepared, context, seal_fixed},
};
use reseal::{
    BlindIndex, EntropyKind, Key, KeyId, KeyState, KeyUse, Keyring, Mode, Normalizer,
    hazmat::{self, FixedEntropy},
    inspect, inspect_binary, to_binary, to_text,
};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "seed")]
    _seed: Option<String>,
    #[serde(rename = "producer")]
    _producer: Option<String>,
    #[serde(default)]
    keys: BTreeMap<String, KeyEntry>,
    #[serde(default)]
    derived: BTreeMap<String, BTreeMap<String, Hex>>,
    #[serde(default)]
    key_text: KeyTexts,
    #[serde(default)]
    vectors: Vec<Positive>,
    #[serde(default)]
    negative: Vec<Negative>,
    #[serde(default)]
    hedged: Vec<Hedged>,
    #[serde(default)]
    blind_index: Vec<Term>,
    keyset: Option<keyset::Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    secret: Hex,
    #[serde(rename = "use")]
    key_use: String,
    state: String,
    kid: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyTexts {
    #[serde(default)]
    valid: Vec<ValidText>,
    #[serde(default)]
    invalid: Vec<InvalidText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidText {
    id: String,
    text: String,
    #[serde(rename = "use")]
    key_use: String,
    secret: Hex,
    kid: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InvalidText {
    id: String,
    text: String,
    expect: String,
}

type Pairs = Vec<(String, Hex)>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Positive {
    id: String,
    key: String,
    mode: String,
    nonce: Hex,
    context: Pairs,
    plaintext: Hex,
    aad: Option<Hex>,
    binary: Hex,
    text: String,
    #[serde(rename = "note", default)]
    _note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Negative {
    id: String,
    expect: String,
    context: Pairs,
    binary: Option<Hex>,
    text: Option<String>,
    #[serde(rename = "note", default)]
    _note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hedged {
    id: String,
    key: String,
    mode: String,
    salt: Option<Hex>,
    random: Hex,
    context: Pairs,
    plaintext: Hex,
    nonce: Hex,
    text: String,
    #[serde(rename = "note", default)]
    _note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Term {
    #[serde(rename = "id", default)]
    _id: String,
    key: String,
    context: Pairs,
    index: String,
    normalizer: String,
    bits: u16,
    value: Hex,
    raw: Option<Hex>,
    text: String,
    #[serde(rename = "note", default)]
    _note: String,
}

/// The keys of a file and the ring that they make.
struct Keys {
    by_name: BTreeMap<String, Key>,
    ring: Keyring,
}

pub(super) fn run(file: File) -> Result<Report, String> {
    let mut report = Report::default();
    let keys = Keys::new(&file)?;
    check_derived(&file, &keys)?;
    for case in &file.key_text.valid {
        report.case(&case.id, valid_text(case));
    }
    for case in &file.key_text.invalid {
        report.case(&case.id, refused(Key::parse(&case.text), &case.expect));
    }
    for case in &file.vectors {
        report.case(&case.id, positive(case, &keys));
    }
    for case in &file.negative {
        report.case(&case.id, negative(case, &keys.ring));
    }
    for case in file.hedged {
        report.case(case.id.clone(), hedged(case, &keys));
    }
    for (number, case) in file.blind_index.iter().enumerate() {
        report.case(format!("blind_index[{number}]"), term(case, &keys));
    }
    if let Some(group) = &file.keyset {
        keyset::run(group, &keys.by_name, &mut report);
    }
    Ok(report)
}

impl Keys {
    fn new(file: &File) -> Result<Self, String> {
        let mut builder = Keyring::builder();
        let mut by_name = BTreeMap::new();
        for (name, entry) in &file.keys {
            let wrong = |error| format!("key {name}: {}", unexpected(error));
            let key_use = KeyUse::parse(&entry.key_use).map_err(wrong)?;
            let key = Key::from_bytes(key_use, &entry.secret.0).map_err(wrong)?;
            same(
                &format!("the id of key {name}"),
                &key.id().to_string(),
                &entry.kid,
            )?;
            let state = match entry.state.as_str() {
                "introduced" => Some(KeyState::Introduced),
                "primary" => Some(KeyState::Primary),
                "decrypt_only" => Some(KeyState::DecryptOnly),
                "disabled" => Some(KeyState::Disabled),
                "destroyed" => None,
                other => return Err(format!("key {name}: unknown state {other}")),
            };
            builder = match state {
                _ if key_use == KeyUse::Kek => builder,
                Some(state) => builder.with(key.clone(), state),
                None => builder.destroyed(key.id()),
            };
            by_name.insert(name.clone(), key);
        }
        let ring = builder.build().map_err(unexpected)?;
        Ok(Self { by_name, ring })
    }

    fn get(&self, name: &str) -> Result<Key, String> {
        let key = self.by_name.get(name).cloned();
        key.ok_or_else(|| format!("the file has no key {name}"))
    }
}

fn check_derived(file: &File, keys: &Keys) -> Outcome {
    for (name, labels) in &file.derived {
        for (label, expected) in labels {
            let derived = hazmat::derive(&keys.get(name)?, label).to_vec();
            same(&format!("{label} of key {name}"), &derived, &expected.0)?;
        }
    }
    Ok(())
}

fn valid_text(case: &ValidText) -> Outcome {
    let key = Key::parse(&case.text).map_err(unexpected)?;
    same("use", &key.key_use().as_str(), &case.key_use.as_str())?;
    same("key id", &key.id().to_string(), &case.kid)?;
    same("exported text", &*key.export(), &case.text)?;
    let from_bytes = Key::from_bytes(key.key_use(), &case.secret.0).map_err(unexpected)?;
    same("text of the bytes", &*from_bytes.export(), &case.text)
}

fn positive(case: &Positive, keys: &Keys) -> Outcome {
    let key = keys.get(&case.key)?;
    let mode = mode(&case.mode)?;
    let context = context(&case.context).map_err(unexpected)?;
    let (binary, plaintext) = (&case.binary.0, &case.plaintext.0);

    let prepared = Prepared {
        salt: None,
        random: case.nonce.clone(),
        kind: EntropyKind::Direct,
    };
    let sealed =
        seal_fixed(key.clone(), mode, &context, plaintext, prepared).map_err(unexpected)?;
    same("sealed binary", &sealed, binary)?;
    if let Some(aad) = &case.aad {
        let header = sealed.get(..26).unwrap_or_default();
        same("aad", &[header, context.as_bytes()].concat(), &aad.0)?;
    }
    same(
        "text of binary",
        &to_text(binary).map_err(unexpected)?,
        &case.text,
    )?;
    same(
        "binary of text",
        &to_binary(&case.text).map_err(unexpected)?,
        binary,
    )?;

    let shown = inspect(&case.text).map_err(unexpected)?;
    same("mode", &shown.mode, &mode)?;
    same("key id", &shown.key_id, &key.id())?;
    same(
        "inspection",
        &inspect_binary(binary).map_err(unexpected)?,
        &shown,
    )?;

    let ring = &keys.ring;
    let opened = ring.open(&case.text, &context).map_err(unexpected)?;
    same("plaintext of text", &*opened, plaintext)?;
    let opened = ring.open_binary(binary, &context).map_err(unexpected)?;
    same("plaintext of binary", &*opened, plaintext)?;
    current(case, ring, key.id(), mode)
}

/// A value is current under the primary and in its mode; resealing changes it or leaves it so.
fn current(case: &Positive, ring: &Keyring, id: KeyId, mode: Mode) -> Outcome {
    let is_current = ring.is_current(&case.text, mode).map_err(unexpected)?;
    same("is_current", &is_current, &(ring.primary_id() == Some(id)))?;
    if ring.primary_id().is_none() {
        return Ok(());
    }
    let context = context(&case.context).map_err(unexpected)?;
    let mut entropy = FixedEntropy::new(EntropyKind::Direct, vec![7; 24]);
    let resealed = ring.reseal(&case.text, &context, mode, &mut entropy);
    match resealed.map_err(unexpected)? {
        None => same("reseal of a current value", &is_current, &true),
        Some(text) => {
            same(
                "reseal gives a current value",
                &ring.is_current(&text, mode),
                &Ok(true),
            )?;
            let opened = ring.open(&text, &context).map_err(unexpected)?;
            same("resealed plaintext", &*opened, &case.plaintext.0)
        }
    }
}

fn negative(case: &Negative, ring: &Keyring) -> Outcome {
    let context = context(&case.context);
    match (&case.text, &case.binary) {
        (Some(text), None) => {
            let open = |text| {
                inspect(text)
                    .and(context)
                    .and_then(|ctx| ring.open(text, &ctx))
            };
            refused(open(text), &case.expect)
        }
        (None, Some(Hex(binary))) => {
            let open = |bytes| {
                inspect_binary(bytes)
                    .and(context)
                    .and_then(|ctx| ring.open_binary(bytes, &ctx))
            };
            refused(open(binary), &case.expect)
        }
        _ => Err("expected one of text and binary".into()),
    }
}

fn hedged(case: Hedged, keys: &Keys) -> Outcome {
    let context = context(&case.context).map_err(unexpected)?;
    let prepared = Prepared {
        salt: case.salt,
        random: case.random,
        kind: EntropyKind::Indirect,
    };
    let (key, mode) = (keys.get(&case.key)?, mode(&case.mode)?);
    let sealed =
        seal_fixed(key, mode, &context, &case.plaintext.0, prepared).map_err(unexpected)?;
    let nonce = sealed.get(26..50).unwrap_or_default();
    same("nonce", &nonce, &case.nonce.0.as_slice())?;
    same("text", &to_text(&sealed).map_err(unexpected)?, &case.text)?;
    let opened = keys.ring.open(&case.text, &context).map_err(unexpected)?;
    same("plaintext", &*opened, &case.plaintext.0)
}

fn term(case: &Term, keys: &Keys) -> Outcome {
    let key = keys.get(&case.key)?;
    let ring = Keyring::builder()
        .primary(key)
        .build()
        .map_err(unexpected)?;
    let context = context(&case.context).map_err(unexpected)?;
    let normalizer = Normalizer::parse(&case.normalizer).map_err(unexpected)?;
    let index = BlindIndex::new(&case.index, normalizer, case.bits).map_err(unexpected)?;
    let term = ring.index_term(&case.value.0, &context, &index);
    same("term", &term.map_err(unexpected)?, &case.text)?;
    let terms = keys.ring.index_terms(&case.value.0, &context, &index);
    if !terms.map_err(unexpected)?.contains(&case.text) {
        return Err("the ring of the file does not give the term".into());
    }
    let Some(raw) = &case.raw else { return Ok(()) };
    let tag = case
        .text
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_uppercase();
    let tag = data_encoding::BASE32_NOPAD.decode(tag.as_bytes());
    same("raw tag", &tag.map_err(|error| error.to_string())?, &raw.0)
}

pub(super) fn mode(letter: &str) -> Result<Mode, String> {
    match letter {
        "r" => Ok(Mode::Random),
        "d" => Ok(Mode::Deterministic),
        "p" => Ok(Mode::Padded),
        _ => Err(format!("unknown mode {letter}")),
    }
}
