//! Python's values as the bytes of a column's type, and back. The core knows the canonical forms.

use crate::{
    context::{uuid_class, uuid_text},
    convert::{Bytes, plaintext, type_name},
    error::{Failure, Result, invalid_argument, refuse},
    integer,
};
use pyo3::{
    exceptions::PyUnicodeError,
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{
        PyBool, PyBytes, PyDate, PyDateTime, PyDict, PyFloat, PyInt, PyList, PyString, PyTime,
        PyTuple, PyType, PyTzInfo,
    },
};
use reseal::{Error, ErrorCode, Mode, ValueType, Zeroizing};

/// Digits of an integer. More take seconds to convert, as their square.
const MAX_DIGITS: usize = 100_000;
/// No integer of so many digits has more bits.
const MAX_BITS: usize = 332_193;
/// Those of the largest power of ten that is a double.
const MAX_ZEROS: usize = 308;
const MAX_SMALL_EXPONENT_DIGITS: usize = 2;
/// The largest exponent of so many.
const MAX_SMALL_EXPONENT: usize = 99;
/// Those of 2^53.
const UNSAFE_DIGITS: usize = 16;
const INFINITE: &str = "this JSON has a number beyond the largest double, which Python would read as infinity: keep it as text";
const OTHER_NUMBER: &str = "this JSON has a number beyond 2^53 that would come back as another one in mode deterministic: keep it as text";
const OTHER_KEY: &str =
    "the value is no JSON: it has a key that is no text, and JSON has text keys only";

/// A value in a spelling of its type. `None` is for the caller: it is no value of any type.
pub(crate) fn spell<'a>(kind: ValueType, value: &'a Bound<'_, PyAny>) -> Result<Bytes<'a>> {
    let text = match kind {
        ValueType::Text | ValueType::Bytes => return text_or_bytes(kind, value),
        ValueType::Integer => match value.cast::<PyInt>() {
            Ok(integer) if !value.is_instance_of::<PyBool>() => {
                let text = integer::to_text(integer, MAX_BITS)?.ok_or_else(too_many_digits)?;
                within_limit(&text)?;
                text
            }
            _ => return Err(wrong_type(kind, "int", value)),
        },
        ValueType::Decimal => decimal(value)?,
        ValueType::Boolean => match value.cast::<PyBool>() {
            Ok(truth) => truth.is_true().to_string(),
            Err(_) => return Err(wrong_type(kind, "bool", value)),
        },
        ValueType::Date | ValueType::Time | ValueType::Timestamp => temporal(kind, value)?,
        ValueType::Uuid if value.is_instance(uuid_class(value.py())?)? => uuid_text(value)?,
        ValueType::Uuid => return Err(wrong_type(kind, "uuid.UUID", value)),
        ValueType::Json => json(value)?,
    };
    Ok(Bytes::Copied(Zeroizing::new(text.into_bytes())))
}

/// A value in a spelling of its type that comes back as the same value.
pub(crate) fn spell_to_seal<'a>(
    kind: ValueType,
    mode: Mode,
    value: &'a Bound<'_, PyAny>,
) -> Result<Bytes<'a>> {
    let spelled = spell(kind, value)?;
    if kind == ValueType::Json && mode == Mode::Deterministic {
        check_numbers(value.py(), &spelled)?;
    }
    Ok(spelled)
}

/// The value of canonical bytes.
pub(crate) fn read<'py>(
    py: Python<'py>,
    kind: ValueType,
    bytes: &[u8],
) -> Result<Bound<'py, PyAny>> {
    if kind == ValueType::Bytes {
        return Ok(PyBytes::new(py, bytes).into_any());
    }
    let text = core::str::from_utf8(bytes).map_err(|_| no_value(kind))?;
    let parts = || numbers(text).ok_or_else(|| no_value(kind));
    Ok(match kind {
        ValueType::Text | ValueType::Bytes => PyString::new(py, text).into_any(),
        ValueType::Integer => {
            within_limit(text)?;
            integer::from_text(py, text)?
        }
        ValueType::Decimal => decimal_class(py)?.call1((text,))?,
        ValueType::Boolean => PyBool::new(py, text == "true").to_owned().into_any(),
        ValueType::Date => {
            let ([year, month, day, ..], _) = parts()?;
            PyDate::new(py, i32::from(year), small(month), small(day))?.into_any()
        }
        ValueType::Time => {
            let ([hour, minute, second, ..], micros) = parts()?;
            PyTime::new(py, small(hour), small(minute), small(second), micros, None)?.into_any()
        }
        ValueType::Timestamp => {
            let ([year, month, day, hour, minute, second], micros) = parts()?;
            let utc = PyTzInfo::utc(py)?;
            let zone = text.ends_with('Z').then_some(&*utc);
            let year = i32::from(year);
            let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(small);
            PyDateTime::new(py, year, month, day, hour, minute, second, micros, zone)?.into_any()
        }
        ValueType::Uuid => uuid_class(py)?.call1((text,))?,
        ValueType::Json => read_json(py, text)?,
    })
}

