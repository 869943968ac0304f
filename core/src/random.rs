//! Where nonces come from.

use crate::error::Result;

/// Whether two calls of a source can ever give the same bytes.
///
/// # Spec
/// Section 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntropyKind {
    /// The operating system's system call, made in the call: its bytes are nonces as they are.
    Direct,
    /// A generator or pool in user space, whose bytes repeat in every clone of a memory snapshot:
    /// its bytes are hashed with the message into a nonce.
    Indirect,
}

/// A source of random bytes.
///
/// # Example
/// A source that counts what it gave:
/// ```
/// use reseal::{Entropy, EntropyKind, OsEntropy, Result};
///
/// struct Counted(usize);
///
/// impl Entropy for Counted {
///     fn kind(&self) -> EntropyKind {
///         EntropyKind::Direct
///     }
///     fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
///         self.0 += bytes.len();
///         OsEntropy.fill(bytes)
///     }
/// }
/// ```
///
/// # Security
/// The bytes must be unpredictable. A source that says `Direct` must never give the same bytes
/// twice, not even in a forked process or a restored snapshot.
///
/// # Spec
/// Section 7.
pub trait Entropy {
    /// Whether the bytes may serve as a nonce as they are.
    fn kind(&self) -> EntropyKind;

    /// Fills all of `bytes`.
    ///
    /// # Errors
    /// `random-unavailable`; there is no fallback.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<()>;
}

impl<E: Entropy + ?Sized> Entropy for &mut E {
    fn kind(&self) -> EntropyKind {
        (**self).kind()
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        (**self).fill(bytes)
    }
}

/// The operating system's generator: one system call per value or batch, so it is safe after a
/// fork and in a cloned machine.
///
/// # Example
/// ```
/// use reseal::{Key, KeyUse, OsEntropy};
/// let key = Key::generate(KeyUse::Data, &mut OsEntropy)?;
/// # Ok::<(), reseal::Error>(())
/// ```
#[cfg(feature = "os-entropy")]
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

#[cfg(feature = "os-entropy")]
impl Entropy for OsEntropy {
    /// Direct, except in WebAssembly, where the source is that of the page.
    fn kind(&self) -> EntropyKind {
        if cfg!(target_family = "wasm") {
            EntropyKind::Indirect
        } else {
            EntropyKind::Direct
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|_| {
            crate::error::fixed(
                crate::ErrorCode::RandomUnavailable,
                "the operating system gave no random bytes: is getrandom blocked by a sandbox?",
            )
        })
    }
}
