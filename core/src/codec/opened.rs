//! A value that was opened, and how far it can be believed.

use crate::error::{Result, auth_failed};
use alloc::{string::String, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

/// A value that was opened, and how.
#[derive(Clone)]
pub struct Opened {
    /// The plaintext; wiped on drop.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// The key that opened it: its id, or its place in the list of the codec, counted from 1.
    pub key: Option<String>,
    /// The variant of the format.
    pub scheme: &'static str,
    /// The label of the plaintext's encoding, as Ruby names it, where the format has such labels.
    /// It goes to [`Codec::seal_labelled`](super::Codec::seal_labelled).
    pub encoding: Option<&'static str>,
    /// Whether the codec would write it under the same key and scheme.
    pub current: bool,
    /// How far the plaintext can be believed.
    pub trust: Trust,
}

/// The key and the scheme; never the plaintext.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("key", &self.key)
            .field("scheme", &self.scheme)
            .field("encoding", &self.encoding)
            .field("current", &self.current)
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

/// How far a plaintext can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The format authenticates it.
    Authenticated,
    /// It was never encrypted: whoever can write to the database can have written it.
    Plain,
    /// The format does not authenticate; the plaintext is what [`Expect`] says.
    Checked,
    /// The format does not authenticate, and nothing was checked: a wrong key gives garbage now
    /// and then. Such a value is not resealed.
    Unchecked,
}

/// What the plaintext of a format without authentication must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// A JSON document.
    Json,
    /// UTF-8 text.
    Utf8,
}

impl Expect {
    /// Fails with `auth-failed` where the plaintext is something else.
    #[cfg_attr(
        not(any(feature = "metabase", feature = "n8n", feature = "sqlalchemy-utils")),
        expect(dead_code, reason = "only formats without authentication ask")
    )]
    pub(crate) fn check(self, plaintext: &[u8]) -> Result<()> {
        let fits = match self {
            // What is ignored is not checked to be UTF-8.
            Self::Json => core::str::from_utf8(plaintext)
                .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()),
            Self::Utf8 => core::str::from_utf8(plaintext).is_ok(),
        };
        if fits { Ok(()) } else { Err(auth_failed()) }
    }
}
