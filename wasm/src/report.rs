//! Reports that hold no secret, as plain objects for JavaScript.

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    type Object;
    #[wasm_bindgen(constructor)]
    fn new() -> Object;
    #[wasm_bindgen(method, indexing_setter)]
    fn set(this: &Object, name: &str, value: &JsValue);

    type Array;
    #[wasm_bindgen(constructor)]
    fn new() -> Array;
    #[wasm_bindgen(method)]
    fn push(this: &Array, item: &JsValue);
}

/// An object. What is `undefined` is a member as well.
pub(crate) fn object(members: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in members {
        object.set(name, value);
    }
    object.into()
}

/// A list.
pub(crate) fn list(items: impl Iterator<Item = JsValue>) -> JsValue {
    let list = Array::new();
    items.for_each(|item| list.push(&item));
    list.into()
}

/// A list of texts.
#[cfg(feature = "codecs")]
pub(crate) fn texts<T: AsRef<str>>(items: &[T]) -> JsValue {
    list(items.iter().map(|text| text.as_ref().into()))
}

/// A number that JavaScript has, up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "no report has larger ones")]
pub(crate) fn number(number: u64) -> JsValue {
    JsValue::from_f64(number as f64)
}

/// A number of things.
pub(crate) fn count(count: usize) -> JsValue {
    number(count as u64)
}
