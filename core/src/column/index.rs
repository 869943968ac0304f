//! The blind indexes of a column.

use super::{Column, NamedCodec, lookup::push_new};
use crate::{
    blind_index::BlindIndex,
    codec::Rings,
    context::Context,
    error::{Error, ErrorCode, Result, fixed},
    ids::Mode,
};
use alloc::{format, string::String, vec::Vec};
#[cfg(feature = "job")]
use {super::Read, alloc::borrow::Cow, zeroize::Zeroizing};

impl Column {
    /// One more blind index. The ring of the column's first codec of envelopes makes its terms.
    ///
    /// # Errors
    /// `invalid-argument` for a second index of one name.
    pub fn index(mut self, index: BlindIndex) -> Result<Self> {
        if self
            .indexes
            .iter()
            .any(|there| there.name() == index.name())
        {
            let message = format!("two indexes of the column have the name {}", index.name());
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
        self.indexes.push(index);
        Ok(self)
    }

    /// The term of a value, which is stored beside it, under the index key that is primary. Two
    /// values have one term where they are equal in the sense of the column's type and of the index.
    ///
    /// # Example
    /// ```
    /// use reseal::codec::{Reseal, Stored};
    /// use reseal::{BlindIndex, Column, Context, Key, KeyUse, Keyring, NamedCodec, Normalizer, OsEntropy};
    /// use std::sync::Arc;
    ///
    /// let data = Key::generate(KeyUse::Data, &mut OsEntropy)?;
    /// let index = Key::generate(KeyUse::Index, &mut OsEntropy)?;
    /// let ring = Keyring::builder().primary(data).primary(index).build()?;
    /// let column = Column::new(NamedCodec::new("app", Reseal::new(Arc::new(ring))))
    ///     .context(Context::new().with("table", "users")?.with("column", "ssn")?)
    ///     .index(BlindIndex::new("ssn_eq", Normalizer::Digits, 64)?)?;
    /// let none = Context::new();
    /// let term = column.index_term("ssn_eq", b"078-05-1120", &none)?;
    /// assert_eq!(column.index_terms("ssn_eq", b"078 05 1120", &none)?, [term]);
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid-argument` where there is no such index, or no codec of envelopes; `value-invalid`,
    /// `invalid-text`, `context-invalid`; those of a ring that seals, such as `no-primary` and
    /// `ring-stale`.
    ///
    /// # Security
    /// `facts` must be those that a query knows as well: with the row id among them no two terms
    /// would be equal.
    ///
    /// # Spec
    /// Section 8; `spec/values.md`.
    pub fn index_term(&self, name: &str, value: &[u8], facts: &Context) -> Result<String> {
        let (index, rings) = self.indexed(name)?;
        let (ring, context) = (rings.to_seal()?, self.context.joined(facts)?);
        self.spelled(value, Mode::Deterministic, |value| {
            ring.index_term(value, &context, index)
        })
    }

    /// The terms of a value under every index key that opens, the primary's first, and with each of the
    /// earlier contexts: what a query asks for, `IN (…)`. Hits are verified after opening.
    ///
    /// # Errors
    /// As [`Column::index_term`], but for `ring-stale`: opening goes on.
    pub fn index_terms(&self, name: &str, value: &[u8], facts: &Context) -> Result<Vec<String>> {
        let (index, rings) = self.indexed(name)?;
        let (ring, contexts) = (rings.to_open()?, self.contexts(facts)?);
        self.spelled(value, Mode::Deterministic, |value| {
            let mut terms = Vec::new();
            for context in &contexts {
                push_new(&mut terms, ring.index_terms(value, context, index)?);
            }
            Ok(terms)
        })
    }

    /// The term of a value that was opened. What is no value of the column's type keeps its spelling, and
    /// has the term of that.
    #[cfg(feature = "job")]
    pub(crate) fn term_of(&self, name: &str, read: &Read, facts: &Context) -> Result<String> {
        let (index, rings) = self.indexed(name)?;
        let (ring, context) = (rings.to_seal()?, self.context.joined(facts)?);
        let term = |value: &[u8]| ring.index_term(value, &context, index);
        match self
            .value_type
            .canonical(&read.plaintext, Mode::Deterministic)
        {
            Ok(Cow::Borrowed(value)) => term(value),
            Ok(Cow::Owned(value)) => term(&Zeroizing::new(value)),
            Err(_) => term(&read.plaintext),
        }
    }

    fn indexed(&self, name: &str) -> Result<(&BlindIndex, &dyn Rings)> {
        let index = self.indexes.iter().find(|index| index.name() == name);
        let index = index.ok_or_else(|| {
            let known: Vec<&str> = self.indexes.iter().map(BlindIndex::name).collect();
            let known = match known.as_slice() {
                [] => "it has none".into(),
                names => format!("it has {}", names.join(", ")),
            };
            Error::new(
                ErrorCode::InvalidArgument,
                format!("the column has no blind index of this name: {known}"),
            )
        })?;
        let rings = self.codecs.iter().find_map(NamedCodec::rings);
        let rings = rings.ok_or_else(|| {
            fixed(
                ErrorCode::InvalidArgument,
                "a blind index needs a codec of kind reseal in its column, whose ring has the index key",
            )
        })?;
        Ok((index, rings))
    }
}
