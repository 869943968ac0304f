//! The ring of the commands that seal and open: from the same sources as `Keyring.fromEnv`.

use core::cell::{Cell, RefCell};

use reseal::{
    Argon2id, Error, ErrorCode, Keyring, Loaded, Result, Source, SourceFile, WantKind, Zeroizing,
};

use crate::console::Console;
use crate::database::Database;
use crate::failure::Outcome;
use crate::host::{Host, HostResult};
use crate::kek;
use crate::keyset_row::Row;

/// The ring that the environment describes.
pub(crate) async fn load(console: &mut Console<'_>, database: &Database) -> Outcome<Keyring> {
    let source = source(console)?;
    load_source(source, console, database).await
}

/// The ring of a source.
pub(crate) async fn load_source(
    mut source: Source,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome<Keyring> {
    let contents = fetch(&source, console, database).await?;
    // A source that loads for the first time gives a ring.
    let ring = load_from(&mut source, &contents)?.ring;
    let none = || Error::new(ErrorCode::SourceMissing, "the source of keys gave no ring");
    Ok(ring.ok_or_else(none)?)
}

/// What the variables say, before anything is read.
pub(crate) fn source(console: &mut Console<'_>) -> Result<Source> {
    of_variables(console, |variable| Source::from_env(variable))
}

/// The source that is made of variables; one that is asked for and no text is an error.
pub(crate) fn of_variables(
    console: &mut Console<'_>,
    make: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<Source>,
) -> Result<Source> {
    let (host, refused) = (RefCell::new(&mut *console.host), Cell::new(None));
    let source = make(&|name| {
        let value = host.borrow_mut().variable(name)?;
        refused.set(refused.take().or(kek::check_text(name, &value).err()));
        Some(value.to_string())
    });
    refused.into_inner().map_or(source, Err)
}

/// Reads what a source wants.
pub(crate) async fn fetch(
    source: &Source,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome<Vec<Vec<SourceFile>>> {
    let mut contents = Vec::new();
    for want in source.wants() {
        let row = match want.kind {
            WantKind::Keyset => Row::of(&want.path, None, console, database).await?,
            WantKind::Secret | WantKind::Directory => None,
        };
        contents.push(match row {
            Some(row) => vec![SourceFile {
                name: want.path,
                content: Zeroizing::new(row.read().await?),
            }],
            None => fetch_one(console.host, want.kind, &want.path, want.named_by)?,
        });
    }
    Ok(contents)
}

/// Makes the ring of what was read.
pub(crate) fn load_from(source: &mut Source, contents: &[Vec<SourceFile>]) -> Result<Loaded> {
    source.load(contents, Argon2id::derive)
}

fn fetch_one(
    host: &mut dyn Host,
    kind: WantKind,
    path: &str,
    named_by: &str,
) -> HostResult<Vec<SourceFile>> {
    let content = match kind {
        WantKind::Directory => return host.read_key_directory(path, named_by),
        WantKind::Secret => host.read_secret(path, Some(named_by))?,
        WantKind::Keyset => Zeroizing::new(host.read_keyset(path, Some(named_by))?),
    };
    let name = path.rsplit('/').next().unwrap_or(path).to_owned();
    Ok(vec![SourceFile { name, content }])
}
