//! `cargo xtask no-std`

use crate::{Result, wasm};

/// Builds the program of testkit/no-std, whose lib.rs tells why that is a proof.
pub(crate) fn run() -> Result {
    wasm::build("reseal-no-std", wasm::RELEASE, false, true)?;
    println!("the core links without std");
    Ok(())
}
