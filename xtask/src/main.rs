//! Build steps that a shell cannot do well. `cargo xtask` lists them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool"
)]

mod files;
mod no_std;
mod npm;
mod testkit;
#[cfg(test)]
mod versions;
mod wasm;

use std::process::ExitCode;

/// A build step fails with a sentence for the person at the terminal.
type Result<T = ()> = core::result::Result<T, Box<dyn core::error::Error>>;

const USAGE: &str = "\
usage: cargo xtask STEP
  npm       build the npm package in wasm/dist (needs `npm ci` in wasm/)
  testkit   build the vector runners' library, native and WASM, in target/testkit
  no-std    prove that the core needs only `core` and `alloc`
  wasm-how  say how WASM is built on this machine";

fn main() -> ExitCode {
    let step = std::env::args().nth(1).unwrap_or_default();
    let done = match step.as_str() {
        "npm" => npm::run(),
        "testkit" => testkit::run(),
        "no-std" => no_std::run(),
        "wasm-how" => wasm::Toolchain::detect().map(|how| println!("{how}")),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {step}: {error}");
            ExitCode::FAILURE
        }
    }
}
