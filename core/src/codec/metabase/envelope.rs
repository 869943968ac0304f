//! The second format: a value under a data key, which names its generation.

use super::key::MetabaseKey;
use crate::{
    codec::{hedge::Hedge, malformed},
    error::{Error, ErrorCode, Result, fixed},
    random::Entropy,
};
use alloc::{format, vec::Vec};
use core::fmt;
use reseal_primitives::{Gcm, IV_BYTES, Secret32, TAG_BYTES};
use zeroize::Zeroizing;

/// The magic and the version.
pub(super) const MARK: &[u8; 3] = b"MB\x02";
const GENERATION_BYTES: usize = 4;
/// What comes before the nonce.
pub(super) const HEADER_BYTES: usize = MARK.len() + GENERATION_BYTES;
/// Bytes of a value besides its plaintext.
pub(super) const OVERHEAD_BYTES: usize = HEADER_BYTES + IV_BYTES + TAG_BYTES;
const DATA_KEY_BYTES: usize = 32;
const WRAPPED_BYTES: usize = IV_BYTES + DATA_KEY_BYTES + TAG_BYTES;

/// One data key, unwrapped.
pub(super) struct DataKey {
    gcm: Gcm,
    hedge: Hedge,
}

impl DataKey {
    pub(super) fn from_wrapped(wrapping: &Gcm, wrapped: &[u8]) -> Option<Self> {
        let (iv, rest) = wrapped.split_first_chunk()?;
        let (sealed, tag) = rest.split_last_chunk()?;
        let mut key = Secret32(*sealed.first_chunk()?);
        if wrapped.len() != WRAPPED_BYTES {
            return None;
        }
        wrapping.open(*iv, &[], &mut key.0, *tag).ok()?;
        Some(Self {
            gcm: Gcm::new(&key),
            hedge: Hedge::new(&key.0),
        })
    }

    fn seal(
        &self,
        generation: u32,
        plaintext: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>> {
        let iv: [u8; IV_BYTES] = self.hedge.draw(plaintext, entropy)?;
        let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD_BYTES);
        sealed.extend_from_slice(MARK);
        sealed.extend_from_slice(&generation.to_be_bytes());
        sealed.extend_from_slice(&iv);
        let start = sealed.len();
        sealed.extend_from_slice(plaintext);
        let buffer = sealed.get_mut(start..).unwrap_or_default();
        let tag = self.gcm.seal(iv, &[], buffer)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let split = sealed
            .get(HEADER_BYTES..)
            .and_then(<[u8]>::split_first_chunk)
            .and_then(|(iv, rest)| Some((iv, rest.split_last_chunk()?)));
        let Some((iv, (ciphertext, tag))) = split else {
            return Err(malformed(
                "this value of Metabase is cut: it ends before its tag",
            ));
        };
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        self.gcm.open(*iv, &[], &mut plaintext, *tag)?;
        Ok(plaintext)
    }
}

/// The rows of `data_encryption_key`, the newest generation last.
#[derive(Default)]
pub(super) struct DataKeys(Vec<Row>);

struct Row {
    generation: u32,
    key: DataKey,
    /// Whether the key that writes wrapped it.
    writes: bool,
}

impl DataKeys {
    /// # Errors
    /// `duplicate-key`, `invalid-key`.
    pub(super) fn from_rows<'r>(
        keys: &[MetabaseKey],
        rows: impl IntoIterator<Item = (u32, &'r [u8])>,
    ) -> Result<Self> {
        let row = |(generation, wrapped)| {
            let mut found = keys.iter().map(|key| key.data_key(wrapped)).enumerate();
            let (at, key) = found
                .find_map(|(at, key)| Some((at, key?)))
                .ok_or_else(|| not_wrapped(generation))?;
            let writes = at == 0;
            Ok(Row {
                generation,
                key,
                writes,
            })
        };
        Self::in_order(rows.into_iter().map(row).collect::<Result<_>>()?)
    }

    fn in_order(rows: Vec<Row>) -> Result<Self> {
        let mut sorted: Vec<Row> = Vec::with_capacity(rows.len());
        for row in rows {
            let place = sorted.binary_search_by_key(&row.generation, |there| there.generation);
            let Err(place) = place else {
                return Err(fixed(
                    ErrorCode::DuplicateKey,
                    "two rows of data_encryption_key have the same id",
                ));
            };
            sorted.insert(place, row);
        }
        Ok(Self(sorted))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The generation that writes.
    pub(super) fn newest(&self) -> Option<u32> {
        self.0.last().map(|row| row.generation)
    }

    /// # Errors
    /// `codec-read-only` where an older secret wrapped the newest data key: Metabase would not
    /// read what it writes once the older secret is gone.
    pub(super) fn seal(&self, plaintext: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>> {
        let row = self.0.last().filter(|row| row.writes);
        let row = row.ok_or_else(|| {
            fixed(
                ErrorCode::CodecReadOnly,
                "the newest row of data_encryption_key is not wrapped under the first key: \
                 rotate it with Metabase's own command, then give its new row",
            )
        })?;
        row.key.seal(row.generation, plaintext, entropy)
    }

    /// # Errors
    /// `format-unsupported` without any row, `unknown-key` without the one, `malformed`,
    /// `auth-failed`.
    pub(super) fn open(&self, generation: u32, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        if self.is_empty() {
            return Err(fixed(
                ErrorCode::FormatUnsupported,
                "this value of Metabase is under a data key: give the rows of data_encryption_key",
            ));
        }
        let row = self.0.iter().find(|row| row.generation == generation);
        row.ok_or_else(|| no_row(generation))?.key.open(sealed)
    }
}

impl fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|row| row.generation))
            .finish()
    }
}

fn not_wrapped(generation: u32) -> Error {
    Error::new(
        ErrorCode::InvalidKey,
        format!(
            "no key of this codec opens row {generation} of data_encryption_key: its \
             key_material is 60 bytes that MB_ENCRYPTION_SECRET_KEY wrapped"
        ),
    )
}

fn no_row(generation: u32) -> Error {
    Error::new(
        ErrorCode::UnknownKey,
        format!("this value names row {generation} of data_encryption_key, which was not given"),
    )
}
