//! The shape "RS1 frozen": what a released version sealed opens for ever.

use super::{Outcome, Report, refused, reseal_v1::mode, same, unexpected};
use crate::{hex::Hex, ops::context};
use reseal::{
    BlindIndex, Key, KeyState, Keyring, Normalizer, inspect, inspect_binary, to_binary, to_text,
};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "release")]
    _release: String,
    #[serde(rename = "language")]
    _language: String,
    keys: BTreeMap<String, KeyEntry>,
    #[serde(default)]
    index_terms: Vec<Term>,
    envelopes: Vec<Sealed>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    text: String,
    state: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Term {
    context: Vec<(String, Hex)>,
    index: String,
    normalizer: String,
    bits: u16,
    value: Hex,
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    id: String,
    mode: String,
    key: String,
    context: Vec<(String, Hex)>,
    plaintext: Hex,
    text: Option<String>,
    binary: Option<Hex>,
}

pub(super) fn run(file: &File) -> Result<Report, String> {
    let mut report = Report::default();
    let ring = ring(file)?;
    for (number, case) in file.index_terms.iter().enumerate() {
        report.case(format!("index_terms[{number}]"), term(case, &ring));
    }
    for case in &file.envelopes {
        report.case(&case.id, envelope(case, file, &ring));
    }
    Ok(report)
}

fn ring(file: &File) -> Result<Keyring, String> {
    let mut builder = Keyring::builder();
    for (name, entry) in &file.keys {
        let key = Key::parse(&entry.text)
            .map_err(|error| format!("key {name}: {}", unexpected(error)))?;
        builder = builder.with(key, state(&entry.state)?);
    }
    builder.build().map_err(unexpected)
}

fn term(case: &Term, ring: &Keyring) -> Outcome {
    let normalizer = Normalizer::parse(&case.normalizer).map_err(unexpected)?;
    let index = BlindIndex::new(&case.index, normalizer, case.bits).map_err(unexpected)?;
    let context = context(&case.context).map_err(unexpected)?;
    let terms = ring.index_terms(&case.value.0, &context, &index);
    same(
        "term",
        &terms.map_err(unexpected)?.contains(&case.text),
        &true,
    )
}

fn envelope(case: &Sealed, file: &File, ring: &Keyring) -> Outcome {
    let entry = file
        .keys
        .get(&case.key)
        .ok_or("its key is not in the file")?;
    let key = Key::parse(&entry.text).map_err(unexpected)?;
    let (text, binary) = match (&case.text, &case.binary) {
        (Some(text), None) => (text.clone(), to_binary(text).map_err(unexpected)?),
        (None, Some(binary)) => (to_text(&binary.0).map_err(unexpected)?, binary.0.clone()),
        _ => return Err("expected one of text and binary".into()),
    };
    let shown = inspect(&text).map_err(unexpected)?;
    same(
        "inspection",
        &inspect_binary(&binary).map_err(unexpected)?,
        &shown,
    )?;
    same("mode", &shown.mode, &mode(&case.mode)?)?;
    same("key id", &shown.key_id, &key.id())?;
    let context = context(&case.context).map_err(unexpected)?;
    if !state(&entry.state)?.opens() {
        return refused(ring.open(&text, &context), "KeyDisabled");
    }
    let opened = ring.open(&text, &context).map_err(unexpected)?;
    same("plaintext of text", &*opened, &case.plaintext.0)?;
    let opened = ring.open_binary(&binary, &context).map_err(unexpected)?;
    same("plaintext of binary", &*opened, &case.plaintext.0)
}

fn state(word: &str) -> Result<KeyState, String> {
    match word {
        "introduced" => Ok(KeyState::Introduced),
        "primary" => Ok(KeyState::Primary),
        "decrypt_only" => Ok(KeyState::DecryptOnly),
        "disabled" => Ok(KeyState::Disabled),
        _ => Err(format!("unknown key state {word}")),
    }
}
