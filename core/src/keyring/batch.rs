//! Slices of values, with a result for each.

use super::{
    Keyring, OpenBatch,
    salt::Salts,
    seal::{Nonce, Sealer, check_length, sealed_bytes},
};
use crate::{
    context::Context,
    error::{Error, ErrorCode, Result},
    ids::Mode,
    random::Entropy,
};
use alloc::{format, string::String, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

/// The contexts of a batch: one for all values, or one for each.
#[derive(Clone, Copy, Debug)]
pub enum Contexts<'c> {
    /// All values have this context.
    One(&'c Context),
    /// The first value has the first context, and so on.
    Each(&'c [Context]),
}

impl<'c> From<&'c Context> for Contexts<'c> {
    fn from(context: &'c Context) -> Self {
        Self::One(context)
    }
}

impl<'c> From<&'c [Context]> for Contexts<'c> {
    fn from(contexts: &'c [Context]) -> Self {
        Self::Each(contexts)
    }
}

impl<'c> From<&'c Vec<Context>> for Contexts<'c> {
    fn from(contexts: &'c Vec<Context>) -> Self {
        Self::Each(contexts)
    }
}

/// Seals the values of one batch, inside [`Keyring::seal_batch`]. The envelopes look like any
/// others; their common salt shows that they belong together.
///
/// # Spec
/// Sections 6 and 7.
pub struct SealBatch<'r, E> {
    sealer: Sealer<'r>,
    salts: Salts<'r, E>,
    scratch: Vec<u8>,
}

impl Keyring {
    /// What `seal` makes of a batch for about `count` values: one salt and one key derivation for
    /// up to 65,536 of them, whose randomness is drawn before the first.
    ///
    /// # Example
    /// ```
    /// # use reseal::{Context, Key, KeyUse, Keyring, Mode, OsEntropy};
    /// # let ring = Keyring::builder().primary(Key::generate(KeyUse::Data, &mut OsEntropy)?).build()?;
    /// # let ctx = Context::new();
    /// let stored = ring.seal_batch(2, Mode::Random, OsEntropy, |batch| {
    ///     ["one", "two"].map(|value| batch.seal(value.as_bytes(), &ctx))
    /// })?;
    /// for (stored, value) in stored.into_iter().zip(["one", "two"]) {
    ///     assert_eq!(*ring.open(&stored?, &ctx)?, value.as_bytes());
    /// }
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// `no-primary`, `random-unavailable`.
    ///
    /// # Security
    /// The batch holds random bytes for values to come: seal them at once, and do not fork the
    /// process inside `seal`.
    pub fn seal_batch<E: Entropy, T>(
        &self,
        count: usize,
        mode: Mode,
        entropy: E,
        seal: impl FnOnce(&mut SealBatch<'_, E>) -> T,
    ) -> Result<T> {
        let sealer = Sealer::new(self, mode)?;
        let mut salts = Salts::new(sealer.key(), entropy, count);
        if mode != Mode::Deterministic && count > 0 {
            salts.draw()?;
        }
        Ok(seal(&mut SealBatch {
            sealer,
            salts,
            scratch: Vec::new(),
        }))
    }
}

impl<E: Entropy> SealBatch<'_, E> {
    /// The text envelope of the next value.
    ///
    /// # Errors
    /// `too-large`, and `random-unavailable` where the next salt is due; the batch goes on with
    /// the next value.
    pub fn seal(&mut self, plaintext: &[u8], context: &Context) -> Result<String> {
        self.write_scratch(plaintext, context)?;
        Ok(self.sealer.key().prefix.print_text(&self.scratch))
    }

    /// As [`SealBatch::seal`], appended to `text`: many envelopes in one allocation. After an error
    /// `text` is what it was.
    ///
    /// # Errors
    /// As [`SealBatch::seal`].
    pub fn seal_into(
        &mut self,
        plaintext: &[u8],
        context: &Context,
        text: &mut String,
    ) -> Result<()> {
        self.write_scratch(plaintext, context)?;
        self.sealer.key().prefix.append_text(&self.scratch, text);
        Ok(())
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

    fn write_scratch(&mut self, plaintext: &[u8], context: &Context) -> Result<()> {
        let mut binary = core::mem::take(&mut self.scratch);
        binary.clear();
        let sealed = self.write(plaintext, context, &mut binary);
        self.scratch = binary;
        sealed
    }

    fn write(&mut self, plaintext: &[u8], context: &Context, binary: &mut Vec<u8>) -> Result<()> {
        let mode = self.sealer.mode();
        check_length(plaintext, mode)?;
        let nonce = if mode == Mode::Deterministic {
            Nonce::Deterministic
        } else {
            let (salt, iv) = self.salts.next(sealed_bytes(plaintext, mode))?;
            Nonce::Shared(salt, iv)
        };
        self.sealer.write(plaintext, context, &nonce, binary)
    }
}

impl<E> fmt::Debug for SealBatch<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, mode) = (self.sealer.key().prefix.key_id, self.sealer.mode());
        write!(f, "SealBatch({id}, {})", mode.as_str())
    }
}

