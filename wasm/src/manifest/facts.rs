//! What a manifest says, as objects for JavaScript. Names and what they stand for are pairs.

use crate::report::{count, list, object, texts};
use alloc::{string::ToString, vec::Vec};
use reseal::{
    ENV_NAMES,
    codec::CodecKind,
    manifest::{
        CodecSpec, ColumnSpec, Fact, IndexSpec, KeyringSource, KeysetUnlock, Manifest, Problem,
        SecretRef, Want,
    },
};
use wasm_bindgen::prelude::JsValue;

pub(super) fn of(manifest: &Manifest) -> JsValue {
    let codecs = manifest.codecs().map(|spec| codec(manifest, spec));
    object(&[
        ("codecs", list(codecs)),
        ("columns", list(manifest.columns().iter().map(column))),
        ("warnings", list(manifest.warnings().iter().map(warning))),
    ])
}

fn codec(manifest: &Manifest, spec: &CodecSpec) -> JsValue {
    let name = spec.name();
    let wants = manifest.wants_of(name).unwrap_or_default();
    let ring = manifest.ring_of(name).unwrap_or_default();
    object(&[
        ("name", name.into()),
        ("kind", spec.kind().as_str().into()),
        ("writesPlaintext", spec.writes_plaintext().into()),
        ("wants", list(wants.into_iter().map(wanted))),
        (
            "source",
            ring.map(|ring| source(manifest, &ring.source)).into(),
        ),
    ])
}

/// Where a ring comes from.
fn source(manifest: &Manifest, source: &KeyringSource) -> JsValue {
    let mut rings = manifest
        .codecs()
        .filter_map(|spec| manifest.ring_of(spec.name()).ok().flatten());
    let number = rings.position(|ring| ring.source == *source);
    let by_environment = matches!(source, KeyringSource::Env);
    object(&[
        // Codecs with one number have one source.
        ("number", count(number.unwrap_or(usize::MAX))),
        ("variables", variables(source)),
        // Whether these are variables that name their files themselves.
        ("byEnvironment", by_environment.into()),
    ])
}

fn variables(source: &KeyringSource) -> JsValue {
    match source {
        KeyringSource::Env => texts(&ENV_NAMES),
        KeyringSource::Keyset {
            unlock:
                KeysetUnlock::Kek(SecretRef::Env(name)) | KeysetUnlock::Passphrase(SecretRef::Env(name)),
            ..
        } => texts(&[name]),
        _ => texts::<&str>(&[]),
    }
}

fn wanted(want: Want) -> JsValue {
    object(&[
        ("kind", want.kind.as_str().into()),
        ("name", want.name.into()),
        ("namedBy", want.named_by.into()),
        ("columns", texts(want.kind.columns())),
    ])
}

fn column(spec: &ColumnSpec) -> JsValue {
    let context = spec.context.iter();
    let context = context.map(|(name, fact)| pair(name, bound(fact)));
    let earlier = spec.earlier_facts().map(|facts| {
        let facts: Vec<(&str, &str)> = facts;
        list(
            facts
                .into_iter()
                .map(|(name, text)| pair(name, text.into())),
        )
    });
    let readers = spec.readers.iter();
    let readers = readers.map(|(name, kinds)| pair(name, words(kinds)));
    let path = spec.path.as_ref().map(ToString::to_string);
    object(&[
        ("table", spec.table.as_str().into()),
        ("column", spec.column.as_str().into()),
        ("rowId", texts(&spec.row_id)),
        ("where", spec.filter.as_deref().into()),
        ("path", path.into()),
        ("context", list(context)),
        ("bindRow", spec.bind_row.into()),
        ("earlierContexts", list(earlier)),
        ("type", spec.value_type.as_str().into()),
        ("mode", spec.mode.as_str().into()),
        ("write", spec.write.as_str().into()),
        ("read", texts(&spec.read)),
        ("readers", list(readers)),
        ("indexes", list(spec.indexes.iter().map(index))),
    ])
}

fn pair(name: &str, value: JsValue) -> JsValue {
    list([name.into(), value].into_iter())
}

fn words(kinds: &[CodecKind]) -> JsValue {
    list(kinds.iter().map(|kind| kind.as_str().into()))
}

/// Text, or what the row has in a column.
fn bound(fact: &Fact) -> JsValue {
    match fact {
        Fact::Text(text) => text.as_str().into(),
        Fact::Column(column) => object(&[("column", column.as_str().into())]),
    }
}

fn index(spec: &IndexSpec) -> JsValue {
    object(&[
        ("name", spec.name.as_str().into()),
        ("column", spec.column.as_str().into()),
        ("normalizer", spec.normalizer.as_str().into()),
        ("bits", spec.bits.into()),
    ])
}

fn warning(problem: &Problem) -> JsValue {
    object(&[
        ("place", problem.place.as_str().into()),
        ("line", count(problem.line)),
        ("message", problem.message.as_str().into()),
        ("text", problem.to_string().into()),
    ])
}
