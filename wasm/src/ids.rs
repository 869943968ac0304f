//! The words that cross the boundary as numbers.
#![expect(clippy::float_cmp, reason = "in what the macro writes")]

use reseal::{KeyState, KeyUse, Mode};
use wasm_bindgen::prelude::wasm_bindgen;

/// The two forms of an envelope.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text.
    Text,
    /// Bytes.
    Binary,
}

/// How a value is sealed.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealMode {
    /// A fresh nonce for every value.
    Random,
    /// One envelope for one value.
    Deterministic,
    /// Random, with a hidden length.
    Padded,
}

/// What is done to a stored value of a column.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// Brought to the codec, key and mode that the column writes.
    Reseal,
    /// The same, and opened also where it is current.
    Reopen,
    /// Of two encryptions one is taken away.
    UnwrapTwice,
    /// Sealed whatever its plaintext looks like.
    KeepTwice,
}

/// As what a key is given to a ring.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The data key that seals.
    Primary,
    /// The index key whose terms are stored.
    Index,
    /// Opens only.
    DecryptOnly,
    /// Opens, and is to become primary.
    Introduced,
    /// Opens nothing for the time being.
    Disabled,
}

impl From<SealMode> for Mode {
    fn from(mode: SealMode) -> Self {
        match mode {
            SealMode::Random => Self::Random,
            SealMode::Deterministic => Self::Deterministic,
            SealMode::Padded => Self::Padded,
        }
    }
}

impl From<Form> for reseal::codec::Form {
    fn from(form: Form) -> Self {
        match form {
            Form::Text => Self::Text,
            Form::Binary => Self::Binary,
        }
    }
}

impl Role {
    /// The state of a key in this role.
    pub(crate) const fn state(self) -> KeyState {
        match self {
            Self::Primary | Self::Index => KeyState::Primary,
            Self::DecryptOnly => KeyState::DecryptOnly,
            Self::Introduced => KeyState::Introduced,
            Self::Disabled => KeyState::Disabled,
        }
    }

    /// The use that a key of this role has; the others take data and index keys alike.
    pub(crate) const fn key_use(self) -> Option<KeyUse> {
        match self {
            Self::Primary => Some(KeyUse::Data),
            Self::Index => Some(KeyUse::Index),
            _ => None,
        }
    }
}
