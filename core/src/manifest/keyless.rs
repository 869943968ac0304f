//! Codecs without keys, which recognize and do not open.

use crate::{
    codec::{
        Codec, CodecKind, Fresh, Opened, Place, Recognized, Sentry, SqlalchemyEngine, Stored,
        StoredValue,
    },
    column::NamedCodec,
    context::Context,
    error::{Error, ErrorCode, Result, fixed},
    ids::Mode,
};

#[derive(Debug)]
struct Keyless {
    kind: CodecKind,
    sight: Sight,
}

/// What of a format a codec sees, by its options.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sight {
    /// What everybody sees.
    Usual,
    /// Also what the real system reads although it would not write it.
    Lenient,
    /// Values of one engine, which their kind alone does not see; read leniently or not.
    Engine(SqlalchemyEngine, bool),
    /// Also JSON that Sentry wrapped before it encrypted.
    Unmarked,
}

impl Sight {
    pub(super) const fn of(lenient: bool) -> Self {
        if lenient { Self::Lenient } else { Self::Usual }
    }
}

pub(super) fn named(name: &str, kind: CodecKind, sight: Sight) -> NamedCodec {
    NamedCodec::new(name, Keyless { kind, sight })
}

impl Codec for Keyless {
    fn kind(&self) -> CodecKind {
        self.kind
    }

    fn recognize(&self, stored: Stored<'_>) -> Option<Recognized> {
        match self.sight {
            Sight::Usual => self.kind.recognize(stored),
            Sight::Lenient => self.kind.recognize_lenient(stored),
            Sight::Engine(engine, lenient) => engine.recognize(stored, lenient),
            Sight::Unmarked => Sentry::recognize_unmarked(stored),
        }
    }

    fn is_current(&self, _: Stored<'_>, _: Mode) -> Option<bool> {
        None
    }

    fn open(&self, _: Stored<'_>, _: &Context) -> Result<Opened> {
        Err(no_key())
    }

    fn seal(&self, _: &[u8], _: &Place<'_>, _: &mut Fresh<'_>) -> Result<StoredValue> {
        Err(no_key())
    }
}

fn no_key() -> Error {
    fixed(
        ErrorCode::SourceMissing,
        "these columns are without keys: build them with the secrets of the manifest",
    )
}
