//! How a run keeps how far it is, so that the next one goes on from there.

use super::{
    Checkpoint, Dialect, FailureKind, Step, apply::Run, catalog, dialect::split_table, halt::Halt,
    id, progress::Progress, share::Shared, store,
};
use crate::error::{Error, ErrorCode, fixed};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde_json::{Value, json};

impl Run {
    pub(super) async fn load(&mut self) -> Result<Option<String>, Halt> {
        let dialect = self.options.dialect;
        match &self.options.checkpoint {
            _ if self.is_dry() => Ok(None),
            Checkpoint::Nowhere => Ok(None),
            Checkpoint::File { state } => {
                let is_first = !self.tally.is_loaded;
                let state = state.as_deref().filter(|_| is_first);
                state.map(|state| self.own(state)).transpose()
            }
            Checkpoint::Table => {
                self.have_table().await?;
                let rows = self.line.query(store::load(dialect, &self.id)).await?;
                let Some([state, version]) = rows.first().map(Vec::as_slice) else {
                    self.version = None;
                    return Ok(None);
                };
                self.version = version.as_int();
                let state = state.as_text().unwrap_or_default();
                self.is_for_one(state)?;
                Ok(Some(state.to_string()))
            }
        }
    }

    /// Whoever may use the table, but not make one, finds it there.
    pub(super) async fn have_table(&self) -> Result<(), Halt> {
        let dialect = self.options.dialect;
        let there = catalog::columns(dialect, store::TABLE);
        if !self.line.query(there).await?.is_empty() {
            return Ok(());
        }
        match self.line.execute(store::create(dialect)).await {
            Err(failure) if failure.kind == FailureKind::PermissionDenied => {
                let (table, code) = (store::TABLE, failure.code);
                let message = format!(
                    "the user may not make the table {table} ({code}), which keeps how far the job \
                     is: have it made, or name a file for the checkpoint"
                );
                Err(Error::new(ErrorCode::DatabaseError, message).into())
            }
            // PostgreSQL says so where another run makes it at the same time.
            Err(failure) if failure.kind == FailureKind::Duplicate => Ok(()),
            made => Ok(made.map(drop)?),
        }
    }

    /// The id of the job in the table of checkpoints. Where that is in another schema than tables of the job, which
    /// PostgreSQL finds by its `search_path` as well, others may share it that have tables of the same names.
    pub(super) async fn id_here(&self) -> Result<String, Halt> {
        let is_in_table = !self.is_dry() && self.options.checkpoint == Checkpoint::Table;
        if !is_in_table || self.options.dialect != Dialect::Postgres {
            return Ok(self.id.clone());
        }
        self.have_table().await?;
        let beside = self.schema_of(store::TABLE).await?;
        let mut schemas = Vec::with_capacity(self.targets.len());
        for target in self.targets.iter() {
            let table = &target.spec.table;
            let schema = match split_table(table) {
                (Some(_), _) => None,
                (None, _) => self.schema_of(table).await?,
            };
            schemas.push(schema.filter(|schema| Some(schema) != beside.as_ref()));
        }
        Ok(id(self.work, &self.targets, &schemas))
    }

    /// The schema in which PostgreSQL finds a table.
    async fn schema_of(&self, table: &str) -> Result<Option<String>, Halt> {
        let dialect = self.options.dialect;
        let rows = self.line.query(catalog::schema(dialect, table)).await?;
        let schema = rows.first().and_then(|row| row.first()?.as_text());
        Ok(schema.map(String::from))
    }

    /// Within a transaction.
    pub(super) async fn save(&self, next: &Progress) -> Result<(), Halt> {
        if self.options.checkpoint != Checkpoint::Table {
            return Ok(());
        }
        let state = self.document(next);
        if self.store(&self.row, &state, self.version).await? {
            return Ok(());
        }
        Err(conflict().into())
    }

    /// Stores a row of the table; `false` where somebody else was quicker.
    pub(super) async fn store(
        &self,
        row: &str,
        state: &str,
        version: Option<i64>,
    ) -> Result<bool, Halt> {
        let dialect = self.options.dialect;
        let statement = match version {
            Some(version) => store::update(dialect, row, state, version),
            None => store::insert(dialect, row, state),
        };
        match self.line.execute(statement).await {
            Ok(rows) => Ok(rows == 1),
            // Somebody stored one where there was none.
            Err(failure) if failure.kind == FailureKind::Duplicate => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    pub(super) async fn save_alone(&mut self, next: &Progress) -> Result<(), Halt> {
        if self.is_dry() || self.options.checkpoint != Checkpoint::Table {
            return Ok(());
        }
        self.line.run(Step::Begin).await?;
        self.save(next).await?;
        self.commit().await
    }

    pub(super) async fn commit(&mut self) -> Result<(), Halt> {
        self.line.run(Step::Commit).await?;
        if self.options.checkpoint == Checkpoint::Table {
            self.version = Some(self.version.map_or(1, |version| version + 1));
        }
        if let Some(sharing) = &mut self.sharing {
            sharing.saved_ms = self.line.elapsed_ms();
        }
        Ok(())
    }

    /// What comes after a commit.
    pub(super) async fn saved(&mut self) -> Result<(), Halt> {
        self.tally.quiet = 0;
        let is_file = matches!(self.options.checkpoint, Checkpoint::File { .. });
        if is_file && !self.is_dry() {
            let state = json!({"job": self.id, "progress": self.progress.to_json()});
            self.line.run(Step::Save(state.to_string())).await?;
        }
        Ok(())
    }

    /// The progress in a file, which must be of this job: whatever else it is, it is not overwritten.
    fn own(&self, state: &str) -> Result<String, Halt> {
        let value: Option<Value> = serde_json::from_str(state).ok();
        let text = |name: &str| Some(value.as_ref()?.get(name)?.as_str()?.to_string());
        match (text("job"), text("progress")) {
            (Some(job), Some(progress)) if job == self.id => Ok(progress),
            _ => {
                let message = "the file of the checkpoint is of another job, or no checkpoint: \
                               name another file, or remove it";
                Err(fixed(ErrorCode::InvalidArgument, message).into())
            }
        }
    }

    /// A job that several workers have begun is theirs until it is done.
    fn is_for_one(&self, state: &str) -> Result<(), Halt> {
        let shared = Shared::of_json(state, self.targets.len());
        if !shared.is_some_and(|shared| shared.dealt > 0 && !shared.progress.is_finished) {
            return Ok(());
        }
        let message = "several workers have begun this job: go on with workers, --share or --jobs, \
                       until it is done";
        Err(fixed(ErrorCode::JobConflict, message).into())
    }
}

pub(super) fn conflict() -> Error {
    let message = "another run of this job moved its checkpoint: let one of them do the job";
    fixed(ErrorCode::JobConflict, message)
}
