//! Active Record Encryption of Ruby on Rails: a list of keys, of which the last seals.
//!
//! Format: <https://guides.rubyonrails.org/active_record_encryption.html>, and
//! <https://github.com/rails/rails/tree/main/activerecord/lib/active_record/encryption>.

mod builder;
mod compress;
mod cut;
mod encoding;
mod json;
mod key;
mod message;
mod pack;
mod scheme;

pub use builder::RailsBuilder;
pub use key::RailsDigest;
pub use scheme::RailsSerializer;

use super::{
    Certainty, Codec, CodecKind, Form, Fresh, Opened, Place, Recognized, Stored, StoredValue,
    Trust, mismatch,
};
use crate::{
    context::Context,
    envelope::MAX_PLAINTEXT_BYTES,
    error::{Error, ErrorCode, Result, auth_failed, fixed},
    ids::Mode,
    keyring::check_length,
};
use alloc::{string::ToString, vec::Vec};
use encoding::Encoding;
use message::{Map, Message, Shape};
use scheme::{Layout, Scheme, Unsealed};
use zeroize::Zeroizing;

/// Characters or bytes of a value with the largest plaintext, and some more for headers.
const MAX_STORED_BYTES: usize = 2 * MAX_PLAINTEXT_BYTES;

/// Encrypted attributes of Active Record.
///
/// The plaintext is bytes as Ruby has them. What is not UTF-8 has its encoding in the scheme, as
/// in `json+iso-8859-1`, and every value has it in [`Opened::encoding`]; [`Codec::rotate`] and
/// [`Codec::seal_labelled`] keep the label. [`Codec::seal`] writes UTF-8 without a label, and other
/// bytes as `ASCII-8BIT`. The key is named as Rails names it, by 4 digits.
///
/// # Example
/// ```
/// use reseal::{Context, codec::{Codec, Rails, Stored}};
/// let codec = Rails::builder()
///     .deterministic_keys(["uhtk2DYS80OweAPnMLtrV2FhYIXaceAy"])
///     .key_derivation_salt("g7Q66StqUQDQk9SJ81sWbYZXgiRogBwS")
///     .deterministic(true)
///     .build()?;
/// let stored = r#"{"p":"8BAc8dGXqxksThLNmKmbWG8=","h":{"iv":"NgqthINGlvoN+fhP","at":"1uVTEDmQmPfpi1ULT9Nznw=="}}"#;
/// let opened = codec.open(Stored::Text(stored), &Context::new())?;
/// assert_eq!(*opened.plaintext, b"tolkien@email.com");
/// assert_eq!(opened.scheme, "json-deterministic");
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Errors
/// Of [`Codec::open`]: `format-mismatch`; `format-unsupported` for the other serializer, for an
/// envelope without [`RailsBuilder::envelope`] and the reverse, and for an unknown encoding;
/// `malformed`; `unknown-key`; `auth-failed`; `too-large`. Of [`Codec::seal`]: `codec-read-only` for
/// `MessagePack` in a text column, and for deterministic values that are not UTF-8, would be
/// compressed or are a zlib stream themselves; `too-large`; `random-unavailable`. Of
/// [`Codec::seal_labelled`] also `invalid-argument`, for what is no encoding of Ruby.
///
/// # Security
/// Rails authenticates the payload alone. Whoever writes to the database can put a value into
/// another row or column, and can change its headers: a label `e` that is not there by right, and a
/// mark of compression that is missing. The latter is refused unless
/// [`RailsBuilder::lenient`] is set.
///
/// With [`RailsBuilder::envelope`], the data key `k` is such a header, and any value of 32 bytes
/// under the same primary key may stand there. Whoever knows one such plaintext, for example since
/// it was his own text in an attribute without envelopes, can make values with any content that
/// open as authenticated. Give attributes with envelopes a primary key of their own.
#[derive(Debug)]
pub struct Rails {
    /// The current one, and those before it.
    schemes: Vec<Scheme>,
    lenient: bool,
}

impl Rails {
    /// A codec without keys yet.
    pub fn builder() -> RailsBuilder {
        RailsBuilder::new()
    }

    fn current(&self) -> Result<&Scheme> {
        self.schemes.first().ok_or_else(auth_failed)
    }

