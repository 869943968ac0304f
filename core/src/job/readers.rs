//! Other applications that read the same columns: what they cannot read is not written.

use super::{Finding, Target, Work};
use crate::error::{Error, ErrorCode, Result};
use alloc::{format, string::String, vec::Vec};

/// That every reader of the targets can read what is to be written. A plan has findings in its place.
pub(super) fn check(work: Work, targets: &[Target]) -> Result<()> {
    if !work.writes() {
        return Ok(());
    }
    let blind: Vec<String> = targets.iter().filter_map(blind).collect();
    if blind.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{}; teach them the format and add its kind to readers, or write another codec",
        blind.join("; ")
    );
    Err(Error::new(ErrorCode::ReaderUnable, message))
}

/// What a plan says of a column, where a reader could not read it.
pub(super) fn finding(target: &Target) -> Option<Finding> {
    Some(Finding {
        code: ErrorCode::ReaderUnable.as_str(),
        message: blind(target)?,
    })
}

/// Who could not read what.
fn blind(target: &Target) -> Option<String> {
    let spec = &target.spec;
    let readers = spec.blind_readers();
    if readers.is_empty() {
        return None;
    }
    Some(format!(
        "{} cannot read {}, which {}.{} writes with the codec {}",
        readers.join(" and "),
        spec.write_kind().as_str(),
        spec.table,
        spec.column,
        spec.write
    ))
}
