//! Where a codec of envelopes gets its keyring. JavaScript asks its rings, which may run code of the
//! caller, before it makes a call, and leaves here what they said.

use crate::{
    error::bad_call,
    key::text_of,
    keyring::WasmRing,
    memory::{DONE, call},
    trap,
};
use alloc::{
    borrow::ToOwned,
    sync::{Arc, Weak},
};
use reseal::{Error, ErrorCode, Keyring, Result, codec::Rings};
use spin::{Mutex, MutexGuard};
use wasm_bindgen::prelude::wasm_bindgen;

/// The slot of a codec, as JavaScript holds it: it outlives the codec.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmSlot(pub(crate) Slot);

#[wasm_bindgen]
impl WasmSlot {
    /// Opens and seals with a ring from now on.
    pub fn hold(&self, ring: &WasmRing) {
        self.0.hold(&ring.0);
    }

    /// Neither opens nor seals, or does not seal, until a ring is given. The input is why.
    pub fn refuse(&self, used: usize, is_seal: bool) -> u8 {
        call(used, |why, _| {
            self.0.refuse(text_of(why), is_seal).map(|()| DONE)
        })
    }
}

/// A ring that may be disposed of at any time, and why it may not open or seal now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    ring: Weak<Keyring>,
    open_error: Option<Error>,
    seal_error: Option<Error>,
}

impl Slot {
    pub(crate) fn hold(&self, ring: &Arc<Keyring>) {
        *self.held() = Held {
            ring: Arc::downgrade(ring),
            open_error: None,
            seal_error: None,
        };
    }

    /// Notes an error as the caller's ring gave it: code and message, a line each.
    pub(crate) fn refuse(&self, text: &str, is_seal: bool) -> Result<()> {
        let (code, message) = text.split_once('\n').ok_or_else(bad_call)?;
        let mut codes = ErrorCode::ALL.iter();
        let code = codes.find(|known| known.as_str() == code);
        let error = Some(Error::new(*code.ok_or_else(bad_call)?, message.to_owned()));
        let mut held = self.held();
        if is_seal {
            held.seal_error = error;
        } else {
            held.open_error = error;
        }
        Ok(())
    }

    /// Only a trap leaves it locked, and whoever waited then would wait for ever.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.try_lock().unwrap_or_else(|| trap())
    }
}

impl Held {
    fn get(&self, error: Option<&Error>) -> Result<Arc<Keyring>> {
        if let Some(error) = error {
            return Err(error.clone());
        }
        self.ring
            .upgrade()
            .ok_or_else(|| Error::new(ErrorCode::InvalidArgument, "this keyring was disposed"))
    }
}

impl Rings for Slot {
    fn to_open(&self) -> Result<Arc<Keyring>> {
        let held = self.held();
        held.get(held.open_error.as_ref())
    }

    fn to_seal(&self) -> Result<Arc<Keyring>> {
        let held = self.held();
        held.get(held.open_error.as_ref().or(held.seal_error.as_ref()))
    }
}
