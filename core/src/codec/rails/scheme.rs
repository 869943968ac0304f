//! One scheme of Rails: keys, and the options that decide what is written with them.

use super::{
    compress,
    encoding::Encoding,
    key::{self, DerivedKey},
    message::{Message, Sealed},
    pack,
};
use crate::{
    codec::{Form, Fresh, StoredValue, base64, read_only},
    error::{ErrorCode, Result, auth_failed, fixed},
    random::Entropy,
};
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use reseal_primitives::{Gcm, Secret32};
use zeroize::Zeroizing;

const DATA_KEY_BYTES: usize = 32;

/// How a message is put into a column: `message_serializer` of Rails.
///
/// # Example
/// ```
/// use reseal::codec::RailsSerializer;
/// assert_eq!(RailsSerializer::parse("message_pack")?, RailsSerializer::MessagePack);
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RailsSerializer {
    /// `MessageSerializer`, the default.
    Json,
    /// `MessagePackMessageSerializer`, for binary columns alone.
    MessagePack,
}

impl RailsSerializer {
    /// The serializer of a name: `json` or `message_pack`.
    ///
    /// # Errors
    /// `invalid-argument`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "json" => Ok(Self::Json),
            "message_pack" => Ok(Self::MessagePack),
            _ => Err(super::bad_option(
                "the serializer of Rails is json or message_pack",
            )),
        }
    }
}

/// What encrypts the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// A key of the list, with a random IV.
    Random,
    /// A key of the list, with an IV that the plaintext gives.
    Deterministic,
    /// A key of its own, which a key of the list encrypts.
    Envelope,
}

#[derive(Debug)]
pub(super) struct Scheme {
    /// Those of the first digest, in the order of the list; then those of the next digest.
    pub(super) keys: Vec<DerivedKey>,
    /// The place of the last one of the first digest.
    pub(super) writer: usize,
    pub(super) serializer: RailsSerializer,
    pub(super) layout: Layout,
    pub(super) store_key_references: bool,
    pub(super) compress: bool,
}

/// What a scheme got out of a message, still compressed.
pub(super) struct Unsealed<'s> {
    pub(super) body: Zeroizing<Vec<u8>>,
    pub(super) key: &'s DerivedKey,
    /// What the bytes say, not the scheme.
    pub(super) layout: Layout,
    /// Whether the scheme would write it under this key in this way.
    pub(super) current: bool,
}

impl Scheme {
    /// Whether Rails would look for its keys with this scheme.
    pub(super) fn reads(&self, serializer: RailsSerializer, message: &Message) -> bool {
        let envelope = self.layout == Layout::Envelope;
        self.serializer == serializer && envelope == message.data_key.is_some()
    }

