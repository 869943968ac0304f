//! Python's values as bytes and text. Nothing of them is copied where Python cannot change it.

use crate::error::{Failure, Result, invalid_argument};
use alloc::borrow::Cow;
use core::ops::Deref;
use pyo3::{
    exceptions::{PyTypeError, PyUnicodeError},
    intern,
    prelude::*,
    types::{
        PyBool, PyByteArray, PyBytes, PyFrozenSet, PyList, PyMapping, PyMemoryView, PySet, PySlice,
        PyString,
    },
};
use reseal::{
    Error, ErrorCode, MAX_PLAINTEXT_BYTES, MAX_TEXT_CHARS, Mode, OVERHEAD_BYTES, TEXT_PREFIX_CHARS,
    Zeroizing, oversized_text_error,
};

/// Bytes of an argument: borrowed from an object that cannot change, or copied and wiped on drop.
pub(crate) enum Bytes<'a> {
    Borrowed(&'a [u8]),
    Copied(Zeroizing<Vec<u8>>),
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Copied(bytes) => bytes,
        }
    }
}

/// The bytes to seal: text as UTF-8, bytes, or a copy of any buffer.
pub(crate) fn plaintext<'a>(value: &'a Bound<'_, PyAny>) -> Result<Bytes<'a>> {
    let bytes = match value.cast::<PyString>() {
        Ok(text) => Some(text_bytes(text)?),
        Err(_) => bytes_like(value, MAX_PLAINTEXT_BYTES, |_| Err(too_large()))?,
    };
    match bytes {
        Some(bytes) if bytes.len() > MAX_PLAINTEXT_BYTES => Err(too_large()),
        Some(bytes) => Ok(bytes),
        None => Err(no_plaintext(value)),
    }
}

/// A stored text. Lone surrogates, which no envelope has, become U+FFFD.
pub(crate) fn stored_text<'a>(value: &'a Bound<'_, PyAny>) -> Result<Cow<'a, str>> {
    let Ok(text) = value.cast::<PyString>() else {
        return Err(not_stored(value, "text", "bytes are read by open_binary"));
    };
    if text.code_point_len()? > MAX_TEXT_CHARS && !is_ascii(text)? {
        // It would have to be encoded to be read on, and Python would keep the copy.
        return Err(oversized_text_error(&first_chars(text, TEXT_PREFIX_CHARS)?, false).into());
    }
    Ok(text.to_string_lossy())
}

/// A stored binary value.
pub(crate) fn stored_binary<'a>(value: &'a Bound<'_, PyAny>) -> Result<Bytes<'a>> {
    const LIMIT: usize = MAX_PLAINTEXT_BYTES + OVERHEAD_BYTES;
    bytes_like(value, LIMIT, |view| {
        Ok(view.get_item(first(view, LIMIT + 1))?)
    })?
    .ok_or_else(|| not_stored(value, "bytes", "text is read by open"))
}

/// Bytes or a copy of any buffer; `None` for an object without one. `shorten` decides what
/// becomes of a buffer with more than `limit` bytes before it is copied.
pub(crate) fn bytes_like<'a, 'py>(
    value: &'a Bound<'py, PyAny>,
    limit: usize,
    shorten: impl FnOnce(&Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>>,
) -> Result<Option<Bytes<'a>>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Some(Bytes::Borrowed(bytes.as_bytes())));
    }
    let (py, Ok(view)) = (value.py(), PyMemoryView::from(value)) else {
        return Ok(None);
    };
    let mut view = view.into_any();
    if !holds_data(&view)? {
        return Ok(None);
    }
    if view.getattr(intern!(py, "nbytes"))?.extract::<usize>()? > limit {
        view = shorten(&view)?;
    }
    Ok(Some(Bytes::Copied(copy_and_wipe(&view)?)))
}

/// A number of NumPy is a buffer too, but hardly meant to be sealed as eight bytes. The bytes of wider
/// numbers depend on the machine, and objects and pointers are addresses in memory.
fn holds_data(view: &Bound<'_, PyAny>) -> Result<bool> {
    let dimensions: usize = view.getattr(intern!(view.py(), "ndim"))?.extract()?;
    let item_bytes: usize = view.getattr(intern!(view.py(), "itemsize"))?.extract()?;
    Ok(dimensions > 0 && item_bytes == 1)
}

/// The mode that a word names. What is wrong with it is raised in the call: PyO3 adds a note to an
/// error that it meets while it reads arguments.
pub(crate) struct ModeArgument(pub(crate) Result<Mode>);

impl ModeArgument {
    pub(crate) const RANDOM: Self = Self(Ok(Mode::Random));
}

impl<'py> FromPyObject<'_, 'py> for ModeArgument {
    type Error = PyErr;

    fn extract(word: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let word = argument_text(&word, "mode");
        Ok(Self(word.and_then(|word| Ok(Mode::parse(&word)?))))
    }
}

/// A mode that a value is brought to; none where it keeps its own.
pub(crate) fn other_mode(mode: Option<ModeArgument>) -> Result<Option<Mode>> {
    mode.map(|mode| mode.0).transpose()
}

/// True or False, as of `ModeArgument`.
pub(crate) struct Flag(pub(crate) Result<bool>);

impl Flag {
    pub(crate) const OFF: Self = Self(Ok(false));
}

impl<'py> FromPyObject<'_, 'py> for Flag {
    type Error = PyErr;

    fn extract(flag: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(flag.extract().map_err(|_: PyErr| {
            let found = type_name(&flag);
            invalid_argument(format!(
                "early, back and emergency are True or False, not {found}"
            ))
        })))
    }
}

