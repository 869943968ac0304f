//! The encrypted fields of Sentry: a marker, a key id, and a Fernet token in base64 once more.
//!
//! Format: `src/sentry/db/models/fields/encryption/` in <https://github.com/getsentry/sentry>.

mod wrapper;

use super::{
    Codec, CodecKind, FernetKey, Form, Fresh, Opened, Place, Recognized, Stored, StoredValue,
    Trust, base64,
    fernet::{self, Token},
    malformed, mismatch, read_only,
};
use crate::{
    context::Context,
    envelope::MAX_PLAINTEXT_BYTES,
    error::{Error, ErrorCode, Result, fixed},
    ids::Mode,
    keyring::check_length,
};
use alloc::{borrow::Cow, format, string::String, vec::Vec};
use serde_json::Value;
use wrapper::Wrapper;
use zeroize::Zeroizing;

const MARK: &str = "enc:";
const SCHEMES: [&str; 3] = ["fernet", "plaintext", "tink"];
/// What a census shows of a key id, at most: no name of a file is longer.
const MAX_SHOWN_ID_BYTES: usize = 255;
/// What JSON and two times base64 make of the largest plaintext, at most.
const MAX_STORED_BYTES: usize = 3 * MAX_PLAINTEXT_BYTES;

/// How a field is declared in Sentry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SentryField {
    /// `EncryptedCharField` or `EncryptedTextField`.
    #[default]
    Text,
    /// `EncryptedJSONField`: the plaintext is a JSON document, and so is the stored value.
    Json,
}

/// What Sentry's option `database.encryption.method` says about writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SentryMethod {
    /// Fernet tokens under the primary key.
    #[default]
    Fernet,
    /// Base64 alone: **not encrypted**.
    Plaintext,
}

/// Sentry's keys: each has the name of its file as its id, which stands in the stored value.
///
/// A plaintext that is an encrypted field once more is given as it is: Sentry saved it while its
/// key was missing. A [`Column`](crate::Column) reports it.
///
/// # Example
/// ```
/// use reseal::{Context, codec::{Codec, Sentry, Stored}};
/// let keys = [("key_2024", "fn1e6PrRXKIvPkwnZGcFUouLeIEFe45dsK-C-nvMaoc=")];
/// let codec = Sentry::new(keys, "key_2024")?;
/// let opened = codec.open(Stored::Text("enc:plaintext:aGVsbG8="), &Context::new())?;
/// assert_eq!((opened.plaintext.as_slice(), opened.scheme), (&b"hello"[..], "plaintext"));
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Security
/// A value with the marker `enc:plaintext:` was never encrypted, and Sentry believes it whatever
/// its method is. So does this codec, unless [`Sentry::plaintext`] says otherwise: whoever can
/// write to the database can make up a plaintext, which a reseal would then authenticate. Its
/// [`Opened::trust`] is [`Trust::Plain`].
#[derive(Debug)]
pub struct Sentry {
    keys: Vec<(String, FernetKey)>,
    primary: String,
    field: SentryField,
    method: SentryMethod,
    plaintext: bool,
    lenient: bool,
}

