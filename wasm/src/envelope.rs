//! Envelopes: what they show without a key.

use crate::{
    ids::Form,
    key::text_of,
    memory::{DONE, call},
    report,
};
use reseal::{inspect, inspect_binary, oversized_text_error, to_binary, to_text};
use serde::Serialize;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InspectionReport {
    version: u8,
    mode: &'static str,
    key_id: String,
    ciphertext_bytes: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Limits {
    plaintext_bytes: usize,
    overhead_bytes: usize,
    text_chars: usize,
    text_prefix_chars: usize,
    context_pairs: usize,
    context_name_chars: usize,
    context_value_bytes: usize,
}

/// The input is an envelope.
#[wasm_bindgen]
pub fn inspection(used: usize, form: Form) -> JsValue {
    let mut shown = JsValue::UNDEFINED;
    call(used, |stored, _| {
        let inspection = match form {
            Form::Binary => inspect_binary(stored)?,
            Form::Text => inspect(text_of(stored))?,
        };
        shown = report(&InspectionReport {
            version: inspection.version,
            mode: inspection.mode.as_str(),
            key_id: inspection.key_id.to_string(),
            ciphertext_bytes: inspection.ciphertext_bytes,
        });
        Ok(DONE)
    });
    shown
}

/// The input is an envelope; the output is its other form.
#[wasm_bindgen(js_name = otherForm)]
pub fn other_form(used: usize, form: Form) -> u8 {
    call(used, |stored, output| {
        output.set(match form {
            Form::Binary => to_text(stored)?.into_bytes(),
            Form::Text => to_binary(text_of(stored))?,
        });
        Ok(DONE)
    })
}

/// The input is the beginning of a text that is too long to be copied here. Always fails.
#[wasm_bindgen(js_name = oversizedText)]
pub fn oversized_text(used: usize, tail_is_base64url: bool) -> u8 {
    call(used, |head, _| {
        Err(oversized_text_error(text_of(head), tail_is_base64url))
    })
}

/// The limits of the format, for checks before anything is copied.
#[wasm_bindgen]
pub fn limits() -> JsValue {
    report(&Limits {
        plaintext_bytes: reseal::MAX_PLAINTEXT_BYTES,
        overhead_bytes: reseal::OVERHEAD_BYTES,
        text_chars: reseal::MAX_TEXT_CHARS,
        text_prefix_chars: reseal::TEXT_PREFIX_CHARS,
        context_pairs: reseal::MAX_CONTEXT_PAIRS,
        context_name_chars: reseal::MAX_CONTEXT_NAME_CHARS,
        context_value_bytes: reseal::MAX_CONTEXT_VALUE_BYTES,
    })
}
