//! What a stored value shows without a key.

use alloc::string::String;

/// How sure it is that a value is in a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// The bytes fit, and so do others.
    Maybe,
    /// The bytes carry a mark of the format.
    Yes,
}

/// What a stored value shows of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognized {
    /// How sure it is.
    pub certainty: Certainty,
    /// The variant of the format, such as `gcm` or `deterministic`.
    pub scheme: &'static str,
    /// The id or generation of the key, where the bytes show it. Nothing of it is verified, and
    /// whoever wrote the value chose it.
    pub key: Option<String>,
}

impl Recognized {
    pub(crate) const fn maybe(scheme: &'static str) -> Self {
        Self {
            certainty: Certainty::Maybe,
            scheme,
            key: None,
        }
    }

    pub(crate) const fn yes(scheme: &'static str) -> Self {
        Self {
            certainty: Certainty::Yes,
            scheme,
            key: None,
        }
    }

    pub(crate) fn with_key(self, key: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            ..self
        }
    }
}