fn text_or_bytes<'a>(kind: ValueType, value: &'a Bound<'_, PyAny>) -> Result<Bytes<'a>> {
    match (kind, value.is_instance_of::<PyString>()) {
        (ValueType::Text, false) => Err(wrong_type(kind, "str", value)),
        (ValueType::Bytes, true) => Err(wrong_type(kind, "bytes", value)),
        _ => plaintext(value),
    }
}

fn decimal(value: &Bound<'_, PyAny>) -> Result<String> {
    let class = decimal_class(value.py())?;
    if !value.is_instance(class)? {
        return Err(wrong_type(ValueType::Decimal, "decimal.Decimal", value));
    }
    // Whatever a subclass prints.
    Ok(class
        .call_method1(intern!(value.py(), "__str__"), (value,))?
        .extract()?)
}

/// The form of ISO 8601, whatever a subclass prints.
fn temporal(kind: ValueType, value: &Bound<'_, PyAny>) -> Result<String> {
    let py = value.py();
    let is_moment = value.is_instance_of::<PyDateTime>();
    let (class, fits, name) = match kind {
        ValueType::Date => {
            let fits = value.is_instance_of::<PyDate>() && !is_moment;
            (py.get_type::<PyDate>(), fits, "datetime.date")
        }
        ValueType::Time => {
            let fits = value.is_instance_of::<PyTime>();
            (py.get_type::<PyTime>(), fits, "datetime.time")
        }
        _ => (py.get_type::<PyDateTime>(), is_moment, "datetime.datetime"),
    };
    if !fits {
        return Err(wrong_type(kind, name, value));
    }
    if kind == ValueType::Time && !value.getattr(intern!(py, "tzinfo"))?.is_none() {
        return Err(invalid("a time has no time zone here: store it as a timestamp").into());
    }
    if !value.get_type().is(&class) {
        if !value.eq(value)? {
            return Err(invalid("this is no moment at all: store NULL in its place").into());
        }
        if has_nanoseconds(value) {
            return Err(invalid("the nanoseconds of a timestamp would be lost").into());
        }
    }
    let text = class.call_method1(intern!(py, "isoformat"), (value,));
    let unreadable = || invalid("the time zone of this timestamp gives no offset");
    let text = text.map_err(|exception| refuse(py, exception, unreadable()))?;
    Ok(text.extract()?)
}

/// Other libraries derive more exact classes.
fn has_nanoseconds(value: &Bound<'_, PyAny>) -> bool {
    let nanoseconds = value.getattr(intern!(value.py(), "nanosecond"));
    nanoseconds.is_ok_and(|found| found.extract::<u64>().is_ok_and(|count| count > 0))
}

/// Without needless bytes; a lone surrogate stays as the escape that JSON has for it.
fn json(value: &Bound<'_, PyAny>) -> Result<String> {
    let py = value.py();
    let text = dumps(value, false)?;
    // It has an end, since it was written.
    check_keys(value)?;
    match text.to_str() {
        Ok(text) => Ok(text.to_owned()),
        Err(error) if error.is_instance_of::<PyUnicodeError>(py) => {
            Ok(dumps(value, true)?.to_str()?.to_owned())
        }
        Err(error) => Err(error.into()),
    }
}

fn read_json<'py>(py: Python<'py>, text: &str) -> Result<Bound<'py, PyAny>> {
    let value = function(py, &LOADS, "loads")?
        .call1((text,))
        .map_err(|exception| refuse(py, exception, unreadable_json()))?;
    if may_have_infinity(text) && has_infinity(&value) {
        return Err(invalid(INFINITE).into());
    }
    Ok(value)
}

/// RFC 8785 prints doubles, and those below 10^21 as integers, which Python reads to the last digit.
fn check_numbers(py: Python<'_>, json: &[u8]) -> Result<()> {
    let text = core::str::from_utf8(json).map_err(|_| no_value(ValueType::Json))?;
    if !may_be_unsafe(text) {
        return Ok(());
    }
    let Ok(canonical) = ValueType::Json.canonical(json, Mode::Deterministic) else {
        // That is for the core to refuse.
        return Ok(());
    };
    let canonical = Zeroizing::new(canonical.into_owned());
    let canonical = core::str::from_utf8(&canonical).map_err(|_| no_value(ValueType::Json))?;
    let loads = function(py, &LOADS, "loads")?;
    if loads.call1((text,))?.eq(loads.call1((canonical,))?)? {
        return Ok(());
    }
    Err(invalid(OTHER_NUMBER).into())
}

/// Whether a document has digits enough for a number beyond 2^53: sixteen, or an exponent.
fn may_be_unsafe(json: &str) -> bool {
    let mut digits = 0;
    let sixteen = json.bytes().any(|byte| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits >= UNSAFE_DIGITS
    });
    sixteen || json.contains("e+")
}

