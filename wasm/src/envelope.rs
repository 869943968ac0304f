//! Envelopes: what they show without a key.

use crate::{
    ids::Form,
    key::text_of,
    memory::{DONE, call},
    report::{count, object},
};
use alloc::string::ToString;
use reseal::{inspect, inspect_binary, oversized_text_error, to_binary, to_text};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// The input is an envelope.
#[wasm_bindgen]
pub fn inspection(used: usize, form: Form) -> JsValue {
    let mut shown = JsValue::UNDEFINED;
    call(used, |stored, _| {
        let inspection = match form {
            Form::Binary => inspect_binary(stored)?,
            Form::Text => inspect(text_of(stored))?,
        };
        shown = object(&[
            ("version", inspection.version.into()),
            ("mode", inspection.mode.as_str().into()),
            ("keyId", inspection.key_id.to_string().into()),
            ("ciphertextBytes", count(inspection.ciphertext_bytes)),
        ]);
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
    object(&[
        ("plaintextBytes", count(reseal::MAX_PLAINTEXT_BYTES)),
        ("overheadBytes", count(reseal::OVERHEAD_BYTES)),
        ("textChars", count(reseal::MAX_TEXT_CHARS)),
        ("textPrefixChars", count(reseal::TEXT_PREFIX_CHARS)),
        ("contextPairs", count(reseal::MAX_CONTEXT_PAIRS)),
        ("contextNameChars", count(reseal::MAX_CONTEXT_NAME_CHARS)),
        ("contextValueBytes", count(reseal::MAX_CONTEXT_VALUE_BYTES)),
    ])
}
