//! Field-level encryption with key rotation: the Reseal envelope, keyrings and blind indexes.
//!
//! A value is sealed under the primary key of a [`Keyring`], bound to a [`Context`] that says
//! where it belongs, and stored as text or bytes. Keys rotate by introducing and promoting; a
//! stored value is brought to the primary key by [`Keyring::reseal`].
//!
//! ```
//! use reseal::{Context, Key, KeyUse, Keyring, Mode, OsEntropy};
//!
//! let key = Key::generate(KeyUse::Data, &mut OsEntropy)?;
//! let ring = Keyring::builder().primary(key).build()?;
//! let ctx = Context::new().with("table", "users")?.with("column", "ssn")?.with("row", 42)?;
//! let stored = ring.seal(b"078-05-1120", &ctx, Mode::Random, &mut OsEntropy)?;
//! assert_eq!(*ring.open(&stored, &ctx)?, b"078-05-1120");
//! # Ok::<(), reseal::Error>(())
//! ```
//!
//! The same bytes are read and written by the npm and pip packages `reseal`. The format is
//! specified in `spec/envelope.md`; comments name its sections.
//!
//! # Features
//! - `os-entropy` (default): [`OsEntropy`], the operating system's generator. Without it the crate
//!   needs only `core` and `alloc`, and you bring an [`Entropy`].
//! - `passphrase`: [`Argon2id::derive`], for keysets that a passphrase protects.
//! - `manifest`: the validated description of a database, see [`manifest`]; it brings all codecs.
//! - `job`: the bulk job over the columns of a manifest, see [`job`]; it brings the manifest.
//! - `hazmat`: fixed nonces and bare primitives for test vectors.
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
pub use live::Pace;
#[cfg(feature = "os-entropy")]
pub use random::OsEntropy;
pub use random::{Entropy, EntropyKind};
#[doc(hidden)]
pub use source::looks_like_path;
pub use source::{ENV_NAMES, Loaded, Source, SourceFile, SourceKind, Unlock, Want, WantKind};
pub use time::Timestamp;
pub use value::ValueType;
pub use zeroize::Zeroizing;
