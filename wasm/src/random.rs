//! Randomness: `crypto.getRandomValues`, drawn directly or through a small pool.

use reseal::{Entropy, EntropyKind, Error, ErrorCode, Result};
use spin::Mutex;

/// Section 7 of the specification allows no more.
const POOL_BYTES: usize = 4096;
/// A key, and nothing else, is drawn in this size.
const KEY_BYTES: usize = 32;

/// `crypto.getRandomValues`, called for every fill: for keys and batches.
pub(crate) struct WebCrypto;

/// The same through a pool, since one call costs more than the sealing of a small value. It is
/// filled when it is first needed, and wiped as it is used.
pub(crate) struct Pooled;

static POOL: Mutex<Pool> = Mutex::new(Pool {
    bytes: [0; POOL_BYTES],
    left: 0,
});

struct Pool {
    bytes: [u8; POOL_BYTES],
    left: usize,
}

impl Entropy for WebCrypto {
    fn kind(&self) -> EntropyKind {
        EntropyKind::Indirect
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|_| unavailable())?;
        check_key(bytes)
    }
}

impl Entropy for Pooled {
    fn kind(&self) -> EntropyKind {
        EntropyKind::Indirect
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        match POOL.try_lock() {
            Some(mut pool) if bytes.len() <= POOL_BYTES => pool.take(bytes)?,
            _ => WebCrypto.fill(bytes)?,
        }
        check_key(bytes)
    }
}

impl Pool {
    fn take(&mut self, bytes: &mut [u8]) -> Result<()> {
        if self.left < bytes.len() {
            self.left = 0;
            WebCrypto.fill(&mut self.bytes)?;
            self.left = POOL_BYTES;
        }
        let rest = self.left.saturating_sub(bytes.len());
        let taken = self.bytes.get_mut(rest..self.left).unwrap_or_default();
        for (to, from) in bytes.iter_mut().zip(taken) {
            *to = core::mem::take(from);
        }
        self.left = rest;
        Ok(())
    }
}

/// Refuses the key of a source that fills nothing: everybody knows it. Nonces are hashed with what they are for.
fn check_key(bytes: &[u8]) -> Result<()> {
    if bytes.len() == KEY_BYTES && bytes.iter().all(|byte| *byte == 0) {
        return Err(unavailable());
    }
    Ok(())
}

fn unavailable() -> Error {
    Error::new(
        ErrorCode::RandomUnavailable,
        "crypto.getRandomValues is missing or failed, and nothing weaker is used: run this in Node 20 or newer or in a current browser, and look for what removed or replaced it",
    )
}
