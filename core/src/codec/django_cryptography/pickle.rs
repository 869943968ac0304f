//! A safe part of Python's pickles: values without code. Protocols 2 to 5 are read, and 4 is written,
//! as Python itself writes single values.
//!
//! Format: <https://github.com/python/cpython/blob/main/Lib/pickletools.py>.

use crate::{
    codec::malformed,
    envelope::MAX_PLAINTEXT_BYTES,
    error::{Error, ErrorCode, Result, fixed},
};
use alloc::{string::String, vec::Vec};
use zeroize::Zeroizing;

const PROTO: u8 = 0x80;
const STOP: u8 = b'.';
const PROTOCOLS: core::ops::RangeInclusive<u8> = 2..=5;
const WRITTEN_PROTOCOL: u8 = 4;
const FRAME: u8 = 0x95;
/// What a frame has in Python: shorter ones have none, and longer ones are several.
const FRAME_BYTES: core::ops::RangeInclusive<usize> = 4..=1 << 16;
/// Lists in lists, as many as `serde_json` reads.
const MAX_DEPTH: u8 = 127;
/// Values in a pickle, and places in its memory.
const MAX_VALUES: usize = 1 << 20;

/// What a pickle holds. Texts and bytes are wiped on drop.
#[derive(Clone)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Zeroizing<String>),
    Bytes(Zeroizing<Vec<u8>>),
    List(Vec<Self>, u8),
    /// In the order of the pickle.
    Dict(Vec<(Zeroizing<String>, Self)>, u8),
}

/// Whether it begins and ends as a pickle does.
pub(super) fn is_one(pickle: &[u8]) -> bool {
    matches!(pickle, [PROTO, protocol, .., STOP] if PROTOCOLS.contains(protocol))
}

/// The value of a pickle.
///
/// # Errors
/// `format-unsupported` for whatever else a pickle may do, `malformed`, `too-large`.
pub(super) fn read(pickle: &[u8]) -> Result<Value> {
    let mut machine = Machine {
        rest: pickle,
        stack: Vec::new(),
        marks: Vec::new(),
        memory: Vec::new(),
        values: 0,
        bytes: 0,
        remembered_bytes: 0,
    };
    while machine.step()? {}
    match (machine.stack.pop(), machine.stack.is_empty(), machine.rest) {
        (Some(value), true, []) if machine.marks.is_empty() => Ok(value),
        _ => Err(damaged()),
    }
}

struct Machine<'p> {
    rest: &'p [u8],
    stack: Vec<Value>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    /// Text and bytes that may come again; what else Python remembers is nothing here.
    memory: Vec<Option<Value>>,
    values: usize,
    bytes: usize,
    remembered_bytes: usize,
}

