//! The buffers that both sides share: JavaScript writes the arguments of a call into the input,
//! and reads its results from the output. Both are wiped where they may hold a secret.

use crate::{error, trap};
use alloc::{vec, vec::Vec};
use core::{
    hint::black_box,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};
use reseal::Result;
use spin::{Mutex, MutexGuard};
use wasm_bindgen::prelude::wasm_bindgen;

/// The call succeeded; its results are in the output.
pub(crate) const DONE: u8 = 0;
/// There was nothing to do.
pub(crate) const UNCHANGED: u8 = 1;
/// The call failed; its error is in the output.
pub(crate) const FAILED: u8 = 2;
/// Another call has not ended: this one came out of a replaced `getRandomValues`, or that one trapped.
const NESTED: u8 = 3;

/// Bytes of the input once it is used: the largest context, and a batch of small values.
const INPUT_BYTES: usize = 256 * 1024;
/// Larger buffers go back to the allocator after the call.
const KEPT_BYTES: usize = 1024 * 1024;
/// More than any call uses of the stack; the tests look for leftovers.
const STACK_BYTES: usize = 11 * 1024;

/// What JavaScript reads: address and length of the output, address and length of the input.
static PLACES: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];

static BUFFERS: Mutex<Buffers> = Mutex::new(Buffers {
    input: Vec::new(),
    output: Output(Vec::new()),
});

struct Buffers {
    input: Vec<u8>,
    output: Output,
}

/// The results of a call.
pub(crate) struct Output(Vec<u8>);

impl Output {
    /// One result.
    pub(crate) fn set(&mut self, bytes: Vec<u8>) {
        self.0 = bytes;
    }

    /// One more result of several: its length, its status, its bytes.
    pub(crate) fn push(&mut self, status: u8, bytes: &[u8]) {
        self.push_parts(status, &[bytes]);
    }

    /// One more result of several, whose bytes come in parts.
    pub(crate) fn push_parts(&mut self, status: u8, parts: &[&[u8]]) {
        let bytes = parts.iter().map(|part| part.len()).sum::<usize>();
        self.reserve(5 + bytes);
        let length = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.push(status);
        for part in parts {
            self.0.extend_from_slice(part);
        }
    }

    /// Makes room for more bytes, and wipes the place that the bytes move away from.
    pub(crate) fn reserve(&mut self, more: usize) {
        let needed = self.0.len().saturating_add(more);
        if needed > self.0.capacity() {
            let mut moved = Vec::with_capacity(needed.saturating_mul(2));
            moved.extend_from_slice(&self.0);
            wipe(&mut self.0);
            self.0 = moved;
        }
    }
}

/// Runs one call on the first `used` bytes of the input, which are wiped afterwards.
pub(crate) fn call(used: usize, work: impl FnOnce(&[u8], &mut Output) -> Result<u8>) -> u8 {
    let mut work = Some(work);
    run(used, &mut |input, output| match work.take() {
        Some(work) => work(input, output),
        None => Err(error::bad_call()),
    })
}

/// One function for all calls, as a copy of it in each would be a sixth of the module.
#[inline(never)]
fn run(used: usize, work: &mut dyn FnMut(&[u8], &mut Output) -> Result<u8>) -> u8 {
    let Some(mut buffers) = BUFFERS.try_lock() else {
        return NESTED;
    };
    let Buffers { input, output } = &mut *buffers;
    let arguments = input.get_mut(..used).unwrap_or_default();
    output.0.clear();
    let done = work(arguments, output);
    wipe(arguments);
    let status = done.unwrap_or_else(|error| {
        output.set(error::encode(&error));
        FAILED
    });
    if input.len() > KEPT_BYTES {
        *input = Vec::new();
    }
    buffers.publish();
    status
}

/// As [`call`], for what gives an object of this module.
pub(crate) fn make<T>(used: usize, work: impl FnOnce(&[u8]) -> Result<T>) -> Option<T> {
    let mut made = None;
    call(used, |input, _| {
        made = Some(work(input)?);
        Ok(DONE)
    });
    made
}

impl Buffers {
    fn publish(&self) {
        let output = &self.output.0;
        let places = [
            output.as_ptr().addr(),
            output.len(),
            self.input.as_ptr().addr(),
            self.input.len(),
        ];
        for (to, from) in PLACES.iter().zip(places) {
            to.store(u32::try_from(from).unwrap_or_default(), Relaxed);
        }
    }
}

/// The address of the four numbers that tell where the buffers are.
#[wasm_bindgen]
pub fn places() -> usize {
    PLACES.as_ptr().addr()
}

/// Makes the input at least `bytes` long; its first `used` bytes are kept.
#[wasm_bindgen]
pub fn grow(used: usize, bytes: usize) {
    let mut buffers = buffers();
    let mut grown = vec![0; bytes.max(INPUT_BYTES)];
    let old = buffers.input.get_mut(..used).unwrap_or_default();
    for (to, from) in grown.iter_mut().zip(&*old) {
        *to = *from;
    }
    wipe(old);
    buffers.input = grown;
    buffers.publish();
}

/// Wipes the output and gives a large one back.
#[wasm_bindgen]
pub fn release() {
    let mut buffers = buffers();
    wipe(&mut buffers.output.0);
    if buffers.output.0.capacity() > KEPT_BYTES {
        buffers.output = Output(Vec::new());
    }
    buffers.publish();
}

/// The buffers, for what no status can refuse: while a call has not ended, JavaScript must not go on to
/// write beyond them.
fn buffers() -> MutexGuard<'static, Buffers> {
    BUFFERS.try_lock().unwrap_or_else(|| trap())
}

/// Wipes what calls left on the stack: a value that Rust moves leaves its bytes behind.
#[wasm_bindgen]
pub fn wipe_stack() {
    black_box(&mut [0_u8; STACK_BYTES]);
}

/// Zeros that the compiler may not leave out.
fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    black_box(bytes);
}
