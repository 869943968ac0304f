//! The options of a codec, named as Rails names them.

use super::{
    Rails, RailsDigest, RailsSerializer, bad_option,
    key::DerivedKey,
    scheme::{Layout, Scheme},
};
use crate::error::{ErrorCode, Result, fixed};
use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

type Secrets = Vec<Zeroizing<String>>;

/// The options of a [`Rails`] codec: those of `config.active_record.encryption` and of `encrypts`.
///
/// # Example
/// ```
/// use reseal::codec::{Rails, RailsDigest};
/// // An application that came from Rails 7.0, in the middle of a rotation.
/// let codec = Rails::builder()
///     .primary_keys(["the old key", "the new key"])
///     .key_derivation_salt("a salt")
///     .digests([RailsDigest::Sha256, RailsDigest::Sha1])
///     .store_key_references(true)
///     .build()?;
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Security
/// Key texts and the salt are taken as they are: a line end more makes another key.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of Rails that others do not touch"
)]
#[must_use = "it is a codec only after `build`"]
pub struct RailsBuilder {
    primary_keys: Secrets,
    deterministic_keys: Secrets,
    previous_keys: Secrets,
    salt: Zeroizing<String>,
    digests: Vec<RailsDigest>,
    serializer: RailsSerializer,
    deterministic: bool,
    envelope: bool,
    store_key_references: bool,
    compress: bool,
    lenient: bool,
    previous: Vec<Self>,
}

/// No secrets.
impl fmt::Debug for RailsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RailsBuilder")
            .field("digests", &self.digests)
            .field("serializer", &self.serializer)
            .field("deterministic", &self.deterministic)
            .field("envelope", &self.envelope)
            .field("previous", &self.previous)
            .finish_non_exhaustive()
    }
}

impl RailsBuilder {
    pub(super) fn new() -> Self {
        Self {
            primary_keys: Vec::new(),
            deterministic_keys: Vec::new(),
            previous_keys: Vec::new(),
            salt: Zeroizing::new(String::new()),
            digests: Vec::new(),
            serializer: RailsSerializer::Json,
            deterministic: false,
            envelope: false,
            store_key_references: false,
            compress: true,
            lenient: false,
            previous: Vec::new(),
        }
    }

