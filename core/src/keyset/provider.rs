//! The port to key services, which keep key-encrypting keys.

use super::{ExternalKek, KeysetDocument, NewKek};
use crate::{
    context::Context,
    error::{Error, ErrorCode, Result, fixed},
    ids::{KeyId, KeyUse, Mode},
    key::Key,
    keyring::{Keyring, NoEntropy},
    random::Entropy,
};
use alloc::{format, vec::Vec};
use zeroize::Zeroizing;

/// A key service: it wraps and unwraps 32 bytes, and never shows its own key.
///
/// # Example
/// See [`MemoryProvider`].
///
/// # Spec
/// Section 9, "source".
#[expect(
    async_fn_in_trait,
    reason = "no runtime is chosen here, so no Send is asked for"
)]
pub trait KekProvider {
    /// The name that a keyset notes: 1 to 32 characters, `[a-z][a-z0-9_-]*`.
    fn name(&self) -> &str;

    /// The bytes that `blob` hides, under the service's key `reference`.
    ///
    /// # Security
    /// Both come from the keyset before it is verified: refuse every reference that is not yours. Whoever may
    /// wrap under another one would else bring a ring of his own.
    ///
    /// # Errors
    /// A code of your own choice, as a rule `source-unreadable`; `kek-mismatch` for another's reference.
    async fn unwrap(&self, reference: &str, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>>;

    /// A blob that hides `bytes`, under the service's key `reference`: 1 to 8192 bytes.
    ///
    /// # Errors
    /// A code of your own choice, as a rule `source-unreadable`.
    async fn wrap(&self, reference: &str, bytes: &[u8]) -> Result<Vec<u8>>;
}

impl KeysetDocument {
    /// The key-encrypting keys that a key service unwraps: as many as it can of those that the
    /// keyset has of it.
    ///
    /// # Errors
    /// `kek-mismatch` where the keyset has none of this service, or the service gives other keys;
    /// where none is unwrapped, the first error of the service.
    pub async fn keks_from_provider(&self, provider: &impl KekProvider) -> Result<Vec<Key>> {
        let (mut keks, mut first_error) = (Vec::new(), None);
        for (id, external) in self.external_keks() {
            if external.provider != provider.name() {
                continue;
            }
            let bytes = provider.unwrap(&external.reference, &external.blob).await;
            match bytes.and_then(|bytes| kek_of(id, &bytes)) {
                Ok(kek) => keks.push(kek),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        match (keks.is_empty(), first_error) {
            (false, _) => Ok(keks),
            (true, Some(error)) => Err(error),
            (true, None) => Err(Error::new(
                ErrorCode::KekMismatch,
                format!("this keyset has no key of {}", provider.name()),
            )),
        }
    }
}

/// The key in what a key service gave.
fn kek_of(id: KeyId, bytes: &[u8]) -> Result<Key> {
    match Key::from_bytes(KeyUse::Kek, bytes) {
        Ok(key) if key.id() == id => Ok(key),
        _ => Err(fixed(
            ErrorCode::KekMismatch,
            "the key service gave another key than the one of this keyset",
        )),
    }
}

impl NewKek {
    /// A fresh key-encrypting key that a key service keeps.
    ///
    /// # Errors
    /// Those of the service; `random-unavailable`; `invalid-argument` where a name, a reference or
    /// a blob has not its shape.
    pub async fn from_provider(
        provider: &impl KekProvider,
        reference: &str,
        entropy: &mut impl Entropy,
    ) -> Result<Self> {
        let key = Key::generate(KeyUse::Kek, entropy)?;
        let blob = provider.wrap(reference, &key.secret().0).await?;
        let external = ExternalKek {
            provider: provider.name().into(),
            reference: reference.into(),
            blob,
        };
        Self::external(key, external)
    }
}

/// A key service in memory, for tests: its keys are those of a ring.
///
/// # Example
/// ```
/// # fn block_on<T>(future: impl Future<Output = T>) -> T {
/// #     let mut future = core::pin::pin!(future);
/// #     let mut context = core::task::Context::from_waker(core::task::Waker::noop());
/// #     match future.as_mut().poll(&mut context) {
/// #         core::task::Poll::Ready(done) => done,
/// #         core::task::Poll::Pending => unreachable!("it never waits"),
/// #     }
/// # }
/// use reseal::{Expect, Key, KeyUse, Keyring, Keyset, KeysetDocument, MemoryProvider, NewKek, OsEntropy, Timestamp};
/// let now = Timestamp::from_unix(1_795_132_800)?;
/// let ring = Keyring::builder().primary(Key::generate(KeyUse::Data, &mut OsEntropy)?).build()?;
/// let service = MemoryProvider::new(ring);
/// let kek = block_on(NewKek::from_provider(&service, "keys/app", &mut OsEntropy))?;
/// let text = Keyset::create(kek, 0, now, &mut OsEntropy)?.save(now, &mut OsEntropy)?;
///
/// let document = KeysetDocument::parse(text.as_bytes())?;
/// let keks = block_on(document.keks_from_provider(&service))?;
/// let keyset = document.unlock(&keks, &Expect::default())?;
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Debug)]
pub struct MemoryProvider(Keyring);

impl MemoryProvider {
    /// The name that keysets note.
    pub const NAME: &str = "memory";

    /// A service with the keys of a ring.
    #[must_use]
    pub const fn new(ring: Keyring) -> Self {
        Self(ring)
    }

    fn context(reference: &str) -> Result<Context> {
        Context::new().with("reference", reference)
    }
}

impl KekProvider for MemoryProvider {
    fn name(&self) -> &str {
        Self::NAME
    }

    async fn unwrap(&self, reference: &str, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.0.open_binary(blob, &Self::context(reference)?)
    }

    async fn wrap(&self, reference: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        // Mode d draws nothing, and what it hides is random.
        let context = Self::context(reference)?;
        self.0
            .seal_binary(bytes, &context, Mode::Deterministic, &mut NoEntropy)
    }
}
