//! How far a job is: what its checkpoint holds.

use super::{Cell, Counts, Target, setup, walk::Walk};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use data_encoding::BASE64;
use serde_json::{Value, json};

const FORMAT: u64 = 1;
/// In place of blind indexes: parts of what is done have those of one manifest, and parts those of another.
const SEVERAL: &str = "several";

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// What is counted, by pass and target; the last pass is the present one.
    pub(super) passes: Vec<Vec<Counts>>,
    /// The walk of the pass.
    pub(super) walk: usize,
    /// The key of the last row of the walk that is done.
    pub(super) after: Option<Vec<Cell>>,
    /// Whether there is nothing left to do.
    pub(super) is_finished: bool,
    /// Whether the present pass takes all walks, also those in which the last one changed nothing.
    pub(super) is_full: bool,
    /// The blind indexes of all that is done, see [`setup::indexes`]; empty where that is not known.
    indexes: String,
}

impl Progress {
    pub(super) fn new(targets: usize) -> Self {
        let mut progress = Self::default();
        progress.next_pass(targets);
        progress
    }

    /// That of a run which begins.
    pub(super) fn begun(targets: &[Target]) -> Self {
        Self {
            indexes: setup::indexes(targets),
            ..Self::new(targets.len())
        }
    }

    /// A run goes on from here. Whether a part of what is done may lack its terms, as its manifest had other blind
    /// indexes.
    pub(super) fn lacks_terms(&mut self, targets: &[Target]) -> bool {
        let indexes = setup::indexes(targets);
        if self.indexes.is_empty() {
            self.indexes = indexes;
        } else if self.indexes != indexes {
            self.indexes = SEVERAL.into();
        }
        self.indexes == SEVERAL
    }

    pub(super) fn next_pass(&mut self, targets: usize) {
        let pass = (0..targets).map(|_| Counts::default()).collect();
        self.passes.push(pass);
        self.walk = 0;
        self.after = None;
    }

    pub(super) fn end_walk(&mut self) {
        self.walk += 1;
        self.after = None;
    }

    /// Whether the present pass takes a walk.
    pub(super) fn wants(&self, walk: &Walk) -> bool {
        let before = self.passes.iter().rev().nth(1);
        let changed = |pass: &Vec<Counts>| {
            let counts = walk.values.iter().filter_map(|it| pass.get(it.target));
            counts.into_iter().any(Counts::has_changed)
        };
        self.is_full || before.is_none_or(changed)
    }

    /// Whether the present pass changed anything, or left something for the next.
    pub(super) fn has_changed(&self) -> bool {
        let pass = self.passes.last();
        pass.is_some_and(|pass| pass.iter().any(Counts::has_changed))
    }

    /// All that was refused in the present pass, or in one so many before it.
    pub(super) fn refused(&self, before: usize) -> u64 {
        let pass = self.passes.iter().rev().nth(before).into_iter().flatten();
        pass.map(Counts::refused).sum()
    }

    /// Counts rows that are left, and how many of them changed between read and write.
    pub(super) fn leave(&mut self, walk: &Walk, rows: usize, raced: usize) {
        self.each(walk, |counts| {
            counts.scanned += rows as u64;
            counts.raced += raced as u64;
            counts.left += rows as u64;
        });
    }

    /// Rows that were left are taken again, or are gone.
    pub(super) fn unleave(&mut self, walk: &Walk, rows: usize, gone: usize) {
        self.each(walk, |counts| {
            counts.scanned = counts.scanned.saturating_sub(rows as u64) + gone as u64;
            counts.left = counts.left.saturating_sub(rows as u64);
            counts.gone += gone as u64;
        });
    }

    /// Counts named rows that are not there.
    pub(super) fn miss(&mut self, walk: &Walk, rows: usize) {
        self.each(walk, |counts| {
            counts.scanned += rows as u64;
            counts.gone += rows as u64;
        });
    }

    /// Whether the present pass left something.
    pub(super) fn has_left(&self) -> bool {
        let mut pass = self.passes.last().into_iter().flatten();
        pass.any(|counts| counts.left > 0)
    }

