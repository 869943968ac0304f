//! Codecs without keys, which recognize and do not open.

use crate::{
    codec::{
        Codec, CodecKind, Fresh, Opened, Place, Recognized, SqlalchemyEngine, Stored, StoredValue,
    },
    column::NamedCodec,
    context::Context,
    error::{Error, ErrorCode, Result, fixed},
    ids::Mode,
};

#[derive(Debug)]
struct Keyless {
    kind: CodecKind,
    engine: Option<SqlalchemyEngine>,
}

pub(super) fn named(name: &str, kind: CodecKind) -> NamedCodec {
    NamedCodec::new(name, Keyless { kind, engine: None })
}

/// Its kind alone does not see every engine.
pub(super) fn of_engine(name: &str, engine: SqlalchemyEngine) -> NamedCodec {
    let keyless = Keyless {
        kind: CodecKind::SqlalchemyUtils,
        engine: Some(engine),
    };
    NamedCodec::new(name, keyless)
}

impl Codec for Keyless {
    fn kind(&self) -> CodecKind {
        self.kind
    }

    fn recognize(&self, stored: Stored<'_>) -> Option<Recognized> {
        match self.engine {
            Some(engine) => engine.recognize(stored, false),
            None => self.kind.recognize(stored),
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
