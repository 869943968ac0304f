//! The report of refused values: a JSON document on each line, and nothing of their content.

use reseal::job::Event;
use serde_json::{Map, Value, json};

use crate::console::Console;
use crate::failure::{Outcome, usage};
use crate::host::{FileKind, HostFailure, HostResult};

/// It is written in pieces of about this size.
const PIECE_BYTES: usize = 32 * 1024;

/// The file, and what is to be written into it.
#[derive(Debug)]
pub(super) struct RefusedReport {
    path: String,
    pending: String,
    /// Whether the file was begun: by this run, or by the one that it goes on from.
    is_begun: bool,
    /// Why nothing is written into it any more.
    pub(super) lost: Option<String>,
}

impl RefusedReport {
    pub(super) fn new(path: String) -> Self {
        Self {
            path,
            pending: String::new(),
            is_begun: false,
            lost: None,
        }
    }

    /// Whether there can be such a file: better now than after the work. What it has stays.
    pub(super) fn check(&self, console: &mut Console<'_>) -> Outcome {
        if self.is_other(console)? {
            return usage(self.other());
        }
        Ok(console.host.append_file(&self.path, b"", false)?)
    }

    /// Whether the file holds something else than such a list, which is not to be lost.
    fn is_other(&self, console: &mut Console<'_>) -> HostResult<bool> {
        let facts = console.host.file_facts(&self.path)?;
        if facts.is_none_or(|facts| facts.kind != FileKind::File) {
            return Ok(false);
        }
        let beginning = console.host.read_beginning(&self.path)?;
        Ok(!beginning.is_empty() && !is_list(&beginning))
    }

    fn other(&self) -> String {
        let path = &self.path;
        format!("{path:?} is no list of refused values, and is left as it is: name another file")
    }

    /// What an earlier run wrote stays.
    pub(super) fn resume(&mut self) {
        self.is_begun = true;
    }

    /// What others write stays.
    pub(super) fn resumed(mut self) -> Self {
        self.is_begun = true;
        self
    }

    pub(super) fn add(&mut self, event: &Event, console: &mut Console<'_>) -> Outcome {
        let Some(members) = members(event) else {
            return Ok(());
        };
        self.pending.push_str(&Value::from(members).to_string());
        self.pending.push('\n');
        if self.pending.len() < PIECE_BYTES {
            return Ok(());
        }
        self.save(console)
    }

    /// Writes what waits. There is a file at the end, also where nothing was refused.
    pub(super) fn save(&mut self, console: &mut Console<'_>) -> Outcome {
        if self.lost.is_some() || self.is_begun && self.pending.is_empty() {
            return Ok(());
        }
        if !self.is_begun && self.is_other(console)? {
            self.lost = Some(self.other());
            return Ok(());
        }
        let host = &mut console.host;
        match host.append_file(&self.path, self.pending.as_bytes(), !self.is_begun) {
            // It is no reason to say nothing of what was done.
            Err(HostFailure::Stream(why)) => {
                self.lost = Some(format!(
                    "{why}: it does not list all values that were refused"
                ));
            }
            written => written?,
        }
        self.is_begun = true;
        self.pending.clear();
        Ok(())
    }
}

/// Whether a file begins as one that was written here: the members of its documents are sorted.
fn is_list(beginning: &[u8]) -> bool {
    let code = beginning.strip_prefix(b"{\"code\":\"").unwrap_or_default();
    let end = code.iter().position(|byte| *byte == b'"');
    end.is_some_and(|end| code.split_at(end).1.starts_with(b"\",\"column\":\""))
}

/// A refused value, without a word of what it holds.
pub(super) fn members(event: &Event) -> Option<Map<String, Value>> {
    let Event::Refused {
        pass,
        table,
        column,
        path,
        row_id,
        code,
    } = event
    else {
        return None;
    };
    let mut members = json!({
        "table": table, "column": column, "row_id": row_id, "code": code, "pass": pass,
    });
    let members = members.as_object_mut()?;
    if let Some(path) = path {
        members.insert("path".to_owned(), path.as_str().into());
    }
    Some(core::mem::take(members))
}
