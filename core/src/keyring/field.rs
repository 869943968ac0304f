//! A field: a ring with a context and a mode that are given once.

use super::Keyring;
use crate::{
    blind_index::BlindIndex,
    context::{Context, ContextValue},
    error::Result,
    ids::Mode,
    random::Entropy,
};
use alloc::{string::String, vec::Vec};
use core::{fmt, ops::Deref};
use zeroize::Zeroizing;

/// A column of one table: its ring, its context and its mode, checked and encoded once. `R` is a
/// reference to a [`Keyring`], or an `Arc` of one.
///
/// # Example
/// ```
/// # use reseal::{Context, Key, KeyUse, Keyring, Mode, OsEntropy};
/// # let ring = Keyring::builder().primary(Key::generate(KeyUse::Data, &mut OsEntropy)?).build()?;
/// let ssn = ring.field(Context::new().with("table", "users")?.with("column", "ssn")?, Mode::Random);
/// let row = ssn.context_with([("row", 42.into())])?;
/// let stored = ring.seal(b"078-05-1120", &row, ssn.mode(), &mut OsEntropy)?;
/// assert_eq!(*ring.open(&stored, &row)?, b"078-05-1120");
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Spec
/// Section 4.
#[derive(Clone)]
pub struct Field<R> {
    ring: R,
    context: Context,
    mode: Mode,
}

impl<R: Deref<Target = Keyring>> Field<R> {
    /// A field of `ring`.
    pub const fn new(ring: R, context: Context, mode: Mode) -> Self {
        Self {
            ring,
            context,
            mode,
        }
    }

    /// The ring.
    pub fn ring(&self) -> &Keyring {
        &self.ring
    }

    /// The context that every value of the field has.
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The mode that the field seals in.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The field's context with more pairs, such as the row.
    ///
    /// # Errors
    /// `context-invalid`.
    pub fn context_with<'v>(
        &self,
        pairs: impl IntoIterator<Item = (&'v str, ContextValue<'v>)>,
    ) -> Result<Context> {
        let mut context = self.context.clone();
        for (name, value) in pairs {
            context.insert(name, value)?;
        }
        Ok(context)
    }

    /// As [`Keyring::seal`].
    ///
    /// # Errors
    /// As [`Keyring::seal`].
    pub fn seal(&self, plaintext: &[u8], entropy: &mut impl Entropy) -> Result<String> {
        self.ring.seal(plaintext, &self.context, self.mode, entropy)
    }

    /// As [`Keyring::seal_binary`].
    ///
    /// # Errors
    /// As [`Keyring::seal_binary`].
    pub fn seal_binary(&self, plaintext: &[u8], entropy: &mut impl Entropy) -> Result<Vec<u8>> {
        self.ring
            .seal_binary(plaintext, &self.context, self.mode, entropy)
    }

    /// As [`Keyring::open`].
    ///
    /// # Errors
    /// As [`Keyring::open`].
    pub fn open(&self, stored: &str) -> Result<Zeroizing<Vec<u8>>> {
        self.ring.open(stored, &self.context)
    }

    /// As [`Keyring::open_string`].
    ///
    /// # Errors
    /// As [`Keyring::open_string`].
    pub fn open_string(&self, stored: &str) -> Result<Zeroizing<String>> {
        self.ring.open_string(stored, &self.context)
    }

    /// As [`Keyring::open_binary`].
    ///
    /// # Errors
    /// As [`Keyring::open_binary`].
    pub fn open_binary(&self, stored: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.ring.open_binary(stored, &self.context)
    }

    /// As [`Keyring::is_current`].
    ///
    /// # Errors
    /// As [`Keyring::is_current`].
    pub fn is_current(&self, stored: &str) -> Result<bool> {
        self.ring.is_current(stored, self.mode)
    }

    /// As [`Keyring::reseal`].
    ///
    /// # Errors
    /// As [`Keyring::reseal`].
    pub fn reseal(&self, stored: &str, entropy: &mut impl Entropy) -> Result<Option<String>> {
        self.ring.reseal(stored, &self.context, self.mode, entropy)
    }

    /// As [`Keyring::lookup_values`].
    ///
    /// # Errors
    /// As [`Keyring::lookup_values`].
    pub fn lookup_values(&self, plaintext: &[u8]) -> Result<Vec<String>> {
        self.ring.lookup_values(plaintext, &self.context)
    }

    /// As [`Keyring::index_terms`].
    ///
    /// # Errors
    /// As [`Keyring::index_terms`].
    pub fn index_terms(&self, value: &[u8], index: &BlindIndex) -> Result<Vec<String>> {
        self.ring.index_terms(value, &self.context, index)
    }
}

impl<R> fmt::Debug for Field<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({:?}, {})", self.context, self.mode.as_str())
    }
}
