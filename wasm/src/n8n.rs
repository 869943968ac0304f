//! The data keys of n8n, and the rows that hold them.

use crate::{
    key::text_of,
    memory::{DONE, call, make},
    options::Options,
    random::WebCrypto,
};
use alloc::borrow::ToOwned;
use reseal::codec::{N8nDataKey, N8nKeyRow};
use wasm_bindgen::prelude::wasm_bindgen;

/// A data key of n8n; it stays in the module.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmN8nKey(N8nDataKey);

#[wasm_bindgen]
impl WasmN8nKey {
    /// A fresh key.
    pub fn generate() -> Option<WasmN8nKey> {
        make(0, |_| N8nDataKey::generate(&mut WebCrypto).map(Self))
    }

    /// The input is the text of a key.
    #[wasm_bindgen(js_name = fromText)]
    pub fn from_text(used: usize) -> Option<WasmN8nKey> {
        make(used, |text| N8nDataKey::from_text(text_of(text)).map(Self))
    }

    /// The input is `value`, `instanceKeys` and maybe `lenient`.
    #[wasm_bindgen(js_name = unwrapValue)]
    pub fn unwrap_value(used: usize) -> Option<WasmN8nKey> {
        make(used, |input| {
            let options = Options(input);
            let value = options.text("value").unwrap_or_default();
            let keys = options.texts("instanceKeys");
            let key = if options.has("lenient") {
                N8nDataKey::unwrap_value_lenient(value, &keys)
            } else {
                N8nDataKey::unwrap_value(value, &keys)
            };
            key.map(Self)
        })
    }

    /// The input is an instance key; the output is a value.
    pub fn wrap(&self, used: usize) -> u8 {
        call(used, |key, output| {
            let value = self.0.wrap(text_of(key), &mut WebCrypto)?;
            output.set(value.into_bytes());
            Ok(DONE)
        })
    }

    /// The output is the text of the key; the caller wipes it.
    pub fn text(&self) -> u8 {
        call(0, |_, output| {
            output.set(self.0.text().as_bytes().to_vec());
            Ok(DONE)
        })
    }
}

/// The input is a row, `from`, `to` and maybe `lenient`; the output is the value of the row.
#[wasm_bindgen(js_name = rewrapN8nRow)]
pub fn rewrap_n8n_row(used: usize) -> u8 {
    call(used, |input, output| {
        let options = Options(input);
        let to = options.text("to").unwrap_or_default();
        let (row, from) = (row_of(options), options.texts("from"));
        let row = if options.has("lenient") {
            row.rewrap_lenient(&from, to, &mut WebCrypto)?
        } else {
            row.rewrap(&from, to, &mut WebCrypto)?
        };
        output.set(row.value.as_bytes().to_vec());
        Ok(DONE)
    })
}

/// A row of the table `deployment_key`.
pub(crate) fn row_of(row: Options<'_>) -> N8nKeyRow {
    let text = |name| row.text(name).unwrap_or_default().to_owned();
    N8nKeyRow {
        id: text("id"),
        kind: text("type"),
        value: text("value").into(),
        algorithm: row.text("algorithm").map(ToOwned::to_owned),
        status: text("status"),
    }
}
