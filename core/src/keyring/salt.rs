//! The salts and ivs of a batch: drawn for many values at once, within the limits of section 6.

use super::seal::first_bytes;
use crate::{
    error::{Result, auth_failed},
    key::DataKey,
    random::{Entropy, EntropyKind},
};
use alloc::vec::Vec;
use reseal_primitives::{Gcm, IV_BYTES, SALT_BYTES};
use zeroize::Zeroizing;

/// What may share one salt.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    values: usize,
    bytes: u64,
}

/// Section 6.
const LIMITS: Limits = Limits {
    values: 1 << 16,
    bytes: 1 << 32,
};

/// A salt that values of a batch share, and the key that it selects.
pub(super) struct Salt {
    pub(super) bytes: [u8; SALT_BYTES],
    /// What the source was when salt and ivs were drawn.
    pub(super) kind: EntropyKind,
    pub(super) gcm: Gcm,
}

/// Gives a salt and an iv for each value of a batch.
pub(super) struct Salts<'r, E> {
    key: &'r DataKey,
    entropy: E,
    limits: Limits,
    /// Values for which nothing has been drawn yet.
    ahead: usize,
    salt: Option<Salt>,
    /// Ivs that were drawn under the salt and not used yet.
    ivs: Zeroizing<Vec<u8>>,
    /// Bytes that were sealed under the salt.
    used_bytes: u64,
}

impl<'r, E: Entropy> Salts<'r, E> {
    /// Draws nothing yet.
    pub(super) fn new(key: &'r DataKey, entropy: E, count: usize) -> Self {
        Self {
            key,
            entropy,
            limits: LIMITS,
            ahead: count,
            salt: None,
            ivs: Zeroizing::default(),
            used_bytes: 0,
        }
    }

    /// Salt and iv for the next value, of which `bytes` will be encrypted.
    pub(super) fn next(&mut self, bytes: usize) -> Result<(&Salt, [u8; IV_BYTES])> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if self.ivs.is_empty() || self.used_bytes.saturating_add(bytes) > self.limits.bytes {
            self.draw()?;
        }
        self.used_bytes = self.used_bytes.saturating_add(bytes);
        let (rest, iv) = self.ivs.split_last_chunk().ok_or_else(auth_failed)?;
        let (rest, iv) = (rest.len(), *iv);
        self.ivs.truncate(rest);
        Ok((self.salt.as_ref().ok_or_else(auth_failed)?, iv))
    }

    /// A fresh salt, and one iv for each value ahead, in one call to the source.
    pub(super) fn draw(&mut self) -> Result<()> {
        // Ivs that were drawn under the last salt and not used belong to values still ahead.
        let ahead = self.ahead.saturating_add(self.ivs.len() / IV_BYTES).max(1);
        let count = ahead.min(self.limits.values);
        let mut drawn = Zeroizing::new(alloc::vec![0; count * IV_BYTES + SALT_BYTES]);
        self.entropy.fill(&mut drawn)?;
        let bytes = first_bytes(&drawn);
        drawn.drain(..SALT_BYTES);
        self.salt = Some(Salt {
            bytes,
            kind: self.entropy.kind(),
            gcm: self.key.xaes.derive(&bytes),
        });
        self.ivs = drawn;
        self.ahead = ahead - count;
        self.used_bytes = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::KeyUse, key::Key};

    /// Counts upwards, so that every draw differs.
    struct Counter(u8);

    impl Entropy for Counter {
        fn kind(&self) -> EntropyKind {
            EntropyKind::Direct
        }

        fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
            self.0 += 1;
            bytes.fill(self.0);
            Ok(())
        }
    }

    /// The salts that values of these lengths get, as the number of their draw.
    fn draws(limits: Limits, count: usize, lengths: &[usize]) -> Vec<u8> {
        let key = Key::from_bytes(KeyUse::Data, &[1; 32]).unwrap().data();
        let mut salts = Salts::new(&key, Counter(0), count);
        salts.limits = limits;
        let draw = |bytes: &usize| salts.next(*bytes).unwrap().0.bytes[0];
        lengths.iter().map(draw).collect()
    }

    #[test]
    fn the_limits_are_those_of_the_specification() {
        assert_eq!((LIMITS.values, LIMITS.bytes), (65_536, 4_294_967_296));
    }

    #[test]
    fn a_salt_serves_its_values_and_no_more() {
        let limits = Limits {
            values: 3,
            bytes: 1000,
        };
        assert_eq!(draws(limits, 7, &[1; 7]), [1, 1, 1, 2, 2, 2, 3]);
        assert_eq!(
            draws(limits, 1, &[1; 3]),
            [1, 2, 3],
            "beyond the announced count"
        );
    }

    #[test]
    fn a_salt_serves_its_bytes_and_no_more() {
        let limits = Limits {
            values: 100,
            bytes: 10,
        };
        assert_eq!(draws(limits, 4, &[4, 6, 1, 10]), [1, 1, 2, 3]);
        assert_eq!(draws(limits, 4, &[10, 0, 0, 1]), [1, 1, 1, 2]);
        assert_eq!(
            draws(limits, 3, &[11, 11, 11]),
            [1, 2, 3],
            "each alone, at worst"
        );
    }

    #[test]
    fn unused_ivs_are_drawn_anew_for_the_values_ahead() {
        let key = Key::from_bytes(KeyUse::Data, &[1; 32]).unwrap().data();
        let mut salts = Salts::new(&key, Counter(0), 5);
        salts.limits = Limits {
            values: 4,
            bytes: 10,
        };
        salts.next(10).unwrap();
        assert_eq!(salts.ivs.len(), 3 * IV_BYTES);
        salts.next(10).unwrap();
        assert_eq!((salts.ivs.len(), salts.ahead), (3 * IV_BYTES, 0));
    }
}
