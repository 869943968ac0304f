//! Keysets: the moves of keys, key-encrypting keys, documents, and what is refused.

mod documents;
mod introductions;
mod leases;
mod rotation;
mod saves;
mod states;
mod wraps;

use crate::common::key;
use reseal::{
    ErrorCode, Expect, Key, KeyId, KeyState, KeyUse, Keyset, KeysetDocument, NewKek, OsEntropy,
    Promotion, Result, Timestamp,
};

const BACK: Promotion = Promotion {
    early: false,
    back: true,
};
const PLAIN: Promotion = Promotion {
    early: false,
    back: false,
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(1_795_132_800 + seconds).unwrap()
}

fn code<T: core::fmt::Debug>(result: Result<T>) -> ErrorCode {
    result.unwrap_err().code()
}

/// A keyset with a primary data key, stored once, and its key-encrypting key.
fn keyset(lease_seconds: u32) -> (Keyset, Key, KeyId) {
    let kek = key(KeyUse::Kek);
    let new = NewKek::key(kek.clone()).unwrap();
    let mut keyset = Keyset::create(new, lease_seconds, at(0), &mut OsEntropy).unwrap();
    let first = add(&mut keyset, KeyUse::Data, 0);
    keyset.promote(first, at(0), PLAIN).unwrap();
    store(&mut keyset, 0);
    (keyset, kek, first)
}

fn add(keyset: &mut Keyset, key_use: KeyUse, seconds: u64) -> KeyId {
    keyset.introduce(key(key_use), "", at(seconds)).unwrap()
}

fn store(keyset: &mut Keyset, seconds: u64) -> String {
    let text = keyset.save(at(seconds), &mut OsEntropy).unwrap();
    keyset.saved(&text).unwrap();
    text
}

fn load(text: &str, keks: &[&Key]) -> Result<Keyset> {
    let keks: Vec<Key> = keks.iter().map(|kek| (*kek).clone()).collect();
    KeysetDocument::parse(text.as_bytes())?.unlock(&keks, &Expect::default())
}

fn state(keyset: &Keyset, id: KeyId) -> KeyState {
    let keys = keyset.info().keys;
    keys.iter().find(|key| key.id == id).unwrap().state
}
