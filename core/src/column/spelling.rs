//! Values that a system spells in its own way, beside a canonical spelling that all others have.

use crate::{codec::CodecKind, value::ValueType};

/// Canonical, and as `str()` of Python has it.
const BOOLEANS: [(&[u8], &[u8]); 2] = [(b"true", b"True"), (b"false", b"False")];

/// Whether a codec holds what `str()` of Python makes of a value of this type, and its own readers
/// know no other spelling: those of django-fernet-encrypted-fields.
fn is_of_python(kind: CodecKind, value_type: ValueType) -> bool {
    // A slim build has no such codec.
    kind.as_str() == "django-fernet" && value_type == ValueType::Boolean
}

/// The canonical spelling of what a codec opened, where it differs.
pub(super) fn canonical(
    kind: CodecKind,
    value_type: ValueType,
    opened: &[u8],
) -> Option<&'static [u8]> {
    let mut known = BOOLEANS.iter().filter(|_| is_of_python(kind, value_type));
    known.find(|it| it.1 == opened).map(|it| it.0)
}

/// What a codec seals for a canonical spelling, where it differs.
pub(super) fn own(
    kind: CodecKind,
    value_type: ValueType,
    canonical: &[u8],
) -> Option<&'static [u8]> {
    let mut known = BOOLEANS.iter().filter(|_| is_of_python(kind, value_type));
    known.find(|it| it.0 == canonical).map(|it| it.1)
}
