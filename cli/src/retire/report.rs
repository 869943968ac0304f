//! What came of a retirement.

use core::fmt;
use core::ops::Not;

use reseal::job::{ColumnReport, Report};
use serde::Serialize;
use serde_json::Value;

use crate::console::shown;
use crate::job::grouped;

/// What came of it.
#[derive(Debug, Serialize)]
pub(super) struct Retired {
    work: &'static str,
    pub(super) end: Ended,
    /// The codec or the key, as it is called in full.
    pub(super) target: String,
    kind: &'static str,
    /// What was done to a key of a keyset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<Action>,
    /// What the key may do now, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<&'static str>,
    /// The database in which it was counted, as its URL without the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) database: Option<String>,
    /// The keyset that has the key, and in which it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) keyset: Option<String>,
    /// What still needs it.
    pub(super) left: Vec<Part>,
    /// What shows no key.
    pub(super) unrecognized: Vec<Part>,
    /// The columns that read `plain` without need.
    pub(super) plain_unused: Vec<Part>,
    /// What is to be done next.
    pub(super) next: Vec<String>,
    /// What was counted last.
    pub(super) columns: Value,
    pub(super) milliseconds: u64,
    /// What takes former versions of rows away, where something in their tables needs it.
    #[serde(skip)]
    pub(super) histories: Vec<String>,
    /// In a sentence.
    #[serde(skip)]
    pub(super) verdict: String,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ended {
    /// Nothing needs it.
    Complete,
    /// Something does.
    InUse,
    /// It was asked to stop.
    Stopped,
}

/// What was done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    Disabled,
    /// It was disabled meanwhile.
    EnabledAgain,
}

/// Part of a column, or terms of one of its indexes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Part {
    pub(super) table: String,
    pub(super) column: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    /// The index, where these are terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<String>,
    /// Why a value does not open, or is not recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    pub(super) values: u64,
    /// In rows that no `where` of the manifest takes.
    #[serde(rename = "outside", skip_serializing_if = "Not::not")]
    pub(super) is_outside: bool,
}

impl Retired {
    pub(super) fn codec(name: &str) -> Self {
        Self::new(name, "codec")
    }

    pub(super) fn key(id: &str) -> Self {
        Self::new(id, "key")
    }

    fn new(target: &str, kind: &'static str) -> Self {
        Self {
            work: "retire",
            end: Ended::Complete,
            target: target.to_owned(),
            kind,
            action: None,
            state: None,
            database: None,
            keyset: None,
            left: Vec::new(),
            unrecognized: Vec::new(),
            plain_unused: Vec::new(),
            next: Vec::new(),
            columns: Value::Array(Vec::new()),
            milliseconds: 0,
            histories: Vec::new(),
            verdict: String::new(),
        }
    }

    /// Keeps what a job counted.
    pub(super) fn keep(&mut self, report: &Report) {
        // It is the core's, and so it is JSON.
        let mut value: Value = serde_json::from_str(&report.to_json()).unwrap_or_default();
        let columns = value.get_mut("columns").map(Value::take);
        self.columns = columns.unwrap_or_default();
    }

    /// Notes that former versions of rows are among what needs it.
    pub(super) fn note_history(&mut self, column: &ColumnReport) {
        let mut findings = column.findings.iter();
        let Some(history) = findings.find(|it| it.code == "keeps-history") else {
            return;
        };
        let said = shown(&format!("{}: {}", column.table, history.message));
        if !self.histories.contains(&said) {
            self.histories.push(said);
        }
    }

    /// It was asked to stop before anything was changed.
    pub(super) fn stopped(mut self) -> Self {
        self.end = Ended::Stopped;
        "stopped: nothing is changed; the same command begins anew".clone_into(&mut self.verdict);
        self
    }
}

impl Part {
    pub(super) fn of(column: &ColumnReport, values: u64) -> Self {
        Self {
            table: column.table.clone(),
            column: column.column.clone(),
            path: column.path.clone(),
            index: None,
            code: None,
            values,
            is_outside: false,
        }
    }

    /// The column, as a person reads it.
    pub(super) fn name(&self) -> String {
        let path = self.path.as_deref().map(|path| format!(" {path}"));
        let path = path.unwrap_or_default();
        shown(&format!("{}.{}{path}", self.table, self.column))
    }
}

impl fmt::Display for Retired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.left {
            let values = match (&one.index, &one.code) {
                (Some(index), _) => {
                    let what = if one.values == 1 { "term" } else { "terms" };
                    format!(
                        "{} {what} of the index {}",
                        grouped(one.values),
                        shown(index)
                    )
                }
                (None, Some(code)) => format!("{}: {code}", counted_values(one.values)),
                (None, None) => counted_values(one.values),
            };
            let place = if one.is_outside {
                ", in rows that no where of the manifest takes"
            } else {
                ""
            };
            writeln!(f, "{}: {values}{place}", one.name())?;
        }
        f.write_str(&self.verdict)
    }
}

/// A number of values.
pub(super) fn counted_values(values: u64) -> String {
    let end = if values == 1 { "" } else { "s" };
    format!("{} value{end}", grouped(values))
}
