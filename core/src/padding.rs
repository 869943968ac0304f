//! Padding of mode p: the marker 80, zeros, and Padmé lengths.

use alloc::vec::Vec;

const MARKER: u8 = 0x80;
const MIN_PADDED_BYTES: usize = 32;

/// The padded length of a plaintext of `len` bytes.
pub(crate) fn padded_bytes(len: usize) -> usize {
    padme(len.saturating_add(1)).max(MIN_PADDED_BYTES)
}

/// Appends the marker and zeros to a message that starts at `start` in `buffer`.
pub(crate) fn pad(buffer: &mut Vec<u8>, start: usize) {
    let message = buffer.len().saturating_sub(start);
    buffer.push(MARKER);
    buffer.resize(start + padded_bytes(message), 0);
}

/// The length of the message inside padded bytes, if its last non-zero byte is the marker.
pub(crate) fn unpadded_bytes(padded: &[u8]) -> Option<usize> {
    let last = padded.iter().rposition(|byte| *byte != 0)?;
    (padded.get(last) == Some(&MARKER)).then_some(last)
}

/// Padmé: rounds up so that few bits of a length remain.
fn padme(len: usize) -> usize {
    if len < 2 {
        return len;
    }
    let exponent = len.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1_usize << exponent.saturating_sub(kept)) - 1;
    len.saturating_add(mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn padme_keeps_lengths_of_its_paper() {
        for (len, padded) in [
            (0, 0),
            (1, 1),
            (2, 2),
            (9, 10),
            (17, 18),
            (100, 104),
            (1 << 24, 1 << 24),
        ] {
            assert_eq!(padme(len), padded, "{len}");
        }
    }

    #[test]
    fn padding_comes_off_again_and_overhead_stays_below_twelve_percent() {
        for len in (0..3000).chain([65_535, 65_536, (1 << 24) - 1]) {
            let mut buffer = vec![0x80; len + 3];
            pad(&mut buffer, 3);
            assert_eq!(unpadded_bytes(&buffer[3..]), Some(len));
            assert!(buffer.len() - 3 <= 32 || (buffer.len() - 3) * 100 <= (len + 1) * 112);
        }
        assert_eq!(unpadded_bytes(&[0; 40]), None);
        assert_eq!(unpadded_bytes(&[1, 0x80, 1, 0]), None);
        assert_eq!(unpadded_bytes(&[]), None);
    }
}
