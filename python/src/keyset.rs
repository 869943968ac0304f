//! Keysets. The mutex is held only while native code runs that cannot wait.

use crate::{
    convert::{Flag, argument_text, bytes_like, is_listing, items, not_bool, type_name},
    error::{Result, invalid_argument, not_pickled},
    info,
    key::{self, Key, KeyUseArgument},
    keyring::Keyring,
    source::{expect, passphrase_bytes},
    time::moment,
};
use alloc::borrow::Cow;
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict, PyString},
};
use reseal::{
    Argon2id, Error, ErrorCode, Expect, ExternalKek, KeyId, KeyUse, KeysetDocument, KeysetInfo,
    MAX_KEYSET_BYTES, NewKek, OsEntropy, Promotion, Zeroizing,
};
use std::sync::{Mutex, PoisonError};

/// The managed keys of a ring: wrapped at rest, each with a state, a label and dates.
///
/// Changes are made in memory; `KeysetFile` stores them. A key is named by its id, or by the first 4
/// characters of it or more. `now` is a datetime with a time zone or seconds since 1970, and the
/// clock of this machine if it is left out.
///
/// Example:
///     >>> kek = reseal.Key.generate("kek")
///     >>> keyset = reseal.Keyset.create(kek=kek)
///     >>> first = keyset.rotate("data", label="2026-q4")
///     >>> text = keyset.save()
///     >>> keyset = reseal.Keyset.load(text, kek=kek)
///     >>> second = keyset.introduce("data", label="2027-q1")
///     >>> keyset.promote(second)
///     >>> [(key.label, key.state) for key in keyset.keys()]
///     [('2026-q4', 'decrypt_only'), ('2027-q1', 'primary')]
///     >>> keyset.keyring().primary_id == second
///     True
///
/// Security: to remove a key-encrypting key takes nothing back: its holder keeps every key that it
/// ever wrapped. To destroy a key shreds data only once every older copy of the keyset is gone too.
///
/// Spec: sections 9 and 10.
#[pyclass(frozen, module = "reseal")]
#[derive(Debug)]
pub(crate) struct Keyset(Mutex<State>);

#[derive(Debug)]
struct State {
    keyset: reseal::Keyset,
    /// The document that it was loaded from or saved as.
    document: Option<String>,
}

