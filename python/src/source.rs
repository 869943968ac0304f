//! Where rings come from. Python reads: files in `reseal/_files.py` and `reseal/_sources.py`, rows in
//! `reseal/_sql_keyset_store.py`.

use crate::{
    convert::{Bytes, argument_text, bytes_like, not_bool, type_name},
    error::{Result, invalid_argument, refuse},
    key,
    keyset_store::KeysetStore,
};
use alloc::{borrow::Cow, fmt};
use pyo3::{
    prelude::*,
    types::{PyMapping, PyString},
};
use reseal::{
    Argon2id, ENV_NAMES, Error, ErrorCode, Expect, Key, Keyring, Loaded, Source, SourceFile,
    Unlock, Want, WantKind, Zeroizing, job::KeysetRow,
};

/// The variable that names the database.
const DATABASE_URL: &str = "RESEAL_DATABASE_URL";
const MAX_PASSPHRASE_BYTES: usize = 65_536;

type Derive<'a> = dyn FnMut(&Argon2id, &[u8]) -> Result<Key, Error> + 'a;

/// What the paths of a source are called in messages: by variables, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Variables,
    Arguments,
}

/// How what a source wants is read.
#[derive(Debug)]
pub(crate) struct Reading {
    named: Named,
    /// What relative paths count from; nothing where they count from wherever the process is.
    folder: Option<Py<PyAny>>,
    /// The URL of the database that `sql:RING` is a row of.
    database: Option<DatabaseUrl>,
}

/// It may hold a password.
struct DatabaseUrl(Zeroizing<String>);

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(hidden)")
    }
}

/// The ring of a source that is read once.
pub(crate) fn ring(py: Python<'_>, mut source: Source, reading: &Reading) -> Result<Keyring> {
    let contents = reading.read_all(py, &source.wants())?;
    let no_ring = || Error::new(ErrorCode::SourceUnreadable, "the source gave no ring");
    let loaded = load(py, &contents, |contents, derive| {
        source.load(contents, derive)
    })?;
    Ok(loaded.ring.ok_or_else(no_ring)?)
}

