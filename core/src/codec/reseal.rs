//! The envelope of this project, text or binary.

use super::{
    Codec, CodecKind, Form, Fresh, Opened, Place, Recognized, Stored, StoredValue, Trust, mismatch,
};
use crate::{
    context::Context,
    envelope::{
        Inspection, OVERHEAD_BYTES, PREFIX_BYTES, TEXT_PREFIX_CHARS, base64_chars, inspect,
        inspect_binary, is_envelope, to_text,
    },
    error::Result,
    ids::{KeyId, Mode},
    keyring::{Keyring, OpenBatch},
    padding::padded_bytes,
};
use alloc::{string::ToString, sync::Arc, vec::Vec};
use core::fmt;

/// Where a codec gets its keyring: a ring that never changes, or one that follows a source.
pub trait Rings: Send + Sync {
    /// The ring to open with.
    ///
    /// # Errors
    /// Those of its source.
    fn to_open(&self) -> Result<Arc<Keyring>>;

    /// The ring to seal with.
    ///
    /// # Errors
    /// Those of its source; `ring-stale`.
    fn to_seal(&self) -> Result<Arc<Keyring>>;
}

impl Rings for Arc<Keyring> {
    fn to_open(&self) -> Result<Arc<Keyring>> {
        Ok(Self::clone(self))
    }

    fn to_seal(&self) -> Result<Arc<Keyring>> {
        Ok(Self::clone(self))
    }
}

/// Envelopes under the keys of a ring.
///
/// # Example
/// ```
/// use reseal::codec::{Codec, Form, Fresh, Place, Reseal, Stored};
/// use reseal::{Context, Key, KeyUse, Keyring, Mode, OsEntropy, Timestamp};
/// use std::sync::Arc;
///
/// let key = Key::generate(KeyUse::Data, &mut OsEntropy)?;
/// let codec = Reseal::new(Arc::new(Keyring::builder().primary(key).build()?));
///
/// let context = Context::new().with("table", "users")?;
/// let place = Place { context: &context, mode: Mode::Random, form: Form::Text };
/// let mut fresh = Fresh { entropy: &mut OsEntropy, now: Timestamp::from_unix(1_800_000_000)? };
/// let stored = codec.seal(b"x", &place, &mut fresh)?;
/// assert_eq!(*codec.open(stored.as_stored(), &context)?.plaintext, b"x");
/// # Ok::<(), reseal::Error>(())
/// ```
pub struct Reseal<R = Arc<Keyring>> {
    rings: R,
}

impl<R: Rings> Reseal<R> {
    /// A codec over a ring.
    pub const fn new(rings: R) -> Self {
        Self { rings }
    }

    fn open_envelope(&self, stored: Stored<'_>, context: &Context) -> Result<Opened> {
        let ring = self.rings.to_open()?;
        let mut batch = OpenBatch::new(&ring);
        let (plaintext, key_id, mode) = match stored {
            Stored::Text(text) => batch.open_shown(text, context)?,
            Stored::Bytes(bytes) => match as_text(bytes) {
                Some(text) => batch.open_shown(text, context)?,
                None => batch.open_binary_shown(bytes, context)?,
            },
        };
        Ok(Opened {
            plaintext,
            key: Some(key_id.to_string()),
            scheme: mode.as_str(),
            encoding: None,
            // The mode is the column's, which asks `is_current`.
            current: ring.primary_id() == Some(key_id),
            trust: Trust::Authenticated,
        })
    }
}

impl<R> fmt::Debug for Reseal<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reseal")
    }
}

impl<R: Rings> Codec for Reseal<R> {
    fn kind(&self) -> CodecKind {
        CodecKind::Reseal
    }

    fn sealed_len(&self, plaintext_bytes: usize, mode: Mode, form: Form) -> Option<usize> {
        let ciphertext = match mode {
            Mode::Padded => padded_bytes(plaintext_bytes),
            _ => plaintext_bytes,
        };
        let binary = ciphertext.checked_add(OVERHEAD_BYTES)?;
        Some(match form {
            Form::Binary => binary,
            Form::Text => TEXT_PREFIX_CHARS + base64_chars(binary - PREFIX_BYTES),
        })
    }

