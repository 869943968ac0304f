//! What the checks of all codecs need.

use super::{super::same, case::Given};
use reseal::{
    Context, Entropy as _, EntropyKind, Error, Mode, Timestamp,
    codec::{Codec, CodecKind, Form, Fresh, Opened, Place, Recognized, Stored, StoredValue},
    hazmat::FixedEntropy,
};

/// What a value may be refused with where its case does not say it.
pub(super) const REFUSALS: [&str; 7] = [
    "auth-failed",
    "format-mismatch",
    "format-unsupported",
    "invalid-key",
    "malformed",
    "too-large",
    "unknown-key",
];

pub(super) fn open(codec: &dyn Codec, stored: Stored<'_>) -> reseal::Result<Opened> {
    codec.open(stored, &Context::new())
}

/// A place in a column of this form, without a context.
pub(super) const fn place(context: &Context, form: Form) -> Place<'_> {
    Place {
        context,
        mode: Mode::Random,
        form,
    }
}

/// What a writer makes of these random bytes, of which it leaves none, at this time.
pub(super) fn written<T>(
    random: Vec<u8>,
    time: u64,
    write: impl FnOnce(&mut Fresh<'_>) -> reseal::Result<T>,
) -> Given<T> {
    let mut entropy = FixedEntropy::new(EntropyKind::Direct, random);
    let now = Timestamp::from_unix(time).map_err(told)?;
    let written = write(&mut Fresh {
        entropy: &mut entropy,
        now,
    });
    let written = written.map_err(told)?;
    same("the random bytes", &entropy.fill(&mut [0]).is_err(), &true)?;
    Ok(written)
}

/// Fails unless the value is, byte for byte, the stored one and in its form.
pub(super) fn same_stored(what: &str, got: &StoredValue, expected: Stored<'_>) -> Given<()> {
    same(what, &got.as_stored(), &expected)
}

/// Fails unless it is refused with one of these codes; gives the code.
pub(super) fn refused<T>(result: reseal::Result<T>, codes: &[&str]) -> Given<&'static str> {
    match result {
        Ok(_) => Err(format!("passed, expected {}", codes.join(" or "))),
        Err(error) if codes.contains(&error.code().as_str()) => Ok(error.code().as_str()),
        Err(error) => Err(format!("{}, expected {}", told(error), codes.join(" or "))),
    }
}

/// The code that a table has for a case, or all that are possible.
pub(super) fn codes_of<'c>(table: &'c [(&str, &'static str)], id: &str) -> Vec<&'c str> {
    match table.iter().find(|(case, _)| *case == id) {
        Some((_, code)) => vec![code],
        None => REFUSALS.to_vec(),
    }
}

/// What everybody sees in a value, without any key.
pub(super) fn shown(kind: CodecKind, stored: Stored<'_>) -> Given<Recognized> {
    let shown = kind.recognize(stored);
    shown.ok_or_else(|| "it is not recognised".into())
}

pub(super) use super::super::unexpected as told;

/// The error alone, for a value that cannot be printed.
pub(super) fn error_of<T>(result: reseal::Result<T>) -> Given<Error> {
    match result {
        Ok(_) => Err("passed, expected a refusal".into()),
        Err(error) => Ok(error),
    }
}
