//! What a stored value shows, and what opening it gives, for codecs alone.

use crate::{
    error::Result,
    options::{quoted, truth},
    stored::StoredArgument,
};
use pyo3::{prelude::*, types::PyBytes};
use reseal::codec::{Certainty, CodecKind, Opened, Trust};

/// What a stored value shows of a format, without any key. Nothing of it is verified.
#[pyclass(frozen, eq, hash, get_all, module = "reseal.codecs")]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Recognized {
    /// "yes" where the bytes carry a mark of the format; "maybe" where they fit, and others too.
    certainty: &'static str,
    /// The variant of the format, such as "gcm" or "json".
    scheme: &'static str,
    /// The id or generation of the key, where the bytes show it; whoever wrote them chose it.
    key: Option<String>,
}

impl Recognized {
    pub(crate) fn new(shown: reseal::codec::Recognized) -> Self {
        Self {
            certainty: certainty(shown.certainty),
            scheme: shown.scheme,
            key: shown.key,
        }
    }
}

#[pymethods]
impl Recognized {
    fn __repr__(&self) -> String {
        format!(
            "Recognized(certainty='{}', scheme='{}', key={})",
            self.certainty,
            self.scheme,
            quoted(self.key.as_deref())
        )
    }
}

/// What a codec opened. The plaintext is not in its repr.
#[pyclass(frozen, get_all, module = "reseal.codecs")]
#[derive(Debug)]
pub(crate) struct OpenedBytes {
    /// The plaintext.
    plaintext: Py<PyBytes>,
    /// The key that opened it: its id, or its place in the list of the codec, counted from 1.
    key: Option<String>,
    /// The variant of the format.
    scheme: &'static str,
    /// Whether the codec would write it under the same key and scheme.
    current: bool,
    /// The label of the plaintext's encoding, as Ruby names it, where the format has such labels.
    encoding: Option<&'static str>,
    /// How far it can be believed.
    ///
    /// "authenticated"; "plain" where it was never encrypted; "checked" where the format does not
    /// authenticate and the plaintext is what `expect` says; "unchecked" where a wrong key may have
    /// given garbage.
    trust: &'static str,
}

impl OpenedBytes {
    pub(crate) fn new(py: Python<'_>, opened: Opened) -> Self {
        Self {
            plaintext: PyBytes::new(py, &opened.plaintext).unbind(),
            key: opened.key,
            scheme: opened.scheme,
            encoding: opened.encoding,
            current: opened.current,
            trust: trust(opened.trust),
        }
    }
}

#[pymethods]
impl OpenedBytes {
    fn __repr__(&self) -> String {
        format!(
            "OpenedBytes(key={}, scheme='{}', current={}, trust='{}')",
            quoted(self.key.as_deref()),
            self.scheme,
            truth(self.current),
            self.trust
        )
    }
}

/// Every format that a stored value may be in, the surest first, without any key: what any codec of
/// this build sees in it. Anything may be plaintext, which comes last.
///
/// Example:
///     >>> from reseal import codecs
///     >>> kind, shown = codecs.recognize("enc:fernet:key_2024:Z0FBQUFB")[0]
///     >>> kind, shown.certainty, shown.key
///     ('sentry', 'yes', 'key_2024')
///
/// Errors: invalid-argument for what is neither text nor bytes; invalid-text for a lone surrogate.
#[pyfunction]
#[pyo3(signature = (stored, /))]
pub(crate) fn recognize(stored: &Bound<'_, PyAny>) -> Result<Vec<(&'static str, Recognized)>> {
    let stored = StoredArgument::read(stored)?;
    let mut found: Vec<_> = CodecKind::recognize_any(stored.as_stored()).collect();
    found.sort_by_key(|(_, shown)| shown.certainty != Certainty::Yes);
    let shown = found.into_iter();
    Ok(shown
        .map(|(kind, shown)| (kind.as_str(), Recognized::new(shown)))
        .collect())
}

pub(crate) const fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Maybe => "maybe",
        Certainty::Yes => "yes",
    }
}

pub(crate) const fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Authenticated => "authenticated",
        Trust::Plain => "plain",
        Trust::Checked => "checked",
        Trust::Unchecked => "unchecked",
    }
}
