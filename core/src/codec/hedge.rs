//! What is random of a value in another system's format: its nonce, IV or salt.

use crate::{
    error::Result,
    kdf::derive_foreign_hedge,
    random::{Entropy, EntropyKind},
};
use alloc::boxed::Box;
use reseal_primitives::MacKey;

/// What a hash of section 7 gives at most.
const MAX_BYTES: usize = 32;

/// Random bytes for the values of one key, hedged as those of an envelope are: where a clone of this
/// process could draw the same ones, they differ for other plaintexts all the same.
#[derive(Clone, Debug)]
pub(super) struct Hedge(Box<MacKey>);

impl Hedge {
    /// That of a codec's own secret, which is used for nothing else.
    #[inline(never)]
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(Box::new(MacKey::new(&derive_foreign_hedge(secret))))
    }

    /// The bytes for one value that encrypts this plaintext.
    pub(super) fn draw<const N: usize>(
        &self,
        plaintext: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<[u8; N]> {
        const { assert!(N <= MAX_BYTES) };
        let mut drawn = [0; N];
        self.fill(&mut drawn, plaintext, entropy)?;
        Ok(drawn)
    }

    #[inline(never)]
    fn fill(&self, drawn: &mut [u8], plaintext: &[u8], entropy: &mut dyn Entropy) -> Result<()> {
        entropy.fill(drawn)?;
        if entropy.kind() == EntropyKind::Indirect {
            let hedged = self.0.mac(&[drawn, plaintext]);
            for (to, from) in drawn.iter_mut().zip(hedged) {
                *to = from;
            }
        }
        Ok(())
    }
}
