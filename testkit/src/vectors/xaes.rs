//! The shape of the XAES-256-GCM specification.

use super::{Outcome, Report, same, unexpected};
use crate::{accumulated, hex::Hex};
use reseal::hazmat::{xaes_k1, xaes_open, xaes_seal};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
pub(super) struct File {
    vectors: Vec<Case>,
    #[serde(default)]
    accumulated: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Case {
    source: String,
    key: Hex,
    nonce: Hex,
    plaintext: Hex,
    aad: Hex,
    ciphertext_with_tag: Hex,
    #[serde(rename = "K1")]
    k1: Option<Hex>,
}

pub(super) fn run(file: &File, max_iterations: u32) -> Report {
    let mut report = Report::default();
    for case in &file.vectors {
        report.case(&case.source, vector(case));
    }
    for (name, expected) in &file.accumulated {
        let Some(iterations) = name.strip_prefix("iterations_") else {
            continue;
        };
        match iterations.parse::<u32>() {
            Ok(iterations) if iterations > max_iterations => {
                report.leave_out(1, "the long accumulated hash runs in make assure");
            }
            Ok(iterations) => report.case(name, hash(iterations, expected)),
            Err(error) => report.case(name, Err(error.to_string())),
        }
    }
    report
}

fn vector(case: &Case) -> Outcome {
    let (key, nonce) = (case.key.array()?, case.nonce.array()?);
    let (aad, plaintext) = (&case.aad.0, &case.plaintext.0);
    let sealed = xaes_seal(key, &nonce, aad, plaintext).map_err(unexpected)?;
    same("ciphertext", &sealed, &case.ciphertext_with_tag.0)?;
    let opened = xaes_open(key, &nonce, aad, &case.ciphertext_with_tag.0);
    same("plaintext", &opened.map_err(unexpected)?, plaintext)?;
    match &case.k1 {
        Some(k1) => same("K1", &xaes_k1(key).to_vec(), &k1.0),
        None => Ok(()),
    }
}

fn hash(iterations: u32, expected: &str) -> Outcome {
    let hash = data_encoding::HEXLOWER.encode(&accumulated::xaes(iterations)?);
    same("accumulated hash", &hash.as_str(), &expected)
}
