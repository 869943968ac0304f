//! Runs vector files of every shape and counts what ran.

mod frozen;
mod keyset;
mod manifest;
mod reseal_v1;
mod systems;
mod values;
mod wycheproof;
mod xaes;

use core::fmt;
use serde_json::Value;
use std::{fs, path::Path};

/// What came of one file.
#[derive(Debug, Default)]
pub struct Report {
    /// Cases that gave what the file expects.
    pub passed: usize,
    /// Cases that did not, each with what happened.
    pub failed: Vec<String>,
    /// Cases that do not apply or wait for a later release, with the reason.
    pub left_out: Vec<(usize, &'static str)>,
}

impl Report {
    /// Cases that ran.
    #[must_use]
    pub fn run(&self) -> usize {
        self.passed + self.failed.len()
    }

    /// Takes down one case.
    fn case(&mut self, id: impl fmt::Display, outcome: Outcome) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(what) => self.failed.push(format!("{id}: {what}")),
        }
    }

    fn leave_out(&mut self, cases: usize, reason: &'static str) {
        if cases > 0 {
            self.left_out.push((cases, reason));
        }
    }
}

/// A case that passed, or what happened instead.
type Outcome = Result<(), String>;

/// Runs one file of any shape; `iterations` bounds the accumulated hash of XAES.
///
/// # Errors
/// The file cannot be read, or its shape is unknown.
pub fn run_file(path: &Path, iterations: u32) -> Result<Report, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let member = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let (format, algorithm, schema) = (member("format"), member("algorithm"), member("schema"));
    if member("values") == "v1" {
        return parse(value).map(values::run);
    }
    if !member("system").is_empty() {
        return parse(value).and_then(|file| systems::run(&file));
    }
    match (format, algorithm, schema) {
        ("RS1 vectors", _, _) => parse(value).and_then(reseal_v1::run),
        ("reseal-manifest-v1", _, _) => parse(value).map(manifest::run),
        ("RS1 frozen", _, _) => parse(value).and_then(|file| frozen::run(&file)),
        (_, "XAES-256-GCM", _) => parse(value).map(|file| xaes::run(&file, iterations)),
        (_, "AES-GCM", "aead_test_schema_v1.json") => {
            parse(value).map(|file| wycheproof::aead(&file))
        }
        (_, "HKDF-SHA-256", "hkdf_test_schema_v1.json") => {
            parse(value).map(|file| wycheproof::hkdf(&file))
        }
        (_, "HMACSHA256", "mac_test_schema_v1.json") => {
            parse(value).map(|file| wycheproof::mac(&file))
        }
        _ => Err("no runner knows the shape of this file".into()),
    }
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// Compares what came out with what a file expects.
fn same<T: PartialEq>(what: &str, got: &T, expected: &T) -> Outcome {
    if got == expected {
        Ok(())
    } else {
        Err(format!("{what} is not as in the file"))
    }
}

/// An error of the core in a case that should pass.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that `map_err` takes"
)]
fn unexpected(error: reseal::Error) -> String {
    format!("{} ({error})", error.code().as_str())
}

/// The code of an error kind as the files name it: `AuthFailed` is `auth-failed`.
fn refused<T>(result: reseal::Result<T>, expected: &str) -> Outcome {
    match result {
        Ok(_) => Err(format!("passed, expected {expected}")),
        Err(error) if format!("{:?}", error.code()) == expected => Ok(()),
        Err(error) => Err(format!("{:?}, expected {expected}", error.code())),
    }
}
