//! Sealing one value: its nonce, its mode and its bytes.

use super::{Keyring, no_primary, salt::Salt};
use crate::{
    context::Context,
    envelope::{Aad, HEADER_BYTES, MAX_PLAINTEXT_BYTES, OVERHEAD_BYTES, too_large},
    error::{Result, auth_failed},
    ids::Mode,
    key::DataKey,
    padding,
    random::{Entropy, EntropyKind},
};
use alloc::{string::String, vec::Vec};
use reseal_primitives::{IV_BYTES, NONCE_BYTES, SALT_BYTES};
use zeroize::Zeroize;

/// Seals under one key, in one mode.
pub(super) struct Sealer<'r> {
    key: &'r DataKey,
    mode: Mode,
}

/// Where the nonce of one value comes from.
pub(super) enum Nonce<'a> {
    Deterministic,
    Single(EntropyKind, [u8; NONCE_BYTES]),
    Shared(&'a Salt, [u8; IV_BYTES]),
}

/// For mode d, which draws nothing.
pub(crate) struct NoEntropy;

impl<'r> Sealer<'r> {
    pub(super) fn new(ring: &'r Keyring, mode: Mode) -> Result<Self> {
        let id = ring.data_primary.ok_or_else(|| no_primary("data"))?;
        Ok(Self::with_key(ring.opener(id)?, mode))
    }

    pub(super) const fn with_key(key: &'r DataKey, mode: Mode) -> Self {
        Self { key, mode }
    }

    pub(super) fn seal_text(
        &self,
        plaintext: &[u8],
        context: &Context,
        entropy: &mut impl Entropy,
    ) -> Result<String> {
        let binary = self.seal_binary(plaintext, context, entropy)?;
        Ok(self.key.prefix.print_text(&binary))
    }

    pub(super) fn seal_binary(
        &self,
        plaintext: &[u8],
        context: &Context,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<u8>> {
        let nonce = self.draw(entropy)?;
        let mut binary = Vec::new();
        self.write(plaintext, context, &nonce, &mut binary)?;
        Ok(binary)
    }

    pub(super) const fn key(&self) -> &'r DataKey {
        self.key
    }

    pub(super) const fn mode(&self) -> Mode {
        self.mode
    }

    fn draw(&self, entropy: &mut impl Entropy) -> Result<Nonce<'static>> {
        if self.mode == Mode::Deterministic {
            return Ok(Nonce::Deterministic);
        }
        let mut random = [0; NONCE_BYTES];
        entropy.fill(&mut random)?;
        Ok(Nonce::Single(entropy.kind(), random))
    }

    /// Writes one binary envelope into an empty buffer.
    pub(super) fn write(
        &self,
        plaintext: &[u8],
        context: &Context,
        nonce: &Nonce<'_>,
        binary: &mut Vec<u8>,
    ) -> Result<()> {
        let header = self.key.prefix.header(self.mode);
        binary.reserve_exact(OVERHEAD_BYTES + sealed_bytes(plaintext, self.mode));
        binary.extend_from_slice(&header);
        binary.extend_from_slice(&[0; NONCE_BYTES]);
        binary.extend_from_slice(plaintext);
        if self.mode == Mode::Padded {
            padding::pad(binary, HEADER_BYTES + NONCE_BYTES);
        }
        let sealed = self.encrypt(&Aad::new(&header, context), nonce, binary);
        if sealed.is_err() {
            binary.zeroize();
        }
        sealed
    }

    /// Fills in the nonce, encrypts what follows it in place and appends the tag.
    fn encrypt(&self, aad: &Aad, nonce: &Nonce<'_>, binary: &mut Vec<u8>) -> Result<()> {
        let aad = aad.as_bytes();
        let body = binary.get_mut(HEADER_BYTES..).unwrap_or_default();
        let (place, message) = body.split_first_chunk_mut().ok_or_else(auth_failed)?;
        *place = self.nonce(nonce, aad, message);
        let (salt, iv) = split_nonce(place);
        let tag = match nonce {
            Nonce::Shared(shared, _) => shared.gcm.seal(iv, aad, message)?,
            _ => self.key.xaes.derive(&salt).seal(iv, aad, message)?,
        };
        binary.extend_from_slice(&tag);
        Ok(())
    }

    /// N of sections 2 and 7.
    fn nonce(&self, nonce: &Nonce<'_>, aad: &[u8], message: &[u8]) -> [u8; NONCE_BYTES] {
        match nonce {
            Nonce::Deterministic => deterministic_nonce(self.key, aad, message),
            Nonce::Single(EntropyKind::Direct, random) => *random,
            Nonce::Single(EntropyKind::Indirect, random) => {
                first_bytes(&self.key.hedge.mac(&[random, aad, message]))
            }
            Nonce::Shared(salt, random) => {
                let iv = match salt.kind {
                    EntropyKind::Direct => *random,
                    EntropyKind::Indirect => {
                        let parts = [&salt.bytes, random.as_slice(), aad, message];
                        first_bytes(&self.key.hedge.mac(&parts))
                    }
                };
                join_nonce(&salt.bytes, &iv)
            }
        }
    }
}

/// Section 5 checks the length before it looks for a key.
pub(crate) fn check_length(plaintext: &[u8], mode: Mode) -> Result<()> {
    if sealed_bytes(plaintext, mode) > MAX_PLAINTEXT_BYTES {
        return Err(too_large());
    }
    Ok(())
}

/// Bytes of ciphertext that a plaintext becomes.
pub(super) fn sealed_bytes(plaintext: &[u8], mode: Mode) -> usize {
    match mode {
        Mode::Padded => padding::padded_bytes(plaintext.len()),
        Mode::Random | Mode::Deterministic => plaintext.len(),
    }
}

/// N of mode d: a function of key, context and plaintext.
pub(super) fn deterministic_nonce(
    key: &DataKey,
    aad: &[u8],
    plaintext: &[u8],
) -> [u8; NONCE_BYTES] {
    first_bytes(&key.deterministic.mac(&[aad, plaintext]))
}

/// Salt and iv of a nonce.
pub(crate) fn split_nonce(nonce: &[u8; NONCE_BYTES]) -> ([u8; SALT_BYTES], [u8; IV_BYTES]) {
    let (salt, iv) = nonce.split_at(SALT_BYTES);
    (first_bytes(salt), first_bytes(iv))
}

fn join_nonce(salt: &[u8; SALT_BYTES], iv: &[u8; IV_BYTES]) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    for (to, from) in nonce.iter_mut().zip(salt.iter().chain(iv)) {
        *to = *from;
    }
    nonce
}

/// The first `N` of at least `N` bytes.
pub(super) fn first_bytes<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}

impl Entropy for NoEntropy {
    fn kind(&self) -> EntropyKind {
        EntropyKind::Direct
    }

    fn fill(&mut self, _: &mut [u8]) -> Result<()> {
        Err(auth_failed())
    }
}