    /// `primary_key`, one or a list: the last one seals, all of them open. An attribute with a
    /// `key:` of its own has that one here.
    pub fn primary_keys<K: AsRef<str>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.primary_keys = secrets(keys);
        self
    }

    /// `deterministic_key`, which counts with [`RailsBuilder::deterministic`]. Rails takes only
    /// one; those before it are [`RailsBuilder::previous_keys`].
    pub fn deterministic_keys<K: AsRef<str>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.deterministic_keys = secrets(keys);
        self
    }

    /// `previous: [{ key: … }]`: keys that open what the others do not, under the same options and
    /// without an envelope.
    pub fn previous_keys<K: AsRef<str>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.previous_keys = secrets(keys);
        self
    }

    /// `key_derivation_salt`.
    pub fn key_derivation_salt(mut self, salt: &str) -> Self {
        self.salt = Zeroizing::new(salt.to_owned());
        self
    }

    /// `hash_digest_class`: the first one seals, all of them open. It is SHA-256 where nothing is
    /// said, as from `load_defaults 7.1` on.
    ///
    /// With `load_defaults 7.0`, Rails writes deterministic attributes with SHA-256 and all others
    /// with SHA-1. Where nobody knows, give both.
    pub fn digests(mut self, digests: impl IntoIterator<Item = RailsDigest>) -> Self {
        self.digests = Vec::new();
        for digest in digests {
            if !self.digests.contains(&digest) {
                self.digests.push(digest);
            }
        }
        self
    }

    /// `deterministic: true`: seals with the deterministic key, so that equal texts are equal
    /// values.
    ///
    /// As with `deterministic: { fixed: false }`, new values are under the current key. Where
    /// Rails itself has a `previous` scheme and no such option, it writes and looks up under that
    /// one; make its key the deterministic key here until Rails has changed.
    pub const fn deterministic(mut self, deterministic: bool) -> Self {
        self.deterministic = deterministic;
        self
    }

    /// `EnvelopeEncryptionKeyProvider`: each value has a key of its own, which the primary key
    /// encrypts.
    pub const fn envelope(mut self, envelope: bool) -> Self {
        self.envelope = envelope;
        self
    }

    /// `store_key_references`: seals with the name of the key. A name in a value always counts.
    pub const fn store_key_references(mut self, store: bool) -> Self {
        self.store_key_references = store;
        self
    }

    /// `message_serializer`; JSON where nothing is said.
    pub const fn serializer(mut self, serializer: RailsSerializer) -> Self {
        self.serializer = serializer;
        self
    }

    /// `compress`: whether what is longer than 140 bytes is compressed, as Rails does where
    /// nothing is said. What is compressed is always read.
    pub const fn compress(mut self, compress: bool) -> Self {
        self.compress = compress;
        self
    }

    /// `previous`: a whole scheme that opens what the current one does not. It has its own keys,
    /// salt and digests.
    pub fn previous(mut self, scheme: Self) -> Self {
        self.previous.push(scheme);
        self
    }

    /// Reads as Rails does where the headers were changed: a value that lost its mark of
    /// compression gives its compressed bytes, and a mark of another type counts as one.
    pub const fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    /// Derives the keys; each takes 65,536 rounds of PBKDF2 per digest.
    ///
    /// # Errors
    /// `invalid-argument` where a key or the salt is missing or options contradict each other;
    /// `invalid-key` for an empty key; `duplicate-key` for one that is twice in a list.
    pub fn build(self) -> Result<Rails> {
        let mut schemes = Vec::new();
        self.derive_all(&mut schemes)?;
        Ok(Rails {
            schemes,
            lenient: self.lenient,
        })
    }

    /// The current scheme, the one of the previous keys, and the previous schemes.
    fn derive_all(&self, schemes: &mut Vec<Scheme>) -> Result<()> {
        schemes.push(self.derive(self.current_keys()?, self.layout())?);
        if !self.previous_keys.is_empty() {
            let layout = match self.layout() {
                Layout::Envelope => Layout::Random,
                same => same,
            };
            schemes.push(self.derive(&self.previous_keys, layout)?);
        }
        self.previous
            .iter()
            .try_for_each(|previous| previous.derive_all(schemes))
    }

    fn current_keys(&self) -> Result<&[Zeroizing<String>]> {
        let (keys, missing) = match (self.deterministic, self.envelope) {
            (true, true) => {
                return Err(bad_option(
                    "a value in an envelope has a key of its own, so it is not deterministic",
                ));
            }
            (true, false) => (
                &self.deterministic_keys,
                "a deterministic codec of Rails wants the deterministic key",
            ),
            (false, _) => (
                &self.primary_keys,
                "a codec of Rails wants at least one primary key",
            ),
        };
        if self.deterministic && keys.len() > 1 {
            return Err(bad_option(
                "Rails takes one deterministic key: give those before it as previous keys",
            ));
        }
        if keys.is_empty() {
            return Err(bad_option(missing));
        }
        Ok(keys)
    }

    const fn layout(&self) -> Layout {
        match (self.deterministic, self.envelope) {
            (true, _) => Layout::Deterministic,
            (false, true) => Layout::Envelope,
            (false, false) => Layout::Random,
        }
    }

    fn derive(&self, texts: &[Zeroizing<String>], layout: Layout) -> Result<Scheme> {
        if is_blank(&self.salt) {
            return Err(bad_option(
                "a codec of Rails wants the key_derivation_salt of the application",
            ));
        }
        if texts.iter().any(|text| is_blank(text)) {
            return Err(fixed(
                ErrorCode::InvalidKey,
                "a key of Rails is text that is not blank: is its variable set?",
            ));
        }
        if (1..)
            .zip(texts)
            .any(|(after, text)| texts.iter().skip(after).any(|one| one == text))
        {
            return Err(fixed(
                ErrorCode::DuplicateKey,
                "the same key of Rails stands twice in a list: name each key once",
            ));
        }
        let digests = match self.digests.as_slice() {
            [] => vec![RailsDigest::Sha256],
            given => given.to_vec(),
        };
        let of = |digest| {
            let derive = move |text: &Zeroizing<String>| DerivedKey::new(text, &self.salt, digest);
            texts.iter().map(derive)
        };
        Ok(Scheme {
            keys: digests.into_iter().flat_map(of).collect(),
            writer: texts.len().saturating_sub(1),
            serializer: self.serializer,
            layout,
            store_key_references: self.store_key_references,
            compress: self.compress,
        })
    }
}

fn secrets<K: AsRef<str>>(texts: impl IntoIterator<Item = K>) -> Secrets {
    let secret = |text: K| Zeroizing::new(text.as_ref().to_owned());
    texts.into_iter().map(secret).collect()
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}