#[pymethods]
impl Keyset {
    /// A keyset without keys, of a new ring, wrapped under a key-encrypting key or a passphrase.
    ///
    /// A passphrase has at least 12 characters. `lease_seconds` says how long a process may go on sealing
    /// without a look at the keyset; 0 is for ever.
    ///
    /// Example:
    ///     >>> keyset = reseal.Keyset.create(kek=reseal.Key.generate("kek"), lease_seconds=3600)
    ///     >>> keyset.generation, keyset.keys()
    ///     (0, [])
    ///
    /// Errors: invalid-key, key-wrong-use; invalid-argument; random-unavailable.
    #[staticmethod]
    #[pyo3(
        signature = (*, kek=None, passphrase=None, lease_seconds=None, now=None),
        text_signature = "(*, kek=None, passphrase=None, lease_seconds=0, now=None)"
    )]
    fn create(
        py: Python<'_>,
        kek: Option<&Bound<'_, PyAny>>,
        passphrase: Option<&Bound<'_, PyAny>>,
        lease_seconds: Option<&Bound<'_, PyAny>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        let new = match (kek, passphrase) {
            (Some(kek), None) => NewKek::key(key::argument(kek, "kek")?)?,
            (None, Some(passphrase)) => derived(py, passphrase)?,
            _ => return Err(invalid_argument("give kek or passphrase, one of the two")),
        };
        Self::new(new, lease_seconds, now)
    }

    /// As create, with a fresh key-encrypting key that a key service keeps: an awaitable.
    ///
    /// `provider` is a `KekProvider`, and `reference` names a key of it.
    ///
    /// Example:
    ///     >>> import asyncio
    ///     >>> service = reseal.MemoryKekProvider()
    ///     >>> keyset = asyncio.run(reseal.Keyset.create_async(provider=service, reference="keys/app"))
    ///     >>> [(kek.kind, kek.provider, kek.reference) for kek in keyset.keks()]
    ///     [('external', 'memory', 'keys/app')]
    ///
    /// Errors: as of create; those of the service.
    #[staticmethod]
    #[pyo3(
        signature = (*, provider, reference, **options),
        text_signature = "(*, provider, reference, lease_seconds=0, now=None)"
    )]
    fn create_async<'py>(
        provider: &Bound<'py, PyAny>,
        reference: &Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyAny>> {
        let helpers = provider.py().import("reseal._providers")?;
        let create = helpers.getattr("create")?;
        Ok(create.call((provider, reference), options)?)
    }

    /// The keyset of a document, verified under everything that was given; one thing is enough.
    ///
    /// `kek` is a key-encrypting key or a list of several, `ring` the ring id that the keyset has to
    /// have, and `min_generation` the lowest generation that is no old copy.
    ///
    /// Example:
    ///     >>> text = reseal.Keyset.create(passphrase="correct horse battery staple").save()
    ///     >>> reseal.Keyset.load(text, passphrase="correct horse battery staple").generation
    ///     1
    ///     >>> try:
    ///     ...     reseal.Keyset.load(text, kek=reseal.Key.generate("kek"))
    ///     ... except reseal.KeyringError as error:
    ///     ...     print(error.code)
    ///     kek-mismatch
    ///
    /// Errors: keyset-malformed, unsupported-version; invalid-key, key-wrong-use; kek-mismatch;
    /// keyset-tampered, keyset-wrong-ring, keyset-outdated, key-id-mismatch, duplicate-key.
    ///
    /// Spec: section 9.
    #[staticmethod]
    #[pyo3(
        signature = (document, *, kek=None, passphrase=None, ring=None, min_generation=None),
        text_signature = "(document, *, kek=None, passphrase=None, ring=None, min_generation=0)"
    )]
    fn load(
        document: &Bound<'_, PyAny>,
        kek: Option<&Bound<'_, PyAny>>,
        passphrase: Option<&Bound<'_, PyAny>>,
        ring: Option<&Bound<'_, PyAny>>,
        min_generation: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        let keks = kek.map_or_else(|| Ok(Vec::new()), keks)?;
        let passphrase = passphrase.map(passphrase_bytes).transpose()?;
        if keks.is_empty() && passphrase.is_none() {
            return Err(invalid_argument(
                "give what opens the keyset: kek or passphrase",
            ));
        }
        let expect = expect(ring, min_generation)?;
        let text = document_text(document)?;
        Self::unlock(document.py(), text, keks, passphrase.as_ref(), &expect)
    }

    /// As load, with key-encrypting keys that key services keep: an awaitable.
    ///
    /// Example:
    ///     >>> import asyncio
    ///     >>> service = reseal.MemoryKekProvider()
    ///     >>> async def example():
    ///     ...     keyset = await reseal.Keyset.create_async(provider=service, reference="keys/app")
    ///     ...     return await reseal.Keyset.load_async(keyset.save(), providers=[service])
    ///     >>> asyncio.run(example()).generation
    ///     1
    ///
    /// Errors: as of load; those of the services, unless another one gave a key.
    #[staticmethod]
    #[pyo3(
        signature = (document, *, providers, **options),
        text_signature = "(document, *, providers, kek=None, passphrase=None, ring=None, min_generation=0)"
    )]
    fn load_async<'py>(
        document: &Bound<'py, PyAny>,
        providers: &Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyAny>> {
        let helpers = document.py().import("reseal._providers")?;
        let load = helpers.getattr("load")?;
        Ok(load.call((document, items(providers, "providers")?), options)?)
    }

    /// Takes in a key, which opens and does not seal yet, and returns its id.
    ///
    /// `key` is "data" or "index" for a fresh key of that use, or a `Key`.
    ///
    /// Example:
    ///     >>> keyset = reseal.Keyset.create(kek=reseal.Key.generate("kek"))
    ///     >>> id = keyset.introduce("index")
    ///     >>> [(key.id == id, key.use, key.state) for key in keyset.keys()]
    ///     [(True, 'index', 'introduced')]
    ///
    /// Errors: key-wrong-use, duplicate-key; invalid-argument; random-unavailable.
    #[pyo3(signature = (key, *, label=None, now=None), text_signature = "($self, key, *, label='', now=None)")]
    fn introduce(
        &self,
        key: &Bound<'_, PyAny>,
        label: Option<&Bound<'_, PyAny>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> Result<String> {
        let (key, label, now) = (new_key(key)?, label_text(label)?, moment(now)?);
        self.change(|keyset| {
            let id = keyset.introduce(key, &label, now)?;
            Ok(id.to_string())
        })
    }

    /// Makes a key the primary of its use; the old primary becomes decrypt_only.
    ///
    /// A key is promoted once it was saved and a lease has passed since then; `early` promotes it
    /// before, and `back` one that is decrypt_only.
    ///
    /// Example:
    ///     >>> kek = reseal.Key.generate("kek")
    ///     >>> keyset = reseal.Keyset.create(kek=kek, lease_seconds=3600)
    ///     >>> first = keyset.rotate("data", now=0)
    ///     >>> keyset = reseal.Keyset.load(keyset.save(), kek=kek)
    ///     >>> second = keyset.introduce("data", now=1000)
    ///     >>> keyset = reseal.Keyset.load(keyset.save(now=1000), kek=kek)
    ///     >>> try:
    ///     ...     keyset.promote(second, now=2000)
    ///     ... except reseal.KeyringError as error:
    ///     ...     print(error.code)
    ///     keyset-transition
    ///     >>> keyset.promote(second, now=4600)
    ///
    /// Errors: keyset-transition, which says what is legal; invalid-argument for an unknown id.
    ///
    /// Spec: section 10.
    #[pyo3(signature = (id, *, early=Flag::OFF, back=Flag::OFF, now=None), text_signature = "($self, id, *, early=False, back=False, now=None)")]
    fn promote(
        &self,
        id: &Bound<'_, PyAny>,
        early: Flag,
        back: Flag,
        now: Option<&Bound<'_, PyAny>>,
    ) -> Result<()> {
        let (id, now) = (key_id(id)?, moment(now)?);
        let (early, back) = (early.0?, back.0?);
        let allow = Promotion { early, back };
        self.change(|keyset| keyset.promote(keyset.find(&id)?, now, allow))
    }

    /// Introduces a key and promotes it in one step, and returns its id: for one process, or for
    /// many that follow the keyset and may miss new values for a moment (`early`).
    ///
    /// Errors: as of introduce; keyset-transition where the keyset has a lease, and it is not early.
    /// The keyset stays as it was then.
    #[pyo3(signature = (key, *, label=None, early=Flag::OFF, now=None), text_signature = "($self, key, *, label='', early=False, now=None)")]
    fn rotate(
        &self,
        key: &Bound<'_, PyAny>,
        label: Option<&Bound<'_, PyAny>>,
        early: Flag,
        now: Option<&Bound<'_, PyAny>>,
    ) -> Result<String> {
        let (key, label, now) = (new_key(key)?, label_text(label)?, moment(now)?);
        let early = early.0?;
        self.change(|keyset| {
            let id = keyset.rotate(key, &label, now, early)?;
            Ok(id.to_string())
        })
    }

    /// Goes back: the key that the present primary replaced is primary again; without a primary, the
    /// only key that is decrypt_only. Returns its id.
    ///
    /// Errors: keyset-transition where the dates of the keys do not say which one it is.
    #[pyo3(signature = (r#use=KeyUseArgument(Ok(KeyUse::Data)), *, now=None), text_signature = "($self, use='data', *, now=None)")]
    fn revert(&self, r#use: KeyUseArgument, now: Option<&Bound<'_, PyAny>>) -> Result<String> {
        let (key_use, now) = (r#use.0?, moment(now)?);
        self.change(|keyset| keyset.revert(key_use, now).map(|id| id.to_string()))
    }

    /// Stops a key from opening, for the time being. The primary only in an `emergency`: nothing
    /// seals then until another key is promoted.
    ///
    /// Errors: keyset-transition; invalid-argument for an unknown id.
    #[pyo3(signature = (id, *, emergency=Flag::OFF, now=None), text_signature = "($self, id, *, emergency=False, now=None)")]
    fn disable(
        &self,
        id: &Bound<'_, PyAny>,
        emergency: Flag,
        now: Option<&Bound<'_, PyAny>>,
    ) -> Result<()> {
        let (id, emergency, now) = (key_id(id)?, emergency.0?, moment(now)?);
        self.change(|keyset| keyset.disable(keyset.find(&id)?, now, emergency))
    }

    /// Lets a disabled key open again.
    ///
    /// Errors: keyset-transition; invalid-argument for an unknown id.
    #[pyo3(signature = (id, *, now=None))]
    fn enable(&self, id: &Bound<'_, PyAny>, now: Option<&Bound<'_, PyAny>>) -> Result<()> {
        let (id, now) = (key_id(id)?, moment(now)?);
        self.change(|keyset| keyset.enable(keyset.find(&id)?, now))
    }

    /// Forgets a disabled key for good. Its id stays, so that its values are told from others.
    ///
    /// Errors: keyset-transition; invalid-argument for an unknown id.
    ///
    /// Security: older copies of the keyset still hold the key.
    #[pyo3(signature = (id, *, now=None))]
    fn destroy(&self, id: &Bound<'_, PyAny>, now: Option<&Bound<'_, PyAny>>) -> Result<()> {
        let (id, now) = (key_id(id)?, moment(now)?);
        self.change(|keyset| keyset.destroy(keyset.find(&id)?, now))
    }

    /// Calls a key by another label.
    ///
    /// Errors: invalid-argument for an unknown id, or a label that is none.
    #[pyo3(signature = (id, label))]
    fn relabel(&self, id: &Bound<'_, PyAny>, label: &Bound<'_, PyAny>) -> Result<()> {
        let (id, label) = (key_id(id)?, label_text(Some(label))?);
        self.change(|keyset| keyset.relabel(keyset.find(&id)?, &label))
    }

    /// Sets how long a process may go on sealing without a look at the keyset; 0 is for ever.
    ///
    /// Errors: invalid-argument above 31,536,000 seconds, a year.
    fn set_lease_seconds(&self, seconds: &Bound<'_, PyAny>) -> Result<()> {
        let seconds = lease(seconds)?;
        self.change(|keyset| keyset.set_lease_seconds(seconds))
    }

    /// Wraps the keys under one more key-encrypting key, and returns its id.
    ///
    /// Example:
    ///     >>> old, new = reseal.Key.generate("kek"), reseal.Key.generate("kek")
    ///     >>> keyset = reseal.Keyset.create(kek=old)
    ///     >>> keyset.add_kek(new) == new.id
    ///     True
    ///     >>> keyset.remove_kek(old.id)
    ///     >>> [kek.id == new.id for kek in keyset.keks()]
    ///     [True]
    ///
    /// Errors: invalid-key, key-wrong-use, duplicate-key; keyset-transition for a ninth one.
    fn add_kek(&self, kek: &Bound<'_, PyAny>) -> Result<String> {
        self.add(NewKek::key(key::argument(kek, "kek")?)?)
    }

    /// Wraps the keys under a passphrase as well, and returns the id of the key that it makes.
    ///
    /// Errors: invalid-argument for fewer than 12 characters; keyset-transition for a second passphrase.
    fn add_passphrase(&self, py: Python<'_>, passphrase: &Bound<'_, PyAny>) -> Result<String> {
        self.add(derived(py, passphrase)?)
    }

    /// Wraps the keys under a fresh key-encrypting key that a key service keeps: an awaitable, which
    /// gives its id.
    ///
    /// Errors: as of add_kek; those of the service.
    fn add_provider_kek<'py>(
        slf: &Bound<'py, Self>,
        provider: &Bound<'py, PyAny>,
        reference: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyAny>> {
        let helpers = slf.py().import("reseal._providers")?;
        Ok(helpers.getattr("add")?.call1((slf, provider, reference))?)
    }

    /// Takes away the wraps under one key-encrypting key, which need not be at hand.
    ///
    /// Errors: invalid-argument for an unknown id; keyset-transition for the last one.
    ///
    /// Security: its holder keeps every key that it ever wrapped. After a leak, rotate the keys too.
    fn remove_kek(&self, id: &Bound<'_, PyAny>) -> Result<()> {
        let id = key_id(id)?;
        self.change(|keyset| keyset.remove_kek(keyset.find_kek(&id)?))
    }

    /// That every key-encrypting key of the keyset was given, and that it is verified under each.
    ///
    /// Errors: kek-mismatch names one that was not given.
    fn verify(&self) -> Result<()> {
        self.change(|keyset| keyset.verify())
    }

    /// The key texts of all keys that are not destroyed, by their ids.
    ///
    /// Security: these are the secrets themselves, for a secret store or another product.
    fn export_keys<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyDict>> {
        let keys = self.change(|keyset| Ok(keyset.export_keys()))?;
        let texts = PyDict::new(py);
        for (id, text) in keys {
            texts.set_item(id.to_string(), PyString::new(py, &text))?;
        }
        Ok(texts)
    }

    /// The ring of these keys, as they are now.
    ///
    /// Errors: duplicate-key.
    fn keyring(&self) -> Result<Keyring> {
        self.change(|keyset| keyset.ring()).map(Keyring::from)
    }

    /// Every key, in the order in which they came.
    ///
    /// Example:
    ///     >>> keyset = reseal.Keyset.create(kek=reseal.Key.generate("kek"))
    ///     >>> id = keyset.introduce("data", label="2026-q4", now=1_795_132_800)
    ///     >>> [(key.label, key.created) for key in keyset.keys()]
    ///     [('2026-q4', '2026-11-20T00:00:00Z')]
    fn keys<'py>(&self, py: Python<'py>) -> Result<Vec<Bound<'py, PyAny>>> {
        info::keyset_keys(py, &self.info())
    }

    /// The key-encrypting keys, with where they come from and whether they were given.
    fn keks<'py>(&self, py: Python<'py>) -> Result<Vec<Bound<'py, PyAny>>> {
        info::keks(py, &self.info())
    }

    /// The document to store, with the next generation. The keyset stays as it is until `saved` says
    /// that the document was stored.
    ///
    /// Errors: kek-mismatch where a key-encrypting key was not given; random-unavailable;
    /// invalid-argument where the document would be too large.
    ///
    /// Spec: section 9.
    #[pyo3(signature = (*, now=None))]
    fn save(&self, now: Option<&Bound<'_, PyAny>>) -> Result<String> {
        let now = moment(now)?;
        self.change(|keyset| keyset.save(now, &mut OsEntropy))
    }

    /// Goes on from a document that `save` gave and that was stored.
    ///
    /// Errors: keyset-conflict for another document; keyset-malformed, keyset-tampered.
    fn saved(&self, document: &Bound<'_, PyAny>) -> Result<()> {
        let text = document_text(document)?;
        self.with(|state| {
            state.keyset.saved(&text)?;
            state.document = Some(text);
            Ok(())
        })
    }

    /// The id of the ring, which never changes: 26 characters of base32.
    #[getter]
    fn ring_id(&self) -> String {
        self.info().ring
    }

    /// How often the keyset was saved; 0 before the first time.
    #[getter]
    fn generation(&self) -> u64 {
        self.info().generation
    }

    /// When it was saved last, YYYY-MM-DDTHH:MM:SSZ.
    #[getter]
    fn issued(&self) -> String {
        self.info().issued
    }

    /// How long a process may go on sealing without a look at the keyset; 0 is for ever.
    #[getter]
    fn lease_seconds(&self) -> u32 {
        self.info().lease_seconds
    }

    /// The id of the data key that seals, or None.
    #[getter]
    fn primary_id(&self) -> Option<String> {
        info::primary(&self.info(), KeyUse::Data)
    }

    /// The id of the index key whose terms are stored, or None.
    #[getter]
    fn index_primary_id(&self) -> Option<String> {
        info::primary(&self.info(), KeyUse::Index)
    }

    /// For `KeysetFile`: what has to stand in the file before it is replaced.
    #[getter(_document)]
    fn document(&self) -> Option<String> {
        self.lock(|state| state.document.clone())
    }

    /// For `reseal/_providers.py`.
    #[staticmethod]
    #[pyo3(signature = (external, lease_seconds=None, now=None))]
    fn _create_external(
        external: External<'_>,
        lease_seconds: Option<&Bound<'_, PyAny>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        Self::new(new_external(external)?, lease_seconds, now)
    }

    /// For `reseal/_providers.py`.
    fn _add_external(&self, external: External<'_>) -> Result<String> {
        self.add(new_external(external)?)
    }

    fn __repr__(&self) -> String {
        self.lock(|state| format!("{:?}", state.keyset))
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(not_pickled(slf))
    }
}

