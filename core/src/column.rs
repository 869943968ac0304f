//! A column: the codec that it writes, the codecs that it may read, and its context.

#[cfg(feature = "job")]
mod canary;
mod dispute;
mod index;
mod lookup;
mod outcome;
mod rewrite;
mod spelling;

pub use outcome::{Classified, Origin, Outcome, Read};

use crate::{
    blind_index::BlindIndex,
    codec::{
        Certainty, Codec, CodecKind, Form, Fresh, Opened, Place, Recognized, Rings, Stored,
        StoredValue, Trust,
    },
    context::Context,
    envelope::may_be_envelope,
    error::{Error, ErrorCode, Result, fixed},
    ids::Mode,
    value::ValueType,
};
use alloc::{borrow::Cow, format, string::String, sync::Arc, vec::Vec};
use zeroize::Zeroizing;

/// A codec, by the name that it has in the manifest and in reports.
#[derive(Clone, Debug)]
pub struct NamedCodec {
    /// The name of the instance, such as `rails_old`.
    pub name: String,
    /// The format and its keys.
    pub codec: Arc<dyn Codec>,
}

impl NamedCodec {
    /// A codec with a name.
    pub fn new(name: impl Into<String>, codec: impl Codec + 'static) -> Self {
        Self {
            name: name.into(),
            codec: Arc::new(codec),
        }
    }
}

/// A codec that a value may be in, and what the value shows to it.
type Found<'c> = (&'c NamedCodec, Recognized);

/// A value in the write codec, and what it shows.
struct Written {
    value: StoredValue,
    shown: Recognized,
}

/// A column of a table.
///
/// # Example
/// ```
/// use reseal::codec::{Form, Fresh, Plain, Reseal, Stored};
/// use reseal::{Column, Context, Key, KeyUse, Keyring, NamedCodec, OsEntropy, Outcome, Timestamp};
/// use std::sync::Arc;
///
/// let key = Key::generate(KeyUse::Data, &mut OsEntropy)?;
/// let ring = Arc::new(Keyring::builder().primary(key).build()?);
/// let column = Column::new(NamedCodec::new("app", Reseal::new(ring)))
///     .read(NamedCodec::new("plain", Plain))?
///     .context(Context::new().with("table", "users")?.with("column", "ssn")?);
///
/// let row = Context::new().with("row", 42)?;
/// let mut fresh = Fresh { entropy: &mut OsEntropy, now: Timestamp::from_unix(1_800_000_000)? };
/// let before = Stored::Text("078-05-1120");
/// let Outcome::Resealed { value, from, .. } = column.reseal(Some(before), &row, &mut fresh) else {
///     panic!("a plaintext is not current here");
/// };
/// assert_eq!(from.codec, "plain");
/// assert_eq!(*column.open(value.as_stored(), &row)?.plaintext, b"078-05-1120");
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Column {
    /// The write codec first.
    codecs: Vec<NamedCodec>,
    context: Context,
    earlier: Vec<Context>,
    mode: Mode,
    value_type: ValueType,
    indexes: Vec<BlindIndex>,
}

impl Column {
    /// A column of bytes that reads and writes one codec, in mode random and without a context.
    #[must_use]
    pub fn new(write: NamedCodec) -> Self {
        Self {
            codecs: alloc::vec![write],
            context: Context::new(),
            earlier: Vec::new(),
            mode: Mode::Random,
            value_type: ValueType::Bytes,
            indexes: Vec::new(),
        }
    }

    /// One more codec that may be read. The write codec is read in any case, and may be named
    /// again.
    ///
    /// # Errors
    /// `invalid-argument` for a second codec of one name.
    pub fn read(mut self, codec: NamedCodec) -> Result<Self> {
        match self.codecs.iter().find(|there| there.name == codec.name) {
            Some(there) if Arc::ptr_eq(&there.codec, &codec.codec) => {}
            Some(_) => {
                return Err(Error::new(
                    ErrorCode::InvalidArgument,
                    format!("two codecs of the column have the name {}", codec.name),
                ));
            }
            None => self.codecs.push(codec),
        }
        Ok(self)
    }

    /// What is bound to every value; the rows add their own facts.
    #[must_use]
    pub fn context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    /// A context that older values may have, after a rename. Public bytes do not show which one a
    /// value has, so that a value under the primary counts as current whichever it is;
    /// [`Column::reopen`] tells.
    #[must_use]
    pub fn earlier_context(mut self, context: Context) -> Self {
        self.earlier.push(context);
        self
    }

    /// The mode of the envelopes.
    #[must_use]
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// What its values are. A value is sealed in the canonical form of its type, and an opened one is
    /// given in it: `spec/values.md`.
    #[must_use]
    pub const fn value_type(mut self, value_type: ValueType) -> Self {
        self.value_type = value_type;
        self
    }

