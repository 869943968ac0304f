//! The options of a codec: names and values, each with its length before it. A value may be text,
//! bytes or further options, and a name may stand more than once.

use crate::{batch::part, key::text_of};
#[cfg(feature = "codecs")]
use alloc::vec::Vec;

/// Options in the input, where they are wiped after the call.
#[derive(Clone, Copy)]
pub(crate) struct Options<'i>(pub(crate) &'i [u8]);

impl<'i> Options<'i> {
    /// Every value of a name.
    pub(crate) fn all(self, name: &'static str) -> impl Iterator<Item = &'i [u8]> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            loop {
                let (found, after) = part(rest)?;
                let (value, after) = part(after)?;
                rest = after;
                if found == name.as_bytes() {
                    return Some(value);
                }
            }
        })
    }

    /// The value of a name, as text.
    pub(crate) fn text(self, name: &'static str) -> Option<&'i str> {
        self.all(name).next().map(text_of)
    }
}

#[cfg(feature = "codecs")]
impl<'i> Options<'i> {
    /// Every value of a name, as text.
    pub(crate) fn texts(self, name: &'static str) -> Vec<&'i str> {
        self.all(name).map(text_of).collect()
    }

    /// Whether a name is there.
    pub(crate) fn has(self, name: &'static str) -> bool {
        self.all(name).next().is_some()
    }

    /// Every value of a name, as options.
    pub(crate) fn groups(self, name: &'static str) -> Vec<Self> {
        self.all(name).map(Options).collect()
    }
}
