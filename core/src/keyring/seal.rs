//! Sealing: nonces, modes, and randomness drawn per value or per batch.

use super::{Keyring, no_primary};
use crate::{
    context::Context,
    envelope::{Aad, HEADER_BYTES, MAX_PLAINTEXT_BYTES, OVERHEAD_BYTES, too_large},
    error::{Result, auth_failed},
    ids::Mode,
    key::DataKey,
    padding,
    random::{Entropy, EntropyKind},
    xaes::{Gcm, IV_BYTES, NONCE_BYTES, SALT_BYTES},
};
use alloc::{string::String, vec::Vec};
use core::fmt;
use zeroize::{Zeroize, Zeroizing};

/// Values that may share one salt.
const MAX_SALT_VALUES: usize = 1 << 16;
/// Plaintext bytes that may share one salt.
const MAX_SALT_BYTES: u64 = 1 << 32;

/// Seals under one key, in one mode.
pub(super) struct Sealer<'r> {
    key: &'r DataKey,
    mode: Mode,
}

/// Where the nonce of one value comes from.
enum Nonce<'a> {
    Deterministic,
    Single(EntropyKind, [u8; NONCE_BYTES]),
    Shared(EntropyKind, &'a Salt, [u8; IV_BYTES]),
}

/// A salt that the values of a batch share, and the key that it selects.
struct Salt {
    bytes: [u8; SALT_BYTES],
    gcm: Gcm,
}

/// For mode d, which draws nothing.
pub(super) struct NoEntropy;

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
        self.check_length(plaintext)?;
        let nonce = self.draw(entropy)?;
        let mut binary = Vec::new();
        self.write(plaintext, context, &nonce, &mut binary)?;
        Ok(binary)
    }

    fn check_length(&self, plaintext: &[u8]) -> Result<()> {
        if self.sealed_bytes(plaintext) > MAX_PLAINTEXT_BYTES {
            return Err(too_large());
        }
        Ok(())
    }

    fn sealed_bytes(&self, plaintext: &[u8]) -> usize {
        match self.mode {
            Mode::Padded => padding::padded_bytes(plaintext.len()),
            Mode::Random | Mode::Deterministic => plaintext.len(),
        }
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
    fn write(
        &self,
        plaintext: &[u8],
        context: &Context,
        nonce: &Nonce<'_>,
        binary: &mut Vec<u8>,
    ) -> Result<()> {
        let header = self.key.prefix.header(self.mode);
        binary.reserve_exact(OVERHEAD_BYTES + self.sealed_bytes(plaintext));
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
            Nonce::Shared(_, shared, _) => shared.gcm.seal(iv, aad, message)?,
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
            Nonce::Shared(EntropyKind::Direct, salt, random) => join_nonce(&salt.bytes, random),
            Nonce::Shared(EntropyKind::Indirect, salt, random) => {
                let mac = self.key.hedge.mac(&[&salt.bytes, random, aad, message]);
                join_nonce(&salt.bytes, &first_bytes(&mac))
            }
        }
    }
}

/// Seals the values of one batch: one salt and one key derivation for up to 65,536 of them, all
/// randomness drawn before the first. The envelopes look like any others; their common salt shows
/// that they belong together.
///
/// # Example
/// ```
/// # use reseal::{Context, Key, KeyUse, Keyring, Mode, OsEntropy};
/// # let ring = Keyring::builder().primary(Key::generate(KeyUse::Data, &mut OsEntropy)?).build()?;
/// # let ctx = Context::new();
/// let mut batch = ring.seal_batch(2, Mode::Random, OsEntropy)?;
/// for value in ["one", "two"] {
///     let stored = batch.seal(value.as_bytes(), &ctx)?;
///     assert_eq!(*ring.open(&stored, &ctx)?, value.as_bytes());
/// }
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Spec
/// Sections 6 and 7.
pub struct SealBatch<'r, E> {
    sealer: Sealer<'r>,
    entropy: E,
    /// Values for which nothing has been drawn yet.
    ahead: usize,
    salt: Option<Salt>,
    ivs: Zeroizing<Vec<u8>>,
    used_bytes: u64,
    scratch: Vec<u8>,
}

