//! Random bytes of one batch, drawn at once where each call of the source is expensive.

use crate::{
    error::Result,
    random::{Entropy, EntropyKind},
};
use zeroize::{Zeroize, Zeroizing};

/// Enough for about 170 nonces.
const POOL_BYTES: usize = 4096;

/// A source of random bytes for one batch. Only bytes of an indirect source are kept for a while: every
/// codec hashes them with the message, so that a cloned machine, which has them twice, does no harm.
pub(super) struct Pool<'e> {
    source: &'e mut dyn Entropy,
    bytes: Zeroizing<[u8; POOL_BYTES]>,
    used: usize,
}

impl<'e> Pool<'e> {
    pub(super) fn new(source: &'e mut dyn Entropy) -> Self {
        Self {
            source,
            bytes: Zeroizing::new([0; POOL_BYTES]),
            used: POOL_BYTES,
        }
    }
}

impl Entropy for Pool<'_> {
    fn kind(&self) -> EntropyKind {
        self.source.kind()
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        if self.kind() == EntropyKind::Direct || bytes.len() > POOL_BYTES {
            return self.source.fill(bytes);
        }
        if bytes.len() > POOL_BYTES - self.used {
            self.source.fill(self.bytes.as_mut_slice())?;
            self.used = 0;
        }
        let rest = self.bytes.iter_mut().skip(self.used);
        for (byte, fresh) in bytes.iter_mut().zip(rest) {
            *byte = *fresh;
            fresh.zeroize();
        }
        self.used += bytes.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{POOL_BYTES, Pool};
    use crate::{
        error::Result,
        random::{Entropy, EntropyKind},
    };

    /// Counts its calls, and gives the numbers from 1.
    struct Numbers(EntropyKind, usize, u8);

    impl Entropy for Numbers {
        fn kind(&self) -> EntropyKind {
            self.0
        }

        fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
            self.1 += 1;
            for byte in bytes {
                self.2 = self.2.wrapping_add(1);
                *byte = self.2;
            }
            Ok(())
        }
    }

    #[test]
    fn bytes_are_given_once_and_drawn_at_once_from_an_indirect_source_alone() {
        let mut source = Numbers(EntropyKind::Indirect, 0, 0);
        let mut pool = Pool::new(&mut source);
        let mut given = [0; 24];
        for round in 0_u8..10 {
            pool.fill(&mut given).unwrap();
            assert_eq!(given[0], round.wrapping_mul(24) + 1);
        }
        assert!(pool.bytes.iter().take(240).all(|byte| *byte == 0));
        let mut many = [0; POOL_BYTES + 1];
        pool.fill(&mut many).unwrap();
        pool.fill(&mut many[..POOL_BYTES]).unwrap();
        assert_eq!(source.1, 3);

        let mut source = Numbers(EntropyKind::Direct, 0, 0);
        let mut pool = Pool::new(&mut source);
        for _ in 0..10 {
            pool.fill(&mut given).unwrap();
        }
        assert_eq!(source.1, 10);
    }
}
