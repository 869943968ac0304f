//! What a job counted, and how it ended.

use crate::{codec::Certainty, column::Origin, error::Error};
use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use serde_json::{Map, Value, json};

/// How a job ended, and what it counted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// What it was to do.
    pub work: Work,
    /// How it ended.
    pub end: End,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The targets, in their order.
    pub columns: Vec<ColumnReport>,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// Brings every value to the codec that its column writes.
    Apply,
    /// The same, and opens current values as well: those under an earlier context are sealed with the
    /// present one.
    Reopen,
    /// Opens every value, and writes nothing.
    Verify,
    /// Says what every value is in, without any key, and writes nothing.
    Census,
}

impl Work {
    /// Its name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Reopen => "reopen",
            Self::Verify => "verify",
            Self::Census => "census",
        }
    }

    pub(super) const fn writes(self) -> bool {
        matches!(self, Self::Apply | Self::Reopen)
    }
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The last pass found nothing to do.
    Complete,
    /// It was asked to stop; the same job goes on from there.
    Stopped,
    /// More values were refused than allowed; the same job goes on from there.
    TooManyRefused,
    /// The last pass that was allowed still found something to do: somebody writes old values.
    Unsettled,
    /// It could not go on; the same job goes on from its checkpoint.
    Failed(Error),
}

/// What was counted of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnReport {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// A pass reads the rows once. The first reads all of them, and each later one again what the one
    /// before changed.
    pub passes: Vec<Counts>,
}

/// What was counted in one pass. `scanned` is the sum of `null`, `current`, `resealed`, `refused`,
/// `gone`, `left` and the values of `found`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Values that were read.
    pub scanned: u64,
    /// NULL.
    pub null: u64,
    /// As the column writes them.
    pub current: u64,
    /// Resealed, or to be resealed in a dry run: from what to what.
    pub resealed: BTreeMap<Move, u64>,
    /// Left as they are, by the code of the error.
    pub refused: BTreeMap<String, u64>,
    /// Of rows that were deleted, or left the condition, between read and write.
    pub gone: u64,
    /// Of rows that changed between read and write so often that the next pass takes them.
    pub left: u64,
    /// How often a row changed between read and write. It was taken again, and nothing overwritten.
    pub raced: u64,
    /// Resealed values that were read back.
    pub verified: u64,
    /// What [`Work::Verify`] opened, and what [`Work::Census`] recognised, and how sure that is.
    pub found: BTreeMap<(Kind, Certainty), Amount>,
}

/// How many values, and how large they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Values.
    pub values: u64,
    /// Bytes, as they are stored.
    pub bytes: u64,
}

/// From what to what a value was resealed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// What it was.
    pub from: Kind,
    /// What it is.
    pub to: Kind,
}

/// A codec of a column, a key and a variant of the format.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The name of the codec.
    pub codec: String,
    /// The key, where it is known.
    pub key: Option<String>,
    /// The variant.
    pub scheme: String,
}

impl Report {
    /// The report as JSON, its members in the order of their names.
    #[must_use]
    pub fn to_json(&self) -> String {
        let columns = self.columns.iter().map(|column| {
            let passes: Vec<Value> = column.passes.iter().map(Counts::to_value).collect();
            json!({"table": column.table, "column": column.column, "passes": passes})
        });
        let mut report = json!({
            "work": self.work.as_str(),
            "end": self.end.as_str(),
            "dry_run": self.dry_run,
            "columns": columns.collect::<Vec<Value>>(),
        });
        if let (End::Failed(error), Some(members)) = (&self.end, report.as_object_mut()) {
            let error = json!({"code": error.code().as_str(), "message": error.message()});
            members.insert("error".into(), error);
        }
        report.to_string()
    }
}

impl End {
    /// Its name in reports.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Stopped => "stopped",
            Self::TooManyRefused => "too-many-refused",
            Self::Unsettled => "unsettled",
            Self::Failed(_) => "failed",
        }
    }
}

impl Counts {
    /// All that was resealed.
    #[must_use]
    pub fn resealed(&self) -> u64 {
        self.resealed.values().sum()
    }

    /// All that was opened or recognised.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.found.values().map(|amount| amount.values).sum()
    }

    /// All that was refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Whether another pass may find something.
    pub(super) fn has_changed(&self) -> bool {
        self.left > 0 || !self.resealed.is_empty()
    }

    pub(super) fn to_value(&self) -> Value {
        let resealed = self.resealed.iter().map(|(one, values)| {
            json!({"from": one.from.to_value(), "to": one.to.to_value(), "values": values})
        });
        let found = self.found.iter().map(|((kind, certainty), amount)| {
            let is_sure = *certainty == Certainty::Yes;
            json!({
                "in": kind.to_value(), "sure": is_sure,
                "values": amount.values, "bytes": amount.bytes,
            })
        });
        json!({
            "found": found.collect::<Vec<Value>>(),
            "scanned": self.scanned, "null": self.null, "current": self.current,
            "resealed": resealed.collect::<Vec<Value>>(), "refused": self.refused,
            "gone": self.gone, "left": self.left, "raced": self.raced, "verified": self.verified,
        })
    }

    pub(super) fn of_value(value: &Value) -> Option<Self> {
        let number = |name: &str| value.get(name)?.as_u64();
        let resealed = value.get("resealed")?.as_array()?.iter().map(|one| {
            let (from, to) = (
                Kind::of_value(one.get("from")?)?,
                Kind::of_value(one.get("to")?)?,
            );
            Some((Move { from, to }, one.get("values")?.as_u64()?))
        });
        let refused = value.get("refused")?.as_object()?.iter();
        Some(Self {
            scanned: number("scanned")?,
            null: number("null")?,
            current: number("current")?,
            resealed: resealed.collect::<Option<_>>()?,
            refused: refused
                .map(|(code, values)| Some((code.clone(), values.as_u64()?)))
                .collect::<Option<_>>()?,
            gone: number("gone")?,
            left: number("left")?,
            raced: number("raced")?,
            verified: number("verified")?,
            // Only jobs without a checkpoint find.
            found: BTreeMap::new(),
        })
    }
}

impl Kind {
    fn to_value(&self) -> Value {
        json!({"codec": self.codec, "key": self.key, "scheme": self.scheme})
    }

    fn of_value(value: &Value) -> Option<Self> {
        let members: &Map<String, Value> = value.as_object()?;
        let text = |name: &str| members.get(name)?.as_str().map(String::from);
        Some(Self {
            codec: text("codec")?,
            key: text("key"),
            scheme: text("scheme")?,
        })
    }
}

impl From<Origin> for Kind {
    fn from(origin: Origin) -> Self {
        Self {
            codec: origin.codec,
            key: origin.key,
            scheme: origin.scheme.to_string(),
        }
    }
}
