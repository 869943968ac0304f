//! What a key-encrypting key does: wraps of keys, and the MAC over the document.

use super::{
    document::{Document, KeyEntry},
    kek::Kek,
};
use crate::{
    error::{Error, ErrorCode, Result, fixed},
    ids::KeyUse,
    key::{KEY_BYTES, Key},
    pae::pae,
    random::{Entropy, EntropyKind},
};
use alloc::{format, string::String, string::ToString, vec::Vec};
use data_encoding::BASE64URL_NOPAD;
use reseal_primitives::{IV_BYTES, NONCE_BYTES, SALT_BYTES, TAG_BYTES};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const WRAP_BYTES: usize = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

impl Kek {
    /// The key under this KEK: nonce, ciphertext and tag as base64url.
    pub(super) fn wrap(
        &self,
        ring: &str,
        entry: &KeyEntry,
        key: &Key,
        entropy: &mut impl Entropy,
    ) -> Result<String> {
        let aad = wrap_aad(ring, entry);
        let nonce = self.nonce(&aad, key, entropy)?;
        let (salt, iv) = halves(&nonce);
        let mut wrapped = Zeroizing::new([0_u8; KEY_BYTES]);
        wrapped.copy_from_slice(&key.secret().0);
        let tag = self.wrap.derive(&salt).seal(iv, &aad, &mut *wrapped)?;
        let mut bytes = Vec::with_capacity(WRAP_BYTES);
        for part in [&nonce[..], &wrapped[..], &tag[..]] {
            bytes.extend_from_slice(part);
        }
        Ok(BASE64URL_NOPAD.encode(&bytes))
    }

    /// Random bytes; hedged where a clone of this process could draw the same ones.
    fn nonce(
        &self,
        aad: &[u8],
        key: &Key,
        entropy: &mut impl Entropy,
    ) -> Result<[u8; NONCE_BYTES]> {
        let mut random = [0; NONCE_BYTES];
        entropy.fill(&mut random)?;
        if entropy.kind() == EntropyKind::Indirect {
            let hedged = self.hedge.mac(&[&random, aad, &key.secret().0]);
            for (to, from) in random.iter_mut().zip(hedged) {
                *to = from;
            }
        }
        Ok(random)
    }

    /// The key of an entry, and that it is the one that the entry names.
    pub(super) fn unwrap(&self, ring: &str, entry: &KeyEntry) -> Result<Key> {
        let text = entry.wraps.get(&self.id).ok_or_else(tampered)?;
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes());
        let bytes: [u8; WRAP_BYTES] = bytes
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(tampered)?;
        let (nonce, rest) = bytes.split_first_chunk().ok_or_else(tampered)?;
        let (ciphertext, tag) = rest.split_last_chunk().ok_or_else(tampered)?;
        let (salt, iv) = halves(nonce);
        let mut secret = Zeroizing::new([0_u8; KEY_BYTES]);
        secret.copy_from_slice(ciphertext);
        let aad = wrap_aad(ring, entry);
        let opened = self.wrap.derive(&salt).open(iv, &aad, &mut *secret, *tag);
        opened.map_err(|_| tampered())?;
        let key = Key::from_bytes(entry.key_use, &*secret)?;
        if key.id() != entry.id {
            return Err(Error::new(
                ErrorCode::KeyIdMismatch,
                format!(
                    "the keyset says {}, but wraps the key {}",
                    entry.id,
                    key.id()
                ),
            ));
        }
        Ok(key)
    }

    /// The MAC over a document.
    pub(super) fn mac(&self, canon: &[u8]) -> String {
        BASE64URL_NOPAD.encode(&self.mac.mac(&[canon]))
    }

    pub(super) fn verify(&self, document: &Document, canon: &[u8]) -> Result<()> {
        let there = document.macs.get(&self.id).ok_or_else(tampered)?;
        let expected = self.mac(canon);
        if bool::from(there.as_bytes().ct_eq(expected.as_bytes())) {
            return Ok(());
        }
        Err(tampered())
    }
}

/// CANON of section 9.
pub(super) fn canon(document: &Document) -> Vec<u8> {
    let mut list: Vec<Vec<u8>> = Vec::new();
    let mut add = |field: &dyn ToString| list.push(field.to_string().into_bytes());
    add(&super::document::FORMAT);
    add(&1);
    add(&document.ring);
    add(&document.generation);
    add(&document.issued);
    add(&document.lease_seconds);
    for key_use in [KeyUse::Data, KeyUse::Index] {
        match document.primary(key_use) {
            Some(id) => add(&id),
            None => add(&""),
        }
    }
    add(&document.keks.len());
    for kek in &document.keks {
        list.push(kek.id.to_string().into_bytes());
        list.push(kek.source.canon());
    }
    let mut add = |field: &dyn ToString| list.push(field.to_string().into_bytes());
    add(&document.keys.len());
    for key in &document.keys {
        add(&key.id);
        add(&key.key_use.as_str());
        add(&key.state.as_str());
        add(&key.created);
        add(&key.changed);
        add(&key.label);
        for kek in &document.keks {
            match key.wraps.get(&kek.id) {
                Some(wrap) => add(wrap),
                None => add(&""),
            }
        }
    }
    let fields: Vec<&[u8]> = list.iter().map(Vec::as_slice).collect();
    pae(&fields)
}

/// A wrap as the entry of a new key has it, without a document around it.
#[cfg(feature = "hazmat")]
pub(crate) fn wrap_alone(
    kek: &Key,
    ring: &str,
    created: &str,
    key: &Key,
    entropy: &mut impl Entropy,
) -> Result<String> {
    let entry = KeyEntry {
        id: key.id(),
        key_use: key.key_use(),
        state: crate::ids::KeyState::Introduced,
        created: created.into(),
        changed: created.into(),
        label: String::new(),
        wraps: crate::sorted::SortedMap::default(),
        is_new: true,
    };
    Kek::new(kek)?.wrap(ring, &entry, key, entropy)
}

fn wrap_aad(ring: &str, entry: &KeyEntry) -> Vec<u8> {
    pae(&[
        b"reseal-keyset/wrap",
        b"1",
        ring.as_bytes(),
        entry.id.to_string().as_bytes(),
        entry.key_use.as_str().as_bytes(),
        entry.created.as_bytes(),
    ])
}

fn halves(nonce: &[u8; NONCE_BYTES]) -> ([u8; SALT_BYTES], [u8; IV_BYTES]) {
    crate::keyring::split_nonce(nonce)
}

pub(super) fn tampered() -> Error {
    fixed(
        ErrorCode::KeysetTampered,
        "the keyset was changed by hand, damaged, or put together from two: restore the last good copy",
    )
}
