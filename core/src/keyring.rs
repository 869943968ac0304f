//! The keyring: an immutable set of keys with an explicit primary for each use.

mod batch;
mod builder;
mod field;
mod open;
mod salt;
mod seal;

pub use batch::{Contexts, SealBatch};
pub use builder::KeyringBuilder;
pub(crate) use builder::same_term_prefix;
pub use field::Field;
pub use open::OpenBatch;
#[cfg(feature = "foreign")]
pub(crate) use seal::check_length;
pub(crate) use seal::{NoEntropy, split_nonce};

use crate::{
    blind_index::BlindIndex,
    context::Context,
    envelope::{Inspection, inspect, inspect_binary},
    error::{Error, ErrorCode, Result, fixed},
    ids::{KeyId, KeyState, KeyUse, Mode},
    key::{DataKey, IndexKey},
    random::Entropy,
    sorted::SortedMap,
};
use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

/// The keys of an application: immutable, shared by threads, safe after a fork.
///
/// # Example
/// ```
/// use reseal::{Context, Key, KeyUse, Keyring, Mode, OsEntropy};
/// let key = Key::generate(KeyUse::Data, &mut OsEntropy)?;
/// let ring = Keyring::builder().primary(key).build()?;
/// let ctx = Context::new().with("table", "users")?.with("column", "ssn")?.with("row", 42)?;
///
/// let stored = ring.seal(b"078-05-1120", &ctx, Mode::Random, &mut OsEntropy)?;
/// assert_eq!(*ring.open(&stored, &ctx)?, b"078-05-1120");
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Spec
/// Sections 2, 8 and 10.
pub struct Keyring {
    slots: SortedMap<KeyId, Slot>,
    data_primary: Option<KeyId>,
    index_primary: Option<KeyId>,
}

/// One key of a ring.
struct Slot {
    state: KeyState,
    label: String,
    working: Working,
}

/// The subkeys of a key that opens, in a place of their own, so that a growing ring leaves no copy
/// behind; or what is remembered of a key that does not open.
enum Working {
    Data(Box<DataKey>),
    Index(Box<IndexKey>),
    Disabled(KeyUse),
    Destroyed,
}

/// A key of a ring, as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// The key id.
    pub id: KeyId,
    /// What the key is for; unknown for a destroyed key.
    pub key_use: Option<KeyUse>,
    /// What it may do at the moment.
    pub state: KeyState,
    /// What people call it: the label in a keyset, or the name of a file; empty otherwise.
    pub label: String,
}

impl Keyring {
    /// Starts an empty ring.
    #[must_use]
    pub fn builder() -> KeyringBuilder {
        KeyringBuilder::default()
    }

    /// A text envelope of `plaintext` under the primary key.
    ///
    /// # Errors
    /// `too-large`, `no-primary`, `random-unavailable`.
    ///
    /// # Security
    /// `Mode::Deterministic` shows which values of a context are equal.
    ///
    /// # Spec
    /// Sections 2, 3 and 7.
    pub fn seal(
        &self,
        plaintext: &[u8],
        context: &Context,
        mode: Mode,
        entropy: &mut impl Entropy,
    ) -> Result<String> {
        seal::check_length(plaintext, mode)?;
        seal::Sealer::new(self, mode)?.seal_text(plaintext, context, entropy)
    }

