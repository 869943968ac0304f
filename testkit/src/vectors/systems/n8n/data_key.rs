//! The data keys that n8n wraps with its instance key.

use super::super::{
    super::{Outcome, same},
    case::{base64, hex, maybe_text, text},
    codecs::{REFUSALS, refused, told, written},
};
use reseal::{
    EntropyKind,
    codec::{N8nDataKey, N8nKeyRow},
    hazmat::FixedEntropy,
};
use serde_json::Value;

pub(super) fn check(case: &Value) -> Outcome {
    match text(case, "expect")? {
        "ok" => unwraps(case),
        "error" => fails(case),
        other => Err(format!("unknown expectation {other}")),
    }
}

fn unwraps(case: &Value) -> Outcome {
    let (value, plaintext) = (text(case, "ciphertext")?, text(case, "plaintext")?);
    let keys = ["another", text(case, "instance_key")?];
    let strict = N8nDataKey::unwrap_value(value, &keys);
    let key = N8nDataKey::unwrap_value_lenient(value, &keys).map_err(told)?;
    same("the data key", &key.text(), &plaintext)?;
    match text(case, "format")? {
        "n8n-dek-gcm" => {
            same("the data key", &strict.map_err(told)?.text(), &plaintext)?;
            wraps(case, &key)
        }
        // What older releases wrote nothing authenticates.
        "n8n-dek-legacy" => {
            refused(strict, &["invalid-key"])?;
            repairs(case, plaintext)
        }
        other => Err(format!("unknown format {other}")),
    }
}

fn fails(case: &Value) -> Outcome {
    let (value, keys) = (text(case, "ciphertext")?, [text(case, "instance_key")?]);
    refused(N8nDataKey::unwrap_value(value, &keys), &REFUSALS)?;
    refused(N8nDataKey::unwrap_value_lenient(value, &keys), &REFUSALS).map(drop)
}

fn wraps(case: &Value, key: &N8nDataKey) -> Outcome {
    let instance_key = text(case, "instance_key")?;
    let wrapped = written(hex(case, "salt_hex")?, 0, |fresh| {
        key.wrap(instance_key, &mut fresh.entropy)
    })?;
    same(
        "the wrapped key",
        &wrapped.as_str(),
        &text(case, "ciphertext")?,
    )
}

/// As n8n repairs old shapes when it starts.
fn repairs(case: &Value, plaintext: &str) -> Outcome {
    let Some(repaired) = maybe_text(case, "repaired_value")? else {
        return Ok(());
    };
    let instance_key = text(case, "instance_key")?;
    let algorithm = if plaintext == instance_key {
        "aes-256-cbc"
    } else {
        "aes-256-gcm"
    };
    let row = N8nKeyRow {
        id: "bEc5AmLGiLrtdybl".into(),
        kind: "data_encryption".into(),
        value: text(case, "ciphertext")?.to_owned().into(),
        algorithm: Some(algorithm.into()),
        status: "inactive".into(),
    };
    let mut none = FixedEntropy::new(EntropyKind::Direct, Vec::new());
    refused(row.rewrap(&[], instance_key, &mut none), &["invalid-key"])?;
    let random = base64(repaired)?.get(1..33).unwrap_or_default().to_vec();
    let row = written(random, 0, |fresh| {
        row.rewrap_lenient(&[], instance_key, &mut fresh.entropy)
    })?;
    same("the repaired row", &row.value.as_str(), &repaired)?;
    let again = row.rewrap(&[], instance_key, &mut none).map_err(told)?;
    same("a row that is as it should be", &(again == row), &true)
}
