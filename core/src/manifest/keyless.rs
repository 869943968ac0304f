//! Codecs without keys, which recognize and do not open.

use crate::{
    codec::{Codec, CodecKind, Fresh, Opened, Place, Stored, StoredValue},
    column::NamedCodec,
    context::Context,
    error::{Error, ErrorCode, Result, fixed},
    ids::Mode,
};

#[derive(Debug)]
struct Keyless(CodecKind);

pub(super) fn named(name: &str, kind: CodecKind) -> NamedCodec {
    NamedCodec::new(name, Keyless(kind))
}

impl Codec for Keyless {
    fn kind(&self) -> CodecKind {
        self.0
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

const fn no_key() -> Error {
    fixed(
        ErrorCode::SourceMissing,
        "these columns are without keys: build them with the secrets of the manifest",
    )
}
