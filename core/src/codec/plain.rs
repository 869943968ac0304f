//! No encryption: what stands in a column before Reseal, and after it.

use super::{
    Codec, CodecKind, Form, Fresh, Opened, Place, Stored, StoredValue, Trust, read_only, reseal,
};
use crate::{
    context::Context,
    error::{ErrorCode, Result, fixed},
    ids::Mode,
};
use alloc::{borrow::ToOwned, vec::Vec};
use zeroize::Zeroizing;

/// Values as they are.
///
/// # Security
/// It never writes a value that starts like an envelope (section 3, mixed columns), since a reader
/// would take it for one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Codec for Plain {
    fn kind(&self) -> CodecKind {
        CodecKind::Plain
    }

    fn writes_plaintext(&self) -> bool {
        true
    }

    /// A value is plain where no other codec of the column recognises it; that is for the column
    /// to say.
    fn is_current(&self, stored: Stored<'_>, _: Mode) -> Option<bool> {
        Some(reseal::recognize(stored).is_none())
    }

    fn open(&self, stored: Stored<'_>, _: &Context) -> Result<Opened> {
        refuse_sealed(stored)?;
        Ok(Opened {
            plaintext: Zeroizing::new(stored.as_bytes().to_owned()),
            key: None,
            scheme: "plain",
            encoding: None,
            current: true,
            trust: Trust::Plain,
        })
    }

    fn sealed_len(&self, plaintext_bytes: usize, _: Mode, _: Form) -> Option<usize> {
        Some(plaintext_bytes)
    }

    fn seal(&self, plaintext: &[u8], place: &Place<'_>, _: &mut Fresh<'_>) -> Result<StoredValue> {
        write(plaintext, place.form)
    }

    /// As it is; nothing where it could not stand in the column.
    fn lookup_values(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
    ) -> Result<Option<Vec<StoredValue>>> {
        Ok(Some(write(plaintext, place.form).into_iter().collect()))
    }
}

fn write(plaintext: &[u8], form: Form) -> Result<StoredValue> {
    let value = match form {
        Form::Binary => StoredValue::Bytes(plaintext.to_owned()),
        Form::Text => StoredValue::Text(
            core::str::from_utf8(plaintext)
                .map_err(|_| {
                    read_only("a text column holds no bytes that are not UTF-8 as plaintext")
                })?
                .to_owned(),
        ),
    };
    refuse_sealed(value.as_stored())?;
    Ok(value)
}

fn refuse_sealed(stored: Stored<'_>) -> Result<()> {
    if reseal::recognize(stored).is_none() {
        return Ok(());
    }
    Err(fixed(
        ErrorCode::LooksSealed,
        "a value that starts like an envelope is no plaintext",
    ))
}
