//! A build without the formats of other systems has the same names, which refuse.

use crate::memory::{call, make};
use reseal::{Error, ErrorCode};
use wasm_bindgen::prelude::wasm_bindgen;

/// No key.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmN8nKey(());

#[wasm_bindgen]
impl WasmN8nKey {
    /// Refuses.
    pub fn generate() -> Option<WasmN8nKey> {
        make(0, |_| Err(left_out()))
    }

    /// Refuses.
    #[wasm_bindgen(js_name = fromText)]
    pub fn from_text(used: usize) -> Option<WasmN8nKey> {
        make(used, |_| Err(left_out()))
    }

    /// Refuses.
    #[wasm_bindgen(js_name = unwrapValue)]
    pub fn unwrap_value(used: usize) -> Option<WasmN8nKey> {
        make(used, |_| Err(left_out()))
    }

    /// Refuses.
    pub fn wrap(&self, used: usize) -> u8 {
        call(used, |_, _| Err(left_out()))
    }

    /// Refuses.
    pub fn text(&self) -> u8 {
        call(0, |_, _| Err(left_out()))
    }
}

/// Refuses.
#[wasm_bindgen(js_name = rewrapN8nRow)]
pub fn rewrap_n8n_row(used: usize) -> u8 {
    call(used, |_, _| Err(left_out()))
}

fn left_out() -> Error {
    Error::new(
        ErrorCode::InvalidArgument,
        "this build leaves out the formats of other systems",
    )
}