impl Keyring {
    /// Text envelopes of many values, with a result for each: a bad value does not fail the rest.
    ///
    /// # Example
    /// ```
    /// # use reseal::{Context, Key, KeyUse, Keyring, Mode, OsEntropy};
    /// # let ring = Keyring::builder().primary(Key::generate(KeyUse::Data, &mut OsEntropy)?).build()?;
    /// # let ctx = Context::new();
    /// let stored = ring.seal_many(&["a", "b"], &ctx, Mode::Random, &mut OsEntropy)?;
    /// assert!(stored.iter().all(Result::is_ok));
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// Of the call: `no-primary`, `random-unavailable`, `invalid-argument` when there are not as
    /// many contexts as values. Of an item: `too-large`, and `random-unavailable` where the source
    /// fails after the first 65,536 values.
    ///
    /// # Spec
    /// Sections 6 and 7: the values share salts.
    pub fn seal_many<'c, T: AsRef<[u8]>>(
        &self,
        values: &[T],
        contexts: impl Into<Contexts<'c>>,
        mode: Mode,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<Result<String>>> {
        let items = paired(values, contexts.into())?;
        self.seal_batch(values.len(), mode, entropy, |batch| {
            items
                .map(|(value, context)| batch.seal(value.as_ref(), context))
                .collect()
        })
    }

    /// As [`Keyring::seal_many`], for binary columns.
    ///
    /// # Errors
    /// As [`Keyring::seal_many`].
    pub fn seal_many_binary<'c, T: AsRef<[u8]>>(
        &self,
        values: &[T],
        contexts: impl Into<Contexts<'c>>,
        mode: Mode,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<Result<Vec<u8>>>> {
        let items = paired(values, contexts.into())?;
        self.seal_batch(values.len(), mode, entropy, |batch| {
            items
                .map(|(value, context)| batch.seal_binary(value.as_ref(), context))
                .collect()
        })
    }

    /// The plaintexts of many text envelopes, with a result for each.
    ///
    /// # Errors
    /// Of the call: `invalid-argument` when there are not as many contexts as values. Of an item:
    /// as of [`Keyring::open`].
    pub fn open_many<'c, T: AsRef<str>>(
        &self,
        stored: &[T],
        contexts: impl Into<Contexts<'c>>,
    ) -> Result<Vec<Result<Zeroizing<Vec<u8>>>>> {
        let mut batch = OpenBatch::new(self);
        let items = paired(stored, contexts.into())?;
        Ok(items
            .map(|(stored, context)| batch.open(stored.as_ref(), context))
            .collect())
    }

    /// As [`Keyring::open_many`], for binary columns.
    ///
    /// # Errors
    /// As [`Keyring::open_many`].
    pub fn open_many_binary<'c, T: AsRef<[u8]>>(
        &self,
        stored: &[T],
        contexts: impl Into<Contexts<'c>>,
    ) -> Result<Vec<Result<Zeroizing<Vec<u8>>>>> {
        let mut batch = OpenBatch::new(self);
        let items = paired(stored, contexts.into())?;
        Ok(items
            .map(|(stored, context)| batch.open_binary(stored.as_ref(), context))
            .collect())
    }
}

/// Each value with its context.
fn paired<'v, T>(
    values: &'v [T],
    contexts: Contexts<'v>,
) -> Result<impl Iterator<Item = (&'v T, &'v Context)>> {
    let (one, each) = match contexts {
        Contexts::One(context) => (Some(context), [].as_slice()),
        Contexts::Each(contexts) if contexts.len() == values.len() => (None, contexts),
        Contexts::Each(contexts) => return Err(mismatch(values.len(), contexts.len())),
    };
    let contexts =
        core::iter::repeat_n(one, if one.is_some() { values.len() } else { 0 }).flatten();
    Ok(values.iter().zip(contexts.chain(each)))
}

fn mismatch(values: usize, contexts: usize) -> Error {
    Error::new(
        ErrorCode::InvalidArgument,
        format!(
            "{values} values have {contexts} contexts: give one for each value, or one for all"
        ),
    )
}