    /// Whether a value of a target was resealed in any pass, or was current.
    pub(super) fn has_taken(&self, target: usize) -> bool {
        let mut passes = self.passes.iter().filter_map(|pass| pass.get(target));
        passes.any(Counts::has_taken)
    }

    /// Counts values that were read back, by their targets.
    pub(super) fn verify(&mut self, targets: &[usize]) {
        for target in targets {
            if let Some(counts) = self.counts(*target) {
                counts.verified += 1;
            }
        }
    }

    fn each(&mut self, walk: &Walk, change: impl Fn(&mut Counts)) {
        for value in &walk.values {
            if let Some(counts) = self.counts(value.target) {
                change(counts);
            }
        }
    }

    /// The counts of a target in the present pass.
    pub(super) fn counts(&mut self, target: usize) -> Option<&mut Counts> {
        self.passes.last_mut()?.get_mut(target)
    }

    pub(super) fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    /// With one more member.
    pub(super) fn to_json_with(&self, name: &str, more: Value) -> String {
        let mut document = self.to_value();
        if let Some(members) = document.as_object_mut() {
            members.insert(name.into(), more);
        }
        document.to_string()
    }

    fn to_value(&self) -> Value {
        let passes = self.passes.iter().map(|pass| {
            let targets = pass.iter().map(Counts::to_value);
            targets.collect::<Vec<Value>>()
        });
        json!({
            "format": FORMAT,
            "finished": self.is_finished,
            "full": self.is_full,
            "walk": self.walk,
            "after": self.after.as_deref().map(key_to_value),
            "indexes": self.indexes,
            "passes": passes.collect::<Vec<Vec<Value>>>(),
        })
    }

    /// The progress of a document; nothing where it is of another release, or of another job.
    pub(super) fn of_json(text: &str, targets: usize) -> Option<Self> {
        Self::of_value(&serde_json::from_str(text).ok()?, targets)
    }

    pub(super) fn of_value(value: &Value, targets: usize) -> Option<Self> {
        if value.get("format")?.as_u64() != Some(FORMAT) {
            return None;
        }
        let passes = value.get("passes")?.as_array()?.iter().map(|pass| {
            let counts = pass.as_array()?.iter().map(Counts::of_value);
            let counts: Vec<Counts> = counts.collect::<Option<_>>()?;
            Some(counts).filter(|counts| counts.len() == targets)
        });
        let passes: Vec<Vec<Counts>> = passes.collect::<Option<_>>()?;
        let after = match value.get("after")? {
            Value::Null => None,
            key => Some(key_of_value(key)?),
        };
        let progress = Self {
            passes,
            walk: usize::try_from(value.get("walk")?.as_u64()?).ok()?,
            after,
            is_finished: value.get("finished")?.as_bool()?,
            is_full: value.get("full")?.as_bool()?,
            // An earlier release did not keep them.
            indexes: value
                .get("indexes")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .into(),
        };
        Some(progress).filter(|progress| !progress.passes.is_empty())
    }
}

pub(super) fn key_to_value(key: &[Cell]) -> Value {
    key.iter().map(cell_to_value).collect()
}

pub(super) fn key_of_value(value: &Value) -> Option<Vec<Cell>> {
    value.as_array()?.iter().map(cell_of_value).collect()
}

/// A cell of a key: integers as text, since programs that show the document may read numbers as floats.
fn cell_to_value(cell: &Cell) -> Value {
    match cell {
        Cell::Int(number) => json!({"int": number.to_string()}),
        Cell::Text(text) => json!({"text": text.as_str()}),
        Cell::Bytes(bytes) => json!({"base64": BASE64.encode(bytes)}),
        _ => Value::Null,
    }
}

fn cell_of_value(value: &Value) -> Option<Cell> {
    let (kind, text) = value.as_object()?.iter().next()?;
    let text = text.as_str()?;
    match kind.as_str() {
        "int" => text.parse().ok().map(Cell::Int),
        "text" => Some(text.into()),
        "base64" => BASE64.decode(text.as_bytes()).ok().map(Cell::from),
        _ => None,
    }
}
