//! Mappings as contexts.

use crate::{
    convert::{Bytes, bytes_like, is_listing, items, type_name},
    error::{Failure, Result, invalid_argument, per_item, refuse},
    integer,
};
use pyo3::{
    ffi, intern,
    prelude::*,
    sync::{PyOnceLock, critical_section::with_critical_section},
    types::{
        PyBool, PyByteArray, PyBytes, PyDict, PyInt, PyList, PyMapping, PyMemoryView, PyString,
        PyType,
    },
};
use reseal::{
    Context, Error, ErrorCode, Inspection, MAX_CONTEXT_NAME_CHARS, MAX_CONTEXT_PAIRS,
    MAX_CONTEXT_VALUE_BYTES,
};

/// What fits into a value of a context surely takes no more bits.
const MAX_INTEGER_BITS: usize = MAX_CONTEXT_VALUE_BYTES * 4;

/// A name and a value as Python has them.
type Pair<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// The context that a mapping describes.
pub(crate) fn read(mapping: &Bound<'_, PyAny>) -> Result<Context> {
    extend(Context::new(), mapping)
}

/// A context with the pairs of a mapping added.
pub(crate) fn extend(mut context: Context, mapping: &Bound<'_, PyAny>) -> Result<Context> {
    let Ok(dict) = mapping.cast_exact::<PyDict>() else {
        for (name, value) in pairs_of(mapping)? {
            insert(&mut context, &name, &value)?;
        }
        return Ok(context);
    };
    for (name, value) in insert_plain(&mut context, dict)? {
        insert(&mut context, &name, &value)?;
    }
    Ok(context)
}

/// The context of each item of a batch, or one for all.
pub(crate) enum Contexts {
    One(Context),
    Each(Vec<Result<Context, Error>>),
}

impl Contexts {
    /// One mapping, or a list with one for each of `count` items.
    pub(crate) fn read(argument: &Bound<'_, PyAny>, count: usize) -> Result<Self> {
        if argument.is_exact_instance_of::<PyList>() || is_listing(argument)? {
            Self::each(argument, "context", count, read)
        } else {
            Ok(Self::One(read(argument)?))
        }
    }

    /// As `one` makes them of the items of a list.
    pub(crate) fn each<'py>(
        list: &Bound<'py, PyAny>,
        argument: &str,
        count: usize,
        one: impl Fn(&Bound<'py, PyAny>) -> Result<Context>,
    ) -> Result<Self> {
        let list = items(list, argument)?;
        if list.len() != count {
            return Err(invalid_argument(format!(
                "{argument} has {} items for {count} values: give one for each",
                list.len()
            )));
        }
        let contexts = list.iter().map(|item| per_item(one(item)));
        Ok(Self::Each(contexts.collect::<Result<_>>()?))
    }

    pub(crate) fn get(&self, item: usize) -> Result<&Context, Error> {
        match self {
            Self::One(context) => Ok(context),
            Self::Each(contexts) => match contexts.get(item) {
                Some(context) => context.as_ref().map_err(Clone::clone),
                None => Err(invalid("a value has no context")),
            },
        }
    }
}

/// The context of a value to open, or the error that comes first: that of the value's format.
///
/// Section 5 checks what is stored before the context.
pub(crate) fn format_first<C>(
    context: Result<C, Error>,
    inspect: impl FnOnce() -> Result<Inspection, Error>,
) -> Result<C, Error> {
    context.map_err(|error| inspect().err().unwrap_or(error))
}

/// Adds one pair, whatever the types.
pub(crate) fn insert(
    context: &mut Context,
    name: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> Result<()> {
    let text = name.cast::<PyString>().ok();
    let text = text.filter(|name| is_short(name, MAX_CONTEXT_NAME_CHARS));
    let Some(Ok(name)) = text.map(|name| name.to_str()) else {
        return Err(invalid("a context name is text of 1 to 32 characters: a-z, 0-9 and _").into());
    };
    insert_value(context, name, value).map_err(|failure| match failure {
        Failure::Reseal(error) => error.into(),
        Failure::Python(exception) => {
            let error = invalid(format!("the context value of {name} could not be read"));
            refuse(value.py(), exception, error)
        }
    })
}

/// Adds the pairs whose types are exactly `str`, `int` or `bytes`, and gives the others back: to
/// read those may run code of Python's, which may change the dictionary.
fn insert_plain<'py>(context: &mut Context, dict: &Bound<'py, PyDict>) -> Result<Vec<Pair<'py>>> {
    if dict.len() > MAX_CONTEXT_PAIRS {
        return Err(too_many().into());
    }
    let mut others = Vec::new();
    with_critical_section(dict, || {
        let mut place = 0;
        while let Some((name, value)) = next_pair(dict, &mut place) {
            if !insert_plain_pair(context, &name, &value)? {
                others.push((name, value));
            }
        }
        Ok::<_, Failure>(())
    })?;
    Ok(others)
}

/// The next pair of a dictionary. PyO3's own iterator panics if the dictionary has changed, which
/// the garbage collector may do at any allocation, by a finalizer of the user's.
#[expect(
    unsafe_code,
    reason = "PyDict_Next is the only iteration that cannot fail"
)]
fn next_pair<'py>(dict: &Bound<'py, PyDict>, place: &mut isize) -> Option<Pair<'py>> {
    let (mut name, mut value) = (core::ptr::null_mut(), core::ptr::null_mut());
    // SAFETY: the dictionary is one, and the places are writable. A pair that was found consists of
    // borrowed references, which become owned before anything else happens.
    unsafe {
        let found = ffi::PyDict_Next(dict.as_ptr(), place, &raw mut name, &raw mut value) != 0;
        found.then(|| {
            let py = dict.py();
            let owned = |object| Bound::from_borrowed_ptr(py, object);
            (owned(name), owned(value))
        })
    }
}

