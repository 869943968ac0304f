//! Keys of other systems that values name by an id.

use alloc::{string::String, vec::Vec};

/// A key of another system, by the id that values under it show.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedKey {
    /// The id, as the census shows it.
    pub id: String,
    /// Whether the codec writes under it.
    pub is_primary: bool,
}

/// Keys of which the one with this id writes.
pub(super) fn named<I: Into<String>>(
    ids: impl IntoIterator<Item = I>,
    is_primary: impl Fn(&str) -> bool,
) -> Vec<NamedKey> {
    let ids = ids.into_iter().map(Into::into);
    ids.map(|id: String| NamedKey {
        is_primary: is_primary(&id),
        id,
    })
    .collect()
}
