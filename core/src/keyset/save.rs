//! A new keyset, and the document to store.

use super::{
    Keyset, KeysetDocument,
    document::{
        Document, KekEntry, KeyEntry, MAX_INTEGER, MAX_KEYSET_BYTES, MAX_LEASE_SECONDS, RING_BYTES,
        ring_text,
    },
    kek::{Kek, NewKek},
    wrap::{canon, tampered},
};
use crate::{
    error::{ErrorCode, Result, fixed},
    ids::{KeyId, KeyState},
    random::Entropy,
    sorted::SortedMap,
    time::Timestamp,
};
use alloc::{
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
            keys: SortedMap::new(),
            published_lease: lease_seconds,
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
                macs: SortedMap::new(),
            },
        })
    }

    /// Sets how long a process may go on sealing without looking at the keyset; 0 is for ever.
    /// A shorter lease holds for promotions from the next generation on: until then processes have
    /// the old one. Let the old one pass before the next promotion, and before a key goes.
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
            macs: SortedMap::new(),
        };
        if document.generation > MAX_INTEGER {
            return Err(fixed(
                ErrorCode::KeysetTransition,
                "this keyset was saved as often as it can be: begin another ring",
            ));
        }
        for entry in &mut document.keys {
            if entry.state == KeyState::Destroyed {
                entry.wraps.clear();
                continue;
            }
            // Nobody can know the key before now: the lease counts from here.
            if entry.is_new && entry.state == KeyState::Introduced {
                entry.changed = now.to_string();
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
        for kek in &self.held {
            document.macs.insert(kek.id, kek.mac(&canon));
        }
        let mut text = serde_json::to_string_pretty(&document).map_err(|_| too_large())?;
        if text.len() >= MAX_KEYSET_BYTES {
            text = serde_json::to_string(&document).map_err(|_| too_large())?;
        }
        text.push('\n');
        if text.len() > MAX_KEYSET_BYTES {
            return Err(too_large());
        }
        Ok(text)
    }

    /// Goes on from the document that [`Keyset::save`] gave, once it is stored.
    ///
    /// # Errors
    /// `keyset-conflict` for any other document, and where this keyset was changed after `save`:
    /// the keyset stays as it is then. Those of [`KeysetDocument::parse`], and `keyset-tampered`.
    pub fn saved(&mut self, text: &str) -> Result<()> {
        let document = KeysetDocument::parse(text.as_bytes())?.0;
        if !self.leads_to(&document) {
            return Err(fixed(
                ErrorCode::KeysetConflict,
                "this document is not the one that save gave, or the keyset was changed since: load it again, and make the change anew",
            ));
        }
        let canon = canon(&document);
        for kek in &self.held {
            kek.verify(&document, &canon)?;
        }
        self.published_lease = document.lease_seconds;
        self.document = document;
        Ok(())
    }

    /// Whether to save this keyset, as it is now, can have given a document.
    fn leads_to(&self, saved: &Document) -> bool {
        let now = &self.document;
        let head = |document: &Document| (document.ring.clone(), document.lease_seconds);
        let same_keks = now.keks.iter().map(|kek| (kek.id, &kek.source));
        let saved_keks = saved.keks.iter().map(|kek| (kek.id, &kek.source));
        head(now) == head(saved)
            && saved.generation == now.generation.saturating_add(1)
            && same_keks.eq(saved_keks)
            && now.keys.len() == saved.keys.len()
            && now
                .keys
                .iter()
                .zip(&saved.keys)
                .all(|(now, saved)| now.leads_to(saved))
    }
}

impl KeyEntry {
    fn leads_to(&self, saved: &Self) -> bool {
        let parts = |entry: &Self| (entry.id, entry.key_use, entry.state, entry.created.clone());
        let kept = |(kek, wrap): (&KeyId, &String)| saved.wraps.get(kek) == Some(wrap);
        parts(self) == parts(saved)
            && self.label == saved.label
            && (self.changed == saved.changed || self.is_new)
            && self.wraps.iter().all(kept)
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

fn too_large() -> crate::Error {
    fixed(
        ErrorCode::InvalidArgument,
        "a keyset has at most 1,048,576 bytes, which are some thousand keys: begin another ring",
    )
}
