//! The paddings of `AesEngine`.

use crate::{
    codec::read_only,
    error::{ErrorCode, Result, fixed},
};
use alloc::vec::Vec;
use reseal_primitives::BLOCK_BYTES;

const STAR: u8 = b'*';
const ONE: u8 = 0x80;

/// What fills the last block of a value of `AesEngine`: at least one byte, at most 16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SqlalchemyPadding {
    /// Asterisks, the default. Those at the end of a text are lost with it.
    #[default]
    Naive,
    /// As many bytes as the byte says.
    Pkcs5,
    /// The byte 0x80, and zeros. The library strips every 0x80 at the end; here it is one, so that
    /// texts which the library cannot read come back whole.
    OneAndZeroes,
    /// Zeros, and a byte that says how many.
    Zeroes,
}

impl SqlalchemyPadding {
    /// The padding of a name: `naive`, `pkcs5`, `oneandzeroes` or `zeroes`.
    ///
    /// # Errors
    /// `invalid-argument`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "naive" => Ok(Self::Naive),
            "pkcs5" => Ok(Self::Pkcs5),
            "oneandzeroes" => Ok(Self::OneAndZeroes),
            "zeroes" => Ok(Self::Zeroes),
            _ => Err(fixed(
                ErrorCode::InvalidArgument,
                "the padding of SQLAlchemy-Utils is naive, pkcs5, oneandzeroes or zeroes",
            )),
        }
    }

    /// A plaintext in whole blocks.
    ///
    /// # Errors
    /// `codec-read-only` for what the library would not read back.
    pub(super) fn pad(self, plaintext: &[u8]) -> Result<Vec<u8>> {
        let end = plaintext.last();
        if self == Self::Naive && end == Some(&STAR) {
            return Err(read_only(
                "the naive padding of SQLAlchemy-Utils loses asterisks at the end of a text: take \
                 a column with another padding",
            ));
        }
        if self == Self::OneAndZeroes && end == Some(&ONE) {
            return Err(read_only(
                "the library loses the last byte of this text with the padding oneandzeroes: take a \
                 column with another padding",
            ));
        }
        let count = BLOCK_BYTES - plaintext.len() % BLOCK_BYTES;
        let last = u8::try_from(count).unwrap_or_default();
        let (first, middle, end) = match self {
            Self::Naive => (STAR, STAR, STAR),
            Self::Pkcs5 => (last, last, last),
            Self::OneAndZeroes => (ONE, 0, 0),
            Self::Zeroes => (0, 0, last),
        };
        let length = plaintext.len() + count;
        let mut padded = Vec::with_capacity(length);
        padded.extend_from_slice(plaintext);
        // Of a single byte the mark counts, which is at the end only with zeroes.
        if count > 1 || self == Self::OneAndZeroes {
            padded.push(first);
        }
        padded.resize(length.saturating_sub(1).max(padded.len()), middle);
        padded.resize(length, end);
        Ok(padded)
    }

    /// How many bytes of some blocks are plaintext; nothing where they end in no such padding.
    pub(super) fn kept(self, padded: &[u8]) -> Option<usize> {
        let trimmed = |byte: u8| {
            padded
                .iter()
                .rposition(|it| *it != byte)
                .map_or(0, |at| at + 1)
        };
        match self {
            Self::Naive => Some(trimmed(STAR)).filter(|kept| *kept < padded.len()),
            Self::OneAndZeroes => {
                let kept = trimmed(0).checked_sub(1)?;
                let fits = padded.get(kept) == Some(&ONE) && padded.len() - kept <= BLOCK_BYTES;
                fits.then_some(kept)
            }
            Self::Pkcs5 | Self::Zeroes => {
                let last = *padded.last()?;
                let count = usize::from(last);
                let kept = padded.len().checked_sub(count)?;
                let filler = if self == Self::Pkcs5 { last } else { 0 };
                let (_, fill) = padded.get(kept..)?.split_last()?;
                let fits = count <= BLOCK_BYTES && fill.iter().all(|byte| *byte == filler);
                fits.then_some(kept)
            }
        }
    }
}
