//! The canary: a value beside the data that tells whether a process has the right keys.

use crate::{
    context::Context,
    error::{ErrorClass, ErrorCode, Result},
    ids::Mode,
    keyring::Keyring,
    random::Entropy,
};
use alloc::string::String;

const PLAINTEXT: &[u8] = b"reseal-canary";

impl Keyring {
    /// A value to store beside the data, which [`Keyring::check`] opens at every start.
    ///
    /// # Example
    /// ```
    /// use reseal::{ErrorCode, Key, KeyUse, Keyring, OsEntropy};
    /// let key = || Key::generate(KeyUse::Data, &mut OsEntropy);
    /// let ring = Keyring::builder().primary(key()?).build()?;
    /// let canary = ring.canary(&mut OsEntropy)?;
    /// assert_eq!(ring.check(&canary)?, None);
    ///
    /// let other = Keyring::builder().primary(key()?).build()?;
    /// assert_eq!(other.check(&canary)?, Some(ErrorCode::UnknownKey));
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// `no-primary`, `random-unavailable`.
    ///
    /// # Spec
    /// Section 12.
    pub fn canary(&self, entropy: &mut impl Entropy) -> Result<String> {
        self.seal(PLAINTEXT, &Context::canary(), Mode::Random, entropy)
    }

    /// Whether this ring has the key of a canary: `None` where it has, and otherwise why not,
    /// `unknown-key`, `auth-failed`, `key-disabled`, `key-destroyed` or `key-wrong-use`.
    ///
    /// # Errors
    /// `not-envelope`, `malformed`, `unsupported-version`, `unsupported-mode`, `too-large`: this
    /// is no canary, whatever the keys.
    ///
    /// # Spec
    /// Section 12.
    pub fn check(&self, canary: &str) -> Result<Option<ErrorCode>> {
        let opened = self.open(canary, &Context::canary());
        match opened {
            Ok(plaintext) if *plaintext == PLAINTEXT => Ok(None),
            Ok(_) => Ok(Some(ErrorCode::AuthFailed)),
            Err(error) if error.code().class() == ErrorClass::Decrypt => Ok(Some(error.code())),
            Err(error) => Err(error),
        }
    }
}