impl Sentry {
    /// Keys by their ids, and the id of the one that seals. White space around a key is ignored.
    ///
    /// # Errors
    /// `invalid-key` names the id of a key that is none; `invalid-argument` where the primary is
    /// not among them, or an id is empty, given twice or a key itself.
    pub fn new<'k>(
        keys: impl IntoIterator<Item = (&'k str, &'k str)>,
        primary: &str,
    ) -> Result<Self> {
        let mut codec = Self {
            keys: Vec::new(),
            primary: primary.into(),
            field: SentryField::default(),
            method: SentryMethod::default(),
            plaintext: true,
            lenient: false,
        };
        for (id, text) in keys {
            codec.add(id, text)?;
        }
        if codec.key(primary).is_none() {
            refuse_key_as_id(primary)?;
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!("there is no key with the primary id {primary:?}"),
            ));
        }
        Ok(codec)
    }

    /// Whether the field holds text or JSON.
    #[must_use]
    pub const fn field(mut self, field: SentryField) -> Self {
        self.field = field;
        self
    }

    /// What is written: tokens, or plaintext with a marker.
    #[must_use]
    pub const fn method(mut self, method: SentryMethod) -> Self {
        self.method = method;
        self
    }

    /// Whether values that were never encrypted are believed, as Sentry does; `true` where nothing
    /// is said. Say `false` as soon as none are left: they are `format-unsupported` from then on.
    /// With [`SentryMethod::Plaintext`] they are always believed.
    #[must_use]
    pub const fn plaintext(mut self, plaintext: bool) -> Self {
        self.plaintext = plaintext;
        self
    }

    /// Reads base64 as Python does, skipping junk; and unwraps JSON that was never encrypted.
    #[must_use]
    pub const fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    fn add(&mut self, id: &str, text: &str) -> Result<()> {
        if id.is_empty() || self.key(id).is_some() {
            return Err(fixed(
                ErrorCode::InvalidArgument,
                "each key of a sentry codec has an id of its own, the name of its file",
            ));
        }
        refuse_key_as_id(id)?;
        let key = FernetKey::parse(text.trim()).map_err(|error| {
            Error::new(error.code(), format!("the key {id:?}: {}", error.message()))
        })?;
        self.keys.push((id.into(), key));
        Ok(())
    }

    fn key(&self, id: &str) -> Option<&FernetKey> {
        let found = self.keys.iter().find(|(name, _)| name == id);
        found.map(|(_, key)| key)
    }

    /// The key id and the payload. Sentry splits at the first colon; a key whose id has a colon
    /// wrote values that only a longer id opens.
    fn split<'t>(&self, body: &'t str) -> Result<(&'t str, &FernetKey, &'t str)> {
        let longest = self.keys.iter().map(|(id, _)| id.len()).max();
        let colons = body.match_indices(':').map(|(at, _)| at);
        let mut ids = colons
            .take_while(|at| Some(*at) <= longest)
            .map(|at| body.split_at(at))
            .map(|(id, rest)| (id, rest.get(1..).unwrap_or_default()));
        if body.split_once(':').is_none_or(|(id, _)| id.is_empty()) {
            return Err(malformed(
                "a value with the marker enc:fernet: names no key",
            ));
        }
        ids.find_map(|(id, payload)| Some((id, self.key(id)?, payload)))
            .ok_or(fixed(
                ErrorCode::UnknownKey,
                "the value names a key of Sentry that is not given: is its file missing?",
            ))
    }

    fn open_fernet(&self, body: &str) -> Result<Opened> {
        let (id, key, payload) = self.split(body)?;
        let token = self.decode(payload)?;
        let token = core::str::from_utf8(&token).map_err(|_| damaged())?;
        let token = Token::parse(token, self.lenient).map_err(|_| damaged())?;
        Ok(Opened {
            plaintext: key.open(&token)?,
            key: Some(id.into()),
            scheme: "fernet",
            encoding: None,
            current: self.method == SentryMethod::Fernet && id == self.primary,
            trust: Trust::Authenticated,
        })
    }

    fn open_plaintext(&self, body: &str) -> Result<Opened> {
        self.refuse_plaintext()?;
        Ok(Opened {
            plaintext: Zeroizing::new(self.decode(body)?),
            key: None,
            scheme: "plaintext",
            encoding: None,
            current: self.method == SentryMethod::Plaintext,
            trust: Trust::Plain,
        })
    }

    fn refuse_plaintext(&self) -> Result<()> {
        if self.plaintext || self.method == SentryMethod::Plaintext {
            return Ok(());
        }
        Err(fixed(
            ErrorCode::FormatUnsupported,
            "this field of Sentry was never encrypted, and the option plaintext refuses such values",
        ))
    }

    fn decode(&self, payload: &str) -> Result<Vec<u8>> {
        match base64::strict(payload) {
            None if self.lenient => base64::python(payload),
            decoded => decoded,
        }
        .ok_or_else(damaged)
    }

    /// What stands in the wrapper of a JSON field, or the value itself.
    fn column_text<'t>(&self, stored: Stored<'t>) -> Result<Cow<'t, str>> {
        if stored.as_bytes().len() > MAX_STORED_BYTES {
            return Err(fixed(
                ErrorCode::TooLarge,
                "this is larger than any stored value of 2^24 bytes",
            ));
        }
        let Some(text) = stored.as_text() else {
            let marked = recognize(stored).is_some();
            return Err(if marked {
                damaged()
            } else {
                mismatch(CodecKind::Sentry)
            });
        };
        if self.field == SentryField::Text {
            return Ok(Cow::Borrowed(text));
        }
        match Wrapper::of(text) {
            Wrapper::Whole(inner) => Ok(inner),
            Wrapper::Cut => Err(damaged()),
            Wrapper::None => Err(mismatch(CodecKind::Sentry)),
        }
    }

    /// What a lenient codec of a JSON field sees of a value.
    pub(crate) fn recognize_unmarked(stored: Stored<'_>) -> Option<Recognized> {
        let unmarked = || match Wrapper::of(stored.as_text()?) {
            Wrapper::Whole(text) if is_unmarked(&text) => Some(Recognized::yes("unmarked")),
            _ => None,
        };
        recognize(stored).or_else(unmarked)
    }

    /// What Sentry does with a wrapper that holds JSON without a marker.
    fn open_unmarked(&self, text: Cow<'_, str>) -> Result<Opened> {
        let reads = self.lenient && self.field == SentryField::Json;
        if !reads || !is_unmarked(&text) {
            return Err(mismatch(CodecKind::Sentry));
        }
        self.refuse_plaintext()?;
        Ok(Opened {
            plaintext: Zeroizing::new(text.into_owned().into_bytes()),
            key: None,
            scheme: "unmarked",
            encoding: None,
            current: false,
            trust: Trust::Plain,
        })
    }

    /// What the field cannot hold; a value that was encrypted twice is for the column to report.
    fn check(&self, opened: Opened) -> Result<Opened> {
        let plaintext = &opened.plaintext;
        let fits = self.field == SentryField::Text || is_json(plaintext);
        if fits || starts_marked(plaintext) {
            return Ok(opened);
        }
        Err(malformed("the plaintext of this JSON field is no JSON"))
    }

    /// What stands before the base64 of a value.
    ///
    /// # Errors
    /// `codec-read-only`.
    fn start(&self) -> Result<String> {
        match (self.method, self.primary.as_str()) {
            (SentryMethod::Plaintext, _) => Ok("enc:plaintext:".into()),
            (SentryMethod::Fernet, primary) if primary.contains(':') => Err(read_only(
                "Sentry cannot read what a key seals whose id has a colon: rename its file",
            )),
            (SentryMethod::Fernet, primary) => Ok(format!("enc:fernet:{primary}:")),
        }
    }

    /// The value of the column for what a field holds.
    fn wrapped(&self, text: String) -> String {
        match self.field {
            SentryField::Text => text,
            // As json.dumps writes it: with a space.
            SentryField::Json => format!("{{\"{}\": {}}}", wrapper::NAME, Value::String(text)),
        }
    }

    fn write(&self, plaintext: &[u8], fresh: &mut Fresh<'_>) -> Result<String> {
        let start = self.start()?;
        if self.method == SentryMethod::Plaintext {
            return Ok(start + &base64::encode(plaintext));
        }
        let key = self.key(&self.primary).ok_or_else(damaged)?;
        let time = u64::try_from(fresh.now.unix()).unwrap_or_default();
        let token = key.seal(plaintext, time, fresh.entropy)?;
        Ok(start + &base64::encode(token.as_bytes()))
    }
}

