//! Columns. The input of a call is that of a batch: values, or each value after its own facts.

use crate::{
    batch::{each, refuse},
    blind_index::WasmIndex,
    codec::{WasmCodec, with_fresh},
    context,
    ids::{Form, Rewrite, SealMode},
    key::text_of,
    keyring::{arguments, push_all},
    memory::{DONE, Output, call, make},
    shown::{certainty, flags, origin_of, parts_of, stored_of},
};
use reseal::{Classified, Column, Context, Error, Outcome, Result, ValueType, codec::Fresh};
use wasm_bindgen::prelude::wasm_bindgen;

/// What became of a value that is not replaced.
const CURRENT: u8 = 0;
/// A value that is replaced.
const RESEALED: u8 = 1;

/// A column, and whether it takes text or bytes.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmColumn {
    column: Column,
    form: reseal::codec::Form,
}

#[wasm_bindgen]
impl WasmColumn {
    /// A column that writes a codec. The input is the type of its values.
    pub fn make(write: &WasmCodec, used: usize, mode: SealMode, form: Form) -> Option<WasmColumn> {
        make(used, |name| {
            Ok(WasmColumn {
                column: Column::new(write.named.clone())
                    .mode(mode.into())
                    .value_type(ValueType::parse(text_of(name))?),
                form: form.into(),
            })
        })
    }

    /// One more codec that is read.
    pub fn read(&mut self, codec: &WasmCodec) -> u8 {
        call(0, |_, _| {
            self.column = self.column.clone().read(codec.named.clone())?;
            Ok(DONE)
        })
    }

    /// Whether what it writes can be read by whoever sees it.
    #[wasm_bindgen(js_name = writesPlaintext)]
    pub fn writes_plaintext(&self) -> bool {
        self.column.writes_plaintext()
    }

    /// The input is the context, or one that older values may have.
    pub fn context(&mut self, used: usize, is_earlier: bool) -> u8 {
        call(used, |pairs, _| {
            let (column, context) = (self.column.clone(), context::read(pairs)?);
            self.column = if is_earlier {
                column.earlier_context(context)
            } else {
                column.context(context)
            };
            Ok(DONE)
        })
    }

    /// One more blind index.
    pub fn index(&mut self, index: &WasmIndex) -> u8 {
        call(0, |_, _| {
            self.column = self.column.clone().index(index.0.clone())?;
            Ok(DONE)
        })
    }

    /// The input is the name of an index, the facts and a value; the output is what is stored.
    #[wasm_bindgen(js_name = indexTerm)]
    pub fn index_term(&self, name: usize, context: usize, used: usize) -> u8 {
        call(used, |input, output| {
            let (name, facts, value) = indexed(input, name, context)?;
            let term = self.column.index_term(text_of(name), value, &facts)?;
            output.set(term.into_bytes());
            Ok(DONE)
        })
    }

    /// As `index_term`; the output is a term for each key.
    #[wasm_bindgen(js_name = indexTerms)]
    pub fn index_terms(&self, name: usize, context: usize, used: usize) -> u8 {
        call(used, |input, output| {
            let (name, facts, value) = indexed(input, name, context)?;
            let terms = self.column.index_terms(text_of(name), value, &facts)?;
            push_all(output, &terms);
            Ok(DONE)
        })
    }

    /// The input is the facts and a value; the output is what it may be stored as.
    #[wasm_bindgen(js_name = lookupValues)]
    pub fn lookup_values(&self, context: usize, used: usize) -> u8 {
        call(used, |input, output| {
            let (facts, value) = arguments(input, context)?;
            let facts = context::read(facts)?;
            for stored in self.column.lookup_values(value, &facts, self.form)? {
                output.push_parts(DONE, &parts_of(&stored));
            }
            Ok(DONE)
        })
    }

    /// The input is values in any usual spelling; the output is what is stored.
    pub fn seal(&self, shared: usize, used: usize, now: u64) -> u8 {
        Self::run(shared, used, now, &mut |value, facts, fresh, output| {
            let stored = self.column.seal(value, facts, self.form, fresh)?;
            output.push_parts(DONE, &parts_of(&stored));
            Ok(())
        })
    }

    /// The input is stored values; the output is values after what is known of them.
    pub fn open(&self, shared: usize, used: usize) -> u8 {
        Self::run(shared, used, 0, &mut |item, facts, _, output| {
            let read = self.column.open(stored_of(item)?, facts)?;
            let flags = flags(read.current, read.trust, read.earlier, read.doubled);
            let origin = origin_of(&read.origin);
            output.push_parts(DONE, &[&flags, &origin, &read.plaintext]);
            Ok(())
        })
    }

    /// The input is stored values; the output is what each shows.
    pub fn classify(&self, used: usize) -> u8 {
        Self::run(0, used, 0, &mut |item, _, _, output| {
            match self.column.classify(Some(stored_of(item)?)) {
                Classified::In {
                    origin,
                    certainty: sure,
                } => output.push_parts(DONE, &[&[certainty(sure)], &origin_of(&origin)]),
                _ => output.push(DONE, &[0]),
            }
            Ok(())
        })
    }

    /// The input is stored values; the output is what became of each.
    pub fn rewrite(&self, shared: usize, used: usize, now: u64, way: Rewrite) -> u8 {
        Self::run(shared, used, now, &mut |item, facts, fresh, output| {
            let stored = stored_of(item)?;
            let outcome = match way {
                Rewrite::Reseal => self.column.reseal(Some(stored), facts, fresh),
                Rewrite::Reopen => self.column.reopen(Some(stored), facts, fresh),
                Rewrite::UnwrapTwice => {
                    let value = self.column.unwrap_twice(stored, facts, fresh)?;
                    output.push_parts(DONE, &parts_of(&value));
                    return Ok(());
                }
                Rewrite::KeepTwice => {
                    let value = self.column.keep_twice(stored, facts, fresh)?;
                    output.push_parts(DONE, &parts_of(&value));
                    return Ok(());
                }
            };
            match outcome {
                Outcome::Null | Outcome::Current => output.push(DONE, &[CURRENT]),
                Outcome::Refused(error) => return Err(error),
                Outcome::Resealed { value, from, to } => {
                    let (from, to) = (origin_of(&from), origin_of(&to));
                    let [form, value] = parts_of(&value);
                    output.push_parts(DONE, &[&[RESEALED], &from, &to, form, value]);
                }
            }
            Ok(())
        })
    }
}

type Work<'w> =
    dyn FnMut(&[u8], &Context, &mut Fresh<'_>, &mut Output) -> core::result::Result<(), Error> + 'w;

impl WasmColumn {
    /// One function for all calls: a result or an error for each value.
    fn run(shared: usize, used: usize, now: u64, work: &mut Work<'_>) -> u8 {
        call(used, |input, output| {
            with_fresh(now, |fresh| {
                output.reserve(used);
                each(input, shared, |item, facts| {
                    let done = facts.and_then(|facts| work(item, facts, fresh, output));
                    if let Err(error) = done {
                        refuse(output, &error);
                    }
                })
            })
        })
    }
}

/// A name, facts and a value.
fn indexed(input: &[u8], name: usize, context: usize) -> Result<(&[u8], Context, &[u8])> {
    let (before, value) = arguments(input, context)?;
    let (name, facts) = arguments(before, name)?;
    Ok((name, context::read(facts)?, value))
}