    /// Whether what it writes can be read by whoever sees it.
    #[must_use]
    pub fn writes_plaintext(&self) -> bool {
        let writer = self.codecs.first();
        writer.is_some_and(|writer| writer.codec.writes_plaintext())
    }

    /// The kinds of its codecs, the one that is written first.
    #[cfg(feature = "job")]
    pub(crate) fn kinds(&self) -> impl Iterator<Item = CodecKind> {
        self.codecs.iter().map(|named| named.codec.kind())
    }

    /// The ids of the keys that seal its values and make the terms of its indexes; nothing where its codec
    /// has none of ours.
    #[cfg(feature = "job")]
    pub(crate) fn sealing_ids(&self) -> Option<[Option<crate::ids::KeyId>; 2]> {
        let ring = self.codecs.first()?.codec.rings()?.to_seal().ok()?;
        Some([ring.primary_id(), ring.index_primary_id()])
    }

    /// Whether a key seals here, or has done so before: it is known, and more than introduced.
    #[cfg(feature = "job")]
    pub(crate) fn has_sealed(&self, id: crate::KeyId) -> bool {
        let rings = self.codecs.iter().filter_map(|named| named.codec.rings());
        let mut rings = rings.filter_map(|rings| rings.to_seal().ok());
        let is_it = |key: crate::KeyInfo| key.state != crate::KeyState::Introduced && key.id == id;
        rings.any(|ring| ring.keys().any(is_it))
    }

    /// What is bound to all of its values.
    #[cfg(feature = "job")]
    pub(crate) const fn fixed_context(&self) -> &Context {
        &self.context
    }

    /// The most characters, or bytes of a binary column, of a value that holds a plaintext of so many
    /// bytes; nothing where the codec cannot tell.
    #[cfg(feature = "job")]
    pub(crate) fn sealed_len(&self, plaintext_bytes: usize, form: Form) -> Option<usize> {
        let writer = self.codecs.first()?;
        writer.codec.sealed_len(plaintext_bytes, self.mode, form)
    }

    /// The codec that the column writes.
    ///
    /// # Errors
    /// None in practice: a column always has one.
    fn writer(&self) -> Result<&NamedCodec> {
        let none = || fixed(ErrorCode::InvalidArgument, "the column writes no codec");
        self.codecs.first().ok_or_else(none)
    }

    /// A value to store, in the write codec. The plaintext may have any usual spelling of the
    /// column's type.
    ///
    /// # Errors
    /// Those of the codec; `value-invalid` and `invalid-text` for no value of the column's type;
    /// `context-invalid`; `looks-sealed` for a plaintext that another codec of
    /// the column would take for its own, once it stands there as it is.
    pub fn seal(
        &self,
        plaintext: &[u8],
        facts: &Context,
        form: Form,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let context = self.context.with_all(facts)?;
        let place = self.place(&context, form);
        let codec = &self.writer()?.codec;
        let value = self.spelled(plaintext, self.mode, |plaintext| {
            let own = spelling::own(codec.kind(), self.value_type, plaintext);
            codec.seal(own.unwrap_or(plaintext), &place, fresh)
        })?;
        if codec.kind() == CodecKind::Reseal {
            return Ok(value); // its mark is the surest
        }
        self.checked(value).map(|written| written.value)
    }

    /// The plaintext of a stored value in the canonical form of the column's type, and what opened
    /// it.
    ///
    /// What carries the mark of a codec of the column is opened by such a codec or not at all: it
    /// is never taken for plaintext.
    ///
    /// # Errors
    /// `format-mismatch` where no codec of the column has this format; those of the codecs;
    /// `value-invalid` and `invalid-text` where the plaintext is no value of the column's type.
    pub fn open(&self, stored: Stored<'_>, facts: &Context) -> Result<Read> {
        if let Some(read) = self.open_usual(stored, facts) {
            return Ok(read);
        }
        self.open_found(stored, &self.recognized(stored), facts)
    }

    /// As [`Column::open`], and the plaintext is as it was sealed, a value of the column's type or not.
    #[cfg(feature = "job")]
    pub(crate) fn open_as_sealed(&self, stored: Stored<'_>, facts: &Context) -> Result<Read> {
        self.open_raw(stored, &self.recognized(stored), facts)
    }

    /// As [`Column::open`], as if a codec of the column were not there: what opens nevertheless, and
    /// to the same plaintext, does not need it.
    ///
    /// # Errors
    /// As [`Column::open`].
    ///
    /// # Security
    /// A column that reads `plain` opens the ciphertext of a codec that is not there: compare the
    /// plaintexts.
    pub fn open_without(&self, stored: Stored<'_>, facts: &Context, codec: &str) -> Result<Read> {
        let found = self.recognized_among(stored, |named| named.name != codec);
        self.open_found(stored, &found, facts)
    }

