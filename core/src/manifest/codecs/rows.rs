//! Rows of a table of keys, as a JSON list of objects.

use crate::{
    error::{Error, ErrorCode, Result},
    manifest::{
        secret::RowsRef,
        want::{Given, Need, WantKind},
    },
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use data_encoding::BASE64;
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

/// One row; its texts are wiped on drop.
pub(super) struct Row<'g> {
    given: &'g Given<'g>,
    place: String,
    members: Map<String, Value>,
}

/// What has to be read for the rows.
pub(super) fn need(member: &str, source: &RowsRef, columns: &'static [&'static str]) -> Need {
    match source {
        RowsRef::Document(secret) => Need::secret(member, secret),
        RowsRef::Table(name) => Need {
            kind: WantKind::Table(columns),
            name: name.clone(),
            member: member.into(),
        },
    }
}

pub(super) fn read<'g>(
    given: &'g Given<'g>,
    member: &str,
    source: &RowsRef,
    columns: &'static [&'static str],
) -> Result<Vec<Row<'g>>> {
    let text = match source {
        RowsRef::Document(secret) => given.text(secret, member)?,
        RowsRef::Table(name) => {
            let files = given.files(WantKind::Table(columns), name, member)?;
            let content = files.first().map(|file| file.content.as_slice());
            core::str::from_utf8(content.unwrap_or_default()).unwrap_or_default()
        }
    };
    // What serde says may quote the text.
    let rows: Vec<Map<String, Value>> = serde_json::from_str(text).map_err(|_| {
        let message = format!(
            "the rows are no JSON list of objects with {}",
            columns.join(", ")
        );
        given.error(member, ErrorCode::SourceUnreadable, &message)
    })?;
    let row = |(index, members)| Row {
        given,
        place: format!("{member}[{index}]"),
        members,
    };
    Ok(rows.into_iter().enumerate().map(row).collect())
}

impl Row<'_> {
    /// A number, or text of its digits.
    pub(super) fn number(&self, column: &str) -> Result<u32> {
        let number = match self.members.get(column) {
            Some(Value::Number(number)) => number.to_string().parse().ok(),
            Some(Value::String(digits)) => digits.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| self.bad(column, "a number from 0 to 4294967295"))
    }

    pub(super) fn base64(&self, column: &str) -> Result<Zeroizing<Vec<u8>>> {
        let text = self.members.get(column).and_then(Value::as_str);
        let bytes = text.and_then(|text| BASE64.decode(text.trim().as_bytes()).ok());
        bytes
            .map(Zeroizing::new)
            .ok_or_else(|| self.bad(column, "base64"))
    }

    pub(super) fn text(&mut self, column: &str) -> Result<String> {
        let text = self.optional(column)?;
        text.ok_or_else(|| self.bad(column, "text"))
    }

    /// Text, or nothing for NULL.
    pub(super) fn optional(&mut self, column: &str) -> Result<Option<String>> {
        match self.members.remove(column) {
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Null) | None => Ok(None),
            Some(_) => Err(self.bad(column, "text")),
        }
    }

    fn bad(&self, column: &str, what: &str) -> Error {
        let message = format!("expected {what}");
        let member = format!("{}.{column}", self.place);
        self.given
            .error(&member, ErrorCode::SourceUnreadable, &message)
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        for value in self.members.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}
