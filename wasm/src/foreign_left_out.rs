//! A build without the formats of other systems.

use crate::{error::bad_call, options::Options};
use alloc::sync::Arc;
use reseal::{
    Result,
    codec::{Codec, CodecKind},
};

/// Refuses: this build knows no such kind, so that none comes here.
pub(crate) fn codec(_: CodecKind, _: Options<'_>) -> Result<Arc<dyn Codec>> {
    Err(bad_call())
}
