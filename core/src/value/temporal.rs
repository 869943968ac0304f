//! Days, hours and moments.

use alloc::{format, string::String};
use time::{Date, Month, PrimitiveDateTime, Time, UtcOffset};

/// `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Option<String> {
    day(text).map(print_day)
}

/// `HH:MM:SS`, and `.ffffff` without the zeros at its end.
pub(super) fn time(text: &str) -> Option<String> {
    hour(text).map(print_hour)
}

/// A day, `T`, an hour; then `Z` where the value has a zone, since the instant counts and not the
/// place.
pub(super) fn timestamp(text: &str) -> Option<String> {
    let (days, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (hours, zone) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, ""),
    };
    let moment = PrimitiveDateTime::new(day(days)?, hour(hours)?);
    if zone.is_empty() {
        return Some(print(moment));
    }
    let utc = moment
        .assume_offset(offset(zone)?)
        .checked_to_offset(UtcOffset::UTC)?;
    let utc = PrimitiveDateTime::new(utc.date(), utc.time());
    (1..=9999).contains(&utc.year()).then(|| print(utc) + "Z")
}

fn print(moment: PrimitiveDateTime) -> String {
    format!("{}T{}", print_day(moment.date()), print_hour(moment.time()))
}

fn print_day(day: Date) -> String {
    let (year, month, day) = day.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

fn print_hour(hour: Time) -> String {
    let (hours, minutes, seconds, micros) = hour.as_hms_micro();
    let whole = format!("{hours:02}:{minutes:02}:{seconds:02}");
    match micros {
        0 => whole,
        _ => whole + format!(".{micros:06}").trim_end_matches('0'),
    }
}

fn day(text: &str) -> Option<Date> {
    let [year, month, day] = fields(text, '-', [4, 2, 2])?;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let year = i32::try_from(year).ok().filter(|year| *year > 0)?;
    Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
}

fn hour(text: &str) -> Option<Time> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let [hours, minutes, seconds] = match fields(whole, ':', [2, 2, 2]) {
        Some(fields) => fields,
        None if whole == text => {
            let [hours, minutes] = fields(whole, ':', [2, 2])?;
            [hours, minutes, 0]
        }
        None => return None,
    };
    let small = |field| u8::try_from(field).ok();
    Time::from_hms_micro(
        small(hours)?,
        small(minutes)?,
        small(seconds)?,
        micros(fraction)?,
    )
    .ok()
}

/// Up to six digits; what comes after them is zeros, since nothing may be lost.
fn micros(fraction: &str) -> Option<u32> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = fraction.trim_end_matches('0');
    if kept.len() > 6 {
        return None;
    }
    format!("{kept:0<6}").parse().ok()
}

/// `Z`, `+HH`, `+HHMM`, `+HH:MM` or `+HH:MM:SS`.
/// A zone is less than a day away from UTC.
const MAX_OFFSET_HOURS: i8 = 23;

fn offset(zone: &str) -> Option<UtcOffset> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(UtcOffset::UTC);
    }
    let (sign, digits) = zone.split_at_checked(1)?;
    let one = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let parts = match digits.len() {
        2 => [&[digits][..], &[]].concat(),
        4 => digits
            .split_at_checked(2)
            .map(|(hours, minutes)| alloc::vec![hours, minutes])?,
        _ => digits.split(':').collect(),
    };
    let mut hms = [0; 3];
    if parts.len() > 3 {
        return None;
    }
    for (to, part) in hms.iter_mut().zip(parts) {
        *to = i8::try_from(field(part, 2)?).ok()?;
    }
    let [hours, minutes, seconds] = hms;
    if hours > MAX_OFFSET_HOURS {
        return None;
    }
    UtcOffset::from_hms(one * hours, one * minutes, one * seconds).ok()
}

/// Fields of so many digits each.
fn fields<const N: usize>(text: &str, mark: char, digits: [usize; N]) -> Option<[u32; N]> {
    let mut parts = text.split(mark);
    let mut values = [0; N];
    for (to, digits) in values.iter_mut().zip(digits) {
        *to = field(parts.next()?, digits)?;
    }
    parts.next().is_none().then_some(values)
}

fn field(text: &str, digits: usize) -> Option<u32> {
    let exact = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    exact.then(|| text.parse().ok())?
}
