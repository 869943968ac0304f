//! Moments: Python's dates and numbers of seconds as those of the core.

use crate::{
    convert::type_name,
    error::{Failure, Result, invalid_argument},
};
use core::time::Duration;
use pyo3::{
    intern,
    prelude::*,
    types::{PyBool, PyDateTime, PyInt},
};
use reseal::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The moment that an argument gives: a date with a time zone, or seconds since 1970; the clock of
/// this machine for None.
pub(crate) fn moment(now: Option<&Bound<'_, PyAny>>) -> Result<Timestamp> {
    let since = match now {
        None => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|_| invalid_argument("the clock of this machine is before 1970"))?,
        Some(now) => since_1970(now)?,
    };
    Ok(Timestamp::from_unix(since.as_secs())?)
}

fn since_1970(now: &Bound<'_, PyAny>) -> Result<Duration> {
    let py = now.py();
    let seconds: Option<f64> = if now.is_instance_of::<PyDateTime>() {
        if now.call_method0(intern!(py, "utcoffset"))?.is_none() {
            return Err(wrong("a datetime without a time zone"));
        }
        now.call_method0(intern!(py, "timestamp"))?.extract().ok()
    } else if now.is_instance_of::<PyBool>() {
        None
    } else {
        now.extract().ok()
    };
    let seconds = match seconds {
        Some(seconds) => seconds,
        None if now.is_exact_instance_of::<PyInt>() => f64::INFINITY,
        None => return Err(wrong(&type_name(now))),
    };
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| wrong("a time before 1970 or after the year 9999"))
}

fn wrong(found: &str) -> Failure {
    invalid_argument(format!(
        "now is a datetime with a time zone, or seconds since 1970, not {found}"
    ))
}