    /// # Errors
    /// `format-unsupported`, `unknown-key`, `auth-failed`.
    fn unseal<'s>(
        &'s self,
        serializer: RailsSerializer,
        message: &'s Message,
    ) -> Result<Unsealed<'s>> {
        let reads = |scheme: &&Scheme| scheme.reads(serializer, message);
        let fitting = || self.schemes.iter().filter(reads);
        if fitting().next().is_none() {
            return Err(scheme::unsupported(&self.schemes, serializer, message));
        }
        if fitting().all(|scheme| scheme.named(message).next().is_none()) {
            return Err(unknown_key());
        }
        let unsealed = fitting().find_map(|scheme| {
            let unsealed = scheme.open(message).ok()?;
            let current =
                unsealed.current && self.current().is_ok_and(|it| core::ptr::eq(it, scheme));
            Some(Unsealed {
                current,
                ..unsealed
            })
        });
        unsealed.ok_or_else(auth_failed)
    }

    /// The value, opened, and the label that it has.
    fn read(&self, stored: Stored<'_>) -> Result<(Opened, Encoding)> {
        let (serializer, map) = look(stored)?;
        let message = Message::read(map, self.lenient)?;
        let unsealed = self.unseal(serializer, &message)?;
        let opened = Opened {
            key: Some(unsealed.key.reference().to_string()),
            scheme: scheme_name(serializer, unsealed.layout, message.encoding),
            encoding: Some(message.encoding.name()),
            current: unsealed.current,
            plaintext: self.expand(unsealed.body, message.compressed)?,
            trust: Trust::Authenticated,
        };
        Ok((opened, message.encoding))
    }

    fn expand(&self, body: Zeroizing<Vec<u8>>, compressed: bool) -> Result<Zeroizing<Vec<u8>>> {
        if compressed {
            return compress::inflate(&body);
        }
        check_length(&body, Mode::Random)?;
        if !self.lenient && compress::is_stream(&body) {
            return Err(auth_failed());
        }
        Ok(body)
    }

    fn write(
        &self,
        plaintext: &[u8],
        label: Option<Encoding>,
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        check_length(plaintext, Mode::Random)?;
        self.current()?.write(plaintext, label, place.form, fresh)
    }
}

impl Codec for Rails {
    fn kind(&self) -> CodecKind {
        CodecKind::Rails
    }

    /// A reference decides, and so does the kind of value; without a reference only opening tells.
    fn is_current(&self, stored: Stored<'_>, _: Mode) -> Option<bool> {
        let (serializer, map) = look(stored).ok()?;
        let message = Message::read(map, self.lenient).ok()?;
        let current = self.current().ok()?;
        let writer = current.writer().ok()?;
        if !current.reads(serializer, &message) {
            return Some(false);
        }
        if message.reference.as_deref()? != writer.reference() {
            return Some(false);
        }
        // Two keys may share a reference, and a deterministic IV shows only under its key.
        let all = self.schemes.iter().flat_map(|scheme| &scheme.keys);
        let sharing = all.filter(|key| key.reference() == writer.reference());
        (sharing.count() == 1 && current.layout != Layout::Deterministic).then_some(true)
    }

    fn open(&self, stored: Stored<'_>, _: &Context) -> Result<Opened> {
        self.read(stored).map(|(opened, _)| opened)
    }

    /// With the longest label that a plaintext may have.
    fn sealed_len(&self, plaintext_bytes: usize, _: Mode, form: Form) -> Option<usize> {
        self.current().ok()?.sealed_len(plaintext_bytes, form)
    }

    fn seal(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        self.write(plaintext, None, place, fresh)
    }

    fn seal_labelled(
        &self,
        plaintext: &[u8],
        encoding: Option<&str>,
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let parse = |name: &str| {
            Encoding::parse(name.as_bytes())
                .ok_or_else(|| bad_option("the label of a plaintext names no encoding of Ruby"))
        };
        let label = encoding.map(parse).transpose()?;
        self.write(plaintext, label, place, fresh)
    }

    /// Under every key of every scheme, where all schemes are deterministic. A scheme of another form of
    /// column has no values there.
    fn lookup_values(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
    ) -> Result<Option<Vec<StoredValue>>> {
        let fixed = |scheme: &Scheme| scheme.layout == Layout::Deterministic;
        if !self.schemes.iter().all(fixed) {
            return Ok(None);
        }
        check_length(plaintext, Mode::Random)?;
        let mut fitting = self
            .schemes
            .iter()
            .filter(|it| it.fits(place.form))
            .peekable();
        fitting.peek().ok_or_else(scheme::no_text)?;
        let mut values = Vec::new();
        for scheme in fitting {
            values.extend(scheme.fixed_values(plaintext, place.form)?);
        }
        Ok(Some(values))
    }

