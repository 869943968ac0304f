//! Contexts: from the pairs that JavaScript wrote, in any order, to the core's canonical form.

use reseal::{Context, Result};

/// Reads pairs: one byte for the length of the name, two for that of the value, name, value.
pub(crate) fn read(mut pairs: &[u8]) -> Result<Context> {
    let mut context = Context::new();
    while let Some(([name, low, high], rest)) = pairs.split_first_chunk() {
        let value = usize::from(u16::from_le_bytes([*low, *high]));
        let (name, rest) = rest
            .split_at_checked(usize::from(*name))
            .unwrap_or_default();
        let (value, rest) = rest.split_at_checked(value).unwrap_or_default();
        // A name that is not ASCII becomes the empty name, which is refused just the same.
        context.insert(core::str::from_utf8(name).unwrap_or_default(), value)?;
        pairs = rest;
    }
    Ok(context)
}
