//! What a manifest says, as objects for JavaScript. Names and what they stand for are pairs.

use reseal::{
    ENV_NAMES,
    codec::CodecKind,
    manifest::{
        CodecSpec, ColumnSpec, Fact, IndexSpec, KeyringSource, KeysetUnlock, Manifest, Problem,
        SecretRef, Want,
    },
};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Facts<'m> {
    codecs: Vec<CodecFacts<'m>>,
    columns: Vec<ColumnFacts<'m>>,
    warnings: Vec<Warning<'m>>,
}

pub(super) fn of(manifest: &Manifest) -> Facts<'_> {
    Facts {
        codecs: manifest
            .codecs()
            .map(|spec| codec(manifest, spec))
            .collect(),
        columns: manifest.columns().iter().map(column).collect(),
        warnings: manifest.warnings().iter().map(warning).collect(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CodecFacts<'m> {
    name: &'m str,
    kind: &'static str,
    writes_plaintext: bool,
    wants: Vec<Wanted>,
    source: Option<SourceFacts>,
}

/// Where a ring comes from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceFacts {
    /// Codecs with one number have one source.
    number: usize,
    variables: Vec<String>,
    /// Whether these are variables that name their files themselves.
    by_environment: bool,
}

fn codec<'m>(manifest: &Manifest, spec: &'m CodecSpec) -> CodecFacts<'m> {
    let name = spec.name();
    let wants = manifest.wants_of(name).unwrap_or_default();
    let ring = manifest.ring_of(name).unwrap_or_default();
    CodecFacts {
        name,
        kind: spec.kind().as_str(),
        writes_plaintext: spec.writes_plaintext(),
        wants: wants.into_iter().map(Wanted::from).collect(),
        source: ring.map(|ring| source(manifest, &ring.source)),
    }
}

fn source(manifest: &Manifest, source: &KeyringSource) -> SourceFacts {
    let mut rings = manifest
        .codecs()
        .filter_map(|spec| manifest.ring_of(spec.name()).ok().flatten());
    let number = rings.position(|ring| ring.source == *source);
    SourceFacts {
        number: number.unwrap_or(usize::MAX),
        variables: variables(source),
        by_environment: matches!(source, KeyringSource::Env),
    }
}

fn variables(source: &KeyringSource) -> Vec<String> {
    match source {
        KeyringSource::Env => ENV_NAMES.map(str::to_owned).to_vec(),
        KeyringSource::Keyset {
            unlock:
                KeysetUnlock::Kek(SecretRef::Env(name)) | KeysetUnlock::Passphrase(SecretRef::Env(name)),
            ..
        } => vec![name.clone()],
        _ => Vec::new(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    kind: &'static str,
    name: String,
    named_by: String,
    columns: &'static [&'static str],
}

impl From<Want> for Wanted {
    fn from(want: Want) -> Self {
        Self {
            kind: want.kind.as_str(),
            columns: want.kind.columns(),
            name: want.name,
            named_by: want.named_by,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ColumnFacts<'m> {
    table: &'m str,
    column: &'m str,
    row_id: &'m [String],
    r#where: Option<&'m str>,
    path: Option<String>,
    context: Vec<(&'m str, Bound<'m>)>,
    bind_row: bool,
    earlier_contexts: Vec<Vec<(&'m str, &'m str)>>,
    r#type: &'static str,
    mode: &'static str,
    write: &'m str,
    read: &'m [String],
    readers: Vec<(&'m str, Vec<&'static str>)>,
    indexes: Vec<Index<'m>>,
}

fn column(spec: &ColumnSpec) -> ColumnFacts<'_> {
    let context = spec.context.iter();
    let readers = spec.readers.iter();
    ColumnFacts {
        table: &spec.table,
        column: &spec.column,
        row_id: &spec.row_id,
        r#where: spec.filter.as_deref(),
        path: spec.path.as_ref().map(ToString::to_string),
        context: context
            .map(|(name, fact)| (name.as_str(), fact.into()))
            .collect(),
        bind_row: spec.bind_row,
        earlier_contexts: spec.earlier_facts().collect(),
        r#type: spec.value_type.as_str(),
        mode: spec.mode.as_str(),
        write: &spec.write,
        read: &spec.read,
        readers: readers
            .map(|(name, kinds)| (name.as_str(), words(kinds)))
            .collect(),
        indexes: spec.indexes.iter().map(Index::from).collect(),
    }
}

fn words(kinds: &[CodecKind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.as_str()).collect()
}

/// Text, or what the row has in a column.
#[derive(Serialize)]
#[serde(untagged)]
enum Bound<'m> {
    Text(&'m str),
    Row { column: &'m str },
}

impl<'m> From<&'m Fact> for Bound<'m> {
    fn from(fact: &'m Fact) -> Self {
        match fact {
            Fact::Text(text) => Self::Text(text),
            Fact::Column(column) => Self::Row { column },
        }
    }
}

#[derive(Serialize)]
struct Index<'m> {
    name: &'m str,
    column: &'m str,
    normalizer: &'static str,
    bits: u16,
}

impl<'m> From<&'m IndexSpec> for Index<'m> {
    fn from(spec: &'m IndexSpec) -> Self {
        Self {
            name: &spec.name,
            column: &spec.column,
            normalizer: spec.normalizer.as_str(),
            bits: spec.bits,
        }
    }
}

#[derive(Serialize)]
struct Warning<'m> {
    place: &'m str,
    line: usize,
    message: &'m str,
    text: String,
}

fn warning(problem: &Problem) -> Warning<'_> {
    Warning {
        place: &problem.place,
        line: problem.line,
        message: &problem.message,
        text: problem.to_string(),
    }
}
