//! The kind n8n: instance keys, the rows of `deployment_key`, or the key of an export.

use super::{Facts, NamedKey, Options, Sight, rows};
use crate::{
    codec::{Expect, N8n, N8nKeyRow, N8nWrite},
    column::NamedCodec,
    error::Result,
    manifest::{
        SecretRef,
        read::Table,
        secret::RowsRef,
        want::{Given, Need},
    },
};
use alloc::vec::Vec;

/// The columns of `deployment_key` that are read.
const COLUMNS: &[&str] = &["id", "type", "value", "algorithm", "status"];
/// The algorithm of rows whose key opens values without a prefix.
const UNPREFIXED: &str = "aes-256-cbc";
/// The type of the rows that hold keys of values.
const DATA_ENCRYPTION: &str = "data_encryption";
const WRITES: [(&str, N8nWrite); 2] = [
    ("legacy", N8nWrite::Legacy),
    ("prefixed", N8nWrite::Prefixed),
];

#[derive(Debug)]
pub(super) struct N8nOptions {
    instance_keys: Vec<SecretRef>,
    custom_key: Option<SecretRef>,
    rows: Option<RowsRef>,
    write: Option<N8nWrite>,
    expect: Option<Expect>,
    lenient: bool,
}

impl N8nOptions {
    pub(super) fn parse(table: &mut Table<'_, '_>) -> Self {
        let options = Self {
            instance_keys: table.secrets("instance_keys"),
            custom_key: table.secret("custom_key"),
            rows: table.rows("rows"),
            write: table
                .value("write")
                .and_then(|value| value.word("way of writing of n8n", &WRITES)),
            expect: table.expect(),
            lenient: table.lenient(),
        };
        let wrong = |member: &str, message: &str| table.wrong(member, message);
        let (custom, rows) = (table.has("custom_key"), table.has("rows"));
        let prefixed = options.write == Some(N8nWrite::Prefixed);
        if custom && (table.has("instance_keys") || rows || prefixed) {
            wrong(
                "custom_key",
                "an export has its custom key alone: leave out instance_keys, rows and \
                 write = \"prefixed\"",
            );
        }
        if !custom && !table.has("instance_keys") {
            wrong(
                "instance_keys",
                "it is missing: write it as [\"env:N8N_ENCRYPTION_KEY\"], or a custom_key",
            );
        }
        if prefixed && !custom && !rows {
            wrong(
                "rows",
                "it is missing: what has a prefix is written under the active row, as in \
                 \"table:deployment_key\"",
            );
        }
        options
    }
}

impl Options for N8nOptions {
    fn needs(&self) -> Vec<Need> {
        let mut needs = Need::secrets("instance_keys", &self.instance_keys);
        needs.extend(
            self.custom_key
                .iter()
                .map(|secret| Need::secret("custom_key", secret)),
        );
        needs.extend(
            self.rows
                .iter()
                .map(|source| rows::need("rows", source, COLUMNS)),
        );
        needs
    }

    fn facts(&self) -> Facts {
        Facts {
            unchecked: self.expect.is_none(),
            ..Facts::default()
        }
    }

    fn sight(&self) -> Sight {
        Sight::of(self.lenient)
    }

    fn named_keys(&self, given: &Given<'_>) -> Result<Vec<NamedKey>> {
        let Some(source) = &self.rows else {
            return Ok(Vec::new());
        };
        let rows = rows::or_none(key_rows(given, source))?.into_iter();
        // The key of a row for values without a prefix is one that no value shows.
        let shows = |row: &N8nKeyRow| row.algorithm.as_deref() != Some(UNPREFIXED);
        let rows = rows.filter(|row| row.kind == DATA_ENCRYPTION && shows(row));
        Ok(rows
            .map(|row| NamedKey {
                is_primary: row.status == "active",
                id: row.id.clone(),
            })
            .collect())
    }

    fn build(&self, given: &Given<'_>) -> Result<NamedCodec> {
        let mut builder = N8n::builder().lenient(self.lenient);
        if let Some(write) = self.write {
            builder = builder.write(write);
        }
        for key in given.texts(&self.instance_keys, "instance_keys")? {
            builder = builder.instance_key(key);
        }
        if let Some(secret) = &self.custom_key {
            builder = builder.custom_key(given.text(secret, "custom_key")?);
        }
        if let Some(source) = &self.rows {
            builder = builder.rows(key_rows(given, source)?);
        }
        if let Some(expect) = self.expect {
            builder = builder.expect(expect);
        }
        let codec = builder.build().map_err(|error| given.explain("", &error))?;
        Ok(NamedCodec::new(given.codec, codec))
    }
}

fn key_rows(given: &Given<'_>, source: &RowsRef) -> Result<Vec<N8nKeyRow>> {
    let rows = rows::read(given, "rows", source, COLUMNS)?.into_iter();
    rows.map(|mut row| {
        Ok(N8nKeyRow {
            id: row.text("id")?,
            kind: row.text("type")?,
            value: row.text("value")?.into(),
            algorithm: row.optional("algorithm")?,
            status: row.text("status")?,
        })
    })
    .collect()
}