impl Machine<'_> {
    /// One instruction; whether there are more.
    fn step(&mut self) -> Result<bool> {
        let [code] = self.take()?;
        match code {
            STOP => return Ok(false),
            PROTO => {
                let [protocol] = self.take()?;
                if !PROTOCOLS.contains(&protocol) {
                    return Err(unsupported());
                }
            }
            FRAME => {
                self.take::<8>()?;
            }
            b'N' => self.push(Value::None)?,
            0x88 => self.push(Value::Bool(true))?,
            0x89 => self.push(Value::Bool(false))?,
            b'K' | b'M' | b'J' | 0x8a => {
                let number = self.integer(code)?;
                self.push(Value::Int(number))?;
            }
            b'G' => {
                let bytes = self.take()?;
                self.push(Value::Float(f64::from_be_bytes(bytes)))?;
            }
            0x8c | b'X' | 0x8d => {
                let bytes = self.counted(code)?;
                let text = String::from_utf8(bytes.to_vec()).map_err(|_| unsupported())?;
                self.push(Value::Str(Zeroizing::new(text)))?;
            }
            b'C' | b'B' | 0x8e => {
                let bytes = Zeroizing::new(self.counted(code)?.to_vec());
                self.push(Value::Bytes(bytes))?;
            }
            b']' => self.push(Value::List(Vec::new(), 1))?,
            b'}' => self.push(Value::Dict(Vec::new(), 1))?,
            b'(' => {
                if self.marks.len() >= MAX_VALUES {
                    return Err(too_large());
                }
                self.marks.push(self.stack.len());
            }
            b'a' | b's' | b'e' | b'u' => self.fill(code)?,
            b'q' | b'r' | 0x94 => self.remember(code)?,
            b'h' | b'j' => self.recall(code)?,
            _ => return Err(unsupported()),
        }
        Ok(true)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(damaged)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn push(&mut self, value: Value) -> Result<()> {
        self.values += 1;
        self.bytes += value.bytes();
        if self.values > MAX_VALUES || self.bytes > MAX_PLAINTEXT_BYTES {
            return Err(too_large());
        }
        self.stack.push(value);
        Ok(())
    }

    fn integer(&mut self, code: u8) -> Result<i64> {
        Ok(match code {
            b'K' => i64::from(u8::from_le_bytes(self.take()?)),
            b'M' => i64::from(u16::from_le_bytes(self.take()?)),
            b'J' => i64::from(i32::from_le_bytes(self.take()?)),
            _ => {
                let digits = self.counted(b'C')?;
                let filler = if digits.last().is_some_and(|byte| byte & 0x80 != 0) {
                    u8::MAX
                } else {
                    0
                };
                let mut number = [filler; 8];
                // Larger numbers than those of a database are none of its values.
                let low = number.get_mut(..digits.len()).ok_or_else(unsupported)?;
                low.copy_from_slice(digits);
                i64::from_le_bytes(number)
            }
        })
    }

    /// Bytes after their number, in one, four or eight bytes.
    fn counted(&mut self, code: u8) -> Result<&[u8]> {
        let count = match code {
            0x8c | b'C' => u64::from(u8::from_le_bytes(self.take()?)),
            b'X' | b'B' => u64::from(u32::from_le_bytes(self.take()?)),
            _ => u64::from_le_bytes(self.take()?),
        };
        let count = usize::try_from(count).map_err(|_| damaged())?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Puts one item, or all after the mark, into the list or mapping below.
    fn fill(&mut self, code: u8) -> Result<()> {
        let start = match code {
            b'a' => self.stack.len().checked_sub(1),
            b's' => self.stack.len().checked_sub(2),
            _ => self.marks.pop(),
        };
        let start = start.filter(|start| *start <= self.stack.len());
        let items = self.stack.split_off(start.ok_or_else(damaged)?);
        let floor = self.marks.last().copied().unwrap_or_default();
        let height = self.stack.len();
        let target = self.stack.last_mut().filter(|_| height > floor);
        let deepest = items.iter().map(Value::depth).max().unwrap_or_default();
        if deepest >= MAX_DEPTH {
            return Err(too_large());
        }
        match (code, target) {
            (b'a' | b'e', Some(Value::List(list, depth))) => {
                *depth = (*depth).max(deepest + 1);
                list.extend(items);
            }
            (b's' | b'u', Some(Value::Dict(pairs, depth))) => {
                *depth = (*depth).max(deepest + 1);
                let mut items = items.into_iter();
                while let Some(name) = items.next() {
                    match (name, items.next()) {
                        (Value::Str(name), Some(value)) => pairs.push((name, value)),
                        (_, Some(_)) => return Err(unsupported()),
                        (_, None) => return Err(damaged()),
                    }
                }
            }
            _ => return Err(damaged()),
        }
        Ok(())
    }

    /// Places are taken in their order, as Python takes them.
    fn remember(&mut self, code: u8) -> Result<()> {
        let next = self.memory.len();
        let place = match code {
            b'q' => usize::from(u8::from_le_bytes(self.take()?)),
            b'r' => self.place()?,
            _ => next,
        };
        if place != next {
            return Err(unsupported());
        }
        if next >= MAX_VALUES {
            return Err(too_large());
        }
        let value = match self.stack.last().ok_or_else(damaged)? {
            value @ (Value::Str(_) | Value::Bytes(_)) => Some(value),
            _ => None,
        };
        // Python remembers each text once; here each time is a copy.
        self.remembered_bytes += value.map_or(0, Value::bytes);
        if self.remembered_bytes > MAX_PLAINTEXT_BYTES {
            return Err(too_large());
        }
        self.memory.push(value.cloned());
        Ok(())
    }

    /// The same list in two places would be two lists here, and one inside itself has no end.
    fn recall(&mut self, code: u8) -> Result<()> {
        let place = match code {
            b'h' => usize::from(u8::from_le_bytes(self.take()?)),
            _ => self.place()?,
        };
        let value = self.memory.get(place).ok_or_else(damaged)?;
        let value = value.clone().ok_or_else(unsupported)?;
        self.push(value)
    }

    fn place(&mut self) -> Result<usize> {
        usize::try_from(u32::from_le_bytes(self.take()?)).map_err(|_| damaged())
    }
}

impl Value {
    fn bytes(&self) -> usize {
        match self {
            Self::Str(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            _ => 0,
        }
    }

    const fn depth(&self) -> u8 {
        match self {
            Self::List(_, depth) | Self::Dict(_, depth) => *depth,
            _ => 0,
        }
    }
}

/// A pickle of a value.
pub(super) fn write(value: &Value) -> Zeroizing<Vec<u8>> {
    let mut body = Zeroizing::new(Vec::with_capacity(size(value) + 1));
    put(&mut body, value);
    body.push(STOP);
    let mut pickle = Zeroizing::new(Vec::with_capacity(body.len() + 11));
    pickle.extend_from_slice(&[PROTO, WRITTEN_PROTOCOL]);
    if FRAME_BYTES.contains(&body.len()) {
        pickle.push(FRAME);
        let length = u64::try_from(body.len()).unwrap_or_default();
        pickle.extend_from_slice(&length.to_le_bytes());
    }
    pickle.extend_from_slice(&body);
    pickle
}

/// At least the bytes of [`put`], so that no part of a value is left behind where a vector grew.
fn size(value: &Value) -> usize {
    10 + match value {
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list, _) => list.iter().map(size).sum(),
        Value::Dict(pairs, _) => {
            let sizes = pairs.iter();
            sizes
                .map(|(name, value)| 10 + name.len() + size(value))
                .sum()
        }
        _ => 0,
    }
}

fn put(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::None => out.push(b'N'),
        Value::Bool(is) => out.push(if *is { 0x88 } else { 0x89 }),
        Value::Int(number) => put_integer(out, *number),
        Value::Float(number) => {
            out.push(b'G');
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Str(text) => put_counted(out, [0x8c, b'X'], text.as_bytes()),
        Value::Bytes(bytes) => put_counted(out, [b'C', b'B'], bytes),
        Value::List(list, _) => {
            out.extend_from_slice(&[b']', MEMOIZE]);
            around(out, list, [b'a', b'e'], put);
        }
        Value::Dict(pairs, _) => {
            out.extend_from_slice(&[b'}', MEMOIZE]);
            around(out, pairs, [b's', b'u'], |out, (name, value)| {
                put_counted(out, [0x8c, b'X'], name.as_bytes());
                put(out, value);
            });
        }
    }
}

const MEMOIZE: u8 = 0x94;

/// One item alone, several after a mark.
fn around<T>(out: &mut Vec<u8>, items: &[T], ends: [u8; 2], put: impl Fn(&mut Vec<u8>, &T)) {
    if items.len() > 1 {
        out.push(b'(');
    }
    for item in items {
        put(out, item);
    }
    match items.len() {
        0 => {}
        1 => out.push(ends[0]),
        _ => out.push(ends[1]),
    }
}

fn put_integer(out: &mut Vec<u8>, number: i64) {
    if let Ok(number) = u8::try_from(number) {
        out.extend_from_slice(&[b'K', number]);
    } else if let Ok(number) = u16::try_from(number) {
        out.push(b'M');
        out.extend_from_slice(&number.to_le_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        out.push(b'J');
        out.extend_from_slice(&number.to_le_bytes());
    } else {
        let bytes = number.to_le_bytes();
        // As few bytes as keep the sign.
        let fits = |count: &usize| {
            let shift = 64 - 8 * u32::try_from(*count).unwrap_or(8);
            (number << shift) >> shift == number
        };
        let count = (1..8).find(fits).unwrap_or(8);
        out.extend_from_slice(&[0x8a, u8::try_from(count).unwrap_or(8)]);
        out.extend(bytes.iter().take(count));
    }
}

fn put_counted(out: &mut Vec<u8>, codes: [u8; 2], bytes: &[u8]) {
    let [short, long] = codes;
    if let Ok(count) = u8::try_from(bytes.len()) {
        out.extend_from_slice(&[short, count]);
    } else {
        // No plaintext has 2^32 bytes.
        let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        out.push(long);
        out.extend_from_slice(&count.to_le_bytes());
    }
    out.extend_from_slice(bytes);
    out.push(MEMOIZE);
}

fn damaged() -> Error {
    malformed("the pickle in this value of django-cryptography is cut or damaged")
}

fn unsupported() -> Error {
    fixed(
        ErrorCode::FormatUnsupported,
        "the pickle in this value holds more than text, numbers, booleans, bytes, lists and mappings \
         of text: what is built by code of Python, such as a date or a decimal number, is not read. \
         Let the application write it as text first",
    )
}

fn too_large() -> Error {
    fixed(
        ErrorCode::TooLarge,
        "the pickle in this value has more than 2^24 bytes or 2^20 values, or more than 127 \
         lists in one another",
    )
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use alloc::{format, vec::Vec};

    const DOCUMENT: &str = r#"{"a":[1,-1,300,70000,-70000,null,true,1.5],"b":{"c":["x",[],{}]}}"#;

    fn pickle() -> Vec<u8> {
        let value = super::super::field::value_of(DOCUMENT, 0).unwrap();
        write(&value).to_vec()
    }

    /// A pickle from anywhere is refused or read: it never panics, and never fills the memory.
    #[test]
    fn a_pickle_that_is_changed_or_cut_ends() {
        let good = pickle();
        assert!(read(&good).is_ok());
        let (mut opened, mut refused) = (0, 0);
        let mut count = |pickle: &[u8]| match read(pickle) {
            Ok(_) => opened += 1,
            Err(_) => refused += 1,
        };
        for at in 0..good.len() {
            count(&good[..at]);
            for byte in 0..=u8::MAX {
                let mut changed = good.clone();
                changed[at] = byte;
                count(&changed);
            }
        }
        assert_eq!(opened + refused, 257 * good.len());
        assert!(opened > good.len() && refused > 100 * good.len());
    }

    #[test]
    fn what_repeats_itself_has_an_end() {
        // A text of 60,000 bytes, remembered and called up again and again.
        let mut pickle = Vec::from([0x80, 4, b']', 0x94, b'(', b'X']);
        pickle.extend_from_slice(&60_000_u32.to_le_bytes());
        pickle.extend_from_slice(&alloc::vec![b'x'; 60_000]);
        pickle.push(0x94);
        let with = |times: usize, end: &[u8]| {
            let calls = [b'h', 1].repeat(times);
            [&pickle[..], &calls, end].concat()
        };
        assert!(read(&with(200, b"e.")).is_ok());
        let remembered = |times: usize| {
            let again = alloc::vec![0x94; times];
            [&pickle[..], &again, b"e."].concat()
        };
        assert!(read(&remembered(200)).is_ok());
        for (bad, code) in [
            (with(400, b"e."), "too-large"),
            (remembered(400), "too-large"),
            (
                [&[0x80, 4, b']'][..], &alloc::vec![b'N'; 1 << 20], b"."].concat(),
                "too-large",
            ),
            (
                [&[0x80, 4][..], &alloc::vec![b'('; 1 << 21], b"."].concat(),
                "too-large",
            ),
            (
                [&[0x80, 4, b'N'][..], &alloc::vec![0x94; 1 << 21], b"."].concat(),
                "too-large",
            ),
            (with(0, b"e"), "malformed"),
            (with(0, b"."), "malformed"),
            (
                Vec::from([0x80, 4, b'X', 255, 255, 255, 255, b'x', b'.']),
                "malformed",
            ),
            (
                Vec::from([0x80, 4, 0x8d, 255, 255, 255, 255, 255, 255, 255, 255, b'.']),
                "malformed",
            ),
            (
                Vec::from([0x80, 4, b'K', 1, b'K', 2, b'a', b'.']),
                "malformed",
            ),
            (Vec::from([0x80, 4, b']', b'(', b'a', b'.']), "malformed"),
            (
                Vec::from([0x80, 4, b'}', b'K', 1, b'K', 2, b's', b'.']),
                "format-unsupported",
            ),
            (Vec::from([0x80, 6, b'N', b'.']), "format-unsupported"),
            (
                Vec::from([0x80, 4, 0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1, b'.']),
                "format-unsupported",
            ),
        ] {
            let code_of = read(&bad).err().unwrap().code().as_str();
            assert_eq!(code_of, code, "{:?}", &bad[..bad.len().min(20)]);
        }
        // Whatever names code, or makes anything of it.
        for op in b"cRbio0123gtd\x81\x82\x92\x93\x98)\x85\x86\x87P" {
            let error = read(&[0x80, 4, b'N', *op, b'.']).err().unwrap();
            assert_eq!(error.code().as_str(), "format-unsupported", "{op:#x}");
        }
        assert!(!format!("{}", read(b"\x80\x04c").err().unwrap()).is_empty());
    }
}