    /// The keys that a message names, or all of them where it names none.
    pub(super) fn named<'s>(
        &'s self,
        message: &'s Message,
    ) -> impl Iterator<Item = &'s DerivedKey> {
        let name = message.reference.as_deref();
        self.keys
            .iter()
            .filter(move |key| name.is_none_or(|name| key.reference() == name))
    }

    pub(super) fn writer(&self) -> Result<&DerivedKey> {
        self.keys.get(self.writer).ok_or_else(auth_failed)
    }

    /// # Errors
    /// `auth-failed` for everything.
    pub(super) fn open<'s>(&'s self, message: &'s Message) -> Result<Unsealed<'s>> {
        let mut body = Zeroizing::new(message.sealed.payload.clone());
        let mut keys = self.named(message);
        let key = keys
            .find(|key| open(key, message, &mut body).is_ok())
            .ok_or_else(auth_failed)?;
        let layout = match self.layout {
            Layout::Deterministic if key.iv_of(&body) != message.sealed.iv => Layout::Random,
            layout => layout,
        };
        let writer = self.writer().is_ok_and(|writer| core::ptr::eq(writer, key));
        Ok(Unsealed {
            body,
            key,
            layout,
            current: writer && layout == self.layout,
        })
    }

    /// # Errors
    /// `codec-read-only`, `random-unavailable`.
    pub(super) fn write(
        &self,
        plaintext: &[u8],
        label: Option<Encoding>,
        form: Form,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        if !self.fits(form) {
            return Err(no_text());
        }
        let encoding = match label {
            _ if self.layout == Layout::Deterministic => utf8_only(plaintext, label)?,
            Some(label) => label,
            None => Encoding::of(plaintext),
        };
        let compressed = self.compresses(plaintext)?;
        let message = self.seal(plaintext, encoding, compressed, fresh)?;
        self.stored(&message, form)
    }

    /// The values of a plaintext in a deterministic scheme, under each of its keys, the writer's first.
    ///
    /// # Errors
    /// `codec-read-only`.
    pub(super) fn fixed_values(&self, plaintext: &[u8], form: Form) -> Result<Vec<StoredValue>> {
        let encoding = utf8_only(plaintext, None)?;
        let compressed = self.compresses(plaintext)?;
        let writer = self.writer()?;
        let others = self.keys.iter().filter(|key| !core::ptr::eq(*key, writer));
        let value = |key: &DerivedKey| {
            let body = Zeroizing::new(plaintext.to_owned());
            let sealed = key.seal(key.iv_of(&body), body)?;
            self.stored(&self.message(key, sealed, None, encoding, compressed), form)
        };
        core::iter::once(writer).chain(others).map(value).collect()
    }

    /// Whether a column of this form can hold its values.
    pub(super) fn fits(&self, form: Form) -> bool {
        self.serializer != RailsSerializer::MessagePack || form == Form::Binary
    }

    /// Whether a deterministic value has a plaintext in bytes that are not known here.
    pub(super) fn may_hide(&self, plaintext: &[u8]) -> bool {
        self.deflates(plaintext) && utf8_only(plaintext, None).is_ok()
    }

    fn deflates(&self, plaintext: &[u8]) -> bool {
        self.compress && plaintext.len() > compress::THRESHOLD_BYTES
    }

    fn stored(&self, message: &Message, form: Form) -> Result<StoredValue> {
        match (self.serializer, form) {
            (RailsSerializer::Json, form) => {
                Ok(StoredValue::of_text(super::json::write(message), form))
            }
            (RailsSerializer::MessagePack, Form::Binary) => pack::write(message)
                .map(StoredValue::Bytes)
                .ok_or_else(super::too_large),
            (RailsSerializer::MessagePack, Form::Text) => Err(no_text()),
        }
    }

    /// The most characters or bytes of [`Self::write`], whatever its label.
    pub(super) fn sealed_len(&self, plaintext_bytes: usize, form: Form) -> Option<usize> {
        /// What `MessagePack` puts before a long payload more than before an empty one.
        const LENGTH_BYTES: usize = 3;
        let is_fixed = self.layout == Layout::Deterministic;
        // What is shorter is neither compressed nor a stream.
        let is_streamed = !is_fixed && plaintext_bytes >= compress::MIN_STREAM_BYTES;
        let message = Message {
            sealed: Sealed::blank(Vec::new()),
            encoding: if is_fixed {
                Encoding::UTF_8
            } else {
                Encoding::longest()
            },
            data_key: (self.layout == Layout::Envelope)
                .then(|| Sealed::blank(alloc::vec![0; DATA_KEY_BYTES])),
            reference: self
                .store_key_references
                .then(|| self.writer().map(|key| key.reference().into()))
                .transpose()
                .ok()?,
            compressed: is_streamed,
        };
        let payload = if is_streamed {
            compress::deflated_len(plaintext_bytes)?
        } else {
            plaintext_bytes
        };
        match (self.serializer, form) {
            (RailsSerializer::MessagePack, Form::Text) => None,
            (RailsSerializer::MessagePack, Form::Binary) => {
                let around = pack::write(&message)?.len() + LENGTH_BYTES;
                // Text that is empty has no length of bytes before it.
                payload.checked_add(around + usize::from(is_fixed))
            }
            (RailsSerializer::Json, _) => {
                let around = super::json::write(&message).len();
                base64::encoded_len(payload)?.checked_add(around)
            }
        }
    }

    /// Also what is a stream itself, whatever its length: as it is, it would look like a value
    /// whose mark of compression was taken away.
    fn compresses(&self, plaintext: &[u8]) -> Result<bool> {
        let long = self.deflates(plaintext);
        match self.layout {
            Layout::Deterministic if long => Err(deflated_differently()),
            Layout::Deterministic if compress::is_stream(plaintext) => Err(read_only(
                "this plaintext is a zlib stream, which a deterministic value of Rails cannot hold \
                 so that it opens again: take a column that is not deterministic",
            )),
            _ => Ok(long || compress::is_stream(plaintext)),
        }
    }

    fn seal(
        &self,
        plaintext: &[u8],
        encoding: Encoding,
        compressed: bool,
        fresh: &mut Fresh<'_>,
    ) -> Result<Message> {
        let key = self.writer()?;
        let body = if compressed {
            compress::deflate(plaintext)
        } else {
            Zeroizing::new(plaintext.to_owned())
        };
        let (sealed, data_key) = match self.layout {
            Layout::Random => (key.seal(key.draw_iv(&body, fresh.entropy)?, body)?, None),
            Layout::Deterministic => (key.seal(key.iv_of(&body), body)?, None),
            Layout::Envelope => seal_envelope(key, body, fresh.entropy)?,
        };
        Ok(self.message(key, sealed, data_key, encoding, compressed))
    }

    fn message(
        &self,
        key: &DerivedKey,
        sealed: Sealed,
        data_key: Option<Sealed>,
        encoding: Encoding,
        compressed: bool,
    ) -> Message {
        Message {
            sealed,
            encoding,
            data_key,
            reference: self
                .store_key_references
                .then(|| String::from(key.reference())),
            compressed,
        }
    }
}

