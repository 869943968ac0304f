//! Rings from the environment. Files are read in Python, by `reseal/_sources.py`.

use crate::{
    convert::type_name,
    error::{Result, invalid_argument},
};
use pyo3::{
    prelude::*,
    types::{PyMapping, PyString},
};
use reseal::{ENV_NAMES, EnvSource, KeyDirectory, Keyring, Zeroizing};

type Variable = (&'static str, Option<Zeroizing<String>>);

/// The ring that the variables of `environ` describe; `None` is the environment of the process.
pub(crate) fn from_env(py: Python<'_>, environ: Option<&Bound<'_, PyAny>>) -> Result<Keyring> {
    let variables = match environ {
        Some(environ) => variables(environ)?,
        None => variables(&py.import("os")?.getattr("environ")?)?,
    };
    let read = |name: &str| {
        let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
        value.as_ref().map(|value| value.to_string())
    };
    match EnvSource::read(read)? {
        EnvSource::Ring(ring) => Ok(ring),
        EnvSource::Directory(directory) => Ok(directory.ring(&files(py, &directory)?)?),
    }
}

fn variables(environ: &Bound<'_, PyAny>) -> Result<Vec<Variable>> {
    if environ.cast::<PyMapping>().is_err() {
        let name = type_name(environ);
        return Err(invalid_argument(format!(
            "environ is a mapping, not {name}"
        )));
    }
    ENV_NAMES
        .iter()
        .map(|name| Ok((*name, variable(environ, name)?)))
        .collect()
}

fn variable(environ: &Bound<'_, PyAny>, name: &str) -> Result<Option<Zeroizing<String>>> {
    let value = environ.call_method1("get", (name,))?;
    match value.cast::<PyString>() {
        Ok(text) => Ok(Some(Zeroizing::new(text.to_string_lossy().into_owned()))),
        Err(_) if value.is_none() => Ok(None),
        Err(_) => {
            let found = type_name(&value);
            Err(invalid_argument(format!(
                "{name} in environ is text, not {found}"
            )))
        }
    }
}

/// Names and contents of the key files of a directory.
fn files(py: Python<'_>, directory: &KeyDirectory) -> Result<Vec<(String, Zeroizing<String>)>> {
    let read = py.import("reseal._sources")?.getattr("read_key_files")?;
    let files: Vec<(String, String)> = read.call1((&directory.path,))?.extract()?;
    Ok(files
        .into_iter()
        .map(|(name, text)| (name, Zeroizing::new(text)))
        .collect())
}