    fn rings(&self) -> Option<&dyn Rings> {
        Some(&self.rings)
    }

    fn is_current(&self, stored: Stored<'_>, mode: Mode) -> Option<bool> {
        self.is_current_shown(stored, &recognize(stored)?, mode)
    }

    fn is_current_shown(
        &self,
        _stored: Stored<'_>,
        shown: &Recognized,
        mode: Mode,
    ) -> Option<bool> {
        // What is damaged shows no key.
        let key = KeyId::decode(shown.key.as_ref()?.as_bytes());
        let ring = self.rings.to_open().ok()?;
        Some(ring.primary_id() == key && shown.scheme == mode.as_str())
    }

    fn open(&self, stored: Stored<'_>, context: &Context) -> Result<Opened> {
        match self.open_envelope(stored, context) {
            // Asked last: as a rule it is one.
            Err(_) if !is_envelope(stored.as_bytes()) => Err(mismatch(CodecKind::Reseal)),
            opened => opened,
        }
    }

    fn seal(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let ring = self.rings.to_seal()?;
        let (context, mode) = (place.context, place.mode);
        match place.form {
            Form::Text => ring
                .seal(plaintext, context, mode, &mut fresh.entropy)
                .map(StoredValue::Text),
            Form::Binary => ring
                .seal_binary(plaintext, context, mode, &mut fresh.entropy)
                .map(StoredValue::Bytes),
        }
    }

    /// Those of mode deterministic, under every key that opens; in a binary column also their texts, which stay
    /// text there.
    fn lookup_values(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
    ) -> Result<Option<Vec<StoredValue>>> {
        if place.mode != Mode::Deterministic {
            return Ok(None);
        }
        let ring = self.rings.to_open()?;
        Ok(Some(match place.form {
            Form::Text => {
                let values = ring.lookup_values(plaintext, place.context)?.into_iter();
                values.map(StoredValue::Text).collect()
            }
            Form::Binary => {
                let values = ring.lookup_values_binary(plaintext, place.context)?;
                let texts: Vec<_> = values
                    .iter()
                    .map(|envelope| text_in_binary(envelope))
                    .collect::<Result<_>>()?;
                let values = values.into_iter().map(StoredValue::Bytes);
                values.chain(texts).collect()
            }
        }))
    }

    /// A text envelope in a binary column stays one.
    fn in_place_of(&self, stored: Stored<'_>, sealed: StoredValue) -> Result<StoredValue> {
        let Stored::Bytes(before) = stored else {
            return Ok(sealed);
        };
        match sealed {
            StoredValue::Bytes(envelope) if is_envelope(before) && as_text(before).is_some() => {
                text_in_binary(&envelope)
            }
            sealed => Ok(sealed),
        }
    }

    fn rotates_by_sealing(&self, _: Stored<'_>) -> bool {
        true
    }

    fn rotate(
        &self,
        stored: Stored<'_>,
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let opened = self.open(stored, place.context)?;
        let sealed = self.seal(&opened.plaintext, place, fresh)?;
        self.in_place_of(stored, sealed)
    }
}

/// What starts like an envelope is one, also where it is damaged.
pub(super) fn recognize(stored: Stored<'_>) -> Option<Recognized> {
    if !is_envelope(stored.as_bytes()) {
        return None;
    }
    Some(match show(stored) {
        Ok(shown) => Recognized::yes(shown.mode.as_str()).with_key(shown.key_id.to_string()),
        Err(_) => Recognized::yes("damaged"),
    })
}

fn show(stored: Stored<'_>) -> Result<Inspection> {
    match stored {
        Stored::Text(text) => inspect(text),
        Stored::Bytes(bytes) => match as_text(bytes) {
            Some(text) => inspect(text),
            None => inspect_binary(bytes),
        },
    }
}

/// The text of a binary envelope, for a binary column.
fn text_in_binary(envelope: &[u8]) -> Result<StoredValue> {
    Ok(StoredValue::of_text(to_text(envelope)?, Form::Binary))
}

/// A text envelope that stands in a binary column.
fn as_text(bytes: &[u8]) -> Option<&str> {
    core::str::from_utf8(bytes).ok()
}
