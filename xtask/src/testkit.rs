//! `cargo xtask testkit`

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::process::Command;

use crate::files::{copy, root, run as run_command, target_dir};
use crate::{Result, wasm};

/// Builds the library twice and puts both where the runners look for them: native as Rust's tests have
/// it, and for WASM as the packages have it, so that little is compiled again.
pub(crate) fn run() -> Result {
    let out = root().join("target/testkit");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo.args([
        "build",
        "--quiet",
        "--locked",
        "--lib",
        "--package",
        "reseal-testkit",
    ]);
    run_command(&mut cargo)?;
    let native = format!("{DLL_PREFIX}reseal_testkit{DLL_SUFFIX}");
    copy(
        &target_dir().join("debug").join(&native),
        &out.join(&native),
    )?;
    copy(
        &wasm::build("reseal-testkit", wasm::RELEASE, true, true)?,
        &out.join("reseal_testkit.wasm"),
    )?;
    println!("testkit: {}", out.display());
    Ok(())
}
