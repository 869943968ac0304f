//! A store that a live ring follows: what it held last, and what is expected of what comes next.

use crate::{error::Result, keyset_store::KeysetStore};
use pyo3::{intern, prelude::*};
use reseal::{Expect, Loaded};
use std::sync::{Mutex, PoisonError};

/// A store that is read again and again. Its lock is held only while native code runs that cannot
/// wait.
#[derive(Debug)]
pub(crate) struct Followed {
    store: Py<KeysetStore>,
    last: Mutex<Option<Last>>,
}

#[derive(Debug)]
struct Last {
    document: Vec<u8>,
    ring: String,
    generation: u64,
    lease_seconds: u32,
}

impl Followed {
    /// Errors: invalid-argument where the store cannot be read in the background of others.
    pub(crate) fn new(store: &Bound<'_, KeysetStore>) -> Result<Self> {
        store.call_method0(intern!(store.py(), "_check_followed"))?;
        Ok(Self {
            store: store.clone().unbind(),
            last: Mutex::new(None),
        })
    }

    /// What the store holds now; no ring where it holds the same as before.
    pub(crate) fn load(&self, py: Python<'_>) -> Result<Loaded> {
        let store = self.store.bind(py);
        let document: Vec<u8> = store.call_method0(intern!(py, "_read"))?.extract()?;
        if let Some(loaded) = self.unchanged(&document) {
            return Ok(loaded);
        }
        let native = store.get();
        let keys = native.keys(py)?;
        let keyset = KeysetStore::unlock(py, document.clone(), keys, &self.expected(native))?;
        let (ring, info) = keyset.parts()?;
        let last = Last {
            document,
            ring: info.ring,
            generation: info.generation,
            lease_seconds: info.lease_seconds,
        };
        let loaded = last.loaded(Some(ring));
        *self.lock() = Some(last);
        Ok(loaded)
    }

    fn unchanged(&self, document: &[u8]) -> Option<Loaded> {
        let last = self.lock();
        let last = last.as_ref().filter(|last| last.document == document)?;
        Some(last.loaded(None))
    }

    /// An older copy than the last one, or another ring, is refused.
    fn expected(&self, store: &KeysetStore) -> Expect {
        match &*self.lock() {
            None => store.expected().clone(),
            Some(last) => Expect {
                ring: Some(last.ring.clone()),
                min_generation: last.generation,
            },
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Last {
    fn loaded(&self, ring: Option<reseal::Keyring>) -> Loaded {
        Loaded {
            ring,
            lease_seconds: self.lease_seconds,
            generation: Some(self.generation),
            ring_id: Some(self.ring.clone()),
        }
    }
}
