//! The caller's facts, bound to a value as associated data.

use crate::error::{Error, ErrorCode, Result, fixed};
use alloc::{borrow::Cow, format, string::String, vec::Vec};
use core::fmt::{self, Write as _};

/// Pairs in one context.
pub const MAX_CONTEXT_PAIRS: usize = 16;
/// Bytes of one context value.
pub const MAX_CONTEXT_VALUE_BYTES: usize = 4096;
/// Characters of one context name.
pub const MAX_CONTEXT_NAME_CHARS: usize = 32;

const RESERVED_PREFIX: &[u8] = b"rs_";
const COUNT_BYTES: usize = 2;
/// Room for a table, a column and a row without a second allocation.
const USUAL_BYTES: usize = 64;
/// Characters of the longest integer of Rust.
const MAX_INTEGER_CHARS: usize = 40;

/// Facts about a stored value (table, column, row, tenant …) that must be the same when it is
/// opened as when it was sealed. The order of the pairs does not matter.
///
/// # Example
/// ```
/// use reseal::Context;
/// let ctx = Context::new().with("table", "users")?.with("column", "ssn")?.with("row", 42)?;
/// assert_eq!(ctx, Context::new().with("row", "42")?.with("column", "ssn")?.with("table", "users")?);
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Errors
/// `context-invalid` from [`Context::with`]: a name that is not `[a-z][a-z0-9_]{0,31}` or begins
/// with `rs_`, a name given twice, a value above 4096 bytes, a seventeenth pair.
///
/// # Security
/// Use logical, stable names that survive renames. Without `row`, whoever can write to the
/// database can swap two values of a column.
///
/// # Spec
/// Section 4.
#[derive(PartialEq, Eq, Hash)]
pub struct Context {
    /// CTX of section 4: always canonical.
    encoded: Vec<u8>,
}

impl Context {
    /// The empty context.
    #[must_use]
    pub fn new() -> Self {
        let mut encoded = Vec::with_capacity(USUAL_BYTES);
        encoded.resize(COUNT_BYTES, 0);
        Self { encoded }
    }

    /// The reserved context of section 12, which no caller can build.
    pub(crate) fn canary() -> Self {
        let mut context = Self::new();
        for bytes in ["rs_purpose", "canary"] {
            context.encoded.extend_from_slice(&length(bytes.as_bytes()));
            context.encoded.extend_from_slice(bytes.as_bytes());
        }
        context.set_len(1);
        context
    }

    /// This context with one more pair.
    ///
    /// # Errors
    /// `context-invalid`, see [`Context`].
    pub fn with<'v>(mut self, name: &str, value: impl Into<ContextValue<'v>>) -> Result<Self> {
        self.insert(name, value)?;
        Ok(self)
    }

    /// Adds one pair.
    ///
    /// # Errors
    /// `context-invalid`, see [`Context`]; the context is unchanged then.
    pub fn insert<'v>(&mut self, name: &str, value: impl Into<ContextValue<'v>>) -> Result<()> {
        let value = value.into();
        let value = value.as_bytes();
        check_name(name)?;
        if value.len() > MAX_CONTEXT_VALUE_BYTES {
            return Err(invalid(format!(
                "the context value of {name} has more than {MAX_CONTEXT_VALUE_BYTES} bytes"
            )));
        }
        if self.len() >= MAX_CONTEXT_PAIRS {
            return Err(invalid(format!(
                "a context has at most {MAX_CONTEXT_PAIRS} pairs"
            )));
        }
        let at = self.position(name)?;
        let end = self.encoded.len();
        for bytes in [name.as_bytes(), value] {
            self.encoded.extend_from_slice(&length(bytes));
            self.encoded.extend_from_slice(bytes);
        }
        // The pair stands at the end; where a later name is there already, the two change places.
        let pair_bytes = self.encoded.len() - end;
        if let Some(later) = self.encoded.get_mut(at..).filter(|_| at < end) {
            later.rotate_right(pair_bytes);
        }
        self.set_len(self.len() + 1);
        Ok(())
    }

    /// The pairs of both.
    ///
    /// # Example
    /// ```
    /// use reseal::Context;
    /// let column = Context::new().with("table", "users")?.with("column", "ssn")?;
    /// let joined = column.joined(&Context::new().with("row", 42)?)?;
    /// assert_eq!(joined, column.with("row", "42")?);
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// `context-invalid`: a name is in both, or there are more than 16 pairs.
    pub fn joined(&self, other: &Self) -> Result<Self> {
        let mut joined = self.clone();
        for (name, value) in other.fields() {
            let name = core::str::from_utf8(name).unwrap_or_default();
            joined.insert(name, value)?;
        }
        Ok(joined)
    }

    /// As [`Context::joined`], and nothing is copied where there is nothing to add.
    ///
    /// # Errors
    /// As [`Context::joined`].
    pub(crate) fn with_all(&self, other: &Self) -> Result<Cow<'_, Self>> {
        if other.is_empty() {
            return Ok(Cow::Borrowed(self));
        }
        self.joined(other).map(Cow::Owned)
    }

    /// The number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        match self.encoded.first_chunk() {
            Some(count) => usize::from(u16::from_be_bytes(*count)),
            None => 0,
        }
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// CTX, the canonical bytes that an envelope authenticates.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.encoded
    }

    /// The offset at which a new name belongs.
    fn position(&self, name: &str) -> Result<usize> {
        let mut at = COUNT_BYTES;
        for (there, pair_bytes) in self.pairs() {
            match there.cmp(name.as_bytes()) {
                core::cmp::Ordering::Less => at += pair_bytes,
                core::cmp::Ordering::Equal => {
                    return Err(invalid(format!("the context has {name} twice")));
                }
                core::cmp::Ordering::Greater => break,
            }
        }
        Ok(at)
    }

    /// Each name and the encoded bytes that its pair takes.
    fn pairs(&self) -> impl Iterator<Item = (&[u8], usize)> {
        let mut rest = self.encoded.get(COUNT_BYTES..).unwrap_or_default();
        core::iter::from_fn(move || {
            let (name, after) = split_field(rest)?;
            let (_, next) = split_field(after)?;
            let pair_bytes = rest.len() - next.len();
            rest = next;
            Some((name, pair_bytes))
        })
    }

    /// The value of a name.
    #[cfg(feature = "metabase")]
    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.fields().find(|(there, _)| *there == name.as_bytes());
        found.map(|(_, value)| value)
    }

    /// Each name and its value.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = self.encoded.get(COUNT_BYTES..).unwrap_or_default();
        core::iter::from_fn(move || {
            let (name, after) = split_field(rest)?;
            let (value, next) = split_field(after)?;
            rest = next;
            Some((name, value))
        })
    }

    fn set_len(&mut self, len: usize) {
        if let Some(count) = self.encoded.first_chunk_mut() {
            *count = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
        }
    }
}

