//! Where a keyset is: in a file, or in a row of a database.

use reseal::{Error, ErrorCode, Keyset};

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::keyset_row::Row;

/// Where a keyset is.
pub(crate) struct Place {
    /// As it was named.
    pub(crate) path: String,
    pub(crate) named_by: String,
    /// Nothing where it is a file.
    pub(crate) row: Option<Row>,
}

impl Place {
    /// Reads the document, and says what to do where there is none.
    pub(crate) async fn read(&self, console: &mut Console<'_>) -> Outcome<Vec<u8>> {
        if let Some(row) = &self.row {
            return row.read().await;
        }
        match console.host.read_keyset(&self.path, Some(&self.named_by)) {
            Ok(bytes) => Ok(bytes),
            Err(failure) => match failure.into() {
                Failure::Error(error) if self.is_missing(&error, console) => {
                    let why = format!("{error}: reseal keyset init creates a keyset");
                    Err(Error::new(error.code(), why).into())
                }
                other => Err(other),
            },
        }
    }

    /// Puts the next document of a keyset into the place of the one that was loaded.
    pub(crate) async fn replace(
        &self,
        keyset: &Keyset,
        loaded: &[u8],
        document: &str,
        console: &mut Console<'_>,
    ) -> Outcome {
        let info = keyset.info();
        match &self.row {
            Some(row) => row.update(&info.ring, info.generation, document).await,
            None => Ok(console
                .host
                .save_keyset(&self.path, Some(loaded), document)?),
        }
    }

    /// Stores the first document of a new keyset, and says where that is.
    pub(crate) async fn begin(
        &self,
        keyset: &Keyset,
        document: &str,
        console: &mut Console<'_>,
    ) -> Outcome<String> {
        let info = keyset.info();
        let Some(row) = &self.row else {
            console.host.save_keyset(&self.path, None, document)?;
            return Ok(self.path.clone());
        };
        row.insert(&info.ring, info.generation + 1, document)
            .await?;
        Ok(format!("sql:{}", info.ring))
    }

    fn is_missing(&self, error: &Error, console: &mut Console<'_>) -> bool {
        let facts = console.host.file_facts(&self.path);
        error.code() == ErrorCode::SourceUnreadable && matches!(facts, Ok(None))
    }
}
