//! Keyrings: how one is built, and calls on one value.

use crate::{
    context,
    error::bad_call,
    ids::{Form, Role, SealMode},
    key::{WasmKey, text_of},
    memory::{DONE, Output, UNCHANGED, call, make},
    random::Pooled,
    report::{list, object},
};
use alloc::{borrow::ToOwned, format, string::String, string::ToString, sync::Arc};
use reseal::{
    Context, Error, ErrorCode, Key, KeyId, KeyUse, Keyring, KeyringBuilder, Mode, Result, inspect,
    inspect_binary,
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// A ring; its keys stay in the module. Nothing else keeps them: codecs only know where they are.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmRing(pub(crate) Arc<Keyring>);

impl From<Keyring> for WasmRing {
    fn from(ring: Keyring) -> Self {
        Self(Arc::new(ring))
    }
}

/// A ring in the making.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct RingBuilder(KeyringBuilder);

#[wasm_bindgen]
impl RingBuilder {
    /// An empty ring.
    #[wasm_bindgen(constructor)]
    pub fn new() -> RingBuilder {
        Self::default()
    }

    /// The input is a key text, as an environment variable or a file holds it.
    #[wasm_bindgen(js_name = addText)]
    pub fn add_text(&mut self, used: usize, role: Role) -> u8 {
        call(used, |text, _| self.add(Key::load(text_of(text))?, role))
    }

    /// Adds a key object.
    #[wasm_bindgen(js_name = addKey)]
    pub fn add_key(&mut self, key: &WasmKey, role: Role) -> u8 {
        call(0, |_, _| self.add(key.0.clone(), role))
    }

    /// The input is a key id.
    #[wasm_bindgen(js_name = addDestroyed)]
    pub fn add_destroyed(&mut self, used: usize) -> u8 {
        call(used, |id, _| {
            let id = KeyId::parse(text_of(id))?;
            self.0 = core::mem::take(&mut self.0).destroyed(id);
            Ok(DONE)
        })
    }

    /// The ring.
    pub fn build(self) -> Option<WasmRing> {
        make(0, |_| self.0.build().map(WasmRing::from))
    }

    fn add(&mut self, key: Key, role: Role) -> Result<u8> {
        if role.key_use().is_some_and(|needed| needed != key.key_use()) {
            return Err(wrong_use(role, key.key_use()));
        }
        self.0 = core::mem::take(&mut self.0).with(key, role.state());
        Ok(DONE)
    }
}

#[wasm_bindgen]
impl WasmRing {
    /// The input is context and value; the output is a text envelope, or a binary one.
    pub fn seal(&self, context: usize, used: usize, mode: SealMode, form: Form) -> u8 {
        let (ring, entropy) = (&self.0, &mut Pooled);
        call(used, |input, output| {
            let (context, value) = arguments(input, context)?;
            let (context, mode) = (context::read(context)?, mode.into());
            output.set(match form {
                Form::Binary => ring.seal_binary(value, &context, mode, entropy)?,
                Form::Text => ring.seal(value, &context, mode, entropy)?.into_bytes(),
            });
            Ok(DONE)
        })
    }

    /// The input is context and envelope; the output is the plaintext, which the caller wipes.
    pub fn open(&self, context: usize, used: usize, form: Form) -> u8 {
        call(used, |input, output| {
            let (stored, context) = envelope(input, context, form)?;
            output.set(core::mem::take(&mut *match form {
                Form::Binary => self.0.open_binary(stored, &context)?,
                Form::Text => self.0.open(text_of(stored), &context)?,
            }));
            Ok(DONE)
        })
    }

    /// As `open`, with the plaintext as UTF-8.
    #[wasm_bindgen(js_name = openString)]
    pub fn open_string(&self, context: usize, used: usize) -> u8 {
        call(used, |input, output| {
            let (stored, context) = envelope(input, context, Form::Text)?;
            let mut text = self.0.open_string(text_of(stored), &context)?;
            output.set(core::mem::take(&mut *text).into_bytes());
            Ok(DONE)
        })
    }

    /// The input is an envelope, whose own mode counts where none is given.
    #[wasm_bindgen(js_name = isCurrent)]
    pub fn is_current(&self, used: usize, mode: Option<SealMode>, form: Form) -> u8 {
        call(used, |stored, _| {
            let mode = mode.map(Mode::from);
            let current = match form {
                Form::Binary => self.0.is_current_binary(stored, mode)?,
                Form::Text => self.0.is_current(text_of(stored), mode)?,
            };
            Ok(if current { UNCHANGED } else { DONE })
        })
    }

    /// The input is context and envelope; the output is an envelope, unless there is nothing to do.
    pub fn reseal(&self, context: usize, used: usize, mode: Option<SealMode>, form: Form) -> u8 {
        let (ring, entropy) = (&self.0, &mut Pooled);
        call(used, |input, output| {
            let (stored, context) = envelope(input, context, form)?;
            let mode = mode.map(Mode::from);
            let resealed = match form {
                Form::Binary => ring.reseal_binary(stored, &context, mode, entropy)?,
                Form::Text => ring
                    .reseal(text_of(stored), &context, mode, entropy)?
                    .map(String::into_bytes),
            };
            Ok(resealed.map_or(UNCHANGED, |bytes| {
                output.set(bytes);
                DONE
            }))
        })
    }

    /// The input is context and value; the output is one deterministic envelope for each key.
    #[wasm_bindgen(js_name = lookupValues)]
    pub fn lookup_values(&self, context: usize, used: usize, form: Form) -> u8 {
        call(used, |input, output| {
            let (context, value) = arguments(input, context)?;
            let context = context::read(context)?;
            match form {
                Form::Binary => push_all(output, &self.0.lookup_values_binary(value, &context)?),
                Form::Text => push_all(output, &self.0.lookup_values(value, &context)?),
            }
            Ok(DONE)
        })
    }

    /// The output is a canary.
    pub fn canary(&self) -> u8 {
        call(0, |_, output| {
            output.set(self.0.canary(&mut Pooled)?.into_bytes());
            Ok(DONE)
        })
    }

    /// The input is a canary; gives `ok`, or the code of what is wrong with the keys.
    pub fn check(&self, used: usize) -> Option<String> {
        make(used, |canary| {
            let wrong = self.0.check(text_of(canary))?;
            Ok(wrong.map_or("ok", ErrorCode::as_str).to_owned())
        })
    }

    /// Ids, uses, states and labels.
    pub fn keys(&self) -> JsValue {
        list(self.0.keys().map(|key| {
            object(&[
                ("id", key.id.to_string().into()),
                ("use", key.key_use.map(KeyUse::as_str).into()),
                ("state", key.state.as_str().into()),
                ("label", key.label.into()),
            ])
        }))
    }

    /// The id of the data key that seals.
    #[wasm_bindgen(js_name = primaryId)]
    pub fn primary_id(&self) -> Option<String> {
        self.0.primary_id().map(|id| id.to_string())
    }

    /// The id of the index key whose terms are stored.
    #[wasm_bindgen(js_name = indexPrimaryId)]
    pub fn index_primary_id(&self) -> Option<String> {
        self.0.index_primary_id().map(|id| id.to_string())
    }
}

/// The input is a context alone: whether it obeys the rules.
#[wasm_bindgen(js_name = checkContext)]
pub fn check_context(used: usize) -> u8 {
    call(used, |pairs, _| context::read(pairs).map(|_| DONE))
}

/// Context and rest of an input.
pub(crate) fn arguments(input: &[u8], context: usize) -> Result<(&[u8], &[u8])> {
    input.split_at_checked(context).ok_or_else(bad_call)
}

pub(crate) fn push_all(output: &mut Output, values: &[impl AsRef<[u8]>]) {
    for value in values {
        output.push(DONE, value.as_ref());
    }
}

/// Envelope and context. Of both being wrong the envelope's error counts (section 5).
fn envelope(input: &[u8], context: usize, form: Form) -> Result<(&[u8], Context)> {
    let (pairs, stored) = arguments(input, context)?;
    let context = context::read(pairs).or_else(|error| {
        match form {
            Form::Binary => inspect_binary(stored)?,
            Form::Text => inspect(text_of(stored))?,
        };
        Err(error)
    })?;
    Ok((stored, context))
}

fn wrong_use(role: Role, given: KeyUse) -> Error {
    let expected = if role == Role::Primary {
        "primary takes a data key"
    } else {
        "index takes an index key"
    };
    let given = given.as_str();
    Error::new(
        ErrorCode::KeyWrongUse,
        format!("{expected}, this is a key for another use (rsk1.{given}.)"),
    )
}
