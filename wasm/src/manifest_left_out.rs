//! A build without the formats of other systems has no manifest, which names them: there are the
//! same names, which refuse.

use crate::{
    codec::WasmCodec,
    error::bad_call,
    memory::{call, make},
    source::WasmSource,
};
use reseal::{Error, ErrorCode};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// No manifest.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmManifest(());

#[wasm_bindgen]
impl WasmManifest {
    /// Refuses.
    pub fn parse(_: usize, used: usize) -> Option<WasmManifest> {
        make(used, |_| {
            Err(Error::new(
                ErrorCode::InvalidArgument,
                "this build leaves out the manifest and the formats of other systems",
            ))
        })
    }

    /// Nothing.
    pub fn facts(&self) -> JsValue {
        JsValue::UNDEFINED
    }

    /// Refuses.
    #[wasm_bindgen(js_name = requireEncryption)]
    pub fn require_encryption(&self) -> u8 {
        call(0, |_, _| Err(bad_call()))
    }

    /// Refuses.
    pub fn source(&self, _: usize, used: usize) -> Option<WasmSource> {
        make(used, |_| Err(bad_call()))
    }

    /// Refuses.
    pub fn codec(&self, _: usize, used: usize) -> Option<WasmCodec> {
        make(used, |_| Err(bad_call()))
    }

    /// Refuses.
    pub fn keyless(&self, used: usize) -> Option<WasmCodec> {
        make(used, |_| Err(bad_call()))
    }
}
