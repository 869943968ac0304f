//! The keys that libraries of Django derive for their Fernet tokens.

use super::{Fernet, FernetKey, KEY_BYTES, invalid_key};
use crate::{
    codec::CodecKind,
    error::{ErrorCode, Result, fixed},
};
use alloc::vec::Vec;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// What django-fernet-encrypted-fields takes.
const ROUNDS: u32 = 100_000;
/// What comes after the prefix in the salt of django-fernet-fields.
const SALT_END: &[u8] = b"-hkdf-salt";

impl FernetKey {
    /// A key as django-fernet-encrypted-fields derives it of a `SECRET_KEY` and a `SALT_KEY`: 100,000
    /// rounds of PBKDF2 over the texts as they stand.
    ///
    /// # Errors
    /// `invalid-key` for an empty secret.
    pub fn django(secret: &str, salt: &str) -> Result<Self> {
        not_empty(secret)?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        pbkdf2::pbkdf2_hmac::<Sha256>(secret.as_bytes(), salt.as_bytes(), ROUNDS, &mut *key);
        Self::from_bytes(&*key)
    }

    /// A key as django-fernet-fields, its second version and djfernet derive it of one of
    /// `FERNET_KEYS`, by HKDF over the text as it stands. The prefix is [`Fernet::PREFIX`] unless
    /// djfernet has another `DJFERNET_PREFIX`.
    ///
    /// # Errors
    /// `invalid-key` for an empty secret.
    pub fn fields(secret: &str, prefix: &str) -> Result<Self> {
        not_empty(secret)?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let salt = [prefix.as_bytes(), SALT_END].concat();
        Hkdf::<Sha256>::new(Some(&salt), secret.as_bytes())
            .expand(prefix.as_bytes(), &mut *key)
            .map_err(|_| invalid_key())?;
        Self::from_bytes(&*key)
    }
}

impl Fernet {
    /// The prefix of django-fernet-fields, which djfernet takes where its settings name none.
    pub const PREFIX: &str = "django-fernet-fields";

    /// The tokens of django-fernet-encrypted-fields, under every secret with every salt: the first
    /// secret with the first salt seals. `secrets` are `SECRET_KEY` and `SECRET_KEY_FALLBACKS`,
    /// `salts` what `SALT_KEY` has. The keys are derived here, and not when values are opened.
    ///
    /// # Example
    /// ```
    /// use reseal::{Context, codec::{Codec, Fernet, Stored}};
    /// let codec = Fernet::django(&["django-insecure-t3st$ecret"], &["new-salt-0123456789"])?;
    /// let token = "gAAAAABrAI2LvehmDqauI3Eay2SlC88ixUoPOHCxJDF79Q0RfNQ1PIPygbh6SRKjbdQmJOiSiiUcQLiI_phCfkEmL5BJWAb35g==";
    /// assert_eq!(*codec.open(Stored::Text(token), &Context::new())?.plaintext, b"hello");
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid-argument` without any secret or salt; `invalid-key` for an empty secret.
    pub fn django(secrets: &[impl AsRef<str>], salts: &[impl AsRef<str>]) -> Result<Self> {
        if secrets.is_empty() || salts.is_empty() {
            return Err(fixed(
                ErrorCode::InvalidArgument,
                "a codec of django-fernet has at least one secret and one salt: SECRET_KEY and \
                 SALT_KEY",
            ));
        }
        let salted = |secret| {
            let key = move |salt: &_| FernetKey::django(AsRef::as_ref(secret), AsRef::as_ref(salt));
            salts.iter().map(key)
        };
        let keys = secrets.iter().flat_map(salted).collect::<Result<_>>()?;
        Self::of(CodecKind::DjangoFernet, keys)
    }

    /// The tokens of django-fernet-fields, its second version and djfernet: the first key seals, all
    /// of them open. The keys come of [`FernetKey::fields`], or of [`FernetKey::parse`] where
    /// `FERNET_USE_HKDF` is off. These libraries keep tokens in binary columns, as their characters.
    ///
    /// # Example
    /// ```
    /// use reseal::{Context, codec::{Codec, Fernet, FernetKey, Stored}};
    /// let codec = Fernet::fields(vec![FernetKey::fields("new key", Fernet::PREFIX)?])?;
    /// let token = b"gAAAAABrAI2MfXLjZzGP6DpE3rOIFvK-h9I70jq64sJ2II3hwkXN4DKJWVkUWrRmh7yPkng6pKeKLnAzSpfMu6OlhkFAoWzEOg==";
    /// assert_eq!(*codec.open(Stored::Bytes(token), &Context::new())?.plaintext, b"hello");
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid-argument` without any key.
    pub fn fields(keys: Vec<FernetKey>) -> Result<Self> {
        Self::of(CodecKind::FernetFields, keys)
    }
}

fn not_empty(secret: &str) -> Result<()> {
    if secret.is_empty() {
        return Err(fixed(
            ErrorCode::InvalidKey,
            "a secret of Django is text that is not empty: is its variable set?",
        ));
    }
    Ok(())
}
