//! Slices of values, with a result for each.

use super::{Keyring, OpenBatch};
use crate::{
    context::Context,
    error::{Error, ErrorCode, Result},
    ids::Mode,
    random::Entropy,
};
use alloc::{format, string::String, vec::Vec};
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
    /// many contexts as values. Of an item: `too-large`.
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
        let mut batch = self.seal_batch(values.len(), mode, entropy)?;
        Ok(items
            .map(|(value, context)| batch.seal(value.as_ref(), context))
            .collect())
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
        let mut batch = self.seal_batch(values.len(), mode, entropy)?;
        Ok(items
            .map(|(value, context)| batch.seal_binary(value.as_ref(), context))
            .collect())
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
