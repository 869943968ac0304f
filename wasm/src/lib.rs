//! The WASM door: converts, calls the core, maps errors.
//!
//! Values cross as bytes in a shared buffer (see `memory`), never as JavaScript strings, so that
//! hot paths are quick and every copy of a secret can be wiped. Reports without secrets cross as
//! objects.

#![no_std]

extern crate alloc;
// Where this is no module: clippy and the documentation want a panic handler and an allocator too.
#[cfg(not(target_arch = "wasm32"))]
extern crate std;

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
#[cfg(target_arch = "wasm32")]
mod runtime;
mod shown;
mod slot;
pub mod source;

#[cfg(target_arch = "wasm32")]
use core::arch::wasm32::unreachable as trap;
#[cfg(not(target_arch = "wasm32"))]
use std::process::abort as trap;
