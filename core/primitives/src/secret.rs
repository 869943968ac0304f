//! Key bytes that are wiped on drop and never printed.

use core::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// 32 secret bytes: a ring key or a derived one.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret32(pub [u8; 32]);

impl fmt::Debug for Secret32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret32(hidden)")
    }
}
