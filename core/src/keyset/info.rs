//! The audit view of a keyset: nothing in it is secret.

use super::{
    document::Document,
    kek::{ExternalKek, Kek, KekSource},
};
use crate::ids::{KeyId, KeyState, KeyUse};
use alloc::{string::String, vec::Vec};

/// What may be shown of a keyset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysetInfo {
    /// The id of the ring, 26 characters.
    pub ring: String,
    /// How often the keyset was saved.
    pub generation: u64,
    /// When it was saved last, `YYYY-MM-DDTHH:MM:SSZ`.
    pub issued: String,
    /// How long a live ring may seal without looking again; 0 is for ever.
    pub lease_seconds: u32,
    /// The keys that it is wrapped under.
    pub keks: Vec<KekInfo>,
    /// Its keys, in the order in which they came.
    pub keys: Vec<KeysetKey>,
}

/// A key-encrypting key, as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KekInfo {
    /// The key id.
    pub id: KeyId,
    /// Where the key comes from.
    pub kind: KekKind,
    /// The key service and its key, for [`KekKind::External`].
    pub external: Option<ExternalKek>,
    /// Whether it was given, and the keyset is verified under it.
    pub held: bool,
}

/// Where a key-encrypting key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KekKind {
    /// A key text.
    Key,
    /// A passphrase.
    Passphrase,
    /// A key service.
    External,
}

impl KekKind {
    /// `key`, `passphrase` or `external`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Passphrase => "passphrase",
            Self::External => "external",
        }
    }
}

/// A key of a keyset, as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysetKey {
    /// The key id.
    pub id: KeyId,
    /// What the key is for.
    pub key_use: KeyUse,
    /// What it may do.
    pub state: KeyState,
    /// When it came into the keyset, `YYYY-MM-DDTHH:MM:SSZ`.
    pub created: String,
    /// When its state changed last.
    pub changed: String,
    /// What people call it.
    pub label: String,
}

pub(super) fn of(document: &Document, held: &[Kek]) -> KeysetInfo {
    let wrapped_under = document.keks.iter().map(|kek| KekInfo {
        id: kek.id,
        kind: kind(&kek.source),
        external: kek.source.external().cloned(),
        held: held.iter().any(|held| held.id == kek.id),
    });
    let keys = document.keys.iter().map(|key| KeysetKey {
        id: key.id,
        key_use: key.key_use,
        state: key.state,
        created: key.created.clone(),
        changed: key.changed.clone(),
        label: key.label.clone(),
    });
    KeysetInfo {
        ring: document.ring.clone(),
        generation: document.generation,
        issued: document.issued.clone(),
        lease_seconds: document.lease_seconds,
        keks: wrapped_under.collect(),
        keys: keys.collect(),
    }
}

pub(super) const fn kind(source: &KekSource) -> KekKind {
    match source {
        KekSource::Key => KekKind::Key,
        KekSource::Passphrase(_) => KekKind::Passphrase,
        KekSource::External(_) => KekKind::External,
    }
}