pub(super) fn no_text() -> crate::Error {
    read_only("Rails keeps MessagePack in binary columns only: use the JSON serializer for text")
}

fn open(key: &DerivedKey, message: &Message, body: &mut [u8]) -> Result<()> {
    let sealed = &message.sealed;
    match &message.data_key {
        None => key.open(sealed, body),
        Some(data_key) => {
            let inner = key.open_data_key(data_key)?;
            Ok(inner.open(sealed.iv, &[], body, sealed.tag)?)
        }
    }
}

/// A clone of this process may draw the same data key, and seals nothing else with the same IV.
fn seal_envelope(
    key: &DerivedKey,
    body: Zeroizing<Vec<u8>>,
    entropy: &mut dyn Entropy,
) -> Result<(Sealed, Option<Sealed>)> {
    let mut secret = Secret32([0; DATA_KEY_BYTES]);
    entropy.fill(&mut secret.0)?;
    let wrap_iv = key.draw_iv(&secret.0, entropy)?;
    let data_key = key.seal(wrap_iv, Zeroizing::new(secret.0.to_vec()))?;
    let iv = key.draw_iv(&body, entropy)?;
    let sealed = key::seal(&Gcm::new(&secret), iv, body)?;
    Ok((sealed, Some(data_key)))
}

/// Rails converts what it encrypts deterministically to UTF-8.
fn utf8_only(plaintext: &[u8], label: Option<Encoding>) -> Result<Encoding> {
    if label.unwrap_or(Encoding::UTF_8).is_utf8_of(plaintext) {
        return Ok(Encoding::UTF_8);
    }
    Err(read_only(
        "Rails encrypts only UTF-8 text deterministically, and would replace other bytes: convert \
         it, or take a column that is not deterministic",
    ))
}

fn deflated_differently() -> crate::Error {
    read_only(
        "Rails compresses what is longer than 140 bytes with a zlib whose exact bytes are not \
         known here, so that it would not find this value again: let Rails write it, or switch \
         compression off on both sides",
    )
}

/// Why no scheme reads a message.
pub(super) fn unsupported(
    schemes: &[Scheme],
    serializer: RailsSerializer,
    message: &Message,
) -> crate::Error {
    let text = if !schemes.iter().any(|scheme| scheme.serializer == serializer) {
        "this value is in the other serializer of Rails: give the codec that serializer, or a \
         previous scheme with it"
    } else if message.data_key.is_some() {
        "this value has a data key: give the codec the envelope provider, or a previous scheme \
         with it"
    } else {
        "this value has no data key, which the envelope provider wants: give the codec a previous \
         scheme without it"
    };
    fixed(ErrorCode::FormatUnsupported, text)
}