impl Keyset {
    /// A document, opened with what was given. The GIL is released while a passphrase becomes a key.
    pub(crate) fn unlock(
        py: Python<'_>,
        text: String,
        mut keks: Vec<reseal::Key>,
        passphrase: Option<&Zeroizing<Vec<u8>>>,
        expect: &Expect,
    ) -> Result<Self> {
        let document = KeysetDocument::parse(text.as_bytes())?;
        if let Some(passphrase) = passphrase {
            let argon2id = document.passphrase_entry()?;
            keks.push(py.detach(|| argon2id.derive(passphrase))?);
        }
        let keyset = document.unlock(&keks, expect)?;
        Ok(Self(Mutex::new(State {
            keyset,
            document: Some(text),
        })))
    }

    /// The ring of its keys, and what may be known of it.
    pub(crate) fn parts(&self) -> Result<(reseal::Keyring, KeysetInfo)> {
        Ok((self.change(|keyset| keyset.ring())?, self.info()))
    }

    fn new(
        kek: NewKek,
        lease_seconds: Option<&Bound<'_, PyAny>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        let (lease, now) = (lease_seconds.map_or(Ok(0), lease)?, moment(now)?);
        Ok(Self(Mutex::new(State {
            keyset: reseal::Keyset::create(kek, lease, now, &mut OsEntropy)?,
            document: None,
        })))
    }