impl Keyring {
    /// A batch for about `count` values; more may follow.
    ///
    /// # Errors
    /// `no-primary`, `random-unavailable`.
    pub fn seal_batch<E: Entropy>(
        &self,
        count: usize,
        mode: Mode,
        entropy: E,
    ) -> Result<SealBatch<'_, E>> {
        let mut batch = SealBatch {
            sealer: Sealer::new(self, mode)?,
            entropy,
            ahead: count,
            salt: None,
            ivs: Zeroizing::default(),
            used_bytes: 0,
            scratch: Vec::new(),
        };
        if mode != Mode::Deterministic && count > 0 {
            batch.draw()?;
        }
        Ok(batch)
    }
}

impl<E: Entropy> SealBatch<'_, E> {
    /// The text envelope of the next value.
    ///
    /// # Errors
    /// `too-large`, `random-unavailable`; the batch goes on with the next value.
    pub fn seal(&mut self, plaintext: &[u8], context: &Context) -> Result<String> {
        let mut binary = core::mem::take(&mut self.scratch);
        binary.clear();
        let sealed = self.write(plaintext, context, &mut binary);
        self.scratch = binary;
        sealed?;
        Ok(self.sealer.key.prefix.print_text(&self.scratch))
    }

    /// The binary envelope of the next value.
    ///
    /// # Errors
    /// As [`SealBatch::seal`].
    pub fn seal_binary(&mut self, plaintext: &[u8], context: &Context) -> Result<Vec<u8>> {
        let mut binary = Vec::new();
        self.write(plaintext, context, &mut binary)?;
        Ok(binary)
    }

    fn write(&mut self, plaintext: &[u8], context: &Context, binary: &mut Vec<u8>) -> Result<()> {
        self.sealer.check_length(plaintext)?;
        if self.sealer.mode == Mode::Deterministic {
            return self
                .sealer
                .write(plaintext, context, &Nonce::Deterministic, binary);
        }
        let bytes = u64::try_from(self.sealer.sealed_bytes(plaintext)).unwrap_or(u64::MAX);
        if self.ivs.is_empty() || self.used_bytes.saturating_add(bytes) > MAX_SALT_BYTES {
            self.draw()?;
        }
        self.used_bytes = self.used_bytes.saturating_add(bytes);
        let iv = self.next_iv()?;
        let salt = self.salt.as_ref().ok_or_else(auth_failed)?;
        let nonce = Nonce::Shared(self.entropy.kind(), salt, iv);
        self.sealer.write(plaintext, context, &nonce, binary)
    }

    /// A fresh salt, and one iv for each value ahead.
    fn draw(&mut self) -> Result<()> {
        // Ivs that were drawn under the last salt and not used belong to values still ahead.
        let ahead = self.ahead.saturating_add(self.ivs.len() / IV_BYTES).max(1);
        let count = ahead.min(MAX_SALT_VALUES);
        let mut drawn = Zeroizing::new(alloc::vec![0; SALT_BYTES + count * IV_BYTES]);
        self.entropy.fill(&mut drawn)?;
        let salt = first_bytes(&drawn);
        drawn.truncate(count * IV_BYTES + SALT_BYTES);
        self.salt = Some(Salt {
            bytes: salt,
            gcm: self.sealer.key.xaes.derive(&salt),
        });
        self.ivs = drawn;
        self.ivs.drain(..SALT_BYTES);
        self.ahead = ahead - count;
        self.used_bytes = 0;
        Ok(())
    }

    fn next_iv(&mut self) -> Result<[u8; IV_BYTES]> {
        let (rest, iv) = self.ivs.split_last_chunk().ok_or_else(auth_failed)?;
        let (rest, iv) = (rest.len(), *iv);
        self.ivs.truncate(rest);
        Ok(iv)
    }
}

impl<E> fmt::Debug for SealBatch<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SealBatch({}, {})",
            self.sealer.key.prefix.key_id,
            self.sealer.mode.as_str()
        )
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
fn first_bytes<const N: usize>(bytes: &[u8]) -> [u8; N] {
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
