//! The keys of a codec, ready to use.

use super::{gcm::GcmKey, salted::Password};
use alloc::{string::String, vec::Vec};

/// All keys, and which of them writes.
#[derive(Debug)]
pub(super) struct Keys {
    /// For values without a prefix, in the order in which they are tried; the first one writes.
    pub(super) legacy: Vec<Legacy>,
    /// For values with a prefix.
    pub(super) rows: Vec<Row>,
    pub(super) writer: Writer,
    /// Whether the values are of an export, where a colon has no meaning.
    pub(super) export: bool,
}

impl Keys {
    pub(super) fn row(&self, id: &str) -> Option<(usize, &Row)> {
        self.rows.iter().enumerate().find(|(_, row)| row.id == id)
    }
}

/// What writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// The first key for values without a prefix.
    Legacy,
    /// The same, but n8n reads such values with a row that holds another key.
    Unreadable,
    /// The row at this place.
    Row(usize),
}

/// A key for values without a prefix.
#[derive(Debug)]
pub(super) struct Legacy {
    /// The place of the instance key, or the id of the row.
    pub(super) name: String,
    pub(super) password: Password,
    pub(super) scheme: &'static str,
}

impl Legacy {
    /// Every key as n8n reads it, and after them, where it makes a difference, as crypto-js did.
    pub(super) fn all(keys: &[(String, &str)]) -> Vec<Self> {
        let legacy = |name: &String, password, scheme| Self {
            name: name.clone(),
            password,
            scheme,
        };
        let now = keys
            .iter()
            .map(|(name, key)| legacy(name, Password::latin1(key), "cbc"));
        let before = keys
            .iter()
            .filter(|(_, key)| !key.is_ascii())
            .map(|(name, key)| legacy(name, Password::utf8(key), "cbc-utf8"));
        now.chain(before).collect()
    }
}

/// The key of a row of `deployment_key`.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) key: RowKey,
}

impl Row {
    pub(super) const fn scheme(&self) -> &'static str {
        match self.key {
            RowKey::Gcm(_) => "prefixed-gcm",
            RowKey::Cbc(_) => "prefixed-cbc",
        }
    }
}

/// The algorithm of the row decides, not the value.
#[derive(Debug)]
pub(super) enum RowKey {
    Gcm(GcmKey),
    Cbc(Password),
}