impl Codec for Sentry {
    fn kind(&self) -> CodecKind {
        CodecKind::Sentry
    }

    fn writes_plaintext(&self) -> bool {
        self.method == SentryMethod::Plaintext
    }

    /// Also a wrapper that Sentry made before it encrypted, where the codec opens it.
    fn recognize(&self, stored: Stored<'_>) -> Option<Recognized> {
        if self.lenient && self.field == SentryField::Json {
            Self::recognize_unmarked(stored)
        } else {
            recognize(stored)
        }
    }

    /// A value that the field does not hold, such as one without a wrapper, never is.
    fn is_current(&self, stored: Stored<'_>, _: Mode) -> Option<bool> {
        let text = self.column_text(stored).unwrap_or_default();
        Some(match (self.method, scheme_of(&text)) {
            (SentryMethod::Fernet, Some(("fernet", body))) => id_of(body) == Some(&self.primary),
            (SentryMethod::Plaintext, Some(("plaintext", _))) => true,
            _ => false,
        })
    }

    fn open(&self, stored: Stored<'_>, _: &Context) -> Result<Opened> {
        let text = self.column_text(stored)?;
        let opened = match scheme_of(&text) {
            Some(("fernet", body)) => self.open_fernet(body),
            Some(("plaintext", body)) => self.open_plaintext(body),
            Some(_) => Err(fixed(
                ErrorCode::FormatUnsupported,
                "Sentry reserves the marker enc:tink: and writes nothing with it",
            )),
            None => return self.open_unmarked(text),
        }?;
        self.check(opened)
    }