    /// A binary envelope of `plaintext` under the primary key.
    ///
    /// # Errors
    /// As [`Keyring::seal`].
    pub fn seal_binary(
        &self,
        plaintext: &[u8],
        context: &Context,
        mode: Mode,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<u8>> {
        seal::check_length(plaintext, mode)?;
        seal::Sealer::new(self, mode)?.seal_binary(plaintext, context, entropy)
    }

    /// The plaintext of a text envelope; the bytes are wiped on drop.
    ///
    /// # Errors
    /// `not-envelope`, `malformed`, `unsupported-version`, `too-large`, `unsupported-mode`;
    /// `unknown-key`, `key-destroyed`, `key-disabled`, `key-wrong-use`; `auth-failed` for
    /// everything that depends on a secret.
    ///
    /// # Spec
    /// Sections 2, 3 and 5.
    pub fn open(&self, stored: &str, context: &Context) -> Result<Zeroizing<Vec<u8>>> {
        OpenBatch::new(self).open(stored, context)
    }

    /// The plaintext of a binary envelope; the bytes are wiped on drop.
    ///
    /// # Errors
    /// As [`Keyring::open`].
    pub fn open_binary(&self, stored: &[u8], context: &Context) -> Result<Zeroizing<Vec<u8>>> {
        OpenBatch::new(self).open_binary(stored, context)
    }

    /// The plaintext of a text envelope as text.
    ///
    /// # Errors
    /// As [`Keyring::open`], and `invalid-text` when the authentic plaintext is not UTF-8.
    pub fn open_string(&self, stored: &str, context: &Context) -> Result<Zeroizing<String>> {
        open::into_string(self.open(stored, context)?)
    }

    /// Whether a text envelope is of version 1, under the primary key and in `mode`; with `None`, in
    /// whatever mode it has. Decided from public bytes; nothing is verified.
    ///
    /// # Errors
    /// As [`inspect`].
    ///
    /// # Spec
    /// Section 10.
    pub fn is_current(&self, stored: &str, mode: impl Into<Option<Mode>>) -> Result<bool> {
        Ok(self.needs_nothing(&inspect(stored)?, mode.into()))
    }

    /// As [`Keyring::is_current`], for a binary envelope.
    ///
    /// # Errors
    /// As [`inspect_binary`].
    pub fn is_current_binary(&self, stored: &[u8], mode: impl Into<Option<Mode>>) -> Result<bool> {
        Ok(self.needs_nothing(&inspect_binary(stored)?, mode.into()))
    }

    fn needs_nothing(&self, shown: &Inspection, mode: Option<Mode>) -> bool {
        self.data_primary == Some(shown.key_id) && mode.is_none_or(|mode| mode == shown.mode)
    }

    /// The value under the primary key and in `mode`, or `None` where it already is so. Without a
    /// mode the value keeps the one that it has.
    ///
    /// # Example
    /// ```
    /// # use reseal::{Context, Key, KeyUse, Keyring, Mode, OsEntropy};
    /// # let [old, new] = [(); 2].map(|()| Key::generate(KeyUse::Data, &mut OsEntropy).unwrap());
    /// # let ctx = Context::new();
    /// # let before = Keyring::builder().primary(old.clone()).build()?;
    /// # let stored = before.seal(b"x", &ctx, Mode::Random, &mut OsEntropy)?;
    /// let ring = Keyring::builder().primary(new).decrypt_only(old).build()?;
    /// let resealed = ring.reseal(&stored, &ctx, None, &mut OsEntropy)?.unwrap();
    /// assert_eq!(ring.reseal(&resealed, &ctx, Mode::Random, &mut OsEntropy)?, None);
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Keyring::open`] and [`Keyring::seal`]; the stored value is to be left as it is then.
    pub fn reseal(
        &self,
        stored: &str,
        context: &Context,
        mode: impl Into<Option<Mode>>,
        entropy: &mut impl Entropy,
    ) -> Result<Option<String>> {
        let (shown, mode) = (inspect(stored)?, mode.into());
        if self.needs_nothing(&shown, mode) {
            return Ok(None);
        }
        let plaintext = self.open(stored, context)?;
        let mode = mode.unwrap_or(shown.mode);
        self.seal(&plaintext, context, mode, entropy).map(Some)
    }

    /// As [`Keyring::reseal`], for a binary envelope.
    ///
    /// # Errors
    /// As [`Keyring::reseal`].
    pub fn reseal_binary(
        &self,
        stored: &[u8],
        context: &Context,
        mode: impl Into<Option<Mode>>,
        entropy: &mut impl Entropy,
    ) -> Result<Option<Vec<u8>>> {
        let (shown, mode) = (inspect_binary(stored)?, mode.into());
        if self.needs_nothing(&shown, mode) {
            return Ok(None);
        }
        let plaintext = self.open_binary(stored, context)?;
        let mode = mode.unwrap_or(shown.mode);
        self.seal_binary(&plaintext, context, mode, entropy)
            .map(Some)
    }

    /// The deterministic text envelopes of `plaintext` under every key that opens, the primary's
    /// first: what a query on a deterministic column asks for, `IN (…)`.
    ///
    /// # Errors
    /// `too-large`; `no-primary` when no data key opens.
    ///
    /// # Spec
    /// Section 2, mode d.
    pub fn lookup_values(&self, plaintext: &[u8], context: &Context) -> Result<Vec<String>> {
        seal::check_length(plaintext, Mode::Deterministic)?;
        self.lookup(|sealer| sealer.seal_text(plaintext, context, &mut seal::NoEntropy))
    }

    /// As [`Keyring::lookup_values`], for a binary column.
    ///
    /// # Errors
    /// As [`Keyring::lookup_values`].
    pub fn lookup_values_binary(
        &self,
        plaintext: &[u8],
        context: &Context,
    ) -> Result<Vec<Vec<u8>>> {
        seal::check_length(plaintext, Mode::Deterministic)?;
        self.lookup(|sealer| sealer.seal_binary(plaintext, context, &mut seal::NoEntropy))
    }

    /// The blind-index term of a value under the primary index key: what is stored.
    ///
    /// # Errors
    /// `no-primary` without a primary index key.
    ///
    /// # Spec
    /// Section 8.
    pub fn index_term(
        &self,
        value: &[u8],
        context: &Context,
        index: &BlindIndex,
    ) -> Result<String> {
        let primary = self.opening(self.index_primary).find_map(Slot::index);
        primary
            .map(|key| index.term(key, value, context))
            .ok_or_else(|| no_primary("index"))
    }

    /// The blind-index terms of a value under every index key that opens, the primary's first:
    /// what a query asks for, `IN (…)`. Verify the hits after opening.
    ///
    /// # Errors
    /// `no-primary` when no index key opens.
    ///
    /// # Spec
    /// Section 8.
    pub fn index_terms(
        &self,
        value: &[u8],
        context: &Context,
        index: &BlindIndex,
    ) -> Result<Vec<String>> {
        let keys = self
            .opening_first(self.index_primary)
            .filter_map(Slot::index);
        let terms: Vec<_> = keys.map(|key| index.term(key, value, context)).collect();
        if terms.is_empty() {
            return Err(no_primary("index"));
        }
        Ok(terms)
    }

    /// A field: this ring with a context and a mode that are checked and encoded once.
    #[must_use]
    pub fn field(&self, context: Context, mode: Mode) -> Field<&Self> {
        Field::new(self, context, mode)
    }

    /// The id of the data key that seals, if there is one.
    #[must_use]
    pub const fn primary_id(&self) -> Option<KeyId> {
        self.data_primary
    }

    /// The id of the index key whose terms are stored, if there is one.
    #[must_use]
    pub const fn index_primary_id(&self) -> Option<KeyId> {
        self.index_primary
    }

    /// Every key of the ring, in the order of their ids.
    pub fn keys(&self) -> impl Iterator<Item = KeyInfo> {
        self.slots.iter().map(|(id, slot)| KeyInfo {
            id: *id,
            key_use: slot.key_use(),
            state: slot.state,
            label: slot.label.clone(),
        })
    }

    /// The data key that opens what `id` sealed.
    fn opener(&self, id: KeyId) -> Result<&DataKey> {
        let slot = self.slots.get(&id).ok_or_else(|| unknown_key(id))?;
        match &slot.working {
            Working::Data(key) => Ok(key),
            Working::Destroyed => Err(fixed(
                ErrorCode::KeyDestroyed,
                "the key of this value was destroyed: its values are gone for good",
            )),
            Working::Disabled(_) => Err(fixed(
                ErrorCode::KeyDisabled,
                "the key of this value is disabled: enable it to open the value",
            )),
            Working::Index(_) => Err(fixed(
                ErrorCode::KeyWrongUse,
                "this value names an index key, which opens nothing",
            )),
        }
    }

    /// The key that most values are likely to be under: the primary.
    fn likely_key(&self) -> Option<&DataKey> {
        self.opening(self.data_primary).find_map(Slot::data)
    }

    /// The slot of one key.
    fn opening(&self, id: Option<KeyId>) -> impl Iterator<Item = &Slot> {
        id.and_then(|id| self.slots.get(&id)).into_iter()
    }

    /// All slots, the primary's first.
    fn opening_first(&self, primary: Option<KeyId>) -> impl Iterator<Item = &Slot> {
        let others = self
            .slots
            .iter()
            .filter(move |(id, _)| Some(**id) != primary);
        self.opening(primary).chain(others.map(|(_, slot)| slot))
    }

    fn lookup<T>(&self, seal: impl Fn(seal::Sealer<'_>) -> Result<T>) -> Result<Vec<T>> {
        let keys = self.opening_first(self.data_primary).filter_map(Slot::data);
        let values: Vec<T> = keys
            .map(|key| seal(seal::Sealer::with_key(key, Mode::Deterministic)))
            .collect::<Result<_>>()?;
        if values.is_empty() {
            return Err(no_primary("data"));
        }
        Ok(values)
    }
}

/// Ids and states only.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring")?;
        let shown = self.keys().map(|key| {
            let key_use = key.key_use.map_or("key", KeyUse::as_str);
            format!("{key_use} {} {}", key.id, key.state.as_str())
        });
        f.debug_list().entries(shown).finish()
    }
}

impl Slot {
    const fn key_use(&self) -> Option<KeyUse> {
        match &self.working {
            Working::Data(_) => Some(KeyUse::Data),
            Working::Index(_) => Some(KeyUse::Index),
            Working::Disabled(key_use) => Some(*key_use),
            Working::Destroyed => None,
        }
    }

    fn data(&self) -> Option<&DataKey> {
        match &self.working {
            Working::Data(key) => Some(key),
            _ => None,
        }
    }

    fn index(&self) -> Option<&IndexKey> {
        match &self.working {
            Working::Index(key) => Some(key),
            _ => None,
        }
    }
}

fn unknown_key(id: KeyId) -> Error {
    Error::new(
        ErrorCode::UnknownKey,
        format!("the ring has no key {id}: give it as decrypt_only, or as introduced if it is new"),
    )
}

fn no_primary(key_use: &str) -> Error {
    Error::new(
        ErrorCode::NoPrimary,
        format!("the ring has no primary {key_use} key: give it one, or promote an introduced key"),
    )
}
