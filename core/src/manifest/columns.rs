//! The columns of a manifest.

mod check;
mod facts;
mod index;
mod together;

pub use facts::Fact;
pub use index::IndexSpec;

use super::{
    codecs::Codecs,
    path::JsonPath,
    problem::{Problem, no_such, shown},
    read::{Table, Value},
};
use crate::{
    blind_index::Normalizer, codec::CodecKind, context::Context, ids::Mode, sorted::SortedMap,
    value::ValueType,
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

const MAX_IDENTIFIER_CHARS: usize = 256;
const MAX_WHERE_CHARS: usize = 4096;
const MODES: [(&str, Mode); 3] = [
    ("random", Mode::Random),
    ("deterministic", Mode::Deterministic),
    ("padded", Mode::Padded),
];

/// A column of a manifest: where it is, what is bound to its values, and in which formats they are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ColumnSpec {
    /// The table, as the database calls it; with a schema before it where one is needed.
    pub table: String,
    /// The column.
    pub column: String,
    /// The columns of a unique key.
    pub row_id: Vec<String>,
    /// `where`: a condition in SQL, where the column has only some rows.
    pub filter: Option<String>,
    /// The members of a JSON column that are sealed.
    pub path: Option<JsonPath>,
    /// What is bound to every value, by name.
    pub context: Vec<(String, Fact)>,
    /// What older values may have in its place.
    pub earlier_contexts: Vec<Context>,
    /// Whether the row id is bound as `row`.
    pub bind_row: bool,
    /// The type of the values.
    pub value_type: ValueType,
    /// The mode of envelopes.
    pub mode: Mode,
    /// The name of the codec that is written.
    pub write: String,
    /// The names of the codecs that are read, without the one that is written.
    pub read: Vec<String>,
    /// Other applications, and the kinds that they can read.
    pub readers: Vec<(String, Vec<CodecKind>)>,
    /// Blind indexes.
    pub indexes: Vec<IndexSpec>,
    /// The kind of the codec that is written.
    pub(super) write_kind: CodecKind,
    /// The first codec of kind reseal, whose ring makes the terms of the indexes.
    pub(super) ring_codec: Option<String>,
    /// What is said where it writes plaintext.
    pub(super) plaintext: Option<Problem>,
}

impl ColumnSpec {
    /// The names of all codecs of the column, the one that is written first.
    pub fn codecs(&self) -> impl Iterator<Item = &str> {
        let read = self.read.iter().map(String::as_str);
        core::iter::once(self.write.as_str()).chain(read)
    }

    /// What is sealed: values of the column's type, or members of a JSON document, which are text.
    #[must_use]
    pub const fn sealed_type(&self) -> ValueType {
        match self.path {
            Some(_) => ValueType::Text,
            None => self.value_type,
        }
    }

    /// Whether what it writes can be read by whoever sees it.
    #[must_use]
    pub const fn writes_plaintext(&self) -> bool {
        self.plaintext.is_some()
    }

    /// The applications that cannot read what the column writes.
    #[must_use]
    pub fn blind_readers(&self) -> Vec<&str> {
        let blind = self
            .readers
            .iter()
            .filter(|(_, kinds)| !kinds.contains(&self.write_kind));
        blind.map(|(name, _)| name.as_str()).collect()
    }

    /// The kind of the codec that is written.
    #[must_use]
    pub const fn write_kind(&self) -> CodecKind {
        self.write_kind
    }

    /// The codec whose ring makes the terms of the indexes.
    #[must_use]
    pub fn index_codec(&self) -> Option<&str> {
        self.ring_codec.as_deref()
    }
}

/// The columns of the member `columns`.
pub(super) fn parse(columns: Option<&Value<'_, '_>>, codecs: &Codecs) -> Vec<ColumnSpec> {
    let items = columns.and_then(Value::list).unwrap_or_default();
    let mut found = Vec::new();
    let mut seen = together::Seen::default();
    for item in items {
        if item.log.is_full() {
            break;
        }
        let Some(mut table) = item.table("a column") else {
            continue;
        };
        if let Some(spec) = parse_one(&mut table, codecs) {
            seen.add(&spec, &table);
            found.push(spec);
        }
        table.finish();
    }
    found
}