fn insert_plain_pair(
    context: &mut Context,
    name: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> Result<bool> {
    let Some(name) = plain_text(name, MAX_CONTEXT_NAME_CHARS) else {
        return Ok(false);
    };
    if let Some(text) = plain_text(value, MAX_CONTEXT_VALUE_BYTES) {
        context.insert(name, text)?;
    } else if value.is_exact_instance_of::<PyInt>() {
        let Ok(integer) = value.extract::<i64>() else {
            return Ok(false);
        };
        context.insert(name, integer)?;
    } else if let Ok(bytes) = value.cast_exact::<PyBytes>() {
        context.insert(name, bytes.as_bytes())?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn plain_text<'a>(value: &'a Bound<'_, PyAny>, max_chars: usize) -> Option<&'a str> {
    let text = value.cast_exact::<PyString>().ok()?;
    if is_short(text, max_chars) {
        text.to_str().ok()
    } else {
        None
    }
}

fn insert_value(context: &mut Context, name: &str, value: &Bound<'_, PyAny>) -> Result<()> {
    let py = value.py();
    if value.is_instance_of::<PyBool>() || value.is_instance(enum_class(py)?)? {
        return Err(wrong_type(name, value));
    }
    if let Ok(text) = value.cast::<PyString>() {
        if !is_short(text, MAX_CONTEXT_VALUE_BYTES) {
            return Err(too_long(name).into());
        }
        let text = text.to_str().map_err(|exception| {
            let error = invalid(format!("the context value of {name} has a lone surrogate"));
            refuse(py, exception, error)
        })?;
        context.insert(name, text)?;
    } else if let Ok(integer) = value.cast::<PyInt>() {
        let digits = integer::to_text(integer, MAX_INTEGER_BITS)?;
        context.insert(name, digits.ok_or_else(|| too_long(name))?)?;
    } else if let Some(bytes) = bytes(name, value)? {
        context.insert(name, &*bytes)?;
    } else if value.is_instance(uuid_class(py)?)? {
        context.insert(name, uuid_text(value)?)?;
    } else {
        return Err(wrong_type(name, value));
    }
    Ok(())
}

/// Bytes, a bytearray or a memoryview; other buffers are too likely to be numbers.
fn bytes<'a>(name: &str, value: &'a Bound<'_, PyAny>) -> Result<Option<Bytes<'a>>> {
    let is_bytes = value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyByteArray>()
        || value.is_instance_of::<PyMemoryView>();
    if !is_bytes {
        return Ok(None);
    }
    bytes_like(value, MAX_CONTEXT_VALUE_BYTES, |_| {
        Err(too_long(name).into())
    })
}

/// Lower-case and hyphenated, from the number, whatever a subclass prints.
pub(crate) fn uuid_text(uuid: &Bound<'_, PyAny>) -> Result<String> {
    let number: u128 = uuid.getattr(intern!(uuid.py(), "int"))?.extract()?;
    let field = |shift: u32, bits: u32| (number >> shift) & ((1_u128 << bits) - 1);
    Ok(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        field(96, 32),
        field(80, 16),
        field(64, 16),
        field(48, 16),
        field(0, 48)
    ))
}

/// At most one pair more than is allowed, of any mapping.
fn pairs_of<'py>(mapping: &Bound<'py, PyAny>) -> Result<Vec<Pair<'py>>> {
    if mapping.cast::<PyMapping>().is_err() {
        let name = type_name(mapping);
        return Err(invalid(format!("a context is a mapping, not {name}: {{}} is empty")).into());
    }
    first_pairs(mapping).map_err(|exception| {
        refuse(
            mapping.py(),
            exception,
            invalid("the context mapping could not be read"),
        )
    })
}

fn first_pairs<'py>(mapping: &Bound<'py, PyAny>) -> PyResult<Vec<Pair<'py>>> {
    let items = mapping
        .call_method0(intern!(mapping.py(), "items"))?
        .try_iter()?;
    items
        .take(MAX_CONTEXT_PAIRS + 1)
        .map(|item| item?.extract())
        .collect()
}

fn enum_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "enum", "Enum")
}

pub(crate) fn uuid_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "uuid", "UUID")
}

fn is_short(text: &Bound<'_, PyString>, max_chars: usize) -> bool {
    text.code_point_len().is_ok_and(|chars| chars <= max_chars)
}

fn wrong_type(name: &str, value: &Bound<'_, PyAny>) -> Failure {
    let type_name = type_name(value);
    let message = format!(
        "the context value of {name} is {type_name}: give text, bytes, an integer or a UUID"
    );
    invalid(message).into()
}

fn too_long(name: &str) -> Error {
    invalid(format!(
        "the context value of {name} has more than {MAX_CONTEXT_VALUE_BYTES} bytes"
    ))
}

fn too_many() -> Error {
    invalid(format!("a context has at most {MAX_CONTEXT_PAIRS} pairs"))
}

fn invalid(message: impl Into<alloc::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::ContextInvalid, message)
}
