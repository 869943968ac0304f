//! A keyset in a database, which the path `sql:RING` names.

use reseal::Error;
use reseal::job::{FailureKind, KeysetRow, Reply, Statement};

use crate::console::Console;
use crate::database::Database;
use crate::failure::{Failure, Outcome};
use crate::session::Turn;

/// A row, and the line to its database.
pub(crate) struct Row {
    row: KeysetRow,
    database: Database,
}

impl Row {
    /// The row that a path names; nothing for the path of a file. It connects where there is no
    /// connection yet, to `url` or what the environment says.
    pub(crate) async fn of(
        path: &str,
        url: Option<&str>,
        console: &mut Console<'_>,
        database: &Database,
    ) -> Outcome<Option<Self>> {
        let Some(ring) = KeysetRow::ring_in(path) else {
            return Ok(None);
        };
        let dialect = database.connected(url, console).await?;
        Ok(Some(Self {
            row: KeysetRow::new(dialect, ring)?,
            database: database.clone(),
        }))
    }

    /// The document.
    pub(crate) async fn read(&self) -> Outcome<Vec<u8>> {
        let rows = match self.database.rows(self.row.load()).await {
            Ok(rows) => rows,
            // SQLite has no code of its own for a table that is missing.
            Err(failure) => match self.database.rows(self.row.table()).await {
                Ok(columns) if columns.is_empty() => return Err(self.row.no_table().into()),
                _ => return Err(failure),
            },
        };
        Ok(self.row.document(&rows)?.as_bytes().to_vec())
    }

    /// Whether the table has a keyset, of whatever ring.
    pub(crate) async fn has_any(&self) -> Outcome<bool> {
        if !self.has_table().await? {
            return Ok(false);
        }
        Ok(!self.database.rows(self.row.load()).await?.is_empty())
    }

    /// Stores the keyset of a new ring, and makes the table where it is missing.
    pub(crate) async fn insert(&self, ring: &str, generation: u64, document: &str) -> Outcome {
        if !self.has_table().await? {
            self.create_table().await?;
        }
        let insert = self.row.insert(ring, generation, document);
        match self.execute(insert).await {
            Reply::Failed(failure) if failure.kind == FailureKind::Duplicate => {
                Err(self.row.exists(ring).into())
            }
            reply => stored(reply).map(drop),
        }
    }

    /// Replaces the document of a ring, if the row is of the generation that was loaded.
    pub(crate) async fn update(&self, ring: &str, loaded: u64, document: &str) -> Outcome {
        let update = self.row.update(ring, loaded, document);
        match stored(self.execute(update).await)? {
            1 => Ok(()),
            _ => Err(self.row.changed().into()),
        }
    }

    async fn has_table(&self) -> Outcome<bool> {
        Ok(!self.database.rows(self.row.table()).await?.is_empty())
    }

    async fn create_table(&self) -> Outcome {
        match self.execute(self.row.create_table()).await {
            Reply::Failed(failure) if failure.kind == FailureKind::PermissionDenied => {
                Err(self.row.may_not_create(&failure.code).into())
            }
            // PostgreSQL says so where another one makes it at the same time.
            Reply::Failed(failure) if failure.kind == FailureKind::Duplicate => Ok(()),
            reply => stored(reply).map(drop),
        }
    }

    async fn execute(&self, statement: Statement) -> Reply {
        self.database.run(Turn::Execute(statement)).await
    }
}

/// How many rows a statement changed.
fn stored(reply: Reply) -> Outcome<u64> {
    match reply {
        Reply::Count(count) => Ok(count),
        Reply::Failed(failure) => Err(Failure::Error(Error::from(failure))),
        _ => Ok(0),
    }
}
