//! Calls on many values. The input is a context for all and then the values, or each value after
//! its own context; values, and contexts of their own, have their length before them in four
//! bytes. The output is one result for each value.

use crate::{
    context,
    error::{bad_call, encode},
    ids::{Form, SealMode},
    key::text_of,
    keyring::{WasmRing, arguments},
    memory::{DONE, FAILED, Output, call},
    random::WebCrypto,
};
use core::borrow::Borrow;
use reseal::{Context, Error, OpenBatch, Result, inspect, inspect_binary};
use wasm_bindgen::prelude::wasm_bindgen;

/// Stands for the length of the common context where each value has its own.
const EACH: usize = u32::MAX as usize;

#[wasm_bindgen]
impl WasmRing {
    /// The output is a text envelope for each value, or a binary one.
    #[wasm_bindgen(js_name = sealMany)]
    pub fn seal_many(
        &self,
        shared: usize,
        used: usize,
        count: usize,
        mode: SealMode,
        form: Form,
    ) -> u8 {
        call(used, |input, output| {
            self.0.seal_batch(count, mode.into(), WebCrypto, |batch| {
                each(input, shared, |value, context| match (context, form) {
                    (Err(error), _) => refuse(output, &error),
                    (Ok(context), Form::Binary) => push(output, batch.seal_binary(value, context)),
                    (Ok(context), Form::Text) => push(output, batch.seal(value, context)),
                })
            })?
        })
    }

    /// The output is a plaintext for each text envelope; the caller wipes it. With `utf8` a
    /// plaintext that is no text is an error.
    #[wasm_bindgen(js_name = openMany)]
    pub fn open_many(&self, shared: usize, used: usize, utf8: bool) -> u8 {
        call(used, |input, output| {
            let mut batch = OpenBatch::new(&self.0);
            output.reserve(used);
            each(input, shared, |stored, context| {
                let stored = text_of(stored);
                match (context, utf8) {
                    (Err(error), _) => refuse(output, &inspect(stored).err().unwrap_or(error)),
                    (Ok(c), true) => push(output, batch.open_string(stored, c).as_deref()),
                    (Ok(c), false) => push(output, batch.open(stored, c).as_deref()),
                }
            })
        })
    }

    /// As `openMany`, for binary envelopes.
    #[wasm_bindgen(js_name = openManyBinary)]
    pub fn open_many_binary(&self, shared: usize, used: usize) -> u8 {
        call(used, |input, output| {
            let mut batch = OpenBatch::new(&self.0);
            output.reserve(used);
            each(input, shared, |stored, context| match context {
                Err(error) => refuse(output, &inspect_binary(stored).err().unwrap_or(error)),
                Ok(context) => push(output, batch.open_binary(stored, context).as_deref()),
            })
        })
    }
}

/// Hands every value to `work`, with its context.
pub(crate) fn each(
    input: &[u8],
    shared: usize,
    mut work: impl FnMut(&[u8], Result<&Context>),
) -> Result<u8> {
    if shared == EACH {
        let mut rest = input;
        while !rest.is_empty() {
            let (pairs, after) = part(rest).ok_or_else(bad_call)?;
            let (value, after) = part(after).ok_or_else(bad_call)?;
            work(value, context::read(pairs).as_ref().map_err(Clone::clone));
            rest = after;
        }
        return Ok(DONE);
    }
    let (pairs, mut rest) = arguments(input, shared)?;
    let context = context::read(pairs)?;
    while !rest.is_empty() {
        let (value, after) = part(rest).ok_or_else(bad_call)?;
        work(value, Ok(&context));
        rest = after;
    }
    Ok(DONE)
}

/// A part with its length before it.
pub(crate) fn part(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = input.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

fn push<T: AsRef<[u8]>>(output: &mut Output, result: Result<T, impl Borrow<Error>>) {
    match result {
        Ok(bytes) => output.push(DONE, bytes.as_ref()),
        Err(error) => refuse(output, error.borrow()),
    }
}

pub(crate) fn refuse(output: &mut Output, error: &Error) {
    output.push(FAILED, &encode(error));
}