/// With room for a pair more: the context of a field is cloned to add a row.
impl Clone for Context {
    fn clone(&self) -> Self {
        let mut encoded = Vec::with_capacity(self.encoded.len() + USUAL_BYTES);
        encoded.extend_from_slice(&self.encoded);
        Self { encoded }
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

/// Names only: a value may be a person's name.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.pairs().map(|(name, _)| String::from_utf8_lossy(name));
        f.write_str("Context")?;
        f.debug_set().entries(names).finish()
    }
}

/// A context value as bytes: text as UTF-8, an integer as decimal digits.
///
/// # Spec
/// Section 4.
#[derive(Clone)]
pub struct ContextValue<'v>(Repr<'v>);

#[derive(Clone)]
enum Repr<'v> {
    Bytes(Cow<'v, [u8]>),
    Digits(Digits),
}

/// The characters of an integer, without an allocation.
#[derive(Clone)]
struct Digits {
    chars: [u8; MAX_INTEGER_CHARS],
    len: usize,
}

impl fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len.saturating_add(text.len());
        let room = self.chars.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl ContextValue<'_> {
    fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Bytes(bytes) => bytes,
            Repr::Digits(digits) => digits.chars.get(..digits.len).unwrap_or_default(),
        }
    }
}

impl PartialEq for ContextValue<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for ContextValue<'_> {}

impl fmt::Debug for ContextValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContextValue(hidden)")
    }
}

impl<'v> From<&'v str> for ContextValue<'v> {
    fn from(text: &'v str) -> Self {
        Self(Repr::Bytes(Cow::Borrowed(text.as_bytes())))
    }
}

impl<'v> From<&'v String> for ContextValue<'v> {
    fn from(text: &'v String) -> Self {
        Self(Repr::Bytes(Cow::Borrowed(text.as_bytes())))
    }
}

impl From<String> for ContextValue<'_> {
    fn from(text: String) -> Self {
        Self(Repr::Bytes(Cow::Owned(text.into_bytes())))
    }
}

impl<'v> From<&'v [u8]> for ContextValue<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        Self(Repr::Bytes(Cow::Borrowed(bytes)))
    }
}

impl<'v, const N: usize> From<&'v [u8; N]> for ContextValue<'v> {
    fn from(bytes: &'v [u8; N]) -> Self {
        Self(Repr::Bytes(Cow::Borrowed(bytes)))
    }
}

impl From<Vec<u8>> for ContextValue<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Repr::Bytes(Cow::Owned(bytes)))
    }
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for ContextValue<'_> {
            fn from(integer: $integer) -> Self {
                let mut digits = Digits { chars: [0; MAX_INTEGER_CHARS], len: 0 };
                Self(match write!(digits, "{integer}") {
                    Ok(()) => Repr::Digits(digits),
                    Err(_) => Repr::Bytes(Cow::Owned(format!("{integer}").into_bytes())),
                })
            }
        }
    )*};
}
integers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

/// `[a-z][a-z0-9_]{0,31}`, not beginning with `rs_`; also the rule for names of blind indexes.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let bytes = name.as_bytes();
    let starts = bytes.first().is_some_and(u8::is_ascii_lowercase);
    let allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    if !starts || bytes.len() > MAX_CONTEXT_NAME_CHARS || !bytes.iter().all(allowed) {
        return Err(fixed(
            ErrorCode::ContextInvalid,
            "a context name is 1 to 32 characters of a-z, 0-9 and _, and starts with a letter",
        ));
    }
    if bytes.starts_with(RESERVED_PREFIX) {
        return Err(fixed(
            ErrorCode::ContextInvalid,
            "context names that begin with rs_ are reserved",
        ));
    }
    Ok(())
}

fn invalid(message: String) -> Error {
    Error::new(ErrorCode::ContextInvalid, message)
}

/// `u16(len)`; every field is at most 4096 bytes long.
fn length(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes()
}

fn split_field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
