//! Moments, as a keyset writes them. There is no clock here: the caller says what time it is.

use crate::error::{ErrorCode, Result, fixed};
use core::fmt;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// The last moment that four digits of a year can name.
const LAST: i64 = 253_402_300_799;

/// A moment in UTC, in whole seconds.
///
/// # Example
/// ```
/// use reseal::Timestamp;
/// assert_eq!(Timestamp::from_unix(1_795_132_800)?.to_string(), "2026-11-20T00:00:00Z");
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Spec
/// Section 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment so many seconds after the beginning of 1970.
    ///
    /// # Errors
    /// `invalid-argument` after the year 9999.
    pub fn from_unix(seconds: u64) -> Result<Self> {
        match i64::try_from(seconds) {
            Ok(seconds) if seconds <= LAST => Ok(Self(seconds)),
            _ => Err(fixed(
                ErrorCode::InvalidArgument,
                "a time is given in seconds since 1970, and lies before the year 10000: were they milliseconds?",
            )),
        }
    }

    /// Seconds since the beginning of 1970; negative before it.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// The moment that a text of the right shape names, if there is such a day and hour.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<u16>().ok();
        let small = |from: usize| u8::try_from(number(from, from + 2)?).ok();
        let month = Month::try_from(small(5)?).ok()?;
        let day = Date::from_calendar_date(number(0, 4)?.into(), month, small(8)?).ok()?;
        let hour = Time::from_hms(small(11)?, small(14)?, small(17)?).ok()?;
        let moment = PrimitiveDateTime::new(day, hour).assume_utc();
        Some(Self(moment.unix_timestamp()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = OffsetDateTime::from_unix_timestamp(self.0).map_err(|_| fmt::Error)?;
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second) = at.to_hms();
        let month = u8::from(month);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}
