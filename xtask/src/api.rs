//! `cargo xtask api`: the public interface of the crate, a line per item, in `core/public-api.txt`.
//!
//! Rustdoc lists it as JSON, whose format belongs to the compiler. A compiler with another format than
//! the one that is read here is told so, and nothing is compared.

use core::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::files::{root, run as run_command, target_dir};
use crate::products::{cargo, write_or_check};

/// What the crate `public-api` in Cargo.lock reads.
const FORMAT: u64 = 57;

/// Writes the list, or checks it.
pub(crate) fn run(check: bool) -> Result {
    let list = rustdoc()?;
    let found: serde_json::Value = serde_json::from_str(&fs::read_to_string(&list)?)?;
    let format = found
        .get("format_version")
        .and_then(serde_json::Value::as_u64);
    if format != Some(FORMAT) {
        println!(
            "api: not compared: this compiler lists it in format {format:?}, and {FORMAT} is read"
        );
        return Ok(());
    }
    let api = public_api::Builder::from_rustdoc_json(&list)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()?;
    let mut text = String::from(HEAD);
    for item in api.items() {
        writeln!(text, "{item}")?;
    }
    write_or_check(&root().join("core/public-api.txt"), &text, check)
}

const HEAD: &str = "\
# The public interface of the crate with all features; `cargo xtask api` writes it. A line that goes, or
# changes, breaks somebody.
";

fn rustdoc() -> Result<PathBuf> {
    let wrapper: &Path = &root().join("scripts/rustdoc-json.sh");
    run_command(
        cargo()
            .env("RUSTDOC", wrapper)
            .args(["rustdoc", "--quiet", "--locked", "--package", "reseal"])
            .args(["--all-features", "--lib", "--"])
            .args(["-Zunstable-options", "--output-format=json"]),
    )?;
    Ok(target_dir().join("doc/reseal.json"))
}
