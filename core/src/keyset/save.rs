//! A new keyset, and the document to store.

use super::{
    Keyset, KeysetDocument,
    document::{
        Document, KekEntry, MAX_INTEGER, MAX_KEYSET_BYTES, MAX_LEASE_SECONDS, RING_BYTES, ring_text,
    },
    kek::{Kek, NewKek},
    wrap::{canon, tampered},
};
use crate::{
    error::{ErrorCode, Result, fixed},
    ids::KeyState,
    random::Entropy,
    time::Timestamp,
};
use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

impl Keyset {
    /// A keyset without keys, of a new ring, wrapped under one key-encrypting key.
    ///
    /// # Errors
    /// `invalid-argument` for a lease of more than 31,536,000 seconds; `random-unavailable`.
    pub fn create(
        kek: NewKek,
        lease_seconds: u32,
        now: Timestamp,
        entropy: &mut impl Entropy,
    ) -> Result<Self> {
        check_lease(lease_seconds)?;
        let mut ring = [0; RING_BYTES];
        entropy.fill(&mut ring)?;
        Ok(Self {
            held: [Kek::new(&kek.key)?].into(),
            keys: BTreeMap::new(),
            document: Document {
                ring: ring_text(&ring),
                generation: 0,
                issued: now.to_string(),
                lease_seconds,
                keks: [KekEntry {
                    id: kek.key.id(),
                    source: kek.source,
                }]
                .into(),
                keys: Vec::new(),
                macs: BTreeMap::new(),
            },
        })
    }

    /// Sets how long a process may go on sealing without looking at the keyset; 0 is for ever.
    ///
    /// # Errors
    /// `invalid-argument` above 31,536,000 seconds, a year.
    pub fn set_lease_seconds(&mut self, seconds: u32) -> Result<()> {
        check_lease(seconds)?;
        self.document.lease_seconds = seconds;
        Ok(())
    }

    /// The document to store, with the next generation: text of JSON, at most 1,048,576 bytes. The
    /// keyset itself stays as it is until [`Keyset::saved`] says that the document was stored.
    ///
    /// # Errors
    /// `kek-mismatch` where a key-encrypting key was not given; `random-unavailable`;
    /// `invalid-argument` where the document would be too large.
    ///
    /// # Spec
    /// Section 9, "Files".
    pub fn save(&self, now: Timestamp, entropy: &mut impl Entropy) -> Result<String> {
        self.verify()?;
        let old = &self.document;
        let mut document = Document {
            ring: old.ring.clone(),
            generation: old.generation.saturating_add(1),
            issued: now.to_string(),
            lease_seconds: old.lease_seconds,
            keks: old.keks.clone(),
            keys: old.keys.clone(),
            macs: BTreeMap::new(),
        };
        if document.generation > MAX_INTEGER {
            return Err(too_large());
        }
        for entry in &mut document.keys {
            if entry.state == KeyState::Destroyed {
                entry.wraps.clear();
                continue;
            }
            let key = self.keys.get(&entry.id).ok_or_else(tampered)?;
            for kek in &self.held {
                if !entry.wraps.contains_key(&kek.id) {
                    let wrap = kek.wrap(&document.ring, entry, key, entropy)?;
                    entry.wraps.insert(kek.id, wrap);
                }
            }
        }
        let canon = canon(&document);
        document.macs = self
            .held
            .iter()
            .map(|kek| (kek.id, kek.mac(&canon)))
            .collect();
        let mut text = serde_json::to_string_pretty(&document).map_err(|_| too_large())?;
        text.push('\n');
        if text.len() > MAX_KEYSET_BYTES {
            return Err(too_large());
        }
        Ok(text)
    }

    /// Goes on from a document that [`Keyset::save`] gave and that was stored.
    ///
    /// # Errors
    /// `keyset-conflict` for a document of another ring, or not of the next generation; those of
    /// [`KeysetDocument::parse`], and `keyset-tampered`.
    pub fn saved(&mut self, text: &str) -> Result<()> {
        let document = KeysetDocument::parse(text.as_bytes())?.0;
        let next = self.document.generation.saturating_add(1);
        if document.ring != self.document.ring || document.generation != next {
            return Err(fixed(
                ErrorCode::KeysetConflict,
                "this document is not the one that save gave: load the keyset again",
            ));
        }
        let canon = canon(&document);
        for kek in &self.held {
            kek.verify(&document, &canon)?;
        }
        self.document = document;
        Ok(())
    }
}

fn check_lease(seconds: u32) -> Result<()> {
    if seconds <= MAX_LEASE_SECONDS {
        return Ok(());
    }
    Err(fixed(
        ErrorCode::InvalidArgument,
        "a lease has at most 31536000 seconds, a year; 0 is no lease",
    ))
}

const fn too_large() -> crate::Error {
    fixed(
        ErrorCode::InvalidArgument,
        "a keyset has at most 1,048,576 bytes, which are some thousand keys: begin another ring",
    )
}
