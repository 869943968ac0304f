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
    /// One row of so many was read, chosen by the database at random; nothing where all were.
    pub sample_one_in: Option<u32>,
    /// The targets, in their order.
    pub columns: Vec<ColumnReport>,
    /// What [`Work::Discover`] found.
    pub discovered: Vec<Discovered>,
    /// Columns that [`Work::Discover`] did not look at, as this user may not read them: `table.column`.
    pub unread: Vec<String>,
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
    /// What [`Work::Apply`] would do, with the lengths of the values. It writes nothing, and what
    /// stands in the way of one column is a [`Finding`].
    Plan,
    /// Looks at values of all columns of the database that are no target, and writes nothing.
    Discover,
    /// Repairs the named rows, [`super::JobOptions::rows`]: values that were encrypted twice are
    /// sealed once, see [`crate::Column::unwrap_twice`].
    Unwrap,
    /// Repairs the named rows, [`super::JobOptions::rows`]: values that are refused as
    /// `double-encrypted` are sealed with the plaintext that they have, see
    /// [`crate::Column::keep_twice`].
    Keep,
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
            Self::Plan => "plan",
            Self::Discover => "discover",
            Self::Unwrap => "unwrap",
            Self::Keep => "keep",
        }
    }

    /// Whether it writes values.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::Apply | Self::Reopen | Self::Unwrap | Self::Keep)
    }

    /// Whether it is of named rows.
    pub(super) const fn is_repair(self) -> bool {
        matches!(self, Self::Unwrap | Self::Keep)
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
    /// The path into its documents.
    pub path: Option<String>,
    /// A pass reads the rows once. The first reads all of them, and each later one again what the one
    /// before changed.
    pub passes: Vec<Counts>,
    /// What [`Work::Census`] counted of the terms of its blind indexes, by index and key. NULL is not
    /// counted.
    pub terms: Vec<TermCount>,
    /// What [`Work::Plan`] measured; nothing for a column that has a finding in its place, or no
    /// values.
    pub length: Option<Length>,
    /// What a person should know of the column.
    pub findings: Vec<Finding>,
}

/// How many terms of a blind index are under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TermCount {
    /// The name of the index.
    pub index: String,
    /// The column of the terms.
    pub column: String,
    /// The first 8 characters of the id of the index key; nothing for what is no term.
    pub key: Option<String>,
    /// How many.
    pub values: u64,
}

/// How long the values of a column are, and how long they become. It counts characters, and bytes in
/// a column of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// That of the longest value.
    pub longest: usize,
    /// That of the longest new value among those that were read.
    pub needed: usize,
    /// What a new value takes at most that holds as many bytes as the longest one has, where the
    /// codec can tell. Values that are sealed already hold fewer.
    pub bound: Option<usize>,
    /// What the column takes, where that is limited.
    pub allowed: Option<usize>,
    pub(super) is_sample: bool,
}

/// Something that a person should know of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// `column-unsuitable`: no job can work on it; `column-too-short`, `column-maybe-too-short`,
    /// `length-unknown`: see [`Length`]; `reader-unable`: see
    /// [`crate::manifest::ColumnSpec::blind_readers`];
    /// `key-index`: an index that would help; `keeps-history`: what is rewritten stays in the table;
    /// `unique-no-longer`: a unique index that would keep no doubles out.
    pub code: &'static str,
    /// A sentence, with numbers and names and no value.
    pub message: String,
}

/// A column, or a path into the documents of one, that no target is of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discovered {
    /// The table, with its schema where it is not the usual one.
    pub table: String,
    /// The column.
    pub column: String,
    /// The path into its JSON documents, as a manifest has it, but `$` for a document that is itself a
    /// string; nothing where whole values are meant. It ends before a name that no path can spell.
    pub path: Option<String>,
    /// Values that were looked at.
    pub values: u64,
    /// Those that start like a key of this project.
    pub key_like: u64,
    /// In which formats how many are, by the kind of the codec. A format without a mark counts only
    /// where all fit.
    pub found: BTreeMap<Kind, u64>,
}

