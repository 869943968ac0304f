//! The report of refused values: a JSON document on each line, and nothing of their content.

use reseal::job::Event;
use serde_json::{Map, Value, json};

use crate::console::Console;
use crate::failure::Outcome;
use crate::host::HostFailure;

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
        Ok(console.host.append_file(&self.path, b"", false)?)
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
