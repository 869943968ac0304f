//! What a run works with: who goes on with a job that others have begun does not trust what was done with something
//! else.

use super::{JobOptions, Target};
use crate::{context::Context, ids::KeyId};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

/// The ids of keys, what a manifest says of values and of their terms, and what is asked for, as a worker has them.
pub(super) fn setup(options: &JobOptions, targets: &[Target]) -> String {
    let mut setup = String::new();
    if options.reindex {
        setup.push_str("reindex");
    }
    for target in targets {
        let (column, spec) = (&target.column, &target.spec);
        for id in column.sealing_ids().into_iter().flatten().flatten() {
            setup.push_str(&id.to_string());
        }
        setup.push_str(&HEXLOWER.encode(column.fixed_context().as_bytes()));
        for (fact, name) in spec.row_facts() {
            for part in [fact, "\n", name, "\n"] {
                setup.push_str(part);
            }
        }
        setup.push_str(spec.mode.as_str());
        setup.push_str(spec.value_type.as_str());
        let earlier = spec.earlier_contexts.iter();
        let earlier = earlier.map(|context| HEXLOWER.encode(context.as_bytes()));
        let read = json!([spec.read, earlier.collect::<Vec<_>>()]);
        setup.push_str(&read.to_string());
    }
    setup.push_str(&indexes(targets));
    setup
}

/// What terms are made of and where they stand, by target.
pub(super) fn indexes(targets: &[Target]) -> String {
    let of = |target: &Target| -> Value {
        let indexes = target.spec.indexes.iter();
        let indexes =
            indexes.map(|it| json!([it.name, it.column, it.normalizer.as_str(), it.bits]));
        indexes.collect()
    };
    let all: Value = targets.iter().map(of).collect();
    all.to_string()
}

/// The ids of the keys that seal.
pub(super) fn keys(targets: &[Target]) -> Vec<String> {
    let ids = targets.iter().filter_map(|it| {
        let [data, index] = it.column.sealing_ids()?;
        Some([data, index.filter(|_| !it.spec.indexes.is_empty())])
    });
    let ids = ids.flatten().flatten();
    let mut keys: Vec<String> = ids.map(|id: KeyId| id.to_string()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// What is bound to the canary of a column in place of what a row has.
pub(super) fn facts(target: &Target) -> Context {
    let facts = target.spec.facts(|_| Some(1.into()));
    facts.unwrap_or_default()
}