/// Whether a document has digits enough for a number beyond the largest double: an exponent of three, or
/// more than its 308 zeros together with a smaller exponent.
fn may_have_infinity(json: &str) -> bool {
    let in_mantissa = if json.contains(['e', 'E']) {
        MAX_ZEROS - MAX_SMALL_EXPONENT
    } else {
        MAX_ZEROS
    };
    let (mut digits, mut most) = (0, in_mantissa);
    for byte in json.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'e' | b'E' => (digits, most) = (0, MAX_SMALL_EXPONENT_DIGITS),
            b'+' if digits == 0 => {}
            _ => (digits, most) = (0, in_mantissa),
        }
        if digits > most {
            return true;
        }
    }
    false
}

fn has_infinity(value: &Bound<'_, PyAny>) -> bool {
    let mut waiting = vec![value.clone()];
    while let Some(value) = waiting.pop() {
        if let Ok(number) = value.cast::<PyFloat>() {
            if number.value().is_infinite() {
                return true;
            }
        } else if let Ok(members) = value.cast::<PyDict>() {
            waiting.extend(members.values());
        } else if let Ok(list) = value.cast::<PyList>() {
            waiting.extend(list);
        }
    }
    false
}

fn dumps<'py>(value: &Bound<'py, PyAny>, ascii: bool) -> Result<Bound<'py, PyString>> {
    let py = value.py();
    let options = PyDict::new(py);
    options.set_item(intern!(py, "ensure_ascii"), ascii)?;
    options.set_item(intern!(py, "allow_nan"), false)?;
    options.set_item(intern!(py, "separators"), (",", ":"))?;
    let text = function(py, &DUMPS, "dumps")?
        .call((value,), Some(&options))
        .map_err(|exception| refuse(py, exception, no_json()))?;
    Ok(text.cast_into().map_err(PyErr::from)?)
}

/// Python writes 1 and None as the keys "1" and "null", which may be there as well.
fn check_keys(value: &Bound<'_, PyAny>) -> Result<()> {
    let mut waiting = vec![value.clone()];
    while let Some(value) = waiting.pop() {
        if let Ok(members) = value.cast::<PyDict>() {
            for (key, member) in members {
                if !key.is_instance_of::<PyString>() {
                    return Err(invalid(OTHER_KEY).into());
                }
                push(&mut waiting, member);
            }
        } else if let Ok(list) = value.cast::<PyList>() {
            list.iter().for_each(|item| push(&mut waiting, item));
        } else if let Ok(tuple) = value.cast::<PyTuple>() {
            tuple.iter().for_each(|item| push(&mut waiting, item));
        }
    }
    Ok(())
}

/// What may have keys is looked at.
fn push<'py>(waiting: &mut Vec<Bound<'py, PyAny>>, value: Bound<'py, PyAny>) {
    let may_have_keys = value.is_instance_of::<PyDict>()
        || value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>();
    if may_have_keys {
        waiting.push(value);
    }
}

static DUMPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn function<'py>(
    py: Python<'py>,
    known: &'static PyOnceLock<Py<PyAny>>,
    name: &str,
) -> Result<&'py Bound<'py, PyAny>> {
    Ok(known.import(py, "json", name)?)
}

fn decimal_class(py: Python<'_>) -> Result<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    Ok(CLASS.import(py, "decimal", "Decimal")?)
}

/// The numbers of a canonical date, time or timestamp, and its microseconds.
fn numbers(text: &str) -> Option<([u16; 6], u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut numbers = [0; 6];
    let digits = |part: &&str| !part.is_empty();
    let parts = whole
        .split(|mark: char| !mark.is_ascii_digit())
        .filter(digits);
    for (to, part) in numbers.iter_mut().zip(parts) {
        *to = part.parse().ok()?;
    }
    let micros = format!("{:0<6}", fraction.trim_end_matches('Z'))
        .parse()
        .ok()?;
    Some((numbers, micros))
}

/// Months, days, hours, minutes and seconds fit; Python checks them all the same.
fn small(number: u16) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn wrong_type(kind: ValueType, expected: &str, found: &Bound<'_, PyAny>) -> Failure {
    let (kind, found) = (kind.as_str(), type_name(found));
    invalid_argument(format!(
        "a value of the type {kind} is {expected}, not {found}: convert it first"
    ))
}

fn no_value(kind: ValueType) -> Error {
    Error::new(
        ErrorCode::ValueInvalid,
        format!("the plaintext is no value of the type {}", kind.as_str()),
    )
}

fn within_limit(digits: &str) -> Result<(), Error> {
    if digits.trim_start_matches('-').len() > MAX_DIGITS {
        return Err(too_many_digits());
    }
    Ok(())
}

fn too_many_digits() -> Error {
    invalid("an integer has at most 100,000 digits here")
}

fn no_json() -> Error {
    invalid(
        "the value is no JSON: it has a key that is no text, a type that JSON lacks, NaN or infinity, \
         or itself in it",
    )
}

fn unreadable_json() -> Error {
    invalid("Python does not read this JSON: it is too deep, or has a number of too many digits")
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorCode::ValueInvalid, message)
}
