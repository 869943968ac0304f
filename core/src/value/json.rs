//! JSON: as its producer wrote it, or in the canonical form of RFC 8785.

use super::number::decimal;
use crate::json::in_order;
use alloc::{string::String, vec::Vec};
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

/// More doubles than `serde_json` is away from the nearest one: it rounds five times at most.
const STEPS: u64 = 8;
/// An integer of so many digits is a double, and is printed as it is.
const SAFE_DIGITS: usize = 15;
/// As deep as `serde_json` reads by itself.
pub(crate) const MAX_DEPTH: usize = 128;

pub(super) fn is_valid(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The form of RFC 8785; nothing where the document has none, or where it would be another number.
pub(super) fn canonical(text: &str) -> Option<String> {
    if !is_valid(text) {
        return None;
    }
    let mut writer = Writer {
        rest: text,
        to: Zeroizing::new(String::with_capacity(text.len())),
    };
    writer.value(0)?;
    Some(core::mem::take(&mut *writer.to))
}

/// What is left of a document, which is well-formed, and the form of what was read. Every byte is read
/// once, however deep it stands.
struct Writer<'t> {
    rest: &'t str,
    to: Zeroizing<String>,
}

impl<'t> Writer<'t> {
    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => {
                let text = self.text()?;
                self.write_text(&text)
            }
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                // true, false and null.
                let word = self.take_while(u8::is_ascii_lowercase)?;
                self.push(word);
                Some(())
            }
        }
    }

    /// In the order of the UTF-16 units of the names.
    fn object(&mut self, depth: usize) -> Option<()> {
        let start = self.to.len();
        let (mut names, mut ends) = (Vec::new(), Vec::new());
        self.take(1)?;
        while self.peek()? != b'}' {
            if !names.is_empty() {
                self.take(1)?;
                self.peek()?;
            }
            names.push(self.text()?);
            self.peek()?;
            self.take(1)?;
            self.value(depth + 1)?;
            ends.push(self.to.len() - start);
        }
        self.take(1)?;
        let values = Zeroizing::new(self.to.split_off(start));
        let starts = core::iter::once(0).chain(ends.iter().copied());
        let spans: Vec<_> = starts.zip(ends.iter().copied()).collect();
        self.push("{");
        for (place, at) in in_order(names.iter().map(|name| name.as_str()))?
            .into_iter()
            .enumerate()
        {
            if place > 0 {
                self.push(",");
            }
            self.write_text(names.get(at)?)?;
            self.push(":");
            let (from, end) = *spans.get(at)?;
            self.push(values.get(from..end)?);
        }
        self.push("}");
        Some(())
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        self.take(1)?;
        self.push("[");
        let mut is_first = true;
        while self.peek()? != b']' {
            if !is_first {
                self.take(1)?;
                self.push(",");
            }
            is_first = false;
            self.value(depth + 1)?;
        }
        self.take(1)?;
        self.push("]");
        Some(())
    }

    /// As JavaScript prints it, if that is the same number.
    fn number(&mut self) -> Option<()> {
        let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
        let source = self.take_while(is_part)?;
        // Most numbers stay what they are.
        let is_digit = |byte: u8| byte.is_ascii_digit();
        if source.len() <= SAFE_DIGITS && source.bytes().all(is_digit) {
            self.push(source);
        } else {
            let number = double(source)?;
            self.push(ryu_js::Buffer::new().format_finite(number));
        }
        Some(())
    }

    /// The text that begins here; nothing where it has a lone surrogate.
    fn text(&mut self) -> Option<Zeroizing<String>> {
        let mut end = 1;
        loop {
            let bytes = self.rest.as_bytes().get(end..)?;
            let mark = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
            match bytes.get(mark)? {
                b'"' => {
                    let source = self.take(end + mark + 1)?;
                    return serde_json::from_str(source).ok().map(Zeroizing::new);
                }
                _ => end += mark + 2,
            }
        }
    }

    /// The escapes of `serde_json` are those of RFC 8785.
    fn write_text(&mut self, text: &str) -> Option<()> {
        let written = serde_json::to_string(text).ok().map(Zeroizing::new)?;
        self.push(&written);
        Some(())
    }

    /// What grows leaves no copy of what it held.
    fn push(&mut self, text: &str) {
        let bytes = self.to.len() + text.len();
        if bytes > self.to.capacity() {
            let mut larger = Zeroizing::new(String::with_capacity(2 * bytes));
            larger.push_str(&self.to);
            self.to = larger;
        }
        self.to.push_str(text);
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest.bytes().next()
    }

    fn take(&mut self, bytes: usize) -> Option<&'t str> {
        let (taken, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(taken)
    }

    fn take_while(&mut self, is_part: impl Fn(&u8) -> bool) -> Option<&'t str> {
        let bytes = self.rest.as_bytes();
        let end = bytes.iter().position(|byte| !is_part(byte));
        self.take(end.unwrap_or(bytes.len()))
    }
}

/// The double that is printed as this number. It is looked for around what `serde_json` reads in its
/// quick way: the exact way needs tables of ten kilobytes.
pub(crate) fn double(source: &str) -> Option<f64> {
    let wanted = Zeroizing::new(decimal(source)?);
    let negative = source.starts_with('-');
    let near = serde_json::from_str::<f64>(source).map_or(f64::MAX, f64::abs);
    for step in 0..=STEPS {
        for bits in [near.to_bits() + step, near.to_bits().saturating_sub(step)] {
            let number = f64::from_bits(bits);
            if !number.is_finite() {
                continue;
            }
            let number = if negative { -number } else { number };
            let mut buffer = ryu_js::Buffer::new();
            let printed = decimal(buffer.format_finite(number)).map(Zeroizing::new);
            if printed.as_ref() == Some(&wanted) {
                return Some(number);
            }
        }
    }
    None
}
