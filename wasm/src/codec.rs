//! Codecs: a format with its keys each.

use crate::{
    context,
    ids::{Form, SealMode},
    keyring::arguments,
    memory::{DONE, Output, call},
    options::Options,
    random::Pooled,
    report::list,
    shown::{flags, name_of, origin, parts_of, recognized, stored_of},
    slot::{Slot, WasmSlot},
};
use alloc::{borrow::ToOwned, sync::Arc, vec::Vec};
use reseal::{
    NamedCodec, Result, Timestamp,
    codec::{Certainty, Codec, CodecKind, Fresh, Place, Plain, Reseal, StoredValue},
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// A codec; its keys stay in the module.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmCodec {
    pub(crate) named: NamedCodec,
    pub(crate) slot: Option<Slot>,
}

#[wasm_bindgen]
impl WasmCodec {
    /// The input is the options; `kind` and `name` are two of them.
    pub fn make(used: usize) -> Option<WasmCodec> {
        crate::memory::make(used, |input| {
            let options = Options(input);
            let name = options.all("name").next().unwrap_or_default();
            let name = name_of(name)?.to_owned();
            let kind = CodecKind::parse(options.text("kind").unwrap_or_default())?;
            let slot = (kind == CodecKind::Reseal).then(Slot::default);
            let codec = match &slot {
                Some(slot) => Arc::new(Reseal::new(slot.clone())),
                None => codec_of(kind, options)?,
            };
            let named = NamedCodec { name, codec };
            Ok(WasmCodec { named, slot })
        })
    }

    /// Where its ring is held, if it has one. Columns of the codec need it after the codec is freed.
    pub fn slot(&self) -> Option<WasmSlot> {
        self.slot.clone().map(WasmSlot)
    }

    /// The input is a stored value; the output is what it shows, if anything.
    pub fn recognize(&self, used: usize) -> u8 {
        call(used, |item, output| {
            if let Some(shown) = self.named.codec.recognize(stored_of(item)?) {
                output.set(recognized("", &shown));
            }
            Ok(DONE)
        })
    }

    /// The input is a stored value; the output is 0 or 1, or nothing where only opening tells.
    #[wasm_bindgen(js_name = isCurrent)]
    pub fn is_current(&self, used: usize, mode: SealMode) -> u8 {
        call(used, |item, output| {
            let current = self.named.codec.is_current(stored_of(item)?, mode.into());
            output.set(current.map(u8::from).into_iter().collect());
            Ok(DONE)
        })
    }

    /// The input is context and stored value; the output is the plaintext after what is known of it.
    pub fn open(&self, context: usize, used: usize) -> u8 {
        call(used, |input, output| {
            let (pairs, item) = arguments(input, context)?;
            let opened = self
                .named
                .codec
                .open(stored_of(item)?, &context::read(pairs)?)?;
            let flags = flags(opened.current, opened.trust, false, None);
            // The place of a codec's name holds the label of the encoding.
            let label = opened.encoding.unwrap_or_default();
            let origin = origin(label, opened.key.as_deref(), opened.scheme);
            output.push_parts(DONE, &[&flags, &origin, &opened.plaintext]);
            Ok(DONE)
        })
    }

    /// The input is context and plaintext; the output is what is stored.
    pub fn seal(&self, context: usize, used: usize, mode: SealMode, form: Form, now: u64) -> u8 {
        write(
            context,
            used,
            mode,
            form,
            now,
            &mut |plaintext, place, fresh| self.named.codec.seal(plaintext, place, fresh),
        )
    }

    /// The input is context and stored value; the output is what is stored in its place.
    pub fn rotate(&self, context: usize, used: usize, mode: SealMode, form: Form, now: u64) -> u8 {
        write(context, used, mode, form, now, &mut |item, place, fresh| {
            self.named.codec.rotate(stored_of(item)?, place, fresh)
        })
    }
}

type Write<'w> = dyn FnMut(&[u8], &Place<'_>, &mut Fresh<'_>) -> Result<StoredValue> + 'w;

/// Seals or rotates: context, then what `write` takes.
fn write(
    context: usize,
    used: usize,
    mode: SealMode,
    form: Form,
    now: u64,
    write: &mut Write<'_>,
) -> u8 {
    call(used, |input, output| {
        let (pairs, item) = arguments(input, context)?;
        let place = Place {
            context: &context::read(pairs)?,
            mode: mode.into(),
            form: form.into(),
        };
        with_fresh(now, |fresh| {
            set_stored(output, &write(item, &place, fresh)?);
            Ok(DONE)
        })
    })
}

/// The input is a stored value; the output is what each kind of this build sees in it.
#[wasm_bindgen(js_name = recognizeAny)]
pub fn recognize_any(used: usize) -> u8 {
    call(used, |item, output| {
        let stored = stored_of(item)?;
        let shown: Vec<_> = CodecKind::recognize_any(stored).collect();
        // What is sure comes first.
        for certainty in [Certainty::Yes, Certainty::Maybe] {
            for (kind, shown) in shown.iter().filter(|(_, it)| it.certainty == certainty) {
                output.push(DONE, &recognized(kind.as_str(), shown));
            }
        }
        Ok(DONE)
    })
}

/// The kinds of this build, in the order that numbers name them.
#[wasm_bindgen(js_name = codecKinds)]
pub fn codec_kinds() -> JsValue {
    list(CodecKind::ALL.iter().map(|kind| kind.as_str().into()))
}

/// A source of nonces, and the time.
pub(crate) fn with_fresh<T>(now: u64, work: impl FnOnce(&mut Fresh<'_>) -> Result<T>) -> Result<T> {
    work(&mut Fresh {
        entropy: &mut Pooled,
        now: Timestamp::from_unix(now)?,
    })
}

fn set_stored(output: &mut Output, value: &StoredValue) {
    output.set(parts_of(value).concat());
}

fn codec_of(kind: CodecKind, options: Options<'_>) -> Result<Arc<dyn Codec>> {
    if kind == CodecKind::Plain {
        return Ok(Arc::new(Plain));
    }
    crate::foreign::codec(kind, options)
}