/// The store that was given in the place of a path; it has what opens the keyset.
pub(crate) fn store<'a, 'py>(
    path: &'a Bound<'py, PyAny>,
    opened_by: &[Option<&Bound<'_, PyAny>>],
    expected: [Option<&Bound<'_, PyAny>>; 2],
) -> Result<Option<&'a Bound<'py, KeysetStore>>> {
    let Ok(store) = path.cast::<KeysetStore>() else {
        return Ok(None);
    };
    if opened_by.iter().chain(&expected).any(Option::is_some) {
        return Err(invalid_argument(
            "a store has what opens its keyset, and what is expected of it: give that to the store",
        ));
    }
    Ok(Some(store))
}

/// The source that the variables of `environ` describe.
pub(crate) fn read_env(py: Python<'_>, environ: Option<&Bound<'_, PyAny>>) -> Result<Source> {
    let variables = Variables::read(&environment(py, environ)?, ENV_NAMES)?;
    Ok(Source::from_env(|name| variables.get(name))?)
}

/// A directory of key files.
pub(crate) fn directory(
    path: &Bound<'_, PyAny>,
    primary: &Bound<'_, PyAny>,
    index_primary: Option<&Bound<'_, PyAny>>,
) -> Result<Source> {
    let index_primary = index_primary
        .map(|name| argument_text(name, "index_primary"))
        .transpose()?;
    Ok(Source::directory(
        &path_text(path, "path")?,
        &argument_text(primary, "primary")?,
        index_primary.as_deref(),
    )?)
}

/// A keyset file.
pub(crate) fn keyset(path: &Bound<'_, PyAny>, unlock: Unlock, expect: Expect) -> Result<Source> {
    Ok(Source::keyset(&path_text(path, "path")?, unlock, expect)?)
}

/// The one thing that opens a keyset.
pub(crate) fn unlock(
    kek: Option<&Bound<'_, PyAny>>,
    kek_file: Option<&Bound<'_, PyAny>>,
    passphrase: Option<&Bound<'_, PyAny>>,
    passphrase_file: Option<&Bound<'_, PyAny>>,
) -> Result<Unlock> {
    match (kek, kek_file, passphrase, passphrase_file) {
        (Some(kek), None, None, None) => Ok(Unlock::Kek(key::argument(kek, "kek")?)),
        (None, Some(path), None, None) => Ok(Unlock::KekFile(path_text(path, "kek_file")?)),
        (None, None, Some(phrase), None) => Ok(Unlock::Passphrase(passphrase_bytes(phrase)?)),
        (None, None, None, Some(path)) => {
            Ok(Unlock::PassphraseFile(path_text(path, "passphrase_file")?))
        }
        _ => Err(invalid_argument(
            "a keyset is opened by one of kek, kek_file, passphrase and passphrase_file: give one",
        )),
    }
}

/// What the caller knows of a keyset beforehand.
pub(crate) fn expect(
    ring: Option<&Bound<'_, PyAny>>,
    min_generation: Option<&Bound<'_, PyAny>>,
) -> Result<Expect> {
    let ring = ring.map(|ring| argument_text(ring, "ring")).transpose()?;
    if ring.as_ref().is_some_and(|ring| ring.is_empty()) {
        return Err(invalid_argument(
            "ring is empty: give the ring id, or leave it out to accept any ring",
        ));
    }
    let min_generation = match min_generation {
        None => 0,
        Some(number) => not_bool(number)
            .and_then(PyAnyMethods::extract)
            .map_err(|exception| {
                let message = "min_generation is a whole number, 0 or more";
                let error = Error::new(ErrorCode::InvalidArgument, message);
                refuse(number.py(), exception, error)
            })?,
    };
    Ok(Expect {
        ring: ring.map(Cow::into_owned),
        min_generation,
    })
}

/// A passphrase, taken as it is.
pub(crate) fn passphrase_bytes(passphrase: &Bound<'_, PyAny>) -> Result<Zeroizing<Vec<u8>>> {
    let long = |_: &Bound<'_, PyAny>| Err(invalid_argument("a passphrase has at most 64 KiB"));
    let bytes = match passphrase.cast::<PyString>() {
        Ok(text) => text
            .to_str()
            .ok()
            .map(|text| Bytes::Borrowed(text.as_bytes())),
        Err(_) => bytes_like(passphrase, MAX_PASSPHRASE_BYTES, long)?,
    };
    match bytes {
        Some(bytes) if bytes.len() > MAX_PASSPHRASE_BYTES => {
            Err(invalid_argument("a passphrase has at most 64 KiB"))
        }
        Some(bytes) => Ok(Zeroizing::new(bytes.to_vec())),
        None => Err(invalid_argument(format!(
            "a passphrase is text without lone surrogates, or bytes, not {}",
            type_name(passphrase)
        ))),
    }
}

/// A path as text, as Python's functions have it: they refuse one that holds a key.
pub(crate) fn path_text(path: &Bound<'_, PyAny>, argument: &str) -> Result<String> {
    let text = path
        .py()
        .import("reseal._disk")?
        .call_method1("path_text", (path, argument))?;
    // Bytes of a name that are no text name no file that is there.
    Ok(text
        .cast::<PyString>()
        .map_err(PyErr::from)?
        .to_string_lossy()
        .into_owned())
}

impl Reading {
    /// With the database that the environment names now.
    pub(crate) fn now(
        py: Python<'_>,
        named: Named,
        environ: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        let url = variable(&environment(py, environ)?, DATABASE_URL)?;
        let url = url.map(|url| Zeroizing::new(url.to_string_lossy().into_owned()));
        Ok(Self {
            named,
            folder: None,
            database: url.filter(|url| !url.trim().is_empty()).map(DatabaseUrl),
        })
    }

    /// With relative paths that count from the folder where the process is now.
    pub(crate) fn in_folder(self, py: Python<'_>) -> Result<Self> {
        // Nothing where it was removed.
        let folder = py.import("reseal._disk")?.call_method0("current_folder")?;
        Ok(Self {
            folder: Some(folder.unbind()),
            ..self
        })
    }

    /// What a source wants, each read by Python's functions.
    pub(crate) fn read_all(&self, py: Python<'_>, wants: &[Want]) -> Result<Vec<Vec<SourceFile>>> {
        wants.iter().map(|want| self.read(py, want)).collect()
    }

    fn read(&self, py: Python<'_>, want: &Want) -> Result<Vec<SourceFile>> {
        let named_by = (self.named == Named::Variables).then_some(want.named_by);
        let folder = self.folder.as_ref();
        let single = |content| {
            let name = String::new();
            Ok([SourceFile { name, content }].into())
        };
        match want.kind {
            WantKind::Secret => single(file(py, "read_secret", &want.path, named_by, folder)?),
            WantKind::Keyset => match KeysetRow::ring_in(&want.path) {
                Some(ring) => single(self.row(py, ring)?),
                None => single(file(py, "read_keyset", &want.path, named_by, folder)?),
            },
            WantKind::Directory => key_files(py, &want.path, named_by, folder),
        }
    }

    /// The document of a row.
    fn row(&self, py: Python<'_>, ring: &str) -> Result<Zeroizing<Vec<u8>>> {
        let Some(DatabaseUrl(url)) = &self.database else {
            let message = format!(
                "the keyset sql:{ring} is a row of the database that {DATABASE_URL} names, and it is not set: set it, or give a SqlKeysetStore"
            );
            return Err(Error::new(ErrorCode::SourceMissing, message).into());
        };
        let stores = py.import("reseal._sql_keyset_store")?;
        let document = stores.call_method1("read_row", (url.as_str(), ring))?;
        Ok(Zeroizing::new(document.extract()?))
    }
}

/// What a function of `reseal/_files.py` reads.
pub(crate) fn file(
    py: Python<'_>,
    function: &str,
    path: &str,
    named_by: Option<&str>,
    folder: Option<&Py<PyAny>>,
) -> Result<Zeroizing<Vec<u8>>> {
    let files = py.import("reseal._files")?;
    let content = files.call_method1(function, (path, named_by, folder))?;
    Ok(Zeroizing::new(content.extract()?))
}

/// The files of a directory of keys.
pub(crate) fn key_files(
    py: Python<'_>,
    path: &str,
    named_by: Option<&str>,
    folder: Option<&Py<PyAny>>,
) -> Result<Vec<SourceFile>> {
    let read = py.import("reseal._sources")?.getattr("read_key_files")?;
    let files: Vec<(String, Vec<u8>)> = read.call1((path, named_by, folder))?.extract()?;
    let file = |(name, content)| SourceFile {
        name,
        content: Zeroizing::new(content),
    };
    Ok(files.into_iter().map(file).collect())
}

/// What a source gives. `attempt` loads it; it is called again where a passphrase has to become a
/// key first, which happens without the GIL and without any lock.
pub(crate) fn load(
    py: Python<'_>,
    contents: &[Vec<SourceFile>],
    mut attempt: impl FnMut(&[Vec<SourceFile>], &mut Derive<'_>) -> Result<Loaded, Error>,
) -> Result<Loaded> {
    let mut wanted = None;
    let loaded = attempt(contents, &mut |argon2id, passphrase| {
        wanted = Some((argon2id.clone(), Zeroizing::new(passphrase.to_vec())));
        Err(Error::new(
            ErrorCode::SourceUnreadable,
            "the key of the passphrase is not known yet",
        ))
    });
    let Some((argon2id, passphrase)) = wanted else {
        return Ok(loaded?);
    };
    let kek = py.detach(|| argon2id.derive(&passphrase))?;
    Ok(attempt(contents, &mut |_, _| Ok(kek.clone()))?)
}

/// The mapping that is given, or the environment of the process.
pub(crate) fn environment<'py>(
    py: Python<'py>,
    environ: Option<&Bound<'py, PyAny>>,
) -> Result<Bound<'py, PyAny>> {
    match environ {
        None => Ok(py.import("os")?.getattr("environ")?),
        Some(environ) if environ.cast::<PyMapping>().is_ok() => Ok(environ.clone()),
        Some(environ) => {
            let name = type_name(environ);
            Err(invalid_argument(format!(
                "environ is a mapping, not {name}"
            )))
        }
    }
}

/// Variables that were read before the core asks for them.
pub(crate) struct Variables<'n>(Vec<(&'n str, Zeroizing<String>)>);

impl<'n> Variables<'n> {
    pub(crate) fn read(
        environ: &Bound<'_, PyAny>,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self> {
        let mut found = Vec::new();
        for name in names {
            if let Some(text) = variable(environ, name)? {
                let text = text.to_str().map_err(|_| no_text(name))?;
                found.push((name, Zeroizing::new(text.to_owned())));
            }
        }
        Ok(Self(found))
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == name)?;
        Some(value.to_string())
    }
}

/// With U+FFFD in the place of what is no UTF-8, other secrets would be the same.
fn no_text(name: &str) -> Error {
    let message = format!("the variable {name} is no text (UTF-8)");
    Error::new(ErrorCode::SourceUnreadable, message)
}

/// The text of a variable, if it is set.
pub(crate) fn variable<'py>(
    environ: &Bound<'py, PyAny>,
    name: &str,
) -> Result<Option<Bound<'py, PyString>>> {
    let value = environ.call_method1("get", (name,))?;
    match value.cast::<PyString>() {
        Ok(text) => Ok(Some(text.clone())),
        Err(_) if value.is_none() => Ok(None),
        Err(_) => {
            let found = type_name(&value);
            Err(invalid_argument(format!(
                "{name} in environ is text, not {found}"
            )))
        }
    }
}
