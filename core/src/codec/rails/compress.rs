//! Compression: zlib streams (RFC 1950), never more than a plaintext may have.

use crate::{
    envelope::MAX_PLAINTEXT_BYTES,
    error::{ErrorCode, Result, auth_failed},
};
use alloc::{vec, vec::Vec};
use miniz_oxide::{
    deflate::compress_to_vec_zlib,
    inflate::{TINFLStatus, decompress_slice_iter_to_slice},
};
use zeroize::Zeroizing;

/// Rails compresses what is longer than this.
pub(super) const THRESHOLD_BYTES: usize = 140;

/// zlib's own default.
const LEVEL: u8 = 6;
/// The first byte of all streams that zlib makes by default, at any level.
const STREAM_MARK: u8 = 0x78;
/// Bytes of the shortest stream, which holds nothing.
pub(super) const MIN_STREAM_BYTES: usize = 8;
const LEAST_ROOM_BYTES: usize = 1 << 10;
/// One more than a plaintext may have, so that a larger one shows.
const MOST_ROOM_BYTES: usize = MAX_PLAINTEXT_BYTES + 1;

/// The most bytes of a stream with so many bytes of content: its start and check, and what stands
/// before each block of what does not shrink.
pub(super) fn deflated_len(plaintext_bytes: usize) -> Option<usize> {
    plaintext_bytes.checked_add(16 + plaintext_bytes / 1024)
}

/// A stream with this content.
pub(super) fn deflate(plaintext: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(compress_to_vec_zlib(plaintext, LEVEL))
}

/// The content of a stream.
///
/// # Errors
/// `auth-failed` for what is no stream, `too-large`.
pub(super) fn inflate(stream: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mut room = stream.len().saturating_mul(4).max(LEAST_ROOM_BYTES);
    loop {
        room = room.min(MOST_ROOM_BYTES);
        // A buffer of a fixed size: one that grows would leave copies behind.
        let mut content = Zeroizing::new(vec![0; room]);
        let input = core::iter::once(stream);
        match decompress_slice_iter_to_slice(&mut content, input, true, false) {
            Ok(length) if length > MAX_PLAINTEXT_BYTES => return Err(super::too_large()),
            Ok(length) => {
                content.truncate(length);
                return Ok(content);
            }
            Err(TINFLStatus::HasMoreOutput) if room == MOST_ROOM_BYTES => {
                return Err(super::too_large());
            }
            Err(TINFLStatus::HasMoreOutput) => room = room.saturating_mul(4),
            Err(_) => return Err(auth_failed()),
        }
    }
}

/// Whether these bytes are a stream that Rails made: whole, and of more than the threshold.
pub(super) fn is_stream(bytes: &[u8]) -> bool {
    let marked = match bytes.first_chunk() {
        Some(&[STREAM_MARK, check]) => u16::from_be_bytes([STREAM_MARK, check]).is_multiple_of(31),
        _ => false,
    };
    marked
        && match inflate(bytes) {
            Ok(content) => content.len() > THRESHOLD_BYTES,
            Err(error) => error.code() == ErrorCode::TooLarge,
        }
}
