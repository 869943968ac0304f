//! Rows of a table of keys, as a JSON list of objects.

use crate::{
    error::{Error, ErrorCode, Result},
    json::Json,
    manifest::{
        secret::RowsRef,
        want::{Given, Need, WantKind},
    },
};
use alloc::{format, string::String, vec::Vec};
use data_encoding::BASE64;
use zeroize::{Zeroize, Zeroizing};

/// One row; its texts are wiped on drop.
pub(super) struct Row<'g> {
    given: &'g Given<'g>,
    place: String,
    members: Vec<(String, Json)>,
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
    let row = |(index, row)| match row {
        Json::Object(members) => Some(Row {
            given,
            place: format!("{member}[{index}]"),
            members,
        }),
        _ => None,
    };
    let rows = match Json::parse(text.as_bytes()) {
        Some(Json::List(rows)) => rows.into_iter().enumerate().map(row).collect(),
        _ => None,
    };
    rows.ok_or_else(|| {
        let message = format!(
            "the rows are no JSON list of objects with {}",
            columns.join(", ")
        );
        given.error(member, ErrorCode::SourceUnreadable, &message)
    })
}

/// The rows; none where they were not given.
pub(super) fn or_none<T>(rows: Result<Vec<T>>) -> Result<Vec<T>> {
    match rows {
        Err(error) if error.code() == ErrorCode::SourceMissing => Ok(Vec::new()),
        rows => rows,
    }
}

impl Row<'_> {
    /// A number, or text of its digits.
    pub(super) fn number(&self, column: &str) -> Result<u32> {
        let number = match self.member(column) {
            Some(Json::Integer(number)) => u32::try_from(*number).ok(),
            Some(Json::Text(digits)) => digits.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| self.bad(column, "a number from 0 to 4294967295"))
    }

    pub(super) fn base64(&self, column: &str) -> Result<Zeroizing<Vec<u8>>> {
        let bytes = match self.member(column) {
            Some(Json::Text(text)) => BASE64.decode(text.trim().as_bytes()).ok(),
            _ => None,
        };
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
        let at = self.members.iter().position(|(name, _)| name == column);
        match at.map(|at| self.members.swap_remove(at).1) {
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(Json::Null) | None => Ok(None),
            Some(_) => Err(self.bad(column, "text")),
        }
    }

    fn member(&self, column: &str) -> Option<&Json> {
        let mut members = self.members.iter();
        members.find_map(|(name, value)| (name == column).then_some(value))
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
        for (_, value) in &mut self.members {
            if let Json::Text(text) = value {
                text.zeroize();
            }
        }
    }
}
