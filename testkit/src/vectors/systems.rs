//! The files of other systems: what they stored is recognised, read and, byte for byte, written.

mod case;
mod codecs;
mod fernet;
mod freeboard;
mod libraries;
mod metabase;
mod n8n;
mod rails;
mod sentry;

use super::{Outcome, Report};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, Deserialize)]
pub(super) struct File {
    system: String,
    vectors: Vec<Value>,
    /// What the file says about itself.
    #[serde(flatten)]
    about: Map<String, Value>,
}

/// Each case by itself: what is wrong with one stops no other.
pub(super) fn run(file: &File) -> Result<Report, String> {
    let check = check_of(&file.system)?;
    if let Some((name, _)) = file.about.iter().find(|(_, value)| value.is_array()) {
        return Err(format!("no runner knows the group {name}"));
    }
    let mut report = Report::default();
    for (number, case) in file.vectors.iter().enumerate() {
        match case.get("id").and_then(Value::as_str) {
            Some(id) => report.case(id, check(case)),
            None => report.case(format!("vectors[{number}]"), Err("it has no id".into())),
        }
    }
    Ok(report)
}

fn check_of(system: &str) -> Result<fn(&Value) -> Outcome, String> {
    match system {
        "django-cryptography" => Ok(libraries::django_cryptography),
        "django-fernet" => Ok(libraries::django_fernet),
        "fernet" => Ok(fernet::check),
        "fernet-fields" => Ok(libraries::fernet_fields),
        "freeboard" => Ok(freeboard::check),
        "metabase" => Ok(metabase::check),
        "n8n" => Ok(n8n::check),
        "rails" => Ok(rails::check),
        "sentry" => Ok(sentry::check),
        "sqlalchemy-utils" => Ok(libraries::sqlalchemy_utils),
        _ => Err(format!("no runner knows the system {system}")),
    }
}
