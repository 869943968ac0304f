//! Values that nothing authenticates, where more than one codec of a column opens them.

use super::{Column, Found, NamedCodec};
use crate::{
    codec::{CodecKind, Opened, Stored, Trust},
    context::Context,
    error::{Result, auth_failed},
};

impl Column {
    /// The plaintext that most speaks for, of the codec that opened a value and of those after it. A wrong
    /// key gives one now and then where a format does not authenticate, so that all of them are asked.
    ///
    /// # Errors
    /// `auth-failed` where as much speaks for another plaintext.
    pub(super) fn settled<'c>(
        stored: Stored<'_>,
        first: (&'c NamedCodec, Opened),
        others: &[Found<'c>],
        context: &Context,
    ) -> Result<(&'c NamedCodec, Opened)> {
        let mut best = first;
        if rank(&best.1) > UNSURE {
            return Ok(best);
        }
        let mut disputed = false;
        for (named, _) in others {
            if named.codec.kind() == CodecKind::Plain {
                continue;
            }
            let Ok(opened) = named.codec.open(stored, context) else {
                continue;
            };
            let (there, here) = (rank(&best.1), rank(&opened));
            if here > there {
                (best, disputed) = ((*named, opened), false);
            } else if here == there && *opened.plaintext != *best.1.plaintext {
                disputed = true;
            }
        }
        if disputed {
            return Err(auth_failed());
        }
        Ok(best)
    }
}

/// Up to here another key may have given the plaintext.
const UNSURE: u8 = 2;

/// How much speaks for a plaintext.
fn rank(opened: &Opened) -> u8 {
    match opened.trust {
        Trust::Unchecked => u8::from(core::str::from_utf8(&opened.plaintext).is_ok()),
        Trust::Checked => UNSURE,
        Trust::Plain | Trust::Authenticated => UNSURE + 1,
    }
}
