//! Typed values: each spelling gives its canonical form or its error.

use super::{Outcome, Report, parse, same, unexpected};
use reseal::{Mode, ValueType};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(rename = "values")]
    _values: String,
    #[serde(rename = "generated_by", default)]
    _generated_by: String,
    cases: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "id")]
    _id: String,
    #[serde(rename = "type")]
    kind: String,
    mode: Option<String>,
    input: String,
    canonical: Option<String>,
    expect: Option<String>,
    #[serde(rename = "note", default)]
    _note: String,
}

pub(super) fn run(file: File) -> Report {
    let mut report = Report::default();
    for (number, case) in file.cases.into_iter().enumerate() {
        let id = case.get("id").and_then(Value::as_str);
        let id = id.map_or_else(|| format!("cases[{number}]"), Into::into);
        report.case(id, parse(case).and_then(|case: Case| check(&case)));
    }
    report
}

fn check(case: &Case) -> Outcome {
    let kind = ValueType::parse(&case.kind).map_err(unexpected)?;
    let mode = case.mode.as_deref().unwrap_or("random");
    let mode = Mode::parse(mode).map_err(unexpected)?;
    let given = kind.canonical(case.input.as_bytes(), mode);
    let canonical = match (&case.canonical, &case.expect) {
        (Some(canonical), None) => canonical.as_bytes(),
        (None, Some(code)) => return refused(given, code),
        _ => return Err("expected one of canonical and expect".into()),
    };
    let given = given.map_err(unexpected)?;
    same("the canonical form", &&*given, &canonical)?;
    let again = kind.canonical(canonical, mode).map_err(unexpected)?;
    same("the form of the canonical form", &&*again, &canonical)
}

fn refused<T>(given: reseal::Result<T>, code: &str) -> Outcome {
    match given {
        Ok(_) => Err(format!("passed, expected {code}")),
        Err(error) => same("the code", &error.code().as_str(), &code),
    }
}
