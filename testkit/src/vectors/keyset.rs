//! The group `keyset` of the shape "RS1 vectors": one document, and what must be refused.

use super::{Outcome, Report, refused, same, unexpected};
use crate::{hex::Hex, ops::wrap_hedged};
use data_encoding::BASE64URL_NOPAD;
use reseal::{Expect, Key, KeyUse, Keyset, KeysetDocument, hazmat};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    kek1: Hex,
    kek1_text: String,
    passphrase: String,
    kek2: Hex,
    kek3: Hex,
    canon_sha256: Hex,
    file: Value,
    negative: Vec<Negative>,
    #[serde(default)]
    hedged: Vec<Hedged>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hedged {
    id: String,
    kek: String,
    key: String,
    ring: String,
    created: String,
    random: Hex,
    nonce: Hex,
    wrap: String,
    #[serde(rename = "note", default)]
    _note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Negative {
    id: String,
    expect: String,
    kek: String,
    text: String,
    args: Args,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    expect_ring: Option<String>,
    #[serde(default)]
    min_generation: u64,
}

/// The document under each of its three KEKs, every refusal and every wrap. `named` are the
/// keys of the file.
pub(super) fn run(group: &Group, named: &BTreeMap<String, Key>, report: &mut Report) {
    let text = group.file.to_string();
    let parse = || KeysetDocument::parse(text.as_bytes());
    let by_text = || Key::parse(&group.kek1_text);
    let by_passphrase = || parse()?.kek_from_passphrase(group.passphrase.as_bytes());
    let none = || reseal::Error::new(reseal::ErrorCode::KekMismatch, "another key service");
    let by_service = || {
        let document = parse()?;
        let [(id, external)] = document.external_keks().collect::<Vec<_>>()[..] else {
            return Err(none());
        };
        let kek = Key::from_bytes(KeyUse::Kek, &group.kek3.0)?;
        if id == kek.id() && external.provider == "vault-transit" {
            return Ok(kek);
        }
        Err(none())
    };
    let keks: [(&str, reseal::Result<Key>, &Hex); 3] = [
        ("key text", by_text(), &group.kek1),
        ("passphrase", by_passphrase(), &group.kek2),
        ("key service", by_service(), &group.kek3),
    ];
    for (name, kek, secret) in keks {
        let opened = kek
            .map_err(unexpected)
            .and_then(|kek| positive(group, &text, &kek, secret, named));
        report.case(format!("keyset under a {name}"), opened);
    }
    for case in &group.negative {
        report.case(&case.id, negative(case, group));
    }
    for case in &group.hedged {
        report.case(&case.id, hedged(case, group, named));
    }
}

fn positive(
    group: &Group,
    text: &str,
    kek: &Key,
    secret: &Hex,
    keys: &BTreeMap<String, Key>,
) -> Outcome {
    let expected = Key::from_bytes(KeyUse::Kek, &secret.0).map_err(unexpected)?;
    same("the KEK", &kek.id(), &expected.id())?;
    let canon = hazmat::keyset_canon(text.as_bytes()).map_err(unexpected)?;
    same(
        "CANON",
        &Sha256::digest(canon).to_vec(),
        &group.canon_sha256.0,
    )?;
    let document = KeysetDocument::parse(text.as_bytes()).map_err(unexpected)?;
    let unlocked = document.unlock(core::slice::from_ref(kek), &Expect::default());
    let keyset = unlocked.map_err(unexpected)?;
    same_entries(&group.file, &keyset)?;
    for (id, key_text) in keyset.export_keys() {
        let known = keys.values().find(|key| key.id() == id);
        let known = known.ok_or_else(|| format!("{id} is no key of the file"))?;
        same("the key", &*key_text, &*known.export())?;
    }
    let ring = keyset.ring().map_err(unexpected)?;
    let primary = |name: &str| {
        let member = group.file.pointer(&format!("/primary/{name}"));
        member.and_then(Value::as_str).unwrap_or_default()
    };
    let id = |id: Option<reseal::KeyId>| id.map(|id| id.to_string()).unwrap_or_default();
    same(
        "the primary",
        &id(ring.primary_id()).as_str(),
        &primary("data"),
    )?;
    same(
        "the index primary",
        &id(ring.index_primary_id()).as_str(),
        &primary("index"),
    )
}

/// The audit view against the document.
fn same_entries(file: &Value, keyset: &Keyset) -> Outcome {
    let info = keyset.info();
    let head = (
        file.get("ring").and_then(Value::as_str),
        file.get("generation").and_then(Value::as_u64),
        file.get("lease_seconds").and_then(Value::as_u64),
    );
    let shown = (
        Some(&*info.ring),
        Some(info.generation),
        Some(info.lease_seconds.into()),
    );
    same("the head", &shown, &head)?;
    let entries = file
        .get("keys")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    same("the number of keys", &info.keys.len(), &entries.len())?;
    for (key, entry) in info.keys.iter().zip(entries) {
        let shown = [
            key.id.to_string(),
            key.key_use.as_str().to_owned(),
            key.state.as_str().to_owned(),
            key.created.clone(),
            key.changed.clone(),
            key.label.clone(),
        ];
        let names = ["kid", "use", "state", "created", "changed", "label"];
        let expected = names.map(|name| {
            entry
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        });
        same("an entry of keys", &shown, &expected)?;
    }
    Ok(())
}

impl Group {
    /// A KEK of the group; another name is that of any key which the document does not list.
    fn kek(&self, name: &str) -> Result<Key, String> {
        let bytes = match name {
            "kek1" => &*self.kek1.0,
            "kek2" => &*self.kek2.0,
            "kek3" => &*self.kek3.0,
            _ => &[0; 32],
        };
        Key::from_bytes(KeyUse::Kek, bytes).map_err(unexpected)
    }
}

fn hedged(case: &Hedged, group: &Group, keys: &BTreeMap<String, Key>) -> Outcome {
    let (kek, key) = (group.kek(&case.kek)?, keys.get(&case.key));
    let key = key.ok_or_else(|| format!("the file has no key {}", case.key))?;
    let wrap = wrap_hedged(&kek, &case.ring, &case.created, key, case.random.clone());
    same("the wrap", &wrap.map_err(unexpected)?, &case.wrap)?;
    let bytes = BASE64URL_NOPAD.decode(case.wrap.as_bytes());
    let bytes = bytes.map_err(|error| error.to_string())?;
    let nonce = bytes.get(..24).unwrap_or_default();
    same("the nonce", &nonce, &case.nonce.0.as_slice())
}

fn negative(case: &Negative, group: &Group) -> Outcome {
    let kek = group.kek(&case.kek)?;
    let expect = Expect {
        ring: case.args.expect_ring.clone(),
        min_generation: case.args.min_generation,
    };
    let opened = KeysetDocument::parse(case.text.as_bytes())
        .and_then(|document| document.unlock(&[kek], &expect));
    refused(opened, &case.expect)
}
