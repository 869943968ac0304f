//! The WASM door: converts, calls the core, maps errors.
//!
//! Values cross as bytes in a shared buffer (see `memory`), never as JavaScript strings, so that
//! hot paths are quick and every copy of a secret can be wiped. Reports without secrets cross as
//! objects.

pub mod argon2;
pub mod batch;
pub mod blind_index;
pub mod codec;
pub mod column;
pub mod context;
pub mod envelope;
pub mod error;
#[cfg_attr(not(feature = "codecs"), path = "foreign_left_out.rs")]
mod foreign;
pub mod ids;
pub mod key;
pub mod keyring;
pub mod keyset;
pub mod live;
#[cfg_attr(not(feature = "codecs"), path = "manifest_left_out.rs")]
pub mod manifest;
pub mod memory;
#[cfg_attr(not(feature = "codecs"), path = "n8n_left_out.rs")]
pub mod n8n;
mod options;
pub mod random;
mod report;
mod shown;
mod slot;
pub mod source;

use std::alloc::System;
use zeroizing_alloc::ZeroAlloc;

/// Whatever is freed is wiped, also what libraries work on: compression, JSON, numbers.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);
