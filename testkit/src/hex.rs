//! Bytes as hexadecimal text in JSON.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A byte string that is hexadecimal text in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

impl Hex {
    /// The bytes as an array, or the reason why they are none.
    ///
    /// # Errors
    /// Another length than `N`.
    pub fn array<const N: usize>(&self) -> Result<[u8; N], String> {
        let wrong = |_| format!("expected {N} bytes, got {}", self.0.len());
        self.0.as_slice().try_into().map_err(wrong)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes());
        bytes.map(Self).map_err(D::Error::custom)
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(&self.0))
    }
}
