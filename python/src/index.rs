//! Blind indexes.

use crate::{
    convert::argument_text,
    error::{Result, refuse},
};
use pyo3::{prelude::*, types::PyMapping};
use reseal::{BlindIndex, Error, ErrorCode, Normalizer};

/// The index that three arguments describe.
pub(crate) fn blind_index(
    name: &Bound<'_, PyAny>,
    normalizer: NormalizerArgument,
    bits: BitsArgument,
) -> Result<BlindIndex> {
    let name = argument_text(name, "index")?;
    Ok(BlindIndex::new(&name, normalizer.0?, bits.0?)?)
}

/// The index that a mapping describes, with the names of those arguments.
pub(crate) fn described(options: &Bound<'_, PyAny>) -> Result<BlindIndex> {
    let described = || -> PyResult<_> {
        let options = options.cast::<PyMapping>()?;
        let (mut index, mut normalizer, mut bits) =
            (None, NormalizerArgument::RAW, BitsArgument::DEFAULT);
        for pair in options.items()?.iter() {
            let (name, value): (String, Bound<'_, PyAny>) = pair.extract()?;
            match name.as_str() {
                "index" => index = Some(value),
                "normalizer" => normalizer = value.extract()?,
                "bits" => bits = value.extract()?,
                _ => return Ok(None),
            }
        }
        Ok(index.map(|index| (index, normalizer, bits)))
    };
    match described() {
        Ok(Some((index, normalizer, bits))) => blind_index(&index, normalizer, bits),
        Ok(None) => Err(no_index().into()),
        Err(exception) => Err(refuse(options.py(), exception, no_index())),
    }
}

fn no_index() -> Error {
    let message = "each of indexes is a mapping with index and, if wanted, normalizer and bits";
    Error::new(ErrorCode::InvalidArgument, message)
}

/// The normalizer that a word names, as of `ModeArgument`.
pub(crate) struct NormalizerArgument(Result<Normalizer>);

impl NormalizerArgument {
    pub(crate) const RAW: Self = Self(Ok(Normalizer::Raw));
}

impl<'py> FromPyObject<'_, 'py> for NormalizerArgument {
    type Error = PyErr;

    fn extract(word: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let word = argument_text(&word, "normalizer");
        Ok(Self(word.and_then(|word| Ok(Normalizer::parse(&word)?))))
    }
}

/// How many bits of the hash an index keeps, as of `ModeArgument`.
pub(crate) struct BitsArgument(Result<u16>);

impl BitsArgument {
    pub(crate) const DEFAULT: Self = Self(Ok(64));
}

impl<'py> FromPyObject<'_, 'py> for BitsArgument {
    type Error = PyErr;

    fn extract(bits: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(bits.extract().map_err(|exception| {
            let message = "a blind index keeps 8 to 256 bits, as an integer";
            let error = Error::new(ErrorCode::InvalidArgument, message);
            refuse(bits.py(), exception, error)
        })))
    }
}
