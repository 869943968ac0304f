#![doc = include_str!("../README.md")]
//! # Where to begin
//! - [`Keyring`] seals, opens and reseals; a [`Context`] says where a value belongs, and a [`Field`] keeps
//!   what is the same for a column.
//! - [`Key`] is made, written down and read back; a [`KeysetDocument`] holds the keys of a team.
//! - [`Column`] reads and writes what other systems stored, see [`codec`].
//! - [`ErrorCode`] lists what can go wrong.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod blind_index;
mod canary;
pub mod codec;
mod column;
mod context;
mod envelope;
mod error;
#[cfg(feature = "hazmat")]
pub mod hazmat;
mod ids;
#[cfg(feature = "job")]
pub mod job;
mod json;
mod kdf;
mod key;
mod keyring;
mod keyset;
mod live;
#[cfg(feature = "manifest")]
pub mod manifest;
mod padding;
mod pae;
mod random;
mod sorted;
mod source;
mod time;
mod value;

pub use blind_index::{BlindIndex, Normalizer};
pub use column::{Classified, Column, NamedCodec, Origin, Outcome, Read};
pub use context::{
    Context, ContextValue, MAX_CONTEXT_NAME_CHARS, MAX_CONTEXT_PAIRS, MAX_CONTEXT_VALUE_BYTES,
};
pub use envelope::{
    Inspection, MAX_PLAINTEXT_BYTES, MAX_TEXT_CHARS, OVERHEAD_BYTES, TEXT_PREFIX_CHARS, inspect,
    inspect_binary, oversized_text_error, to_binary, to_text,
};
pub use error::{Error, ErrorClass, ErrorCode, Result};
pub use ids::{KeyId, KeyState, KeyUse, Mode};
pub use key::{KEY_BYTES, Key};
pub use keyring::{Contexts, Field, KeyInfo, Keyring, KeyringBuilder, OpenBatch, SealBatch};
pub use keyset::{
    Argon2id, Expect, ExternalKek, KekInfo, KekKind, KekProvider, Keyset, KeysetDocument,
    KeysetInfo, KeysetKey, MAX_KEKS, MAX_KEYSET_BYTES, MAX_LABEL_CHARS, MAX_LEASE_SECONDS,
    MemoryProvider, NewKek, Promotion,
};
pub use live::{Elapsed, Pace};
#[cfg(feature = "os-entropy")]
pub use random::OsEntropy;
pub use random::{Entropy, EntropyKind};
#[doc(hidden)]
pub use source::looks_like_path;
pub use source::{ENV_NAMES, Loaded, Source, SourceFile, SourceKind, Unlock, Want, WantKind};
pub use time::Timestamp;
pub use value::ValueType;
pub use zeroize::Zeroizing;
