//! The ciphers of [`reseal`](https://docs.rs/reseal), ready made. This crate has no interface of its
//! own: what it offers may change with every release of `reseal`, whose part it is.
//!
//! It is a crate so that it is compiled by itself. Ciphers are generic code, which takes the
//! optimisation of the crate that uses it; here all of it is used, and made fast, while the crates
//! around it may be made small. That is why nothing here is inlined into them.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(feature = "cbc")]
mod cbc;
mod mac;
mod secret;
mod text;
mod xaes;

#[cfg(feature = "cbc")]
pub use cbc::{BLOCK_BYTES, Cbc128, Cbc256};
pub use mac::{MacKey, expand};
pub use secret::Secret32;
pub use text::is_base64url;
pub use xaes::{Forged, Gcm, IV_BYTES, NONCE_BYTES, SALT_BYTES, TAG_BYTES, TooLong, Xaes};
