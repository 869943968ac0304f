//! Whether the members of a column go together, and with its codecs.

use super::ColumnSpec;
use crate::{
    codec::CodecKind,
    ids::Mode,
    manifest::{
        codecs::{CodecSpec, Codecs, Writes},
        read::Table,
    },
    value::ValueType,
};
use alloc::{format, vec::Vec};

/// The column, with what its codecs say; nothing where one of them has a problem itself.
pub(super) fn with_codecs(
    spec: ColumnSpec,
    codecs: &Codecs,
    table: &Table<'_, '_>,
) -> Option<ColumnSpec> {
    check_alone(&spec, table);
    let of = |name: &str| codecs.get(name).and_then(Option::as_ref);
    let used: Vec<&CodecSpec> = spec.codecs().filter_map(of).collect();
    let write = of(&spec.write)?;
    if used.len() < spec.codecs().count() {
        return None;
    }
    check_write(&spec, write, table);
    check_indexes(&spec, &used, table);
    check_context(&spec, &used, table);
    let ring = used.iter().find(|codec| codec.kind() == CodecKind::Reseal);
    let spec = ColumnSpec {
        write_kind: write.kind(),
        plaintext: write
            .writes_plaintext()
            .then(|| table.problem("write", format!("{} writes plaintext", write.name()))),
        ring_codec: ring.map(|codec| codec.name().into()),
        ..spec
    };
    warn(&spec, &used, table);
    Some(spec)
}

fn check_alone(spec: &ColumnSpec, table: &Table<'_, '_>) {
    if spec.path.is_some() && spec.value_type != ValueType::Json {
        table.wrong("path", "a path leads into JSON: write type = \"json\"");
    }
    if spec.bind_row && spec.mode == Mode::Deterministic {
        table.wrong(
            "bind_row",
            "in mode deterministic equal values are equal in every row, and a row that is bound \
             prevents that: write bind_row = false, or another mode",
        );
    }
    if spec.bind_row && spec.row_id.len() > 1 {
        table.wrong(
            "bind_row",
            "it binds a row id of one column: for more, write each into the context, as in \
             tenant = { column = \"tenant_id\" }",
        );
    }
    if spec.row_id.contains(&spec.column) {
        table.wrong("row_id", "a sealed column is no row id");
    }
    let facts = spec
        .row_facts()
        .filter(|(_, column)| *column == spec.column);
    for (name, _) in facts {
        table.wrong("context", format!("{name} is the sealed column itself"));
    }
    for earlier in &spec.earlier_contexts {
        for (name, _) in spec.row_facts() {
            if earlier.clone().insert(name, "").is_err() {
                table.wrong(
                    "earlier_contexts",
                    format!("{name} is a fact of the row, and is added to each of them"),
                );
            }
        }
    }
}

/// What the codec could not write, or its system could not read.
fn check_write(spec: &ColumnSpec, write: &CodecSpec, table: &Table<'_, '_>) {
    let (name, facts) = (write.name(), write.facts());
    if let Some(reason) = facts.cannot_write {
        table.wrong("write", format!("the codec {name} cannot write: {reason}"));
    }
    if facts.writes == Writes::Json && spec.value_type != ValueType::Json {
        let message = format!("the codec {name} writes JSON alone: write type = \"json\"");
        table.wrong("type", message);
    }
    if let Writes::Only(only) = facts.writes
        && spec.value_type != only
    {
        let only = only.as_str();
        let message =
            format!("the codec {name} writes values of one type: write type = \"{only}\"");
        table.wrong("type", message);
    }
    if facts.writes == Writes::Text && spec.value_type == ValueType::Bytes {
        table.wrong(
            "type",
            format!("the codec {name} writes text alone, and no bytes"),
        );
    }
}

fn check_indexes(spec: &ColumnSpec, used: &[&CodecSpec], table: &Table<'_, '_>) {
    if spec.indexes.is_empty() {
        return;
    }
    if used.iter().all(|codec| codec.kind() != CodecKind::Reseal) {
        table.wrong(
            "indexes",
            "the ring of a reseal codec makes the terms of an index, and the column has no such \
             codec",
        );
    }
    let mut indexes = spec.indexes.iter().map(|index| index.column.as_str());
    let own = |column: &&str| spec.column == *column || spec.needed().any(|(_, it)| it == *column);
    if let Some(column) = indexes.find(own) {
        table.wrong(
            "indexes",
            format!("an index has a column of its own, and {column} is another one"),
        );
    }
}

/// The names that a codec needs for its own format.
fn check_context(spec: &ColumnSpec, used: &[&CodecSpec], table: &Table<'_, '_>) {
    let fixed = spec.context.iter().map(|(name, _)| name.as_str());
    let names = fixed.chain(spec.row_facts().map(|(name, _)| name));
    let names: Vec<&str> = names.collect();
    for codec in used {
        for needed in codec.facts().context {
            if !names.contains(&needed.as_str()) {
                let codec = codec.name();
                let message = format!("the aad of the codec {codec} needs the name {needed}");
                table.wrong("context", message);
            }
        }
    }
}

fn warn(spec: &ColumnSpec, used: &[&CodecSpec], table: &Table<'_, '_>) {
    let write = &spec.write;
    if spec.writes_plaintext() {
        let message = "writes plaintext: that is for development, or to switch encryption off";
        table.warn("write", format!("{write} {message}"));
    }
    if spec.mode != Mode::Random && spec.write_kind != CodecKind::Reseal {
        table.warn(
            "mode",
            format!("the codec {write} has no modes: it counts once a reseal codec writes"),
        );
    }
    let resealed = used.iter().any(|codec| codec.kind() == CodecKind::Reseal);
    if resealed && spec.context.is_empty() && !spec.bind_row {
        table.warn(
            "context",
            "without a context, a value can be put into another column and opens there",
        );
    }
    for codec in used.iter().filter(|codec| codec.facts().unchecked) {
        let message = "has no expect, and its format does not authenticate: values without a tag \
                       are opened, and not resealed";
        table.warn("read", format!("the codec {} {message}", codec.name()));
    }
    for reader in spec.blind_readers() {
        let kind = spec.write_kind.as_str();
        table.warn(
            "readers",
            format!("{reader} cannot read what is written: {kind}"),
        );
    }
}