    fn add(&self, kek: NewKek) -> Result<String> {
        self.change(|keyset| keyset.add_kek(kek).map(|id| id.to_string()))
    }

    fn info(&self) -> KeysetInfo {
        self.lock(|state| state.keyset.info())
    }

    fn change<T>(&self, change: impl FnOnce(&mut reseal::Keyset) -> Result<T, Error>) -> Result<T> {
        self.with(|state| change(&mut state.keyset))
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> Result<T, Error>) -> Result<T> {
        Ok(self.lock(work)?)
    }

    fn lock<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a keyset document says about itself. Nothing of it is verified.
///
/// Example:
///     >>> text = reseal.Keyset.create(kek=reseal.Key.generate("kek"), lease_seconds=60).save()
///     >>> shown = reseal.inspect_keyset(text)
///     >>> shown.generation, shown.lease_seconds, shown.keys()
///     (1, 60, [])
///
/// Errors: keyset-malformed, unsupported-version.
///
/// Security: whoever writes the document chooses what it shows.
///
/// Spec: section 9.
#[pyfunction]
#[pyo3(signature = (document, /))]
pub(crate) fn inspect_keyset<'py>(document: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>> {
    let text = document_text(document)?;
    let shown = KeysetDocument::parse(text.as_bytes())?.info();
    info::inspection(document.py(), &shown)
}