/// What was counted in one pass. `scanned` is the sum of `null`, `current`, `reindexed`,
/// `resealed`, `refused`, `gone`, `left` and the values of `found`.
///
/// Of a column with a path these are members, but a document that is NULL, or no JSON, is one value,
/// and so is one that is `gone` or `left`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Values that were read.
    pub scanned: u64,
    /// NULL.
    pub null: u64,
    /// As the column writes them.
    pub current: u64,
    /// As the column writes them, but with the term of a blind index that is not the one under the
    /// primary index key, and that they get; see [`super::JobOptions::reindex`].
    pub reindexed: u64,
    /// Resealed, or to be resealed in a dry run: from what to what.
    pub resealed: BTreeMap<Move, u64>,
    /// Left as they are, by the code of the error.
    pub refused: BTreeMap<String, u64>,
    /// Of rows that were deleted, or left the condition, between read and write. Of a repair, also of rows that are
    /// not there.
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
            let mut members = json!({
                "table": column.table, "column": column.column,
                "total": column.total().to_value(), "passes": passes,
            });
            if let (Some(path), Some(members)) = (&column.path, members.as_object_mut()) {
                members.insert("path".into(), path.as_str().into());
            }
            if let (Some(length), Some(members)) = (&column.length, members.as_object_mut()) {
                let length = json!({
                    "longest": length.longest, "needed": length.needed,
                    "bound": length.bound, "allowed": length.allowed,
                });
                members.insert("length".into(), length);
            }
            let terms: Vec<Value> = column.terms.iter().map(TermCount::to_value).collect();
            if let (false, Some(members)) = (terms.is_empty(), members.as_object_mut()) {
                members.insert("terms".into(), terms.into());
            }
            let findings = column.findings.iter();
            let findings: Vec<Value> = findings
                .map(|it| json!({"code": it.code, "message": it.message}))
                .collect();
            if let (false, Some(members)) = (findings.is_empty(), members.as_object_mut()) {
                members.insert("findings".into(), findings.into());
            }
            members
        });
        let mut report = json!({
            "work": self.work.as_str(),
            "end": self.end.as_str(),
            "dry_run": self.dry_run,
            "columns": columns.collect::<Vec<Value>>(),
        });
        if let Some(members) = report.as_object_mut() {
            if let Some(one_in) = self.sample_one_in {
                members.insert("sample_one_in".into(), one_in.into());
            }
            if self.work == Work::Discover {
                let found: Vec<Value> = self.discovered.iter().map(Discovered::to_value).collect();
                members.insert("discovered".into(), found.into());
                members.insert("unread".into(), self.unread.as_slice().into());
            }
        }
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
        self.left > 0 || self.reindexed > 0 || !self.resealed.is_empty()
    }

    /// Whether the database took a new value, or has one.
    pub(super) fn has_taken(&self) -> bool {
        self.current > 0 || self.reindexed > 0 || !self.resealed.is_empty()
    }

    /// Adds what was counted of other rows in the same pass.
    pub(super) fn merge(&mut self, more: &Self) {
        let amounts = [
            (&mut self.scanned, more.scanned),
            (&mut self.null, more.null),
            (&mut self.current, more.current),
            (&mut self.reindexed, more.reindexed),
            (&mut self.gone, more.gone),
            (&mut self.left, more.left),
            (&mut self.raced, more.raced),
            (&mut self.verified, more.verified),
        ];
        for (amount, more) in amounts {
            *amount = amount.saturating_add(more);
        }
        for (one, values) in &more.resealed {
            let amount = self.resealed.entry(one.clone()).or_default();
            *amount = amount.saturating_add(*values);
        }
        for (code, values) in &more.refused {
            let amount = self.refused.entry(code.clone()).or_default();
            *amount = amount.saturating_add(*values);
        }
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
            "reindexed": self.reindexed,
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
            // Earlier releases did not count them.
            reindexed: number("reindexed").unwrap_or_default(),
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

impl TermCount {
    fn to_value(&self) -> Value {
        json!({
            "index": self.index, "column": self.column, "key": self.key, "values": self.values,
        })
    }
}

impl Discovered {
    fn to_value(&self) -> Value {
        let found = self.found.iter();
        let found = found.map(|(kind, values)| json!({"in": kind.to_value(), "values": values}));
        let mut members = json!({
            "table": self.table, "column": self.column, "values": self.values,
            "key_like": self.key_like, "found": found.collect::<Vec<Value>>(),
        });
        if let (Some(path), Some(members)) = (&self.path, members.as_object_mut()) {
            members.insert("path".into(), path.as_str().into());
        }
        members
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
