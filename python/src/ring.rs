//! The ring of an object that seals and opens: one that never changes, or one that follows a source.

use crate::{
    error::{Failure, Result},
    live::Live,
};
use alloc::{borrow::Cow, sync::Arc};
use pyo3::prelude::*;
use reseal::{Error, ErrorCode, KeyUse, Keyring};

/// How often a call begins anew with a newer ring.
pub(crate) const NEWER_RINGS: usize = 2;

/// Where the ring of each call comes from.
#[derive(Clone, Debug)]
pub(crate) enum Ring {
    Fixed(Arc<Keyring>),
    Live(Arc<Live>),
}

impl Ring {
    /// Ids and states, without a look at any source.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Fixed(ring) => shown(ring),
            Self::Live(live) => live.shown(),
        }
    }

    /// The ring to open with, and to ask for its keys.
    pub(crate) fn to_open(&self, py: Python<'_>) -> Result<Cow<'_, Arc<Keyring>>> {
        match self {
            Self::Fixed(ring) => Ok(Cow::Borrowed(ring)),
            Self::Live(live) => live.to_open(py).map(Cow::Owned),
        }
    }

    /// The ring to seal with: that of a source which confirmed it in time.
    pub(crate) fn to_seal(&self, py: Python<'_>) -> Result<Cow<'_, Arc<Keyring>>> {
        match self {
            Self::Fixed(ring) => Ok(Cow::Borrowed(ring)),
            Self::Live(live) => live.to_seal(py).map(Cow::Owned),
        }
    }

    /// That this ring may seal, unless nothing is to be sealed.
    pub(crate) fn check_lease(
        &self,
        py: Python<'_>,
        is_needless: impl FnOnce() -> Result<bool, Error>,
    ) -> Result<()> {
        match self {
            Self::Live(live) if !is_needless()? => live.check_lease(py),
            _ => Ok(()),
        }
    }

    /// What `open` gives; once more where the ring lacks the key, and its source has a newer ring.
    pub(crate) fn open<T>(
        &self,
        py: Python<'_>,
        open: impl Fn(&Keyring) -> Result<T>,
    ) -> Result<T> {
        self.open_all(
            py,
            open,
            |opened| matches!(opened, Err(Failure::Reseal(error)) if is_unknown_key(error)),
        )?
    }

    /// As `open`, for results of any kind.
    pub(crate) fn open_all<T>(
        &self,
        py: Python<'_>,
        open: impl Fn(&Keyring) -> T,
        lacks_key: impl Fn(&T) -> bool,
    ) -> Result<T> {
        let mut ring = self.to_open(py)?;
        let mut opened = open(&ring);
        for _ in 0..NEWER_RINGS {
            let Self::Live(live) = self else { break };
            if !lacks_key(&opened) {
                break;
            }
            let Some(newer) = live.newer(py, &ring)? else {
                break;
            };
            opened = open(&newer);
            ring = Cow::Owned(newer);
        }
        Ok(opened)
    }
}

pub(crate) fn shown(ring: &Keyring) -> String {
    let keys: Vec<_> = ring
        .keys()
        .map(|key| {
            let key_use = key.key_use.map_or("key", KeyUse::as_str);
            format!("{key_use} {} {}", key.id, key.state.as_str())
        })
        .collect();
    format!("Keyring({})", keys.join(", "))
}

pub(crate) fn is_unknown_key(error: &Error) -> bool {
    error.code() == ErrorCode::UnknownKey
}