/// For `reseal/_providers.py`: id, provider, reference and blob of each external KEK.
#[pyfunction]
#[pyo3(name = "_external_keks", signature = (document, /))]
pub(crate) fn external_keks<'py>(document: &Bound<'py, PyAny>) -> Result<Vec<Listed<'py>>> {
    let text = document_text(document)?;
    let parsed = KeysetDocument::parse(text.as_bytes())?;
    let show = |(id, kek): (KeyId, &ExternalKek)| {
        let blob = PyBytes::new(document.py(), &kek.blob);
        (
            id.to_string(),
            kek.provider.clone(),
            kek.reference.clone(),
            blob,
        )
    };
    Ok(parsed.external_keks().map(show).collect())
}

/// Id, provider, reference and blob.
type Listed<'py> = (String, String, String, Bound<'py, PyBytes>);
/// A key, provider, reference and blob.
type External<'py> = (Bound<'py, Key>, String, String, Vec<u8>);

fn new_external((key, provider, reference, blob): External<'_>) -> Result<NewKek> {
    let external = ExternalKek {
        provider,
        reference,
        blob,
    };
    Ok(NewKek::external(key.get().0.clone(), external)?)
}

/// The key of a passphrase, with a fresh salt, made without the GIL.
fn derived(py: Python<'_>, passphrase: &Bound<'_, PyAny>) -> Result<NewKek> {
    let passphrase = passphrase_bytes(passphrase)?;
    NewKek::check_passphrase(&passphrase)?;
    let argon2id = Argon2id::generate(&mut OsEntropy)?;
    let key = py.detach(|| argon2id.derive(&passphrase))?;
    Ok(NewKek::derived(key, argon2id)?)
}