    fn sealed_len(&self, plaintext_bytes: usize, _: Mode, _: Form) -> Option<usize> {
        let encoded = match self.method {
            SentryMethod::Fernet => fernet::token_len(plaintext_bytes)?,
            SentryMethod::Plaintext => plaintext_bytes,
        };
        let around = self.wrapped(self.start().ok()?).len();
        base64::encoded_len(encoded)?.checked_add(around)
    }

    fn seal(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        check_length(plaintext, Mode::Random)?;
        let text = match self.field {
            SentryField::Text if core::str::from_utf8(plaintext).is_err() => {
                return Err(read_only("Sentry cannot read bytes that are not UTF-8"));
            }
            SentryField::Json if !is_json(plaintext) => {
                return Err(read_only("a JSON field of Sentry holds JSON"));
            }
            SentryField::Text if starts_marked(plaintext) => {
                return Err(read_only(
                    "Sentry takes text with its own marker for a sealed value",
                ));
            }
            _ => self.wrapped(self.write(plaintext, fresh)?),
        };
        Ok(StoredValue::of_text(text, place.form))
    }
}

/// The markers, which stand in the wrapper of a JSON field as well.
pub(super) fn recognize(stored: Stored<'_>) -> Option<Recognized> {
    let Some(text) = stored.as_text() else {
        let bytes = stored.as_bytes();
        let marked = starts_marked(bytes) || wrapper::is_start(bytes);
        return marked.then_some(Recognized::yes("damaged"));
    };
    match Wrapper::of(text) {
        Wrapper::Whole(inner) => recognize_text(&inner),
        Wrapper::Cut => Some(Recognized::yes("damaged")),
        Wrapper::None => recognize_text(text),
    }
}

/// The marker, and the id of the key.
fn recognize_text(text: &str) -> Option<Recognized> {
    let (scheme, body) = scheme_of(text)?;
    let shown = Recognized::yes(scheme);
    let id = id_of(body).filter(|id| scheme == "fernet" && id.len() <= MAX_SHOWN_ID_BYTES);
    Some(match id {
        Some(id) => shown.with_key(id),
        None => shown,
    })
}

/// The id of the key in what follows the marker; no payload has a colon.
fn id_of(body: &str) -> Option<&str> {
    body.rsplit_once(':').map(|(id, _)| id)
}

/// The marker's name and what follows it.
fn scheme_of(text: &str) -> Option<(&'static str, &str)> {
    let rest = text.strip_prefix(MARK)?;
    SCHEMES.into_iter().find_map(|name| {
        let body = rest.strip_prefix(name)?.strip_prefix(':')?;
        Some((name, body))
    })
}

/// Whether this is the text of a wrapper that Sentry made before it encrypted.
fn is_unmarked(text: &str) -> bool {
    scheme_of(text).is_none() && is_json(text.as_bytes())
}

/// Whether a marker stands before these bytes.
fn starts_marked(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(MARK.as_bytes()) else {
        return false;
    };
    let after = |name: &str| rest.strip_prefix(name.as_bytes());
    let mut marked = SCHEMES.into_iter().filter_map(after);
    marked.any(|after| after.starts_with(b":"))
}

/// What is ignored is not checked to be UTF-8.
fn is_json(bytes: &[u8]) -> bool {
    core::str::from_utf8(bytes)
        .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

/// Where id and key were swapped, no message names the id.
fn refuse_key_as_id(id: &str) -> Result<()> {
    if FernetKey::parse(id.trim()).is_err() {
        return Ok(());
    }
    Err(fixed(
        ErrorCode::InvalidArgument,
        "the id of a key of Sentry is itself a key: were the two swapped?",
    ))
}

fn damaged() -> Error {
    malformed("an encrypted field of Sentry is cut, or its token is not in base64 a second time")
}
