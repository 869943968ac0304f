//! Integers and decimal numbers of any size.

use alloc::{borrow::ToOwned, format, string::String};

/// Beyond it an exponent writes more zeros than anybody means.
const MAX_EXPONENT: u32 = 10_000;

/// `-` before a negative one, no zeros before the first digit, and no `-0`.
pub(super) fn integer(text: &str) -> Option<String> {
    let (negative, digits) = sign(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(signed(negative, digits, ""))
}

/// As [`integer`], and a point with digits after it, the last of them no zero.
pub(crate) fn decimal(text: &str) -> Option<String> {
    let (negative, rest) = sign(text);
    let (digits, exponent) = match rest.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, power(exponent)?),
        None => (rest, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let is_zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    if is_zero(whole) && is_zero(fraction) {
        // However many zeros its exponent would write.
        return Some("0".to_owned());
    }
    let (whole, fraction) = shift(whole, fraction, exponent)?;
    Some(signed(negative, &whole, &fraction))
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn power(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent: i32 = text.parse().ok()?;
    (exponent.unsigned_abs() <= MAX_EXPONENT).then_some(exponent)
}

/// The digits before and after the point, once it is moved.
fn shift(whole: &str, fraction: &str, exponent: i32) -> Option<(String, String)> {
    let places = usize::try_from(exponent.unsigned_abs()).ok()?;
    if exponent >= 0 {
        let zeros = "0".repeat(places.saturating_sub(fraction.len()));
        let moved = format!("{fraction}{zeros}");
        let (before, after) = moved.split_at_checked(places)?;
        return Some((format!("{whole}{before}"), after.to_owned()));
    }
    let zeros = "0".repeat(places.saturating_sub(whole.len()));
    let moved = format!("{zeros}{whole}");
    let (before, after) = moved.split_at_checked(moved.len() - places)?;
    Some((before.to_owned(), format!("{after}{fraction}")))
}

fn signed(negative: bool, whole: &str, fraction: &str) -> String {
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let fraction = fraction.trim_end_matches('0');
    let minus = if negative && !(whole == "0" && fraction.is_empty()) {
        "-"
    } else {
        ""
    };
    match fraction {
        "" => format!("{minus}{whole}"),
        _ => format!("{minus}{whole}.{fraction}"),
    }
}
