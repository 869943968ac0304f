//! Argon2id. A module never gives memory back, and this takes 64 MiB or more: so it runs in a
//! second instance of this module, which JavaScript drops afterwards.

use crate::{
    key::text_of,
    keyring::arguments,
    memory::{DONE, call},
};
use reseal::{Argon2id, Error, ErrorCode, Key, Result, Zeroizing};
use wasm_bindgen::prelude::wasm_bindgen;

/// Room for a key text.
const KEY_TEXT_BYTES: usize = 64;

#[wasm_bindgen]
extern "C" {
    /// What has a second instance, and runs [`argon2id`] in it.
    #[derive(Debug)]
    pub type Deriver;

    /// Writes the key text to `key`, and gives its length: 0 where there is none. It keeps the
    /// error, and throws nothing.
    #[wasm_bindgen(method, structural)]
    fn derive(
        this: &Deriver,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
        salt: &[u8],
        passphrase: &[u8],
        key: &mut [u8],
    ) -> usize;
}

impl Deriver {
    /// The key-encrypting key of a passphrase.
    pub(crate) fn key_of(&self, argon2id: &Argon2id, passphrase: &[u8]) -> Result<Key> {
        let mut text = Zeroizing::new([0; KEY_TEXT_BYTES]);
        let length = self.derive(
            argon2id.memory_kib(),
            argon2id.passes(),
            argon2id.lanes(),
            argon2id.salt(),
            passphrase,
            &mut *text,
        );
        if length == 0 {
            // JavaScript throws the error that it has kept, and not this one.
            return Err(Error::new(
                ErrorCode::SourceUnreadable,
                "the key of the passphrase could not be derived",
            ));
        }
        Key::parse(text_of(text.get(..length).unwrap_or_default()))
    }
}

/// The input is salt and passphrase, the output a key text. It is called in the second instance,
/// with numbers alone, since the glue belongs to the first.
#[wasm_bindgen]
pub fn argon2id(memory_kib: u32, passes: u32, lanes: u32, salt: usize, used: usize) -> u8 {
    call(used, |input, output| {
        let (salt, passphrase) = arguments(input, salt)?;
        let key = derive(&Argon2id::new(memory_kib, passes, lanes, salt)?, passphrase)?;
        output.set(core::mem::take(&mut *key.export()).into_bytes());
        Ok(DONE)
    })
}

#[cfg(feature = "passphrase")]
fn derive(argon2id: &Argon2id, passphrase: &[u8]) -> Result<Key> {
    argon2id.derive(passphrase)
}

/// A build without Argon2id is much smaller.
#[cfg(not(feature = "passphrase"))]
fn derive(_: &Argon2id, _: &[u8]) -> Result<Key> {
    Err(Error::new(
        ErrorCode::InvalidArgument,
        "this build leaves out passphrases",
    ))
}
