//! The canary of a column: a value in its write codec that tells whether another process has the same keys.
//!
//! It is for formats whose keys have no public id. Whoever sees it can try secrets on it, at the price of one
//! derivation each, as on every value of the column.

use super::Column;
use crate::{
    codec::{Form, Fresh, Stored},
    context::Context,
};
use alloc::string::String;
use data_encoding::HEXLOWER;

/// The first that a codec takes: some hold values of one type. Formats without randomness take the first, which
/// no row has.
const PLAINTEXTS: [&[u8]; 4] = [b"\"reseal-canary\"", b"true", b"1.5", b"1"];

impl Column {
    /// A canary; an empty one where the write codec shows the ids of its keys, or seals nothing.
    pub(crate) fn canary(&self, facts: &Context, fresh: &mut Fresh<'_>) -> String {
        let codec = self.codecs.first().map(|named| &named.codec);
        let codec = codec.filter(|codec| codec.rings().is_none());
        let sealed = codec.zip(self.context.with_all(facts).ok());
        let sealed = sealed.and_then(|(codec, context)| {
            // What is text is read there as well.
            let place = self.place(&context, Form::Binary);
            let mut sealed = PLAINTEXTS.iter().map(|it| codec.seal(it, &place, fresh));
            sealed.find_map(Result::ok)
        });
        sealed.map_or_else(String::new, |it| HEXLOWER.encode(it.as_stored().as_bytes()))
    }

    /// Whether a codec of the column opens a canary; or its write codec, by what it seals with.
    pub(crate) fn knows(&self, canary: &str, facts: &Context, is_current: bool) -> bool {
        let bytes = HEXLOWER.decode(canary.as_bytes()).unwrap_or_default();
        let Ok(context) = self.context.with_all(facts) else {
            return false;
        };
        let count = if is_current { 1 } else { self.codecs.len() };
        self.codecs.iter().take(count).any(|named| {
            let opened = named.codec.open(Stored::Bytes(&bytes), &context);
            opened.is_ok_and(|it| {
                PLAINTEXTS.contains(&&**it.plaintext) && (it.current || !is_current)
            })
        })
    }

    /// Whether what it writes for equal values differs.
    pub(crate) fn varies(&self, facts: &Context) -> bool {
        let Some((named, context)) = self.codecs.first().zip(self.context.with_all(facts).ok())
        else {
            return false;
        };
        let place = self.place(&context, Form::Text);
        let mut asked = PLAINTEXTS.iter();
        let values = asked.find_map(|it| named.codec.lookup_values(it, &place).ok());
        matches!(values, Some(None))
    }
}