/// One key-encrypting key, or a list of several.
pub(crate) fn keks(kek: &Bound<'_, PyAny>) -> Result<Vec<reseal::Key>> {
    let given = if is_listing(kek)? {
        items(kek, "kek")?
    } else {
        vec![kek.clone()]
    };
    given.iter().map(|kek| key::argument(kek, "kek")).collect()
}

fn new_key(key: &Bound<'_, PyAny>) -> Result<reseal::Key> {
    if let Ok(key) = key.cast::<Key>() {
        return Ok(key.get().0.clone());
    }
    let word = argument_text(key, "a key use")?;
    if word.starts_with("rsk1.") {
        return Err(invalid_argument(
            "a key is taken in as a Key: Key.parse makes one of a key text",
        ));
    }
    let key_use = KeyUse::parse(&word)?;
    Ok(reseal::Key::generate(key_use, &mut OsEntropy)?)
}

fn key_id(id: &Bound<'_, PyAny>) -> Result<String> {
    if id.is_instance_of::<Key>() {
        return Err(invalid_argument(
            "a key of a keyset is named by its id: give key.id",
        ));
    }
    Ok(argument_text(id, "a key id")?.into_owned())
}

fn label_text<'a>(label: Option<&'a Bound<'_, PyAny>>) -> Result<Cow<'a, str>> {
    label.map_or(Ok(Cow::Borrowed("")), |label| argument_text(label, "label"))
}

