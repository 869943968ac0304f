//! Build steps that a shell cannot do well. `cargo xtask` lists them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool"
)]

mod api;
mod files;
mod licences;
mod no_std;
mod npm;
mod products;
mod sbom;
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
  wasm-how  say how WASM is built on this machine
  api       list the public interface of the crate in core/public-api.txt
  licences  list the crates in each package and their licences, in its THIRD-PARTY.txt
  sbom      the same for programs, in its sbom.cdx.json
The last three compare instead with --check.";

fn main() -> ExitCode {
    let step = std::env::args().nth(1).unwrap_or_default();
    let check = std::env::args().nth(2).as_deref() == Some("--check");
    let done = match step.as_str() {
        "npm" => npm::run(),
        "testkit" => testkit::run(),
        "no-std" => no_std::run(),
        "api" => api::run(check),
        "licences" => licences::run(check),
        "sbom" => sbom::run(check),
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
