//! The door of the command for Node: converts, calls the host in `wasm/ts/cli-host.ts`, maps errors.

pub mod host;

use std::alloc::System;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroizing_alloc::ZeroAlloc;

/// Whatever is freed is wiped, also what libraries work on: compression, JSON, numbers.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// Runs the command with its arguments, without its name, and gives the exit code.
#[wasm_bindgen]
#[expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen gives lists of strings as their own"
)]
pub fn run(args: Vec<String>, host: &host::JsHost) -> u8 {
    reseal_cli::run(&args, &mut host::Door(host))
}
