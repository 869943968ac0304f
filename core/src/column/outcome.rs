//! What comes of a stored value.

use crate::{
    codec::{Certainty, CodecKind, StoredValue, Trust},
    error::Error,
};
use alloc::{string::String, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

/// Which codec a value is in, and under which key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The name of the codec in the column.
    pub codec: String,
    /// The id of the key, or its place in the list of the codec, where that is known.
    pub key: Option<String>,
    /// The variant of the format.
    pub scheme: &'static str,
}

/// A value that was opened.
#[derive(Clone)]
pub struct Read {
    /// The plaintext; wiped on drop.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// What opened it.
    pub origin: Origin,
    /// Whether that codec would write it under the same key.
    pub current: bool,
    /// The encoding of the text, where the format names one.
    pub encoding: Option<&'static str>,
    /// How far the plaintext can be believed.
    pub trust: Trust,
    /// Whether it took an earlier context of the column.
    pub earlier: bool,
    /// The format of the column that the plaintext itself is in: it was encrypted twice, or somebody
    /// submitted a ciphertext as his text.
    pub doubled: Option<CodecKind>,
}

/// Everything but the plaintext.
impl fmt::Debug for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read")
            .field("origin", &self.origin)
            .field("current", &self.current)
            .field("encoding", &self.encoding)
            .field("trust", &self.trust)
            .field("earlier", &self.earlier)
            .field("doubled", &self.doubled)
            .finish_non_exhaustive()
    }
}

/// What a stored value shows without any key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Classified {
    /// NULL.
    Null,
    /// It is, or may be, in a codec of the column.
    In {
        /// The codec, and the key where the bytes show it.
        origin: Origin,
        /// How sure that is.
        certainty: Certainty,
    },
    /// It is in no codec of the column.
    Unknown,
}

/// What became of a stored value.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// NULL stays NULL.
    Null,
    /// It is as the column writes it.
    Current,
    /// It is to be replaced.
    Resealed {
        /// The new value.
        value: StoredValue,
        /// What it was.
        from: Origin,
        /// What it is.
        to: Origin,
    },
    /// It stays as it is, and why.
    Refused(Error),
}
