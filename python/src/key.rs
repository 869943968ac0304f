//! Keys.

use crate::{
    convert::{argument_text, bytes_like, type_name},
    error::{Failure, Result, invalid_argument, not_pickled},
};
use core::hash::{Hash, Hasher};
use pyo3::{prelude::*, types::PyString};
use reseal::{Error, ErrorCode, KEY_BYTES, KeyUse, OsEntropy};

/// One key with its use: 32 secret bytes that are never printed. `export()` gives its text.
///
/// Example:
///     >>> key = reseal.Key.generate("data")
///     >>> text = key.export()  # for a secret store: rsk1.data.…
///     >>> reseal.Key.parse(text) == key
///     True
///     >>> str(key) == f"Key(data, {key.id})"
///     True
///
/// Spec: section 1.
#[pyclass(frozen, eq, hash, module = "reseal")]
#[derive(Debug)]
pub(crate) struct Key(pub(crate) reseal::Key);

#[pymethods]
impl Key {
    /// A fresh random key. `use` is "data", "index" or "kek".
    ///
    /// Example:
    ///     >>> reseal.Key.generate().use
    ///     'data'
    ///
    /// Errors: invalid-argument for another use; random-unavailable.
    #[staticmethod]
    #[pyo3(signature = (r#use = KeyUseArgument(Ok(KeyUse::Data))), text_signature = "(use='data')")]
    fn generate(r#use: KeyUseArgument) -> Result<Self> {
        Ok(Self(reseal::Key::generate(r#use.0?, &mut OsEntropy)?))
    }

    /// A key from exactly 32 bytes.
    ///
    /// Example:
    ///     >>> import os
    ///     >>> reseal.Key.from_bytes("index", os.urandom(32)).use
    ///     'index'
    ///
    /// Errors: invalid-key for another length.
    ///
    /// Security: the bytes must be uniformly random: a password or a name is no key.
    #[staticmethod]
    #[pyo3(text_signature = "(use, bytes)")]
    fn from_bytes(r#use: KeyUseArgument, bytes: &Bound<'_, PyAny>) -> Result<Self> {
        let long = |_: &Bound<'_, PyAny>| Err(not_32_bytes());
        let Some(secret) = bytes_like(bytes, KEY_BYTES, long)? else {
            let name = type_name(bytes);
            return Err(invalid_argument(format!(
                "the bytes of a key are bytes, not {name}"
            )));
        };
        Ok(Self(reseal::Key::from_bytes(r#use.0?, &secret)?))
    }

    /// The key that a key text `rsk1.<use>.<48 characters>` holds, without any tolerance.
    ///
    /// Example:
    ///     >>> try:
    ///     ...     reseal.Key.parse('"rsk1.data.…"')
    ///     ... except reseal.KeyringError as error:
    ///     ...     print(error.code)
    ///     invalid-key
    ///
    /// Errors: invalid-key. The message says what is wrong, and shows nothing of the text.
    #[staticmethod]
    fn parse(text: &Bound<'_, PyAny>) -> Result<Self> {
        let Ok(text) = text.cast::<PyString>() else {
            let name = type_name(text);
            return Err(invalid_argument(format!("a key text is text, not {name}")));
        };
        Ok(Self(reseal::Key::parse(&text.to_string_lossy())?))
    }

    /// The key id, computed from the key: 32 characters of base32.
    #[getter]
    fn id(&self) -> String {
        self.0.id().to_string()
    }

    /// What the key is for: "data", "index" or "kek".
    #[getter]
    fn r#use(&self) -> &'static str {
        self.0.key_use().as_str()
    }

    /// The key text, which `Key.parse` reads.
    ///
    /// Security: this is the secret itself, for a secret store.
    fn export<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &self.0.export())
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(not_pickled(slf))
    }
}

/// The key that an argument gives: a `Key`, or a key text as from an environment variable.
pub(crate) fn argument(value: &Bound<'_, PyAny>, argument: &str) -> Result<reseal::Key> {
    if let Ok(key) = value.cast::<Key>() {
        return Ok(key.get().0.clone());
    }
    let Ok(text) = value.cast::<PyString>() else {
        let name = type_name(value);
        return Err(invalid_argument(format!(
            "{argument} takes a Key or a key text, not {name}"
        )));
    };
    let key = reseal::Key::load(&text.to_string_lossy());
    Ok(key.map_err(|error| Error::new(error.code(), format!("{argument}: {error}")))?)
}

/// The use that a word names, as of `ModeArgument`.
pub(crate) struct KeyUseArgument(pub(crate) Result<KeyUse>);

impl<'py> FromPyObject<'_, 'py> for KeyUseArgument {
    type Error = PyErr;

    fn extract(word: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let word = argument_text(&word, "a key use");
        Ok(Self(word.and_then(|word| Ok(KeyUse::parse(&word)?))))
    }
}

/// Keys are equal by what identifies them, so that no secret is compared.
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        (self.0.key_use(), self.0.id()) == (other.0.key_use(), other.0.id())
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.key_use(), self.0.id()).hash(state);
    }
}

fn not_32_bytes() -> Failure {
    Error::new(
        ErrorCode::InvalidKey,
        "a key has 32 bytes, not more: is it encoded?",
    )
    .into()
}
