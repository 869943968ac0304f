//! Opening: each variant in its way.

use super::{
    Metabase, MetabaseKey,
    shape::{self, Shape, Value},
};
use crate::{
    codec::{Opened, Trust, agreed::agreed, malformed},
    context::Context,
    error::{ErrorCode, Result, auth_failed, fixed},
};
use alloc::{string::ToString, vec::Vec};
use zeroize::Zeroizing;

impl Metabase {
    pub(super) fn open_value(&self, value: &Value<'_>, context: &Context) -> Result<Opened> {
        self.admit(value.shape)?;
        match value.shape {
            Shape::Short => Err(too_short()),
            Shape::Cut => Err(malformed(
                "this value of Metabase is cut, or its base64 is damaged",
            )),
            Shape::Stream => self.open_stream(&value.bytes),
            Shape::Tagged => self.open_tagged(&value.bytes, context),
            Shape::Envelope(generation) => {
                let opened = self.open_envelope(generation, &value.bytes);
                opened.or_else(|error| {
                    // A random IV may start like an envelope.
                    let tagged = value.may_be_tagged();
                    let opened = tagged.then(|| self.open_tagged(&value.bytes, context));
                    opened.and_then(Result::ok).ok_or(error)
                })
            }
        }
    }

    /// Streams stand in columns of their own: elsewhere one is a value whose tag was taken off.
    pub(super) fn admit(&self, shape: Shape) -> Result<()> {
        self.check_options()?;
        match (shape, self.streams) {
            (Shape::Stream, false) => Err(fixed(
                ErrorCode::FormatUnsupported,
                "this is a stream of Metabase, which nothing authenticates: where a column holds \
                 streams, give it a codec of its own with streams and expect",
            )),
            (Shape::Tagged | Shape::Envelope(_), true) => Err(fixed(
                ErrorCode::FormatUnsupported,
                "this codec reads the streams of Metabase alone: Metabase keeps its other values \
                 in other columns",
            )),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// `invalid-argument`.
    pub(super) fn check_options(&self) -> Result<()> {
        if self.streams && self.aad.is_some() {
            return Err(fixed(
                ErrorCode::InvalidArgument,
                "a stream of Metabase is bound to nothing: leave out the aad, or streams",
            ));
        }
        if self.streams && self.expect.is_none() {
            return Err(no_expect());
        }
        Ok(())
    }

    fn open_tagged(&self, sealed: &[u8], context: &Context) -> Result<Opened> {
        let aad = self.fill(context)?;
        let (at, plaintext) = self.find(|key| key.open(sealed, aad.as_deref()))?;
        Ok(Opened {
            plaintext,
            key: Some((at + 1).to_string()),
            scheme: "legacy",
            encoding: None,
            current: at == 0 && self.generation().is_none(),
            trust: Trust::Authenticated,
        })
    }

    fn open_envelope(&self, generation: u32, sealed: &[u8]) -> Result<Opened> {
        if self.aad.is_some() {
            return Err(fixed(
                ErrorCode::FormatUnsupported,
                "values of Metabase under a data key are read only without an aad",
            ));
        }
        Ok(Opened {
            plaintext: self.data_keys.open(generation, sealed)?,
            key: Some(generation.to_string()),
            scheme: "v2",
            encoding: None,
            current: self.generation() == Some(generation),
            trust: Trust::Authenticated,
        })
    }

    fn open_stream(&self, stream: &[u8]) -> Result<Opened> {
        let expect = self.expect.ok_or_else(no_expect)?;
        if !shape::is_whole_stream(stream) {
            return Err(malformed("this stream of Metabase is cut or damaged"));
        }
        let opened = |(at, key): (usize, &MetabaseKey)| Some((at, key.open_stream(stream)?));
        let opened = self.keys.iter().enumerate().filter_map(opened);
        let fitting = opened.filter(|(_, plaintext)| expect.check(plaintext).is_ok());
        let (at, plaintext) = agreed(fitting)?.ok_or_else(auth_failed)?;
        Ok(Opened {
            plaintext,
            key: Some((at + 1).to_string()),
            scheme: "stream",
            encoding: None,
            current: false,
            trust: Trust::Checked,
        })
    }

    /// The place of the first key that opens.
    fn find(
        &self,
        open: impl Fn(&MetabaseKey) -> Option<Zeroizing<Vec<u8>>>,
    ) -> Result<(usize, Zeroizing<Vec<u8>>)> {
        let mut opened = self.keys.iter().map(open).enumerate();
        opened
            .find_map(|(at, opened)| Some((at, opened?)))
            .ok_or_else(auth_failed)
    }
}

fn no_expect() -> crate::Error {
    fixed(
        ErrorCode::InvalidArgument,
        "nothing authenticates a stream of Metabase: with streams, say with expect what they hold",
    )
}

fn too_short() -> crate::Error {
    malformed("this has the shape of a value of Metabase, and is too short for one")
}
