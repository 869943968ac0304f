//! What a census says of a key, and of `plain`.

use reseal::codec::{Certainty, CodecKind};
use reseal::job::{ColumnReport, Report, Target, Work};

use super::Retirement;
use super::report::{Part, Retired};
use crate::failure::Outcome;

/// The characters of a key's id that a term of a blind index shows.
const TERM_ID_CHARS: usize = 8;
const PLAIN: &str = "plain";

impl Retirement<'_, '_> {
    /// Counts the values of all columns and the terms of their indexes; nothing where it was asked to
    /// stop. An envelope counts also where its column does not say that it reads any.
    pub(super) async fn census(&mut self) -> Outcome<Option<Report>> {
        let mut targets = Target::keyless(&self.manifest)?;
        let others = targets_of_others(&targets);
        targets.extend(others);
        let rings = self.manifest.codecs();
        if let Some(ring) = rings.into_iter().find(|it| it.kind() == CodecKind::Reseal) {
            for target in &mut targets {
                if !self.reads_envelopes(target) {
                    target.column = target.column.clone().read(ring.keyless())?;
                }
            }
        }
        self.look(Work::Census, targets, |options| options.keys_only = true)
            .await
    }

    fn reads_envelopes(&self, target: &Target) -> bool {
        let mut codecs = self.manifest.codecs();
        codecs.any(|it| {
            it.kind() == CodecKind::Reseal && target.spec.codecs().any(|name| name == it.name())
        })
    }

    /// What is under a key.
    pub(super) fn note_left(&self, report: &Report, key: &str, retired: &mut Retired) {
        retired.keep(report);
        let described = self.manifest.columns().len();
        retired.left.clear();
        retired.histories.clear();
        for (place, column) in report.columns.iter().enumerate() {
            let left = under(column, key);
            if !left.is_empty() {
                retired.note_history(column);
            }
            retired.left.extend(left.into_iter().map(|part| Part {
                is_outside: place >= described,
                ..part
            }));
        }
        self.note_plain(report, retired);
    }

    /// What shows no key, in columns that read one of these codecs.
    pub(super) fn note_unrecognized(
        &self,
        report: &Report,
        codecs: &[String],
        retired: &mut Retired,
    ) {
        let specs = self.manifest.columns().iter().zip(&report.columns);
        let reading =
            specs.filter(|(spec, _)| spec.codecs().any(|it| codecs.iter().any(|c| c == it)));
        for (_, column) in reading {
            let total = column.total();
            for (code, values) in &total.refused {
                let code = Some(code.clone());
                let values = Part::of(column, *values);
                retired.unrecognized.push(Part { code, ..values });
            }
            let damaged = total.found.iter();
            let damaged = damaged.filter(|((kind, _), _)| kind.scheme == "damaged");
            let values: u64 = damaged.map(|(_, amount)| amount.values).sum();
            if values > 0 {
                let code = Some("malformed".to_owned());
                let values = Part::of(column, values);
                retired.unrecognized.push(Part { code, ..values });
            }
        }
    }

    /// The columns that read `plain`, write something else, and of which no value may be plaintext.
    pub(super) fn note_plain(&self, report: &Report, retired: &mut Retired) {
        let specs = self.manifest.columns().iter();
        let reading = specs.filter(|spec| spec.read.iter().any(|name| name == PLAIN));
        for spec in reading {
            let path = spec.path.as_ref().map(ToString::to_string);
            let column = report
                .columns
                .iter()
                .find(|it| it.table == spec.table && it.column == spec.column && it.path == path);
            let Some(column) = column else { continue };
            let total = column.total();
            // A format without a mark is what plaintext may look like.
            let is_sure = |(kind, certainty): &(reseal::job::Kind, Certainty)| {
                kind.codec != PLAIN && *certainty == Certainty::Yes
            };
            if total.found.keys().all(is_sure) && total.refused.is_empty() {
                retired.plain_unused.push(Part::of(column, 0));
            }
        }
    }
}

/// The rows that no `where` of the manifest takes: what is under a key there needs it as well.
fn targets_of_others(targets: &[Target]) -> Vec<Target> {
    let mut others: Vec<Target> = Vec::new();
    for target in targets {
        let spec = &target.spec;
        let is_of = |it: &&Target| {
            let other = &it.spec;
            (&other.table, &other.column, &other.path) == (&spec.table, &spec.column, &spec.path)
        };
        if others.iter().any(|it| is_of(&it)) {
            continue;
        }
        let filters = targets
            .iter()
            .filter(is_of)
            .map(|it| it.spec.filter.as_deref());
        let Some(filters) = filters.collect::<Option<Vec<&str>>>() else {
            continue;
        };
        // A comment at its end is ended by the line.
        let none: Vec<String> = filters
            .iter()
            .map(|filter| format!("({filter}\n) IS NOT TRUE"))
            .collect();
        let mut other = target.clone();
        other.spec.filter = Some(none.join(" AND "));
        others.push(other);
    }
    others
}

/// The values and the terms of a column that are under a key.
fn under(column: &ColumnReport, key: &str) -> Vec<Part> {
    let found = column.total().found;
    let found = found
        .iter()
        .filter(|((kind, _), _)| kind.key.as_deref() == Some(key));
    let values: u64 = found.map(|(_, amount)| amount.values).sum();
    let mut left = Vec::new();
    if values > 0 {
        left.push(Part::of(column, values));
    }
    let start = key.get(..TERM_ID_CHARS);
    for term in &column.terms {
        if term.key.is_some() && term.key.as_deref() == start {
            let index = Some(term.index.clone());
            let values = Part::of(column, term.values);
            left.push(Part { index, ..values });
        }
    }
    left
}

/// The ids of keys that a census found.
pub(super) fn keys_in(report: &Report) -> Vec<String> {
    let mut keys = Vec::new();
    for column in &report.columns {
        let total = column.total();
        keys.extend(total.found.keys().filter_map(|(kind, _)| kind.key.clone()));
        keys.extend(column.terms.iter().filter_map(|term| term.key.clone()));
    }
    keys
}

/// The names of the codecs in which values are under a key.
pub(super) fn codecs_of(report: &Report, key: &str) -> Vec<String> {
    let mut codecs = Vec::new();
    for column in &report.columns {
        for (kind, _) in column.total().found.keys() {
            if kind.key.as_deref() == Some(key) && !codecs.contains(&kind.codec) {
                codecs.push(kind.codec.clone());
            }
        }
    }
    codecs
}
