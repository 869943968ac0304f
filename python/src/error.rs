//! Errors of the core as exceptions of the package.

use crate::convert::type_name;
use alloc::borrow::Cow;
use pyo3::{
    exceptions::{PyException, PyTypeError},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::PyType,
};
use reseal::{Error, ErrorClass, ErrorCode};

/// The result of everything that this door does.
pub(crate) type Result<T, E = Failure> = core::result::Result<T, E>;

/// What stopped a call: an error of the core, or an exception of the caller's own code.
pub(crate) enum Failure {
    Reseal(Error),
    Python(PyErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Reseal(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Reseal(error) => Python::attach(|py| exception(py, &error)),
            Failure::Python(error) => error,
        }
    }
}

/// An exception of the class of the error's code, with the arguments (code, message).
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    match class(py, error.code().class()) {
        Ok(class) => {
            let arguments = (error.code().as_str(), error.message().to_owned());
            PyErr::from_type(class.clone(), arguments)
        }
        Err(broken) => broken,
    }
}

/// _error(code, message)
/// --
///
/// The exception of a code, for `reseal.jobs`; invalid-argument in the place of an unknown one.
#[pyfunction(name = "_error")]
#[pyo3(signature = (code, message, /))]
pub(crate) fn error_of(py: Python<'_>, code: &str, message: String) -> Py<PyAny> {
    let known = ErrorCode::ALL.iter().find(|known| known.as_str() == code);
    let code = known.copied().unwrap_or(ErrorCode::InvalidArgument);
    exception(py, &Error::new(code, message))
        .into_value(py)
        .into_any()
}

/// The result of one item of a batch: its own error is kept, that of the caller's code is raised.
pub(crate) fn per_item<T>(result: Result<T>) -> Result<Result<T, Error>> {
    match result {
        Ok(done) => Ok(Ok(done)),
        Err(Failure::Reseal(error)) => Ok(Err(error)),
        Err(Failure::Python(error)) => Err(Failure::Python(error)),
    }
}

/// An exception of this package as the error that it was made of; others are given back.
pub(crate) fn known_error(py: Python<'_>, exception: PyErr) -> Result<Error, PyErr> {
    let parts = exception.value(py).getattr(intern!(py, "args"))?.extract();
    let known = |code: &str| ErrorCode::ALL.iter().find(|known| known.as_str() == code);
    match parts {
        Ok::<(String, String), _>((code, message)) if is_ours(py, &exception)? => Ok(known(&code)
            .map(|code| Error::new(*code, message))
            .ok_or(exception)?),
        _ => Err(exception),
    }
}

/// An ordinary exception while an argument was read, as the error that a wrong argument is.
/// `KeyboardInterrupt` and its like stay what they are.
pub(crate) fn refuse(py: Python<'_>, exception: PyErr, error: Error) -> Failure {
    if exception.is_instance_of::<PyException>(py) {
        Failure::Reseal(error)
    } else {
        Failure::Python(exception)
    }
}

/// The exception of a type whose objects hold keys.
pub(crate) fn not_pickled<T>(object: &Bound<'_, T>) -> PyErr {
    let name = type_name(object.as_any());
    PyTypeError::new_err(format!(
        "a {name} is not pickled, since its keys would lie in the pickle: make it anew in each process"
    ))
}

/// The exception of a class that is called, and that other functions make the objects of.
pub(crate) fn not_called(how: &'static str) -> PyErr {
    PyTypeError::new_err(how)
}

fn is_ours(py: Python<'_>, exception: &PyErr) -> PyResult<bool> {
    let class = class(py, ErrorClass::Other)?;
    Ok(exception.matches(py, class)?)
}

pub(crate) fn invalid_argument(message: impl Into<Cow<'static, str>>) -> Failure {
    Failure::Reseal(Error::new(ErrorCode::InvalidArgument, message))
}

/// The exception classes are written in Python, in `reseal/_errors.py`.
fn class(py: Python<'_>, class: ErrorClass) -> PyResult<&Bound<'_, PyType>> {
    static DECRYPT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static KEYRING: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static FORMAT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static OTHER: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let (known, name) = match class {
        ErrorClass::Decrypt => (&DECRYPT, "DecryptError"),
        ErrorClass::Keyring => (&KEYRING, "KeyringError"),
        ErrorClass::Format => (&FORMAT, "FormatError"),
        ErrorClass::Other => (&OTHER, "ResealError"),
    };
    known.import(py, "reseal._errors", name)
}
