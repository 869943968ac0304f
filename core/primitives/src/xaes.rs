//! XAES-256-GCM (C2SP): the only file that calls the AEAD crates.

use crate::Secret32;
use aes::{
    Aes256Enc, Block,
    cipher::{BlockCipherEncrypt, KeyInit, consts::U12},
};
use aes_gcm::{AeadInOut, AesGcm, Tag};
use core::fmt;
use zeroize::Zeroize;

/// Bytes of the first half of a nonce, which selects the derived key.
pub const SALT_BYTES: usize = 12;
/// Bytes of the second half of a nonce, which is the GCM nonce.
pub const IV_BYTES: usize = 12;
/// Bytes of a nonce.
pub const NONCE_BYTES: usize = SALT_BYTES + IV_BYTES;
/// Bytes of a tag.
pub const TAG_BYTES: usize = 16;

/// Blocks per call of the derivation, of which two count. The bitsliced AES of WebAssembly does
/// four blocks at the price of one; hardware AES does them one by one.
const DERIVE_BLOCKS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 2 };

/// More than GCM encrypts.
#[derive(Clone, Copy, Debug)]
pub struct TooLong;

/// A tag that is not that of a value.
#[derive(Clone, Copy, Debug)]
pub struct Forged;

/// One XAES key: its AES schedule and K1, computed once.
pub struct Xaes {
    aes: Aes256Enc,
    /// K1, its bytes in memory order.
    k1: u128,
}

impl Xaes {
    /// The schedule of a key.
    #[must_use]
    #[inline(never)]
    pub fn new(key: &Secret32) -> Self {
        let aes = Aes256Enc::new(&key.0.into());
        let mut l = Block::default();
        aes.encrypt_block(&mut l);
        let l_bits = u128::from_be_bytes(l.into());
        l.as_mut_slice().zeroize();
        let k1 = (l_bits << 1) ^ ((l_bits >> 127) * 0x87);
        Self {
            aes,
            k1: u128::from_ne_bytes(k1.to_be_bytes()),
        }
    }

    /// The AES-256-GCM key that the first 12 bytes of a nonce select.
    #[must_use]
    #[inline(never)]
    pub fn derive(&self, salt: &[u8; SALT_BYTES]) -> Gcm {
        let mut blocks = [Block::default(); DERIVE_BLOCKS];
        for (counter, block) in (1..=2).zip(&mut blocks) {
            let mut message = [0, counter, b'X', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            message[4..].copy_from_slice(salt);
            *block = (u128::from_ne_bytes(message) ^ self.k1)
                .to_ne_bytes()
                .into();
        }
        self.aes.encrypt_blocks(&mut blocks);
        let mut key = Secret32([0; 32]);
        for (half, block) in key.0.chunks_exact_mut(16).zip(&blocks) {
            half.copy_from_slice(block);
        }
        for block in &mut blocks {
            block.as_mut_slice().zeroize();
        }
        Gcm(AesGcm::new(&key.0.into()))
    }

    /// The Kx of the specification, for its published intermediate values.
    #[cfg(feature = "hazmat")]
    #[must_use]
    pub fn k1(&self) -> [u8; 16] {
        self.k1.to_ne_bytes()
    }
}

impl Drop for Xaes {
    fn drop(&mut self) {
        self.k1.zeroize();
    }
}

impl fmt::Debug for Xaes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Xaes(hidden)")
    }
}

/// AES-256-GCM under one derived key, for all values that share a salt.
pub struct Gcm(AesGcm<Aes256Enc, U12>);

impl Gcm {
    /// A cipher under a key.
    #[must_use]
    #[inline(never)]
    pub fn new(key: &Secret32) -> Self {
        Self(AesGcm::new(&key.0.into()))
    }

    /// Encrypts `buffer` in place and gives its tag.
    ///
    /// # Errors
    /// Beyond GCM's own limit of 2^36 bytes.
    #[inline(never)]
    pub fn seal(
        &self,
        iv: [u8; IV_BYTES],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], TooLong> {
        self.0
            .encrypt_inout_detached(&iv.into(), aad, buffer.into())
            .map(Into::into)
            .map_err(|_| TooLong)
    }

    /// Decrypts `buffer` in place once its tag is verified; otherwise it stays ciphertext.
    ///
    /// # Errors
    /// Where the tag is wrong.
    #[inline(never)]
    pub fn open(
        &self,
        iv: [u8; IV_BYTES],
        aad: &[u8],
        buffer: &mut [u8],
        tag: [u8; TAG_BYTES],
    ) -> Result<(), Forged> {
        self.0
            .decrypt_inout_detached(&iv.into(), aad, buffer.into(), &Tag::from(tag))
            .map_err(|_| Forged)
    }
}

impl fmt::Debug for Gcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gcm(hidden)")
    }
}
