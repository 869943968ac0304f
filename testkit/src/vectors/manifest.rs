//! Manifests: what each describes, or all that is wrong with it.

use super::{Outcome, Report, parse, same};
use reseal::manifest::{ColumnSpec, Fact, IndexSpec, JsonPath, Manifest};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(rename = "format")]
    _format: String,
    cases: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "id")]
    _id: String,
    toml: String,
    valid: Option<Value>,
    invalid: Option<Value>,
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
    let read = Manifest::parse(&case.toml);
    match (&case.valid, &case.invalid) {
        (Some(valid), None) => {
            let manifest = read.map_err(super::unexpected)?;
            same("the manifest", &shown(&manifest), valid)
        }
        (None, Some(invalid)) => {
            let error = read.err().ok_or("passed, expected an error")?;
            let told = json!({ "code": error.code().as_str(), "message": error.message() });
            same("the error", &told, invalid)
        }
        _ => Err("expected one of valid and invalid".into()),
    }
}

/// All that a manifest says.
fn shown(manifest: &Manifest) -> Value {
    let codecs = manifest.codecs().map(|codec| {
        json!({
            "name": codec.name(),
            "kind": codec.kind().as_str(),
            "writes_plaintext": codec.writes_plaintext(),
        })
    });
    let warnings = manifest.warnings().iter().map(ToString::to_string);
    json!({
        "codecs": codecs.collect::<Vec<_>>(),
        "columns": manifest.columns().iter().map(column).collect::<Vec<_>>(),
        "warnings": warnings.collect::<Vec<_>>(),
    })
}

fn column(spec: &ColumnSpec) -> Value {
    let context = spec.context.iter().map(|(name, fact)| match fact {
        Fact::Text(text) => (name.clone(), json!(text)),
        Fact::Column(column) => (name.clone(), json!({ "column": column })),
    });
    let earlier = spec.earlier_facts().map(|facts| {
        let pairs = facts
            .into_iter()
            .map(|(name, text)| (name.to_owned(), json!(text)));
        pairs.collect::<Map<_, _>>()
    });
    let readers = spec.readers.iter().map(|(name, kinds)| {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        (name.clone(), json!(kinds))
    });
    json!({
        "table": spec.table,
        "column": spec.column,
        "row_id": spec.row_id,
        "where": spec.filter,
        "path": spec.path.as_ref().map(JsonPath::to_string),
        "context": context.collect::<Map<_, _>>(),
        "bind_row": spec.bind_row,
        "earlier_contexts": earlier.collect::<Vec<_>>(),
        "type": spec.value_type.as_str(),
        "mode": spec.mode.as_str(),
        "write": spec.write,
        "read": spec.read,
        "readers": readers.collect::<Map<_, _>>(),
        "indexes": spec.indexes.iter().map(index).collect::<Vec<_>>(),
    })
}

fn index(index: &IndexSpec) -> Value {
    json!({
        "name": index.name,
        "column": index.column,
        "normalizer": index.normalizer.as_str(),
        "bits": index.bits,
    })
}
