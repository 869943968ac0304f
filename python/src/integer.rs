//! Integers of any size as decimal digits, and back.
//!
//! By way of hexadecimal digits, since Python limits the decimal ones that it reads and prints, by
//! a setting of the interpreter; and by no method of a subclass.

use crate::error::Result;
use core::fmt::Write as _;
use pyo3::{
    intern,
    prelude::*,
    types::{PyInt, PyString},
};

/// A group of decimal digits.
const GROUP: u64 = 1_000_000_000;
const GROUP_DIGITS: usize = 9;
/// Hexadecimal digits that are taken at once.
const STEP_DIGITS: usize = 7;

/// The digits of an integer; `None` for one of more bits than allowed.
pub(crate) fn to_text(integer: &Bound<'_, PyInt>, max_bits: usize) -> Result<Option<String>> {
    if let Ok(small) = integer.extract::<i64>() {
        return Ok(Some(small.to_string()));
    }
    let (py, class) = (integer.py(), integer.py().get_type::<PyInt>());
    let bits = class.call_method1(intern!(py, "bit_length"), (integer,))?;
    if bits.extract::<usize>()? > max_bits {
        return Ok(None);
    }
    let hex = class.call_method1(intern!(py, "__format__"), (integer, intern!(py, "x")))?;
    let hex = hex.cast::<PyString>().map_err(PyErr::from)?.to_str()?;
    Ok(Some(match hex.strip_prefix('-') {
        Some(digits) => format!("-{}", hex_to_decimal(digits)),
        None => hex_to_decimal(hex),
    }))
}

/// The integer of decimal digits, with a sign before a negative one.
pub(crate) fn from_text<'py>(py: Python<'py>, text: &str) -> Result<Bound<'py, PyAny>> {
    if let Ok(small) = text.parse::<i64>() {
        return Ok(small.into_pyobject(py).map_err(PyErr::from)?.into_any());
    }
    let hex = match text.strip_prefix('-') {
        Some(digits) => format!("-{}", decimal_to_hex(digits)),
        None => decimal_to_hex(text),
    };
    Ok(py.get_type::<PyInt>().call1((hex, 16))?)
}

fn hex_to_decimal(hex: &str) -> String {
    // Groups of decimal digits, the least first.
    let mut groups = vec![0_u64];
    for (factor, mut carry) in pieces(hex, STEP_DIGITS, 16) {
        for group in &mut groups {
            carry += *group * factor;
            *group = carry % GROUP;
            carry /= GROUP;
        }
        if carry > 0 {
            groups.push(carry);
        }
    }
    let mut groups = groups.iter().rev();
    let first = groups.next().map(ToString::to_string).unwrap_or_default();
    groups.fold(first, |text, group| format!("{text}{group:09}"))
}

fn decimal_to_hex(decimal: &str) -> String {
    let mut words = vec![0_u64];
    for (factor, mut carry) in pieces(decimal, GROUP_DIGITS, 10) {
        for word in &mut words {
            carry += *word * factor;
            *word = carry & u64::from(u32::MAX);
            carry >>= 32;
        }
        if carry > 0 {
            words.push(carry);
        }
    }
    let mut text = String::with_capacity(words.len() * 8);
    for word in words.iter().rev() {
        // Text is always written.
        let _ = write!(text, "{word:08x}");
    }
    text
}

/// The digits by so many at once: each piece, and the power of the radix that goes before it.
fn pieces(digits: &str, at_once: usize, radix: u32) -> impl Iterator<Item = (u64, u64)> {
    digits.as_bytes().chunks(at_once).map(move |piece| {
        let radix = u64::from(radix);
        piece.iter().fold((1, 0), |(factor, value), digit| {
            let digit = char::from(*digit).to_digit(16).unwrap_or_default();
            (factor * radix, value * radix + u64::from(digit))
        })
    })
}
