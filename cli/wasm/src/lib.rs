//! The door of the command for Node: converts, calls the host in `wasm/ts/cli-host.ts`, maps errors.

pub mod host;

use wasm_bindgen::prelude::wasm_bindgen;

/// Runs the command with its arguments, without its name, and gives the exit code.
#[wasm_bindgen]
#[expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen gives lists of strings as their own"
)]
pub fn run(args: Vec<String>, host: &host::JsHost) -> u8 {
    reseal_cli::run(&args, &mut host::Door(host))
}
