//! Keys.

use crate::{
    error::bad_call,
    memory::{DONE, call, make},
    random::WebCrypto,
};
use alloc::{borrow::ToOwned, string::String, string::ToString};
use reseal::{Key, KeyUse, Result};
use wasm_bindgen::prelude::wasm_bindgen;

/// A key; its bytes stay in the module.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmKey(pub(crate) Key);

#[wasm_bindgen]
impl WasmKey {
    /// A fresh key. The input is its use.
    pub fn generate(used: usize) -> Option<WasmKey> {
        make(used, |word| {
            Key::generate(use_of(word)?, &mut WebCrypto).map(Self)
        })
    }

    /// The input is the use, and 32 bytes.
    pub fn from_bytes(word: usize, used: usize) -> Option<WasmKey> {
        make(used, |input| {
            let (word, bytes) = input.split_at_checked(word).ok_or_else(bad_call)?;
            Key::from_bytes(use_of(word)?, bytes).map(Self)
        })
    }

    /// The input is a key text.
    pub fn parse(used: usize) -> Option<WasmKey> {
        make(used, |text| Key::parse(text_of(text)).map(Self))
    }

    /// The key id.
    pub fn id(&self) -> String {
        self.0.id().to_string()
    }

    /// `data`, `index` or `kek`.
    #[wasm_bindgen(js_name = keyUse)]
    pub fn key_use(&self) -> String {
        self.0.key_use().as_str().to_owned()
    }

    /// The output is the key text; the caller wipes it.
    pub fn export(&self) -> u8 {
        call(0, |_, output| {
            output.set(core::mem::take(&mut *self.0.export()).into_bytes());
            Ok(DONE)
        })
    }
}

pub(crate) fn use_of(word: &[u8]) -> Result<KeyUse> {
    KeyUse::parse(text_of(word))
}

/// Text as JavaScript encoded it; what is no UTF-8 matches nothing.
pub(crate) fn text_of(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or("\u{fffd}")
}