    /// What most values are: envelopes of the write codec, with the present context. Nothing else has
    /// their mark, so that none of the others is asked; whatever fails here is looked at as a whole.
    fn open_usual(&self, stored: Stored<'_>, facts: &Context) -> Option<Read> {
        let writer = self.codecs.first()?;
        if writer.codec.kind() != CodecKind::Reseal || !may_be_envelope(stored.as_bytes()) {
            return None;
        }
        let context = self.context.with_all(facts).ok()?;
        let opened = writer.codec.open(stored, &context).ok()?;
        self.canonical(self.read_of(writer, opened, &context)).ok()
    }

    fn open_found(&self, stored: Stored<'_>, found: &[Found<'_>], facts: &Context) -> Result<Read> {
        self.canonical(self.open_raw(stored, found, facts)?)
    }

    fn canonical(&self, mut read: Read) -> Result<Read> {
        // As a rule it is canonical, and nothing is copied.
        if let Cow::Owned(canonical) = self.value_type.canonical(&read.plaintext, self.mode)? {
            read.plaintext = Zeroizing::new(canonical);
        }
        Ok(read)
    }

    /// The plaintext as it was sealed.
    fn open_raw(&self, stored: Stored<'_>, found: &[Found<'_>], facts: &Context) -> Result<Read> {
        let now = self.context.with_all(facts)?;
        let opened = self.open_in(stored, found, &now);
        let Err(error) = opened else { return opened };
        // Of several codecs, the failure that is told may be of another one than that of the context.
        if error.code() == ErrorCode::AuthFailed || found.len() > 1 {
            for earlier in &self.earlier {
                let context = earlier.joined(facts)?;
                if let Ok(read) = self.open_in(stored, found, &context) {
                    return Ok(Read {
                        earlier: true,
                        ..read
                    });
                }
            }
        }
        Err(error)
    }

    /// Which codec a stored value is in, and under which key, judged without any key: the census.
    #[must_use]
    pub fn classify(&self, stored: Option<Stored<'_>>) -> Classified {
        let Some(stored) = stored else {
            return Classified::Null;
        };
        let shown = self.recognized(stored);
        let sure = |found: &&Found<'_>| found.1.certainty == Certainty::Yes;
        let best = shown.iter().find(sure).or_else(|| shown.first());
        match best {
            Some((named, shown)) => Classified::In {
                origin: Origin {
                    codec: named.name.clone(),
                    key: shown.key.clone(),
                    scheme: shown.scheme,
                },
                certainty: shown.certainty,
            },
            None => Classified::Unknown,
        }
    }

    /// A value that the column will read with the codec that wrote it, and no other.
    fn checked(&self, value: StoredValue) -> Result<Written> {
        let first = self.recognized(value.as_stored()).into_iter().next();
        let writer = self.writer()?;
        if let Some((first, shown)) = first
            && Arc::ptr_eq(&first.codec, &writer.codec)
        {
            return Ok(Written { value, shown });
        }
        Err(fixed(
            ErrorCode::LooksSealed,
            "another codec of the column would take this value for its own: it is not written",
        ))
    }

    /// Hands on the canonical spelling of a value, and wipes it.
    fn spelled<T>(
        &self,
        value: &[u8],
        mode: Mode,
        work: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        match self.value_type.canonical(value, mode)? {
            Cow::Borrowed(value) => work(value),
            Cow::Owned(value) => work(&Zeroizing::new(value)),
        }
    }

    const fn place<'p>(&self, context: &'p Context, form: Form) -> Place<'p> {
        Place {
            context,
            mode: self.mode,
            form,
        }
    }

    /// The codecs that a value may be in: those whose mark it carries, or else those whose shape it
    /// has, `plain` last.
    fn recognized(&self, stored: Stored<'_>) -> Vec<Found<'_>> {
        self.recognized_among(stored, |_| true)
    }

    fn recognized_among(
        &self,
        stored: Stored<'_>,
        is_there: impl Fn(&NamedCodec) -> bool,
    ) -> Vec<Found<'_>> {
        let shown = |named| Some((named, NamedCodec::recognize(named, stored)?));
        let codecs = self.codecs.iter().filter(|named| is_there(named));
        let mut found: Vec<_> = codecs.filter_map(shown).collect();
        if found
            .iter()
            .any(|(_, shown)| shown.certainty == Certainty::Yes)
        {
            found.retain(|(_, shown)| shown.certainty == Certainty::Yes);
        }
        let is_plain = |(named, _): &Found<'_>| named.codec.kind() == CodecKind::Plain;
        let (plain, mut found): (Vec<_>, Vec<_>) = found.into_iter().partition(is_plain);
        found.extend(plain);
        found
    }

    fn open_in(&self, stored: Stored<'_>, found: &[Found<'_>], context: &Context) -> Result<Read> {
        let mut failure: Option<Error> = None;
        for (at, (named, _)) in found.iter().enumerate() {
            // What looks like a ciphertext and does not open is no plaintext.
            if named.codec.kind() == CodecKind::Plain && failure.is_some() {
                break;
            }
            match named.codec.open(stored, context) {
                Ok(opened) => {
                    let others = found.get(at + 1..).unwrap_or_default();
                    let (named, mut opened) =
                        Self::settled(stored, (*named, opened), others, context)?;
                    let kind = named.codec.kind();
                    if let Some(canonical) =
                        spelling::canonical(kind, self.value_type, &opened.plaintext)
                    {
                        opened.plaintext = Zeroizing::new(canonical.to_vec());
                    }
                    return Ok(self.read_of(named, opened, context));
                }
                Err(error) => failure = Some(more_telling(failure, error)),
            }
        }
        Err(failure.unwrap_or_else(|| {
            fixed(
                ErrorCode::FormatMismatch,
                "the value is in none of the formats that the column reads",
            )
        }))
    }

    fn read_of(&self, named: &NamedCodec, opened: Opened, context: &Context) -> Read {
        let doubled = self.doubled(&opened.plaintext, context);
        // An envelope may hold any text, also one that looks like an envelope.
        let doubled = doubled
            .filter(|kind| *kind != CodecKind::Reseal || named.codec.kind() != CodecKind::Reseal);
        Read {
            origin: Origin {
                codec: named.name.clone(),
                key: opened.key,
                scheme: opened.scheme,
            },
            plaintext: opened.plaintext,
            current: opened.current,
            encoding: opened.encoding,
            trust: opened.trust,
            earlier: false,
            doubled,
        }
    }

    /// The codec of the column that a plaintext is itself a value of: it carries the mark, or else it opens.
    fn doubled(&self, plaintext: &[u8], context: &Context) -> Option<CodecKind> {
        let unquoted = self.unquoted(plaintext);
        let plaintext = inner_of(plaintext, unquoted.as_deref());
        let mut codecs = self.codecs.iter().map(|named| &*named.codec);
        let is_marked = |shown: Recognized| shown.certainty == Certainty::Yes;
        let opens = |codec: &dyn Codec| {
            let opened = codec.open(plaintext, context);
            opened.is_ok_and(|it| matches!(it.trust, Trust::Authenticated | Trust::Checked))
        };
        let is_in = |codec: &dyn Codec| {
            codec.kind() != CodecKind::Plain
                && (codec.kind().recognize(plaintext).is_some_and(is_marked)
                    || codec
                        .recognize(plaintext)
                        .is_some_and(|shown| is_marked(shown) || opens(codec)))
        };
        codecs.find(|it| is_in(*it)).map(Codec::kind)
    }

    /// The text of a JSON string, where the column has JSON: databases without such a type keep the quotes around
    /// what another system has sealed.
    fn unquoted(&self, plaintext: &[u8]) -> Option<Zeroizing<String>> {
        if self.value_type != ValueType::Json || plaintext.first() != Some(&b'"') {
            return None;
        }
        let text = serde_json::from_str(core::str::from_utf8(plaintext).ok()?);
        text.ok().map(Zeroizing::new)
    }
}

impl NamedCodec {
    fn rings(&self) -> Option<&dyn Rings> {
        self.codec.rings()
    }

    fn recognize(&self, stored: Stored<'_>) -> Option<Recognized> {
        self.codec.recognize(stored)
    }
}

/// Of two failures, the one that says more about what is to be done.
fn more_telling(before: Option<Error>, after: Error) -> Error {
    let rank = |error: &Error| match error.code() {
        ErrorCode::FormatMismatch => 0,
        ErrorCode::Malformed | ErrorCode::FormatUnsupported => 1,
        ErrorCode::UnknownKey => 2,
        _ => 3,
    };
    match before {
        Some(before) if rank(&before) >= rank(&after) => before,
        _ => after,
    }
}

/// What a plaintext holds, as if it were stored.
fn inner_of<'p>(plaintext: &'p [u8], unquoted: Option<&'p String>) -> Stored<'p> {
    unquoted.map_or_else(|| as_stored(plaintext), |text| Stored::Text(text))
}

/// A plaintext as if it were stored.
fn as_stored(plaintext: &[u8]) -> Stored<'_> {
    core::str::from_utf8(plaintext).map_or(Stored::Bytes(plaintext), Stored::Text)
}