/// A word that is an argument. Two with other lone surrogates must not become the same one.
pub(crate) fn argument_text<'a>(
    value: &'a Bound<'_, PyAny>,
    argument: &str,
) -> Result<Cow<'a, str>> {
    match value.cast::<PyString>() {
        Ok(text) => text.to_str().map(Cow::Borrowed).map_err(|_| {
            invalid_argument(format!(
                "{argument} has a lone surrogate, which UTF-8 has no bytes for"
            ))
        }),
        Err(_) => Err(invalid_argument(format!(
            "{argument} is text, not {}",
            type_name(value)
        ))),
    }
}

/// An argument that is a number: True and False would be taken for 1 and 0.
pub(crate) fn not_bool<'a, 'py>(value: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, PyAny>> {
    if value.is_instance_of::<PyBool>() {
        return Err(PyTypeError::new_err(()));
    }
    Ok(value)
}

/// The items of an argument that is a list or another iterable, but no single value.
pub(crate) fn items<'py>(
    values: &Bound<'py, PyAny>,
    argument: &str,
) -> Result<Vec<Bound<'py, PyAny>>> {
    if let Ok(list) = values.cast_exact::<PyList>() {
        return Ok(list.iter().collect());
    }
    if !is_listing(values)? {
        return Err(invalid_argument(format!(
            "{argument} is a list, not {}",
            type_name(values)
        )));
    }
    // What the caller's own iterator raises is the caller's to see.
    Ok(values.try_iter()?.collect::<PyResult<_>>()?)
}

/// Whether an object lists several values in an order; text, bytes and mappings are one value.
pub(crate) fn is_listing(values: &Bound<'_, PyAny>) -> Result<bool> {
    let single = values.is_instance_of::<PyString>()
        || values.is_instance_of::<PyBytes>()
        || values.is_instance_of::<PyByteArray>()
        || values.is_instance_of::<PyMemoryView>()
        || values.is_instance_of::<PySet>()
        || values.is_instance_of::<PyFrozenSet>()
        || values.cast::<PyMapping>().is_ok();
    Ok(!single
        && values
            .get_type()
            .hasattr(intern!(values.py(), "__iter__"))?)
}

/// The name of a value's type, for messages.
pub(crate) fn type_name(value: &Bound<'_, PyAny>) -> String {
    if value.is_none() {
        return "None".into();
    }
    let name = value.get_type().name();
    name.map_or_else(|_| "an object".into(), |name| name.to_string_lossy().into())
}

fn text_bytes<'a>(text: &'a Bound<'_, PyString>) -> Result<Bytes<'a>> {
    if text.code_point_len()? > MAX_PLAINTEXT_BYTES {
        return Err(too_large());
    }
    match text.to_str() {
        Ok(text) => Ok(Bytes::Borrowed(text.as_bytes())),
        Err(error) if error.is_instance_of::<PyUnicodeError>(text.py()) => Err(Error::new(
            ErrorCode::InvalidText,
            "the text has a lone surrogate, which UTF-8 has no bytes for: seal it as bytes",
        )
        .into()),
        Err(error) => Err(error.into()),
    }
}

fn no_plaintext(value: &Bound<'_, PyAny>) -> Failure {
    if value.is_none() {
        invalid_argument("None is not sealed: keep NULL as NULL")
    } else {
        let name = type_name(value);
        invalid_argument(format!(
            "a value is text or bytes, not {name}: convert it first"
        ))
    }
}

fn too_large() -> Failure {
    let message = "a value may have at most 2^24 bytes: store it in pieces";
    Error::new(ErrorCode::TooLarge, message).into()
}

fn not_stored(value: &Bound<'_, PyAny>, expected: &str, hint: &str) -> Failure {
    let name = type_name(value);
    let hint = if value.is_none() {
        "NULL stays None"
    } else {
        hint
    };
    invalid_argument(format!(
        "the stored value is {expected}, not {name}: {hint}"
    ))
}

/// Without the methods of a subclass, which may say anything.
fn is_ascii(text: &Bound<'_, PyString>) -> Result<bool> {
    let class = text.py().get_type::<PyString>();
    Ok(class
        .call_method1(intern!(text.py(), "isascii"), (text,))?
        .extract()?)
}

fn first_chars(text: &Bound<'_, PyString>, chars: usize) -> Result<String> {
    let class = text.py().get_type::<PyString>();
    let slice = first(text, chars);
    let head = class.call_method1(intern!(text.py(), "__getitem__"), (text, slice))?;
    Ok(head
        .cast::<PyString>()
        .map_err(PyErr::from)?
        .to_string_lossy()
        .into())
}

fn first<'py>(any: &Bound<'py, PyAny>, count: usize) -> Bound<'py, PySlice> {
    PySlice::new(any.py(), 0, isize::try_from(count).unwrap_or(isize::MAX), 1)
}

/// The bytes of a view of any shape. The copy that Python makes is wiped as well.
#[expect(
    unsafe_code,
    reason = "a bytearray that no one else knows is overwritten in place"
)]
fn copy_and_wipe(view: &Bound<'_, PyAny>) -> Result<Zeroizing<Vec<u8>>> {
    let copy = PyByteArray::from(view)?;
    let bytes = Zeroizing::new(copy.to_vec());
    // SAFETY: the array was made above, and neither Python nor this function has another reference.
    unsafe { copy.as_bytes_mut() }.fill(0);
    Ok(bytes)
}
