//! The shapes of Project Wycheproof, for the sizes that the envelope uses.

use super::{Outcome, Report, same, unexpected};
use crate::hex::Hex;
use reseal::hazmat;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File<T> {
    test_groups: Vec<Group<T>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group<T> {
    key_size: u32,
    iv_size: Option<u32>,
    tag_size: Option<u32>,
    tests: Vec<Test<T>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test<T> {
    tc_id: u32,
    result: String,
    #[serde(flatten)]
    input: T,
}

#[derive(Debug, Deserialize)]
pub(super) struct Aead {
    key: Hex,
    iv: Hex,
    aad: Hex,
    msg: Hex,
    ct: Hex,
    tag: Hex,
}

#[derive(Debug, Deserialize)]
pub(super) struct Hkdf {
    ikm: Hex,
    salt: Hex,
    info: Hex,
    size: usize,
    okm: Hex,
}

#[derive(Debug, Deserialize)]
pub(super) struct Mac {
    key: Hex,
    msg: Hex,
    tag: Hex,
}

pub(super) fn aead(file: &File<Aead>) -> Report {
    let applies = |group: &Group<Aead>| {
        (group.key_size, group.iv_size, group.tag_size) == (256, Some(96), Some(128))
    };
    run(file, applies, |test, valid| {
        let (key, iv) = (test.key.array()?, test.iv.array()?);
        let sealed = [test.ct.0.as_slice(), &test.tag.0].concat();
        let opened = hazmat::aes_gcm_open(key, iv, &test.aad.0, &sealed);
        if !valid {
            return same("refusal", &opened.is_err(), &true);
        }
        same("plaintext", &opened.map_err(unexpected)?, &test.msg.0)?;
        let ours = hazmat::aes_gcm_seal(key, iv, &test.aad.0, &test.msg.0);
        same("ciphertext", &ours.map_err(unexpected)?, &sealed)
    })
}

pub(super) fn hkdf(file: &File<Hkdf>) -> Report {
    run(
        file,
        |_| true,
        |test, valid| {
            let okm = hazmat::hkdf(&test.ikm.0, &test.salt.0, &test.info.0, test.size);
            if !valid {
                return same("refusal", &okm.is_err(), &true);
            }
            same("okm", &okm.map_err(unexpected)?, &test.okm.0)
        },
    )
}

pub(super) fn mac(file: &File<Mac>) -> Report {
    let applies = |group: &Group<Mac>| group.tag_size == Some(256);
    run(file, applies, |test, valid| {
        let tag = hazmat::hmac(&test.key.0, &test.msg.0).map_err(unexpected)?;
        same("tag", &(tag.as_slice() == test.tag.0), &valid)
    })
}

fn run<T>(
    file: &File<T>,
    applies: impl Fn(&Group<T>) -> bool,
    check: impl Fn(&T, bool) -> Outcome,
) -> Report {
    let mut report = Report::default();
    let mut others = 0;
    for group in &file.test_groups {
        if !applies(group) {
            others += group.tests.len();
            continue;
        }
        for test in &group.tests {
            let outcome = match test.result.as_str() {
                "valid" => check(&test.input, true),
                "invalid" => check(&test.input, false),
                other => Err(format!("unknown result {other}")),
            };
            report.case(test.tc_id, outcome);
        }
    }
    report.leave_out(others, "sizes that the envelope does not use");
    report
}
