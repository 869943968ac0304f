//! Where a keyset lies and what opens it. `reseal/_keyset_store.py` makes the stores of it.

use crate::{
    convert::{is_listing, items, type_name},
    error::{Result, invalid_argument, not_pickled},
    keyset::{Keyset, keks},
    source::{expect, passphrase_bytes, path_text},
};
use alloc::fmt;
use pyo3::prelude::*;
use reseal::{Error, ErrorCode, Expect, Key, Zeroizing};

/// The native part of a store: it holds the secrets, so that no variable of Python's does.
#[pyclass(frozen, subclass, module = "reseal._native")]
pub(crate) struct KeysetStore {
    path: String,
    keks: Vec<Key>,
    kek_files: Vec<String>,
    passphrase: Option<Zeroizing<Vec<u8>>>,
    passphrase_file: Option<String>,
    expect: Expect,
}

#[pymethods]
impl KeysetStore {
    #[new]
    #[pyo3(
        signature = (path, *, kek=None, kek_file=None, passphrase=None, passphrase_file=None, ring=None, min_generation=None),
        text_signature = "(path, *, kek=None, kek_file=None, passphrase=None, passphrase_file=None, ring=None, min_generation=0)"
    )]
    fn new(
        path: &Bound<'_, PyAny>,
        kek: Option<&Bound<'_, PyAny>>,
        kek_file: Option<&Bound<'_, PyAny>>,
        passphrase: Option<&Bound<'_, PyAny>>,
        passphrase_file: Option<&Bound<'_, PyAny>>,
        ring: Option<&Bound<'_, PyAny>>,
        min_generation: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        if passphrase.is_some() && passphrase_file.is_some() {
            let message = "give passphrase or passphrase_file, one of the two";
            return Err(invalid_argument(message));
        }
        Ok(Self {
            path: path_text(path, "path")?,
            keks: kek.map_or_else(|| Ok(Vec::new()), keks)?,
            kek_files: kek_file.map_or_else(|| Ok(Vec::new()), paths)?,
            passphrase: passphrase.map(passphrase_bytes).transpose()?,
            passphrase_file: passphrase_file
                .map(|path| path_text(path, "passphrase_file"))
                .transpose()?,
            expect: expect(ring, min_generation)?,
        })
    }

    /// The keyset of what `read` gives, verified under everything that was given.
    ///
    /// Errors: source-missing where nothing was given; source-unreadable; those of `Keyset.load`.
    fn _open(&self, py: Python<'_>, read: &Bound<'_, PyAny>) -> Result<Keyset> {
        let keys = self.keys(py)?;
        let read: Vec<u8> = read.call0()?.extract()?;
        Self::unlock(py, read, keys, &self.expect)
    }

    /// Where it is, as the command and a manifest name it: the path of a file, or `sql:RING`.
    #[getter]
    fn path(&self) -> &str {
        &self.path
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        format!("{}({:?})", type_name(slf.as_any()), slf.get().path)
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(not_pickled(slf))
    }
}

/// What opens a keyset, as it is at the moment: files are read whenever they are needed.
pub(crate) struct Keys {
    keks: Vec<Key>,
    passphrase: Option<Zeroizing<Vec<u8>>>,
}

impl KeysetStore {
    pub(crate) fn keys(&self, py: Python<'_>) -> Result<Keys> {
        let mut keks = self.keks.clone();
        for path in &self.kek_files {
            let text = secret(py, path, "kek_file")?;
            let key = Key::load(&text);
            keks.push(key.map_err(|error| named("kek_file", &error))?);
        }
        let passphrase = match &self.passphrase_file {
            Some(path) => {
                let text = secret(py, path, "passphrase_file")?;
                let text = text.strip_suffix('\n').unwrap_or(&text);
                Some(Zeroizing::new(text.as_bytes().to_vec()))
            }
            None => self.passphrase.clone(),
        };
        if keks.is_empty() && passphrase.is_none() {
            let message =
                "give what opens the keyset: kek, kek_file, passphrase or passphrase_file";
            return Err(Error::new(ErrorCode::SourceMissing, message).into());
        }
        Ok(Keys { keks, passphrase })
    }

    pub(crate) fn unlock(
        py: Python<'_>,
        document: Vec<u8>,
        keys: Keys,
        expect: &Expect,
    ) -> Result<Keyset> {
        let text = String::from_utf8(document).map_err(|_| {
            let message = "a keyset is UTF-8: was the file damaged, or encrypted?";
            Error::new(ErrorCode::KeysetMalformed, message)
        })?;
        Keyset::unlock(py, text, keys.keks, keys.passphrase.as_ref(), expect)
    }

    pub(crate) const fn expected(&self) -> &Expect {
        &self.expect
    }
}

impl fmt::Debug for KeysetStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeysetStore({:?})", self.path)
    }
}

/// One path, or a list of several.
fn paths(path: &Bound<'_, PyAny>) -> Result<Vec<String>> {
    if is_listing(path)? {
        let paths = items(path, "kek_file")?;
        paths
            .iter()
            .map(|path| path_text(path, "kek_file"))
            .collect()
    } else {
        Ok(vec![path_text(path, "kek_file")?])
    }
}

fn secret(py: Python<'_>, path: &str, argument: &str) -> Result<Zeroizing<String>> {
    let read = py
        .import("reseal._files")?
        .call_method1("read_secret", (path, argument))?;
    let read: Vec<u8> = read.extract()?;
    match String::from_utf8(read) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            let message = format!("{argument}: the file is no text (UTF-8)");
            Err(Error::new(ErrorCode::SourceUnreadable, message).into())
        }
    }
}

fn named(argument: &str, error: &Error) -> Error {
    Error::new(error.code(), format!("{argument}: {error}"))
}