    /// What Rails compresses.
    fn may_hide(&self, plaintext: &[u8], form: Form) -> bool {
        let mut fitting = self.schemes.iter().filter(|it| it.fits(form));
        fitting.any(|scheme| scheme.may_hide(plaintext))
    }

    /// The label of the encoding stays.
    fn rotate(
        &self,
        stored: Stored<'_>,
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let (opened, label) = self.read(stored)?;
        self.write(&opened.plaintext, Some(label), place, fresh)
    }
}

/// A message with a payload, an IV and a tag is one; a cut one, and one that lacks something, may
/// be something else.
pub(super) fn recognize(stored: Stored<'_>) -> Option<Recognized> {
    let (serializer, map) = match seek(stored) {
        Found::Nothing => return None,
        Found::Damaged(certainty) => return Some(damaged(certainty)),
        Found::Message(serializer, map) => (serializer, map),
    };
    match Shape::of(&map) {
        Shape::None => return None,
        Shape::Half => return Some(damaged(Certainty::Maybe)),
        Shape::Whole => {}
    }
    let Ok(message) = Message::read(map, true) else {
        return Some(damaged(Certainty::Yes));
    };
    let layout = match message.data_key {
        Some(_) => Layout::Envelope,
        None => Layout::Random,
    };
    let shown = Recognized::yes(scheme_name(serializer, layout, message.encoding));
    Some(match message.shown_reference() {
        Some(reference) => shown.with_key(reference),
        None => shown,
    })
}

fn damaged(certainty: Certainty) -> Recognized {
    Recognized {
        certainty,
        ..Recognized::maybe("damaged")
    }
}

/// What the bytes of a value are.
enum Found {
    Nothing,
    /// It starts like a message, and does not go on like one.
    Damaged(Certainty),
    /// Something of the type of a message.
    Message(RailsSerializer, Map),
}

fn seek(stored: Stored<'_>) -> Found {
    let bytes = stored.as_bytes();
    let parsed = if bytes.len() > MAX_STORED_BYTES {
        None
    } else if let Some(map) = pack::read(bytes) {
        Some((RailsSerializer::MessagePack, map))
    } else {
        let map = stored.as_text().and_then(json::read);
        map.map(|map| (RailsSerializer::Json, map))
    };
    if let Some((serializer, map)) = parsed {
        return Found::Message(serializer, map);
    }
    if pack::is_start(bytes) {
        return Found::Damaged(Certainty::Yes);
    }
    cut::certainty(bytes).map_or(Found::Nothing, Found::Damaged)
}

/// The parts of a value that has the shape of a message.
fn look(stored: Stored<'_>) -> Result<(RailsSerializer, Map)> {
    match seek(stored) {
        Found::Message(serializer, map) if Shape::of(&map) != Shape::None => Ok((serializer, map)),
        Found::Damaged(_) if stored.as_bytes().len() > MAX_STORED_BYTES => Err(too_large()),
        Found::Damaged(_) => Err(message::damaged()),
        Found::Message(..) | Found::Nothing => Err(mismatch(CodecKind::Rails)),
    }
}

macro_rules! labelled {
    ($name:literal) => {
        [
            $name,
            concat!($name, "+us-ascii"),
            concat!($name, "+ascii-8bit"),
            concat!($name, "+iso-8859-1"),
            concat!($name, "+other-encoding"),
        ]
    };
}

/// The serializer, what is special about the key, and the encoding where it is not UTF-8.
fn scheme_name(serializer: RailsSerializer, layout: Layout, encoding: Encoding) -> &'static str {
    use RailsSerializer::{Json, MessagePack};
    let names = match (serializer, layout) {
        (Json, Layout::Random) => labelled!("json"),
        (Json, Layout::Deterministic) => labelled!("json-deterministic"),
        (Json, Layout::Envelope) => labelled!("json-envelope"),
        (MessagePack, Layout::Random) => labelled!("message-pack"),
        (MessagePack, Layout::Deterministic) => labelled!("message-pack-deterministic"),
        (MessagePack, Layout::Envelope) => labelled!("message-pack-envelope"),
    };
    names.get(encoding.note()).copied().unwrap_or("json")
}

fn bad_option(message: &'static str) -> Error {
    fixed(ErrorCode::InvalidArgument, message)
}

fn too_large() -> Error {
    fixed(ErrorCode::TooLarge, "a plaintext has at most 2^24 bytes")
}

fn unknown_key() -> Error {
    fixed(
        ErrorCode::UnknownKey,
        "the value names a key of Rails that the codec does not have: is a key missing in the \
         list, or another salt or digest in use?",
    )
}
