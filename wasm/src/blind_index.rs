//! Blind indexes.

use crate::{
    context,
    key::text_of,
    keyring::{WasmRing, arguments, push_all},
    memory::{DONE, call},
};
use reseal::{BlindIndex, Normalizer};
use wasm_bindgen::prelude::wasm_bindgen;

/// A blind index: name, normalizer and bits, checked once.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmIndex(pub(crate) BlindIndex);

#[wasm_bindgen]
impl WasmIndex {
    /// The input is name and normalizer.
    pub fn make(name: usize, used: usize, bits: u16) -> Option<WasmIndex> {
        crate::memory::make(used, |input| {
            let (name, normalizer) = arguments(input, name)?;
            let normalizer = Normalizer::parse(text_of(normalizer))?;
            BlindIndex::new(text_of(name), normalizer, bits).map(Self)
        })
    }
}

#[wasm_bindgen]
impl WasmRing {
    /// The input is context and value; the output is what is stored.
    #[wasm_bindgen(js_name = indexTerm)]
    pub fn index_term(&self, index: &WasmIndex, context: usize, used: usize) -> u8 {
        call(used, |input, output| {
            let (context, value) = arguments(input, context)?;
            let term = self
                .0
                .index_term(value, &context::read(context)?, &index.0)?;
            output.set(term.into_bytes());
            Ok(DONE)
        })
    }

    /// The input is context and value; the output is a term for each key.
    #[wasm_bindgen(js_name = indexTerms)]
    pub fn index_terms(&self, index: &WasmIndex, context: usize, used: usize) -> u8 {
        call(used, |input, output| {
            let (context, value) = arguments(input, context)?;
            let terms = self
                .0
                .index_terms(value, &context::read(context)?, &index.0)?;
            push_all(output, &terms);
            Ok(DONE)
        })
    }
}
