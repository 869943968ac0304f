//! The manifest: read from its file, and its codecs with their keys.

use std::sync::Arc;

use reseal::job::{Dialect, table_columns, table_rows};
use reseal::manifest::{
    KeyringSource, MAX_MANIFEST_BYTES, Manifest, RingWant, Secrets, Want, WantKind,
};
use reseal::{Error, ErrorCode, Keyring, NamedCodec};

use crate::console::Console;
use crate::database::Database;
use crate::failure::{Failure, Outcome};
use crate::host::HostFailure;
use crate::{kek, ring};

/// Where it is when nothing is said.
pub(crate) const DEFAULT_PATH: &str = "reseal.toml";
/// Set where data is real: nothing writes plaintext there.
pub(crate) const REQUIRE_ENCRYPTION: &str = "RESEAL_REQUIRE_ENCRYPTION";

/// The manifest in a file.
pub(crate) fn load(console: &mut Console<'_>, path: &str) -> Outcome<Manifest> {
    let text = read(console, path)?;
    Manifest::parse(&text).map_err(Failure::Given)
}

/// The text of a manifest.
pub(crate) fn read(console: &mut Console<'_>, path: &str) -> Outcome<String> {
    let invalid = |why: String| Failure::Given(Error::new(ErrorCode::ManifestInvalid, why));
    let bytes = match console.host.read_keyset(path, None) {
        // It is the size that makes a file no keyset.
        Err(HostFailure::Error(error)) if error.code() == ErrorCode::KeysetMalformed => {
            return Err(invalid(format!(
                "a manifest has at most {MAX_MANIFEST_BYTES} bytes, and {path:?} has more"
            )));
        }
        Err(HostFailure::Error(error)) if path == DEFAULT_PATH => {
            let why = format!(
                "{}; where the manifest is another file, name it",
                error.message()
            );
            return Err(Error::new(error.code(), why).into());
        }
        bytes => bytes?,
    };
    String::from_utf8(bytes).map_err(|_| invalid(format!("{path:?} is no text (UTF-8)")))
}

/// Whether plaintext is refused here. Only what plainly says no counts as no.
pub(crate) fn encryption_is_required(console: &mut Console<'_>) -> bool {
    let said = kek::variable(console, REQUIRE_ENCRYPTION);
    said.is_some_and(|said| said.trim() != "0")
}

/// One codec, with what it needs read for it alone.
pub(crate) async fn codec(
    manifest: &Manifest,
    name: &str,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome<NamedCodec> {
    let mut secrets = Secrets::new();
    for want in manifest.wants_of(name)? {
        fetch(&want, &mut secrets, console)?;
    }
    if let Some(want) = manifest.ring_of(name)? {
        give_ring(want, &mut secrets, console, database).await?;
    }
    Ok(manifest.codec(name, &secrets)?)
}

/// All that the codecs of a manifest need.
pub(crate) async fn secrets(
    manifest: &Manifest,
    console: &mut Console<'_>,
    database: &Database,
    dialect: Dialect,
) -> Outcome<Secrets> {
    let mut secrets = Secrets::new();
    for want in manifest.wants() {
        fetch_any(&want, &mut secrets, console, database, dialect).await?;
    }
    for want in manifest.rings() {
        give_ring(want, &mut secrets, console, database).await?;
    }
    Ok(secrets)
}

/// What tells the ids of the keys of other systems: the files of their directories, and the rows of their
/// tables. What cannot be read here is told, and left out.
pub(crate) async fn named(
    manifest: &Manifest,
    console: &mut Console<'_>,
    database: &Database,
    dialect: Dialect,
) -> Outcome<Secrets> {
    let mut secrets = Secrets::new();
    for want in manifest.wants() {
        if !matches!(want.kind, WantKind::Directory | WantKind::Table(_)) {
            continue;
        }
        match fetch_any(&want, &mut secrets, console, database, dialect).await {
            Err(Failure::Error(error)) => {
                console.warning(&format!("keys are not known here: {error}"))?;
            }
            done => done?,
        }
    }
    Ok(secrets)
}

async fn fetch_any(
    want: &Want,
    secrets: &mut Secrets,
    console: &mut Console<'_>,
    database: &Database,
    dialect: Dialect,
) -> Outcome {
    if !matches!(want.kind, WantKind::Table(_)) {
        return fetch(want, secrets, console);
    }
    let columns = database.rows(table_columns(dialect, &want.name)).await?;
    let table = table_rows(dialect, want, &columns)?;
    let rows = database.rows(table.statement.clone()).await?;
    secrets.give(want, table.to_json(&rows)?.as_bytes());
    Ok(())
}

async fn give_ring(
    want: RingWant,
    secrets: &mut Secrets,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome {
    let ring = ring_of(&want.source, console, database).await?;
    secrets.give_ring(want.codec, Arc::new(ring));
    Ok(())
}

/// The ring of a codec.
pub(crate) async fn ring_of(
    source: &KeyringSource,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome<Keyring> {
    let source = ring::of_variables(console, |variable| source.source(variable))?;
    ring::load_source(source, console, database).await
}

/// What is not there is not given, and the codec says what it lacks.
fn fetch(want: &Want, secrets: &mut Secrets, console: &mut Console<'_>) -> Outcome {
    let (name, named_by) = (want.name.as_str(), want.named_by.as_str());
    match want.kind {
        WantKind::Env => {
            let Some(value) = console.host.variable(name) else {
                return Ok(());
            };
            kek::check_text(name, &value)
                .map_err(|error| Error::new(error.code(), format!("{named_by}: {error}")))?;
            secrets.give(want, value.as_bytes());
        }
        WantKind::File => {
            let content = console.host.read_secret(name, Some(named_by))?;
            secrets.give(want, content.as_slice());
        }
        WantKind::Directory => {
            let files = console.host.read_key_directory(name, named_by)?;
            secrets.give_files(want, files);
        }
        _ => {
            let why = format!(
                "{named_by}: this command has no database to read the table {name} from: write its rows into a file, as a JSON list of objects, and name that one as file:PATH"
            );
            return Err(Error::new(ErrorCode::SourceMissing, why).into());
        }
    }
    Ok(())
}
