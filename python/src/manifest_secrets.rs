//! The secrets and rings of a manifest: what its codecs want is read here.

use crate::{
    codec::Named,
    codecs::{pairs, ring_of},
    convert::{argument_text, type_name},
    error::{Failure, Result, invalid_argument, known_error},
    plaintext,
    ring::Ring,
    source::{self, Named as Naming, Reading, Variables},
};
use alloc::{collections::BTreeMap, sync::Arc};
use pyo3::{prelude::*, types::PyMapping};
use reseal::{
    ENV_NAMES, Error, ErrorCode, Source, Zeroizing,
    manifest::{
        KeyringSource, KeysetUnlock, Manifest, RingWant, SecretRef, Secrets, Want, WantKind,
    },
};

/// The arguments of a call.
pub(crate) struct Given<'a, 'py> {
    rings: BTreeMap<String, Ring>,
    tables: Option<&'a Bound<'py, PyAny>>,
    environ: Bound<'py, PyAny>,
}

impl<'a, 'py> Given<'a, 'py> {
    pub(crate) fn read(
        py: Python<'py>,
        manifest: &Manifest,
        rings: Option<&Bound<'py, PyAny>>,
        tables: Option<&'a Bound<'py, PyAny>>,
        environ: Option<&Bound<'py, PyAny>>,
    ) -> Result<Self> {
        if let Some(tables) = tables.filter(|tables| tables.cast::<PyMapping>().is_err()) {
            let name = type_name(tables);
            return Err(invalid_argument(format!("tables is a mapping, not {name}")));
        }
        let rings = rings.map_or_else(|| Ok(Vec::new()), |rings| pairs(rings, "rings"))?;
        let ring = |(codec, ring): &(Bound<'py, PyAny>, Bound<'py, PyAny>)| {
            let codec = argument_text(codec, "the name of a codec in rings")?;
            has_ring(manifest, &codec)?;
            let ring = ring_of(ring, &format!("rings[{codec:?}]"))?;
            Ok((codec.into_owned(), ring.clone()))
        };
        Ok(Self {
            rings: rings.iter().map(ring).collect::<Result<_>>()?,
            tables,
            environ: source::environment(py, environ)?,
        })
    }

    pub(crate) fn requires_encryption(&self) -> Result<bool> {
        plaintext::is_refused_with(&self.environ)
    }
}

/// What was read.
pub(crate) struct Outside {
    secrets: Secrets,
    rings: BTreeMap<String, Ring>,
}

impl Outside {
    pub(crate) fn read(
        given: &Given<'_, '_>,
        wants: &[Want],
        rings: impl IntoIterator<Item = RingWant>,
    ) -> Result<Self> {
        let mut outside = Self {
            secrets: Secrets::new(),
            rings: BTreeMap::new(),
        };
        for want in wants {
            fetch(given, want, &mut outside.secrets)?;
        }
        // A source that several codecs name is read once.
        let mut read: Vec<(KeyringSource, Ring)> = Vec::new();
        for want in rings {
            let there = read.iter().find(|(source, _)| *source == want.source);
            let there = given.rings.get(&want.codec).or(there.map(|(_, ring)| ring));
            let ring = match there {
                Some(ring) => ring.clone(),
                None => load(given, &want)?,
            };
            if !given.rings.contains_key(&want.codec) {
                read.push((want.source, ring.clone()));
            }
            outside.rings.insert(want.codec, ring);
        }
        Ok(outside)
    }

    pub(crate) fn codec(&self, manifest: &Manifest, name: &str) -> Result<Arc<Named>> {
        Ok(Arc::new(match self.rings.get(name) {
            Some(ring) => Named::over(name.to_owned(), ring),
            None => manifest.codec(name, &self.secrets)?.into(),
        }))
    }
}

fn has_ring(manifest: &Manifest, codec: &str) -> Result<()> {
    if manifest.ring_of(codec)?.is_some() {
        return Ok(());
    }
    let mut codecs = manifest.codecs();
    let kind = codecs
        .find(|spec| spec.name() == codec)
        .map(|spec| spec.kind().as_str());
    Err(invalid_argument(format!(
        "rings has {codec:?}, which is a codec of kind {}: only one of kind reseal has a ring",
        kind.unwrap_or_default()
    )))
}

/// What is not there is not given, and the codec says what it lacks.
fn fetch(given: &Given<'_, '_>, want: &Want, secrets: &mut Secrets) -> Result<()> {
    let py = given.environ.py();
    let (name, named_by) = (want.name.as_str(), want.named_by.as_str());
    match want.kind {
        WantKind::Env => {
            if let Some(text) = source::variable(&given.environ, name)? {
                let text = text.to_str().map_err(|_| no_text(want))?;
                secrets.give(want, text);
            }
        }
        WantKind::File => {
            let content = source::file(py, "read_secret", name, Some(named_by), None)?;
            secrets.give(want, content.as_slice());
        }
        WantKind::Directory => {
            let files = source::key_files(py, name, Some(named_by), None)?;
            secrets.give_files(want, files);
        }
        _ => secrets.give(want, rows(given, want)?.as_slice()),
    }
    Ok(())
}

/// The rows of a table, as JSON.
fn rows(given: &Given<'_, '_>, want: &Want) -> Result<Zeroizing<Vec<u8>>> {
    let (table, columns) = (want.name.as_str(), want.kind.columns());
    let rows = given
        .tables
        .map(|tables| tables.call_method1("get", (table,)));
    let Some(rows) = rows.transpose()?.filter(|rows| !rows.is_none()) else {
        let message = format!(
            "{}: the rows of the table {table} were not given: give them in tables, each with {}",
            want.named_by,
            columns.join(", ")
        );
        return Err(Error::new(ErrorCode::SourceMissing, message).into());
    };
    let document = rows
        .py()
        .import("reseal._manifest")?
        .getattr("rows_document")?;
    let document = document.call1((table, rows, columns))?;
    Ok(Zeroizing::new(document.extract()?))
}

/// The ring that the member `keyring` describes, read once.
fn load(given: &Given<'_, '_>, want: &RingWant) -> Result<Ring> {
    let py = given.environ.py();
    let naming = match want.source {
        KeyringSource::Env => Naming::Variables,
        _ => Naming::Arguments,
    };
    let reading = Reading::now(py, naming, Some(&given.environ))?;
    let ring = source_of(given, &want.source).and_then(|it| source::ring(py, it, &reading));
    match ring {
        Ok(ring) => Ok(Ring::Fixed(Arc::new(ring))),
        Err(failure) => {
            let error = match failure {
                Failure::Reseal(error) => error,
                Failure::Python(exception) => known_error(py, exception)?,
            };
            let message = format!("codecs.{}.keyring: {error}", want.codec);
            Err(Error::new(error.code(), message).into())
        }
    }
}

fn source_of(given: &Given<'_, '_>, source: &KeyringSource) -> Result<Source> {
    let names: &[&str] = match source {
        KeyringSource::Env => &ENV_NAMES,
        KeyringSource::Keyset {
            unlock:
                KeysetUnlock::Kek(SecretRef::Env(name)) | KeysetUnlock::Passphrase(SecretRef::Env(name)),
            ..
        } => &[name.as_str()],
        _ => &[],
    };
    let variables = Variables::read(&given.environ, names.iter().copied())?;
    Ok(source.source(|name| variables.get(name))?)
}

fn no_text(want: &Want) -> Error {
    let Want { name, named_by, .. } = want;
    let message = format!("{named_by}: the variable {name} is no text (UTF-8)");
    Error::new(ErrorCode::SourceUnreadable, message)
}
