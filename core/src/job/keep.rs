//! How a run keeps how far it is, so that the next one goes on from there.

use super::{Checkpoint, Step, apply::Run, halt::Halt, progress::Progress, store};
use crate::error::{ErrorCode, fixed};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

impl Run {
    pub(super) async fn load(&mut self) -> Result<Option<String>, Halt> {
        let dialect = self.options.dialect;
        match &self.options.checkpoint {
            _ if self.is_dry() => Ok(None),
            Checkpoint::Nowhere => Ok(None),
            Checkpoint::File { state } => {
                let is_first = !self.tally.is_loaded;
                Ok(state.clone().filter(|_| is_first))
            }
            Checkpoint::Table => {
                self.line.execute(store::create(dialect)).await?;
                let rows = self.line.query(store::load(dialect, &self.id)).await?;
                let Some([state, version]) = rows.first().map(Vec::as_slice) else {
                    return Ok(None);
                };
                self.version = version.as_int();
                Ok(state.as_text().map(ToString::to_string))
            }
        }
    }

    /// Within a transaction.
    pub(super) async fn save(&self, next: &Progress) -> Result<(), Halt> {
        if self.options.checkpoint != Checkpoint::Table {
            return Ok(());
        }
        let (dialect, state) = (self.options.dialect, next.to_json());
        let statement = match self.version {
            Some(version) => store::update(dialect, &self.id, &state, version),
            None => store::insert(dialect, &self.id, &state),
        };
        if self.line.execute(statement).await? == 1 {
            return Ok(());
        }
        let message = "another run of this job moved its checkpoint: let one of them do the job";
        Err(fixed(ErrorCode::JobConflict, message).into())
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
        Ok(())
    }

    /// What comes after a commit.
    pub(super) async fn saved(&mut self) -> Result<(), Halt> {
        self.tally.quiet = 0;
        let is_file = matches!(self.options.checkpoint, Checkpoint::File { .. });
        if is_file && !self.is_dry() {
            let state = self.progress.to_json();
            self.line.run(Step::Save(state)).await?;
        }
        Ok(())
    }
}
