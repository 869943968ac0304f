//! What a query asks for where equal values are stored equally.

use super::{Column, NamedCodec};
use crate::{
    codec::{Form, StoredValue},
    context::Context,
    error::{Error, ErrorCode, Result},
};
use alloc::{format, vec::Vec};

impl Column {
    /// Everything that a value may be stored as, what is written today first: what a query asks for,
    /// `IN (…)`. Verify the hits after opening.
    ///
    /// It is over the codec that is written and all that are read, under every key that opens and with
    /// the earlier contexts. Envelopes are so in mode deterministic, `plain` is, Rails with
    /// `deterministic`, and SQLAlchemy-Utils with its engine `aes`. A binary column may hold the text of
    /// an envelope as well: there it is over both forms. Only the canonical spelling of a value is asked
    /// for.
    ///
    /// # Example
    /// ```
    /// use reseal::codec::{Form, Fresh, Plain, Reseal, StoredValue};
    /// use reseal::{Column, Context, Key, KeyUse, Keyring, Mode, NamedCodec, OsEntropy, Timestamp};
    /// use std::sync::Arc;
    ///
    /// let key = Key::generate(KeyUse::Data, &mut OsEntropy)?;
    /// let ring = Arc::new(Keyring::builder().primary(key).build()?);
    /// let column = Column::new(NamedCodec::new("app", Reseal::new(ring)))
    ///     .read(NamedCodec::new("plain", Plain))?
    ///     .mode(Mode::Deterministic);
    /// let none = Context::new();
    /// let asked = column.lookup_values(b"a@b.example", &none, Form::Text)?;
    /// assert_eq!(asked[1], StoredValue::Text("a@b.example".into()));
    /// let mut fresh = Fresh { entropy: &mut OsEntropy, now: Timestamp::from_unix(1_800_000_000)? };
    /// assert_eq!(asked[0], column.seal(b"a@b.example", &none, Form::Text, &mut fresh)?);
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid-argument` where a codec of the column stores equal values differently, which it names;
    /// `codec-read-only` where one of them may hold the value in bytes that are not known here, as Rails
    /// does what it compresses; as [`Column::seal`] otherwise.
    ///
    /// # Security
    /// `facts` must be those that a query knows as well: with the row id among them no two values would
    /// be equal. Who sees such a column sees which rows are equal.
    pub fn lookup_values(
        &self,
        value: &[u8],
        facts: &Context,
        form: Form,
    ) -> Result<Vec<StoredValue>> {
        let contexts = self.contexts(facts)?;
        self.spelled(value, self.mode, |value| {
            let mut found: Vec<StoredValue> = Vec::new();
            for (position, named) in self.codecs.iter().enumerate() {
                for context in &contexts {
                    let place = self.place(context, form);
                    let values = match named.codec.lookup_values(value, &place) {
                        // What a codec cannot hold stands in no row of it.
                        Err(error)
                            if position > 0
                                && error.code() == ErrorCode::CodecReadOnly
                                && !named.codec.may_hide(value, form) =>
                        {
                            continue;
                        }
                        values => values?,
                    };
                    push_new(&mut found, values.ok_or_else(|| varies(named))?);
                }
            }
            Ok(found)
        })
    }

    /// What values may be bound to, with the facts of a query: the context of today first.
    pub(super) fn contexts(&self, facts: &Context) -> Result<Vec<Context>> {
        let contexts = core::iter::once(&self.context).chain(&self.earlier);
        contexts.map(|context| context.joined(facts)).collect()
    }
}

/// Adds what is not there yet.
pub(super) fn push_new<T: PartialEq>(found: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !found.contains(&one) {
            found.push(one);
        }
    }
}

fn varies(named: &NamedCodec) -> Error {
    let (name, kind) = (&named.name, named.codec.kind().as_str());
    Error::new(
        ErrorCode::InvalidArgument,
        format!(
            "the codec {name}, of kind {kind}, stores equal values differently, so that no query finds \
             them by what is stored: give the column a blind index and ask for its terms, or read this \
             codec no longer"
        ),
    )
}
