//! AES-256-CBC in OpenSSL's salted format: `Salted__`, 8 bytes of salt, the blocks. Key and IV
//! come from the password and the salt by `EVP_BytesToKey` with MD5 and one round.

use super::{
    super::{Expect, Trust, agreed::agreed, base64, hedge::Hedge, malformed},
    value::{decode, too_large},
};
use crate::{
    envelope::MAX_PLAINTEXT_BYTES,
    error::{ErrorCode, Result, auth_failed},
    random::Entropy,
};
use alloc::{string::String, vec::Vec};
use core::fmt;
use md5::{Digest, Md5};
use reseal_primitives::{BLOCK_BYTES, Cbc256};
use zeroize::Zeroizing;

const MARK: &[u8; 8] = b"Salted__";
const SALT_BYTES: usize = 8;
const HEADER_BYTES: usize = MARK.len() + SALT_BYTES;
const KEY_BYTES: usize = 32;

/// The bytes of a key text, from which the key of each value comes.
#[derive(Clone)]
pub(super) struct Password {
    bytes: Zeroizing<Vec<u8>>,
    hedge: Hedge,
}

impl Password {
    /// As n8n since 1.16: the low byte of each UTF-16 code unit.
    pub(super) fn latin1(key: &str) -> Self {
        // No key has more code units than bytes, so that the bytes stand in one place only.
        let mut bytes = Zeroizing::new(Vec::with_capacity(key.len()));
        bytes.extend(key.encode_utf16().map(|unit| {
            let [low, _] = unit.to_le_bytes();
            low
        }));
        Self::new(bytes)
    }

    /// As n8n before 1.16, which left it to crypto-js.
    pub(super) fn utf8(key: &str) -> Self {
        Self::new(Zeroizing::new(key.as_bytes().to_vec()))
    }

    fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        let hedge = Hedge::new(&bytes);
        Self { bytes, hedge }
    }

    /// The text of a value.
    pub(super) fn seal(&self, plaintext: &[u8], entropy: &mut dyn Entropy) -> Result<String> {
        let salt = self.hedge.draw(plaintext, entropy)?;
        let (cipher, iv) = self.cipher(salt)?;
        let ciphertext = cipher.encrypt(iv, plaintext);
        let mut bytes = Vec::with_capacity(HEADER_BYTES + ciphertext.len());
        bytes.extend_from_slice(MARK);
        bytes.extend_from_slice(&salt);
        bytes.extend_from_slice(&ciphertext);
        Ok(base64::encode(&bytes))
    }

    /// A plaintext that may be garbage; nothing where the padding is wrong.
    fn open(&self, blocks: &Blocks) -> Option<Zeroizing<Vec<u8>>> {
        let (cipher, iv) = self.cipher(blocks.salt).ok()?;
        cipher.decrypt(iv, blocks.ciphertext())
    }

    fn cipher(&self, salt: [u8; SALT_BYTES]) -> Result<(Cbc256, [u8; BLOCK_BYTES])> {
        let mut derived = Zeroizing::new([0; KEY_BYTES + BLOCK_BYTES]);
        let mut last = Zeroizing::new([0_u8; 16]);
        for (round, part) in derived.chunks_exact_mut(16).enumerate() {
            let mut md5 = Md5::new();
            if round > 0 {
                md5.update(last.as_slice());
            }
            md5.update(&*self.bytes);
            md5.update(salt);
            md5.finalize_into((&mut *last).into());
            part.copy_from_slice(&*last);
        }
        let (key, iv) = derived
            .split_first_chunk::<KEY_BYTES>()
            .ok_or_else(auth_failed)?;
        let iv = iv.first_chunk().ok_or_else(auth_failed)?;
        Ok((Cbc256::new(key).ok_or_else(auth_failed)?, *iv))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// Characters of a value of so many bytes; the padding of the block cipher is one byte at least.
pub(super) fn sealed_len(plaintext_bytes: usize) -> Option<usize> {
    let ciphertext = (plaintext_bytes / BLOCK_BYTES + 1).checked_mul(BLOCK_BYTES)?;
    base64::encoded_len(ciphertext.checked_add(HEADER_BYTES)?)
}

/// What the body of a value holds.
pub(super) enum Salted {
    /// Fewer bytes than a header, for which n8n reads the empty text; only where one is lenient.
    Cut,
    /// A salt, and blocks.
    Whole(Blocks),
}

/// The bytes of a body of the right shape.
pub(super) struct Blocks {
    bytes: Vec<u8>,
    salt: [u8; SALT_BYTES],
    /// Whether n8n would write it with these characters and this mark.
    pub(super) exact: bool,
}

impl Blocks {
    fn ciphertext(&self) -> &[u8] {
        self.bytes.get(HEADER_BYTES..).unwrap_or_default()
    }
}

impl Salted {
    /// # Errors
    /// `malformed`, `too-large`.
    pub(super) fn parse(body: &str, lenient: bool) -> Result<Self> {
        let (bytes, exact) = decode(body, lenient)?;
        let marked = bytes.starts_with(MARK);
        if lenient && marked && bytes.len() < HEADER_BYTES {
            return Ok(Self::Cut);
        }
        if !marked && !lenient || !has_blocks(bytes.len()) {
            return Err(malformed(
                "the body of this value of n8n is no salted AES-256-CBC, or is cut or damaged",
            ));
        }
        if bytes.len() > HEADER_BYTES + MAX_PLAINTEXT_BYTES + BLOCK_BYTES {
            return Err(too_large());
        }
        let salt = bytes.get(MARK.len()..).and_then(<[u8]>::first_chunk);
        Ok(Self::Whole(Blocks {
            salt: salt.copied().unwrap_or_default(),
            exact: exact && marked,
            bytes,
        }))
    }
}

/// Whether the body of a value without an id has the shape that n8n decrypts: the mark, or, as it
/// never looks at the mark, blocks after a header. What is too large to tell may have it.
pub(super) fn is_shaped(body: &str) -> Option<bool> {
    let bytes = match decode(body, true) {
        Ok((bytes, _)) => bytes,
        Err(error) => return (error.code() == ErrorCode::TooLarge).then_some(false),
    };
    let marked = bytes.starts_with(MARK);
    (marked || has_blocks(bytes.len())).then_some(marked)
}

const fn has_blocks(length: usize) -> bool {
    length > HEADER_BYTES && length.is_multiple_of(BLOCK_BYTES)
}

/// A plaintext, the place of the password that gave it, and how far it can be believed.
pub(super) struct Found {
    pub(super) at: usize,
    pub(super) plaintext: Zeroizing<Vec<u8>>,
    pub(super) trust: Trust,
}

/// The plaintext under the first password that gives one that is as expected. Where nothing is
/// expected, text goes before other bytes, since n8n holds text only.
///
/// # Errors
/// `auth-failed`, also where two passwords give different texts; `too-large`.
pub(super) fn find<'p>(
    passwords: impl Iterator<Item = &'p Password>,
    blocks: &Blocks,
    expect: Option<Expect>,
) -> Result<Found> {
    let mut garbage = None;
    let fitting = passwords.enumerate().filter_map(|(at, password)| {
        let plaintext = password.open(blocks)?;
        if expect.unwrap_or(Expect::Utf8).check(&plaintext).is_ok() {
            return Some((at, plaintext));
        }
        if expect.is_none() && garbage.is_none() {
            garbage = Some((at, plaintext));
        }
        None
    });
    let fitting = agreed(fitting)?;
    let (at, plaintext) = fitting.or(garbage).ok_or_else(auth_failed)?;
    bounded(Found {
        at,
        plaintext,
        trust: expect.map_or(Trust::Unchecked, |_| Trust::Checked),
    })
}

fn bounded(found: Found) -> Result<Found> {
    if found.plaintext.len() > MAX_PLAINTEXT_BYTES {
        return Err(too_large());
    }
    Ok(found)
}
