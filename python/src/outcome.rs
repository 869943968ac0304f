//! What comes of the values of a column.

use crate::{
    options::{quoted, truth},
    recognized::{certainty, trust},
    stored,
};
use pyo3::prelude::*;
use reseal::{ErrorCode, Outcome};

/// Which codec of a column a value is in, and under which key.
#[pyclass(frozen, eq, hash, get_all, module = "reseal")]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    /// The name of the codec.
    codec: String,
    /// The id of the key, or its place in the list of the codec; None where that is not known.
    key: Option<String>,
    /// The variant of the format.
    scheme: &'static str,
}

impl Origin {
    fn new(origin: reseal::Origin) -> Self {
        Self {
            codec: origin.codec,
            key: origin.key,
            scheme: origin.scheme,
        }
    }

    fn shown(&self) -> String {
        format!(
            "codec={}, key={}, scheme='{}'",
            quoted(Some(&self.codec)),
            quoted(self.key.as_deref()),
            self.scheme
        )
    }
}

#[pymethods]
impl Origin {
    fn __repr__(&self) -> String {
        format!("Origin({})", self.shown())
    }
}

/// A value that a column opened. The value is not in its repr.
#[pyclass(frozen, get_all, module = "reseal")]
#[derive(Debug)]
pub(crate) struct Opened {
    /// The value, of the column's type.
    value: Py<PyAny>,
    /// The name of the codec that opened it.
    codec: String,
    /// The key: its id, or its place in the list of the codec, counted from 1.
    key: Option<String>,
    /// The variant of the format.
    scheme: &'static str,
    /// Whether that codec would write it under the same key and scheme.
    current: bool,
    /// How far it can be believed.
    ///
    /// "authenticated"; "plain" where it was never encrypted; "checked" where the format does not
    /// authenticate and the plaintext is what `expect` says; "unchecked" where a wrong key may have
    /// given garbage.
    trust: &'static str,
    /// Whether it took an earlier context of the column.
    earlier: bool,
    /// The format of the column that the plaintext itself is in: it was encrypted twice, or somebody
    /// submitted a ciphertext as his text. None as a rule.
    doubled: Option<&'static str>,
}

impl Opened {
    pub(crate) fn new(value: Py<PyAny>, read: reseal::Read) -> Self {
        Self {
            value,
            codec: read.origin.codec,
            key: read.origin.key,
            scheme: read.origin.scheme,
            current: read.current,
            trust: trust(read.trust),
            earlier: read.earlier,
            doubled: read.doubled.map(reseal::codec::CodecKind::as_str),
        }
    }
}

#[pymethods]
impl Opened {
    fn __repr__(&self) -> String {
        format!(
            "Opened(codec={}, key={}, scheme='{}', current={}, trust='{}', earlier={}, doubled={})",
            quoted(Some(&self.codec)),
            quoted(self.key.as_deref()),
            self.scheme,
            truth(self.current),
            self.trust,
            truth(self.earlier),
            quoted(self.doubled)
        )
    }
}

/// What a stored value shows without any key.
#[pyclass(frozen, eq, hash, get_all, module = "reseal")]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Classified {
    /// The name of the codec that it is or may be in; None for NULL, and for what is in none.
    codec: Option<String>,
    /// The key, where the bytes show it.
    key: Option<String>,
    /// The variant of the format; None where there is no codec.
    scheme: Option<&'static str>,
    /// "yes" or "maybe"; None where there is no codec.
    certainty: Option<&'static str>,
    /// Whether it is NULL.
    null: bool,
}

impl Classified {
    pub(crate) fn new(shown: reseal::Classified) -> Self {
        let none = |null| Self {
            codec: None,
            key: None,
            scheme: None,
            certainty: None,
            null,
        };
        match shown {
            reseal::Classified::Null => none(true),
            reseal::Classified::Unknown => none(false),
            reseal::Classified::In {
                origin,
                certainty: sure,
            } => Self {
                codec: Some(origin.codec),
                key: origin.key,
                scheme: Some(origin.scheme),
                certainty: Some(certainty(sure)),
                null: false,
            },
        }
    }
}

#[pymethods]
impl Classified {
    fn __repr__(&self) -> String {
        format!(
            "Classified(codec={}, key={}, scheme={}, certainty={}, null={})",
            quoted(self.codec.as_deref()),
            quoted(self.key.as_deref()),
            quoted(self.scheme),
            quoted(self.certainty),
            truth(self.null)
        )
    }
}

/// NULL stays NULL.
#[pyclass(frozen, eq, hash, module = "reseal")]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Null {}

#[pymethods]
impl Null {
    #[expect(clippy::unused_self, reason = "Python calls it as a method")]
    fn __repr__(&self) -> &'static str {
        "Null()"
    }
}

/// The value is as the column writes it.
#[pyclass(frozen, eq, hash, module = "reseal")]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Current {}

#[pymethods]
impl Current {
    #[expect(clippy::unused_self, reason = "Python calls it as a method")]
    fn __repr__(&self) -> &'static str {
        "Current()"
    }
}

/// The value is to be replaced. The new one is not in its repr, as the codec may be plain.
#[pyclass(frozen, get_all, module = "reseal")]
#[derive(Debug)]
pub(crate) struct Resealed {
    /// The new value.
    value: Py<PyAny>,
    /// What it was.
    from_: Py<Origin>,
    /// What it is.
    to: Py<Origin>,
}

#[pymethods]
impl Resealed {
    fn __repr__(&self) -> String {
        let (from, to) = (self.from_.get().shown(), self.to.get().shown());
        format!("Resealed(from_=Origin({from}), to=Origin({to}))")
    }
}

/// The value stays as it is, and why.
#[pyclass(frozen, eq, hash, module = "reseal")]
#[derive(Debug)]
pub(crate) struct Refused(reseal::Error);

impl PartialEq for Refused {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl core::hash::Hash for Refused {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl Refused {
    fn parts(&self) -> (ErrorCode, &str) {
        (self.0.code(), self.0.message())
    }
}

#[pymethods]
impl Refused {
    /// The stable code of the error.
    #[getter]
    fn code(&self) -> &'static str {
        self.0.code().as_str()
    }

    /// A sentence for a person.
    #[getter]
    fn message(&self) -> &str {
        self.0.message()
    }

    fn __repr__(&self) -> String {
        format!("Refused(code='{}')", self.code())
    }
}

/// What became of a stored value, as an object of its kind.
pub(crate) fn show(py: Python<'_>, outcome: Outcome) -> PyResult<Bound<'_, PyAny>> {
    Ok(match outcome {
        Outcome::Null => Bound::new(py, Null {})?.into_any(),
        Outcome::Current => Bound::new(py, Current {})?.into_any(),
        Outcome::Resealed { value, from, to } => {
            let resealed = Resealed {
                value: stored::show(py, &value).unbind(),
                from_: Py::new(py, Origin::new(from))?,
                to: Py::new(py, Origin::new(to))?,
            };
            Bound::new(py, resealed)?.into_any()
        }
        Outcome::Refused(error) => Bound::new(py, Refused(error))?.into_any(),
    })
}