fn lease(seconds: &Bound<'_, PyAny>) -> Result<u32> {
    not_bool(seconds)
        .and_then(PyAnyMethods::extract)
        .map_err(|_| {
            invalid_argument(
                "a lease is a whole number of seconds, at most 31536000, a year; 0 is none",
            )
        })
}

/// A document as text. What is no UTF-8 is no keyset.
fn document_text(document: &Bound<'_, PyAny>) -> Result<String> {
    let malformed = |message: &'static str| Error::new(ErrorCode::KeysetMalformed, message).into();
    let too_large = || malformed("a keyset has at most 1,048,576 bytes: is this another file?");
    if let Ok(text) = document.cast::<PyString>() {
        if text.code_point_len()? > MAX_KEYSET_BYTES {
            return Err(too_large());
        }
        let text = text.to_str().map(str::to_owned);
        return text
            .map_err(|_| malformed("it has a lone surrogate, which UTF-8 has no bytes for"));
    }
    let Some(bytes) = bytes_like(document, MAX_KEYSET_BYTES, |_| Err(too_large()))? else {
        let found = type_name(document);
        return Err(invalid_argument(format!(
            "a keyset is text or bytes, not {found}"
        )));
    };
    if bytes.len() > MAX_KEYSET_BYTES {
        return Err(too_large());
    }
    let text = core::str::from_utf8(&bytes).map(str::to_owned);
    text.map_err(|_| malformed("a keyset is UTF-8: was the file damaged, or encrypted?"))
}
