//! What several tests share: keys, contexts and entropy sources.

use reseal::{Context, Entropy, EntropyKind, Key, KeyUse, Keyring, OsEntropy, Result};

/// A fresh key.
pub(crate) fn key(key_use: KeyUse) -> Key {
    Key::generate(key_use, &mut OsEntropy).unwrap()
}

/// A ring with one fresh data key.
pub(crate) fn ring() -> Keyring {
    Keyring::builder()
        .primary(key(KeyUse::Data))
        .build()
        .unwrap()
}

/// Table and column.
pub(crate) fn context() -> Context {
    let context = Context::new().with("table", "users").unwrap();
    context.with("column", "email").unwrap()
}

/// A generator in user space after a snapshot was restored: it gives the same bytes again.
pub(crate) struct Repeating;

impl Entropy for Repeating {
    fn kind(&self) -> EntropyKind {
        EntropyKind::Indirect
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        bytes.fill(0x5A);
        Ok(())
    }
}