fn parse_one(table: &mut Table<'_, '_>, codecs: &Codecs) -> Option<ColumnSpec> {
    let names = (
        identifier(table, "table", "\"users\""),
        identifier(table, "column", "\"ssn\""),
        row_id(table),
    );
    let write = codec(table.required("write", "\"app\"").as_ref(), codecs);
    let read = read(table.value("read"), codecs);
    let bind_row = table.flag("bind_row").unwrap_or_default();
    let spec = ColumnSpec {
        table: names.0.unwrap_or_default(),
        column: names.1.unwrap_or_default(),
        row_id: names.2,
        filter: filter(table),
        path: path(table),
        context: facts::context(table, bind_row),
        earlier_contexts: facts::earlier(table),
        bind_row,
        value_type: table.word("type", "type", &ValueType::ALL.map(|it| (it.as_str(), it))),
        mode: table
            .value("mode")
            .and_then(|value| value.word("mode", &MODES))
            .unwrap_or(Mode::Random),
        read: read
            .into_iter()
            .filter(|name| Some(name) != write.as_ref())
            .collect(),
        readers: readers(table),
        indexes: index::parse(table),
        write_kind: CodecKind::Plain,
        ring_codec: None,
        plaintext: None,
        write: write.unwrap_or_default(),
    };
    check::with_codecs(spec, codecs, table)
}

fn identifier(table: &mut Table<'_, '_>, name: &'static str, example: &str) -> Option<String> {
    let value = table.required(name, example)?;
    let text = value.text()?;
    checked_identifier(&value, text)
}

/// A name of the database, which is quoted before it stands in a statement.
fn checked_identifier(value: &Value<'_, '_>, text: &str) -> Option<String> {
    let long = text.chars().count() > MAX_IDENTIFIER_CHARS;
    if text.is_empty() || long || text.chars().any(char::is_control) {
        value.wrong("this is no name of a table or column");
        return None;
    }
    Some(text.to_owned())
}

fn row_id(table: &mut Table<'_, '_>) -> Vec<String> {
    let Some(value) = table.required("row_id", "[\"id\"]") else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for (item, text) in value.texts() {
        if names.iter().any(|name| name == text) {
            item.wrong(format!("{} is there twice", shown(text)));
        }
        names.extend(checked_identifier(&item, text));
    }
    names
}

fn filter(table: &mut Table<'_, '_>) -> Option<String> {
    let value = table.value("where")?;
    let text = value.text()?;
    let bad = |char: char| char.is_control() && !matches!(char, '\n' | '\r' | '\t');
    if text.trim().is_empty() || text.chars().count() > MAX_WHERE_CHARS || text.chars().any(bad) {
        value.wrong("this is no condition of SQL, as in \"key = 'smtp-password'\"");
    }
    Some(text.to_owned())
}

fn path(table: &mut Table<'_, '_>) -> Option<JsonPath> {
    let value = table.value("path")?;
    let path = JsonPath::parse(value.text()?);
    if path.is_none() {
        value.wrong("a path begins with $ and has .name, ['any name'], [*] or [0] after it");
    }
    path
}

/// The name of a codec that exists.
fn codec(value: Option<&Value<'_, '_>>, codecs: &Codecs) -> Option<String> {
    let value = value?;
    let name = value.text()?;
    if !codecs.contains_key(name) {
        let known: Vec<&str> = codecs.keys().map(String::as_str).collect();
        value.wrong(no_such("codec", name, &known));
        return None;
    }
    Some(name.to_owned())
}

fn read(value: Option<Value<'_, '_>>, codecs: &Codecs) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (item, text) in value.map(|value| value.texts()).unwrap_or_default() {
        if names.iter().any(|name| name == text) {
            item.wrong(format!("{} is there twice", shown(text)));
        } else {
            names.extend(codec(Some(&item), codecs));
        }
    }
    names
}

fn readers(table: &mut Table<'_, '_>) -> Vec<(String, Vec<CodecKind>)> {
    let Some(readers) = table.value("readers") else {
        return Vec::new();
    };
    let kinds: Vec<(&str, CodecKind)> = CodecKind::ALL
        .iter()
        .map(|kind| (kind.as_str(), *kind))
        .collect();
    let Some(readers) = readers.table("the readers of a column") else {
        return Vec::new();
    };
    let reader = |(name, value): (&str, Value<'_, '_>)| {
        let items = value.texts().into_iter();
        let kinds = items.filter_map(|(item, _)| item.word("kind of codec", &kinds));
        (name.to_owned(), kinds.collect())
    };
    readers.all().map(reader).collect()
}

/// The normalizers by name.
const NORMALIZERS: [(&str, Normalizer); 3] = [
    ("raw", Normalizer::Raw),
    ("ascii-lower-trim", Normalizer::AsciiLowerTrim),
    ("digits", Normalizer::Digits),
];

/// Names that are there twice.
fn twice<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let mut seen = SortedMap::new();
    names.into_iter().find(|name| !seen.add(*name))
}
