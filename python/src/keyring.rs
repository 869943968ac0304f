//! Keyrings. Every method converts its arguments, calls the core and converts the result.

use crate::{
    arguments::Keys,
    batch::Batch,
    context::{self, Contexts},
    convert::{ModeArgument, items, other_mode, stored_binary, stored_text},
    error::{Result, not_pickled},
    field::Field,
    index::{BitsArgument, NormalizerArgument, blind_index},
    info,
    keyset::Keyset,
    ring::Ring,
    single::Single,
    source::{self, Named, Reading},
};
use alloc::sync::Arc;
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyString, PyType},
};
use reseal::{Context, ErrorCode, KeyState, KeyUse, OsEntropy};

/// The keys of an application: immutable, shared by threads, safe after a fork.
///
/// `primary` seals, and `index` makes the blind-index terms that are stored. The lists hold data
/// and index keys alike. A key is a `Key` or a key text; `destroyed` takes key ids.
///
/// Example:
///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
///     >>> ctx = {"table": "users", "column": "ssn", "row": 42}
///     >>> stored = ring.seal("078-05-1120", ctx)
///     >>> ring.open_str(stored, ctx)
///     '078-05-1120'
///
/// Errors: invalid-key, key-wrong-use, duplicate-key, invalid-argument.
///
/// Spec: sections 2, 8 and 10.
#[pyclass(frozen, subclass, module = "reseal")]
#[derive(Debug)]
pub(crate) struct Keyring(pub(crate) Ring);

#[pymethods]
impl Keyring {
    #[new]
    #[pyo3(
        signature = (primary=None, *, decrypt_only=None, index=None, introduced=None, disabled=None, destroyed=None),
        text_signature = "(primary=None, *, decrypt_only=(), index=None, introduced=(), disabled=(), destroyed=())"
    )]
    fn new(
        primary: Option<&Bound<'_, PyAny>>,
        decrypt_only: Option<&Bound<'_, PyAny>>,
        index: Option<&Bound<'_, PyAny>>,
        introduced: Option<&Bound<'_, PyAny>>,
        disabled: Option<&Bound<'_, PyAny>>,
        destroyed: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        let mut keys = Keys::default();
        keys.primary(primary, "primary", KeyUse::Data)?;
        keys.primary(index, "index", KeyUse::Index)?;
        keys.list(introduced, "introduced", KeyState::Introduced)?;
        keys.list(decrypt_only, "decrypt_only", KeyState::DecryptOnly)?;
        keys.list(disabled, "disabled", KeyState::Disabled)?;
        keys.ids(destroyed, "destroyed")?;
        Ok(Self::from(keys.build()?))
    }

    /// The ring that environment variables describe: those of the process, or of `environ`.
    ///
    /// RESEAL_PRIMARY_KEY with RESEAL_INDEX_KEY, RESEAL_DECRYPT_KEYS and RESEAL_INTRODUCED_KEYS; or
    /// RESEAL_KEY_DIR, a directory with one key text per file, with RESEAL_PRIMARY and
    /// RESEAL_INDEX_PRIMARY, names of files in it; or RESEAL_KEYSET, a keyset file, with RESEAL_KEK
    /// or RESEAL_PASSPHRASE, and RESEAL_RING and RESEAL_MIN_GENERATION if they are known. Of
    /// `RESEAL_KEYSET=sql:RING` the keyset is a row of the database that RESEAL_DATABASE_URL names. With
    /// _FILE at its end, the name of a variable for a secret takes the path of a file instead.
    ///
    /// Example:
    ///     >>> environ = {"RESEAL_PRIMARY_KEY": reseal.Key.generate("data").export()}
    ///     >>> len(reseal.Keyring.from_env(environ).keys())
    ///     1
    ///
    /// Errors: source-missing, source-conflict, source-unreadable; invalid-key, key-wrong-use and
    /// duplicate-key. All name the variables, none shows a value. Those of from_keyset.
    #[staticmethod]
    #[pyo3(signature = (environ=None))]
    fn from_env(py: Python<'_>, environ: Option<&Bound<'_, PyAny>>) -> Result<Self> {
        let source = source::read_env(py, environ)?;
        let reading = Reading::now(py, Named::Variables, environ)?;
        Ok(Self::from(source::ring(py, source, &reading)?))
    }

    /// The ring of a directory with one key text per file, as Kubernetes mounts a secret.
    ///
    /// `primary` and `index_primary` are names of files; all other keys only open. The name of a
    /// file is the label of its key. Hidden files and sub-directories are skipped.
    ///
    /// Example:
    ///     >>> import pathlib, tempfile
    ///     >>> directory = pathlib.Path(tempfile.mkdtemp())
    ///     >>> key_file = directory / "2026-q4"
    ///     >>> key_file.touch(0o600)
    ///     >>> key_file.write_text(reseal.Key.generate("data").export())
    ///     58
    ///     >>> ring = reseal.Keyring.from_directory(directory, primary="2026-q4")
    ///     >>> [key.label for key in ring.keys()]
    ///     ['2026-q4']
    ///
    /// Errors: source-unreadable; invalid-key, key-wrong-use, duplicate-key. All name the file.
    #[staticmethod]
    #[pyo3(signature = (path, *, primary, index_primary=None))]
    fn from_directory(
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        primary: &Bound<'_, PyAny>,
        index_primary: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        let source = source::directory(path, primary, index_primary)?;
        let reading = Reading::now(py, Named::Arguments, None)?;
        Ok(Self::from(source::ring(py, source, &reading)?))
    }

    /// The ring of a keyset file, opened by one of `kek`, `kek_file`, `passphrase` and
    /// `passphrase_file`; or of a `KeysetFile` or `SqlKeysetStore`, which has what opens it.
    ///
    /// `ring` is the ring id that the keyset has to have, and `min_generation` the lowest generation
    /// that is no old copy.
    ///
    /// Example:
    ///     >>> import tempfile
    ///     >>> kek, path = reseal.Key.generate("kek"), tempfile.mkdtemp() + "/keyset.json"
    ///     >>> keyset = reseal.Keyset.create(kek=kek)
    ///     >>> id = keyset.rotate("data", label="2026-q4")
    ///     >>> reseal.KeysetFile(path).create(keyset)
    ///     >>> reseal.Keyring.from_keyset(path, kek=kek).primary_id == id
    ///     True
    ///
    /// Errors: source-unreadable; invalid-key; those of `Keyset.load`; database-error of a store.
    ///
    /// Spec: section 9.
    #[staticmethod]
    #[pyo3(
        signature = (path, *, kek=None, kek_file=None, passphrase=None, passphrase_file=None, ring=None, min_generation=None),
        text_signature = "(path, *, kek=None, kek_file=None, passphrase=None, passphrase_file=None, ring=None, min_generation=0)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keywords of Python")]
    fn from_keyset(
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        kek: Option<&Bound<'_, PyAny>>,
        kek_file: Option<&Bound<'_, PyAny>>,
        passphrase: Option<&Bound<'_, PyAny>>,
        passphrase_file: Option<&Bound<'_, PyAny>>,
        ring: Option<&Bound<'_, PyAny>>,
        min_generation: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        let opened_by = [kek, kek_file, passphrase, passphrase_file];
        if let Some(store) = source::store(path, &opened_by, [ring, min_generation])? {
            let keyset = store.call_method0("load")?;
            let keyset = keyset.cast_into::<Keyset>().map_err(PyErr::from)?;
            return Ok(Self::from(keyset.get().parts()?.0));
        }
        let unlock = source::unlock(kek, kek_file, passphrase, passphrase_file)?;
        let source = source::keyset(path, unlock, source::expect(ring, min_generation)?)?;
        let reading = Reading::now(py, Named::Arguments, None)?;
        Ok(Self::from(source::ring(py, source, &reading)?))
    }

    /// A text envelope of `value` under the primary key. Text is sealed as UTF-8.
    ///
    /// `context` says where the value belongs: a mapping of names to text, bytes, integers or
    /// UUIDs, the same when it is opened. `mode` is "random", "deterministic" or "padded".
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> ring.seal("x", {"row": 1}) == ring.seal("x", {"row": 1})
    ///     False
    ///     >>> ring.seal("x", {}, "deterministic") == ring.seal("x", {}, "deterministic")
    ///     True
    ///
    /// Errors: context-invalid, invalid-text, too-large, no-primary, random-unavailable;
    /// invalid-argument for None and other types.
    ///
    /// Security: mode deterministic shows which values of a context are equal.
    ///
    /// Spec: sections 2, 3 and 7.
    #[pyo3(
        signature = (value, context, mode=ModeArgument::RANDOM),
        text_signature = "($self, value, context, mode='random')"
    )]
    fn seal<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
        mode: ModeArgument,
    ) -> Result<Bound<'py, PyString>> {
        self.value(value, context).seal(mode.0?)
    }

    /// A binary envelope of `value` under the primary key.
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> len(ring.seal_binary(b"four", {}))
    ///     70
    ///
    /// Errors: as of seal.
    #[pyo3(
        signature = (value, context, mode=ModeArgument::RANDOM),
        text_signature = "($self, value, context, mode='random')"
    )]
    fn seal_binary<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
        mode: ModeArgument,
    ) -> Result<Bound<'py, PyBytes>> {
        self.value(value, context).seal_binary(mode.0?)
    }

    /// The plaintext of a text envelope, as bytes.
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> ring.open(ring.seal(b"x", {"row": 1}), {"row": 1})
    ///     b'x'
    ///     >>> try:
    ///     ...     ring.open(ring.seal(b"x", {"row": 1}), {"row": 2})
    ///     ... except reseal.DecryptError as error:
    ///     ...     print(error.code)
    ///     auth-failed
    ///
    /// Errors: not-envelope, malformed, unsupported-version, too-large, unsupported-mode;
    /// context-invalid; unknown-key, key-destroyed, key-disabled, key-wrong-use; auth-failed for
    /// everything that depends on a secret.
    ///
    /// Spec: sections 2, 3 and 5.
    fn open<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyBytes>> {
        self.value(stored, context).open()
    }

    /// The plaintext of a text envelope, as text.
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> ring.open_str(ring.seal("Zoë", {}), {})
    ///     'Zoë'
    ///
    /// Errors: as of open, and invalid-text when the authentic plaintext is not UTF-8.
    fn open_str<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyString>> {
        self.value(stored, context).open_str()
    }

    /// The plaintext of a binary envelope, as bytes.
    ///
    /// Errors: as of open.
    fn open_binary<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyBytes>> {
        self.value(stored, context).open_binary()
    }

    /// Whether a text envelope is of version 1, under the primary key and in `mode`. Decided from
    /// public bytes; nothing is verified.
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> stored = ring.seal("x", {})
    ///     >>> ring.is_current(stored), ring.is_current(stored, "padded")
    ///     (True, False)
    ///
    /// Errors: as of inspect.
    ///
    /// Spec: section 10.
    #[pyo3(
        signature = (stored, mode=None),
        text_signature = "($self, stored, mode=None)"
    )]
    fn is_current(&self, stored: &Bound<'_, PyAny>, mode: Option<ModeArgument>) -> Result<bool> {
        let ring = self.0.to_open(stored.py())?;
        Ok(ring.is_current(&stored_text(stored)?, other_mode(mode)?)?)
    }

    /// As is_current, for a binary envelope.
    ///
    /// Errors: as of inspect.
    #[pyo3(
        signature = (stored, mode=None),
        text_signature = "($self, stored, mode=None)"
    )]
    fn is_current_binary(
        &self,
        stored: &Bound<'_, PyAny>,
        mode: Option<ModeArgument>,
    ) -> Result<bool> {
        let ring = self.0.to_open(stored.py())?;
        Ok(ring.is_current_binary(&stored_binary(stored)?, other_mode(mode)?)?)
    }

    /// The value under the primary key and in `mode`: the very same object where it already is so.
    /// Without a mode the value keeps the one that it has.
    ///
    /// Example:
    ///     >>> old, new = reseal.Key.generate("data"), reseal.Key.generate("data")
    ///     >>> stored = reseal.Keyring(primary=old).seal("x", {})
    ///     >>> ring = reseal.Keyring(primary=new, decrypt_only=[old])
    ///     >>> resealed = ring.reseal(stored, {})
    ///     >>> ring.is_current(stored), ring.is_current(resealed)
    ///     (False, True)
    ///     >>> ring.reseal(resealed, {}) is resealed
    ///     True
    ///
    /// Errors: as of open and seal; the stored value is to be left as it is then.
    #[pyo3(
        signature = (stored, context, mode=None),
        text_signature = "($self, stored, context, mode=None)"
    )]
    fn reseal<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
        mode: Option<ModeArgument>,
    ) -> Result<Bound<'py, PyAny>> {
        self.value(stored, context).reseal(other_mode(mode)?)
    }

    /// As reseal, for a binary envelope.
    ///
    /// Errors: as of reseal.
    #[pyo3(
        signature = (stored, context, mode=None),
        text_signature = "($self, stored, context, mode=None)"
    )]
    fn reseal_binary<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
        mode: Option<ModeArgument>,
    ) -> Result<Bound<'py, PyAny>> {
        self.value(stored, context).reseal_binary(other_mode(mode)?)
    }

    /// Text envelopes of many values: a list with, for each, the envelope or a `ResealError` that
    /// is not raised, so that a bad value does not fail the rest.
    ///
    /// `context` is one mapping for all, or a list with one for each.
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> first, second = ring.seal_many(["x", None], {"table": "users"})
    ///     >>> ring.open_str(first, {"table": "users"})
    ///     'x'
    ///     >>> second.code
    ///     'invalid-argument'
    ///
    /// Errors: no-primary, random-unavailable; context-invalid of a context for all;
    /// invalid-argument when there are not as many contexts as values.
    ///
    /// Spec: sections 6 and 7: the values share salts.
    #[pyo3(
        signature = (values, context, mode=ModeArgument::RANDOM),
        text_signature = "($self, values, context, mode='random')"
    )]
    fn seal_many<'py>(
        &self,
        values: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
        mode: ModeArgument,
    ) -> Result<Bound<'py, PyList>> {
        self.batch(values, "values", context)?.seal(mode.0?)
    }

    /// As seal_many, for binary columns.
    ///
    /// Errors: as of seal_many.
    #[pyo3(
        signature = (values, context, mode=ModeArgument::RANDOM),
        text_signature = "($self, values, context, mode='random')"
    )]
    fn seal_many_binary<'py>(
        &self,
        values: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
        mode: ModeArgument,
    ) -> Result<Bound<'py, PyList>> {
        self.batch(values, "values", context)?.seal_binary(mode.0?)
    }

    /// The plaintexts of many text envelopes, as bytes: a list with, for each, the plaintext or a
    /// `ResealError` that is not raised.
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> contexts = [{"row": 1}, {"row": 2}]
    ///     >>> ring.open_many(ring.seal_many(["x", "y"], contexts), contexts)
    ///     [b'x', b'y']
    ///
    /// Errors: context-invalid of a context for all; invalid-argument when there are not as many
    /// contexts as values.
    fn open_many<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyList>> {
        self.batch(stored, "stored", context)?.open()
    }

    /// As open_many, as text.
    ///
    /// Errors: as of open_many; invalid-text of an item that is not UTF-8.
    fn open_many_str<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyList>> {
        self.batch(stored, "stored", context)?.open_str()
    }

    /// As open_many, for binary columns.
    ///
    /// Errors: as of open_many.
    fn open_many_binary<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyList>> {
        self.batch(stored, "stored", context)?.open_binary()
    }

    /// The deterministic text envelopes of `value` under every key that opens, the primary's first:
    /// what a query on a deterministic column asks for, `IN (…)`.
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> ring.lookup_values("x", {}) == [ring.seal("x", {}, "deterministic")]
    ///     True
    ///
    /// Errors: context-invalid, invalid-text, too-large; no-primary when no data key opens.
    ///
    /// Spec: section 2, mode d.
    fn lookup_values<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyList>> {
        self.value(value, context).lookup_values()
    }

    /// As lookup_values, for a binary column.
    ///
    /// Errors: as of lookup_values.
    fn lookup_values_binary<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyList>> {
        self.value(value, context).lookup_values_binary()
    }

    /// The blind-index term of `value` under the primary index key: what is stored beside it.
    ///
    /// `index` is the name of the index, `normalizer` is "raw", "ascii-lower-trim" or "digits", and
    /// `bits`, 8 to 256, says how much of the hash is kept.
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(index=reseal.Key.generate("index"))
    ///     >>> email = {"index": "email_eq", "normalizer": "ascii-lower-trim"}
    ///     >>> term = ring.index_term("Ann@example.com", {"table": "users"}, **email)
    ///     >>> term in ring.index_terms("ann@example.com ", {"table": "users"}, **email)
    ///     True
    ///
    /// Errors: invalid-argument, context-invalid, invalid-text; no-primary without a primary index
    /// key; ring-stale.
    ///
    /// Security: a term shows which values are equal. Fewer bits make more false hits, so hits are
    /// verified after opening, and an observer learns less.
    ///
    /// Spec: section 8.
    #[pyo3(
        signature = (value, context, *, index, normalizer=NormalizerArgument::RAW, bits=BitsArgument::DEFAULT),
        text_signature = "($self, value, context, *, index, normalizer='raw', bits=64)"
    )]
    fn index_term(
        &self,
        value: &Bound<'_, PyAny>,
        context: &Bound<'_, PyAny>,
        index: &Bound<'_, PyAny>,
        normalizer: NormalizerArgument,
        bits: BitsArgument,
    ) -> Result<String> {
        self.value(value, context)
            .index_term(&blind_index(index, normalizer, bits)?)
    }

    /// The blind-index terms of `value` under every index key that opens, the primary's first: what
    /// a query asks for, `IN (…)`. Verify the hits after opening.
    ///
    /// Errors: as of index_term, but for ring-stale; no-primary when no index key opens.
    ///
    /// Spec: section 8.
    #[pyo3(
        signature = (value, context, *, index, normalizer=NormalizerArgument::RAW, bits=BitsArgument::DEFAULT),
        text_signature = "($self, value, context, *, index, normalizer='raw', bits=64)"
    )]
    fn index_terms(
        &self,
        value: &Bound<'_, PyAny>,
        context: &Bound<'_, PyAny>,
        index: &Bound<'_, PyAny>,
        normalizer: NormalizerArgument,
        bits: BitsArgument,
    ) -> Result<Vec<String>> {
        self.value(value, context)
            .index_terms(&blind_index(index, normalizer, bits)?)
    }

    /// A field: this ring with a context and a mode that are checked and encoded once.
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> ssn = ring.field({"table": "users", "column": "ssn"}, "padded")
    ///     >>> ssn.open_str(ssn.seal("078-05-1120", row=42), row=42)
    ///     '078-05-1120'
    ///
    /// Errors: context-invalid, invalid-argument.
    #[pyo3(
        signature = (context, mode=ModeArgument::RANDOM),
        text_signature = "($self, context, mode='random')"
    )]
    fn field(&self, context: &Bound<'_, PyAny>, mode: ModeArgument) -> Result<Field> {
        Ok(Field {
            ring: self.0.clone(),
            context: context::read(context)?,
            mode: mode.0?,
        })
    }

    /// Every key of the ring, in the order of their ids.
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> [(key.use, key.state) for key in ring.keys()]
    ///     [('data', 'primary')]
    fn keys<'py>(&self, py: Python<'py>) -> Result<Vec<Bound<'py, PyAny>>> {
        let ring = self.0.to_open(py)?;
        ring.keys().map(|key| info::key(py, key)).collect()
    }

    /// A value to store beside the data, so that `check` can tell at every start whether a process
    /// has the right keys.
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> canary = ring.canary()
    ///     >>> ring.check(canary)
    ///     'ok'
    ///     >>> reseal.Keyring(primary=reseal.Key.generate("data")).check(canary)
    ///     'unknown-key'
    ///
    /// Errors: no-primary, ring-stale, random-unavailable.
    ///
    /// Spec: section 12.
    fn canary<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyString>> {
        let ring = self.0.to_seal(py)?;
        Ok(PyString::new(py, &ring.canary(&mut OsEntropy)?))
    }

    /// Whether this ring has the key of a canary: "ok", or the code why not.
    ///
    /// The codes are "unknown-key", "auth-failed", "key-disabled", "key-destroyed" and
    /// "key-wrong-use".
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> ring.check(ring.seal("no canary", {}))
    ///     'auth-failed'
    ///
    /// Errors: not-envelope, malformed, unsupported-version, unsupported-mode, too-large: this is no
    /// canary, whatever the keys.
    ///
    /// Spec: section 12.
    #[pyo3(signature = (canary, /))]
    fn check(&self, canary: &Bound<'_, PyAny>) -> Result<&'static str> {
        let (py, canary) = (canary.py(), stored_text(canary)?);
        let found = self.0.open_all(
            py,
            |ring| ring.check(&canary),
            |found| matches!(found, Ok(Some(ErrorCode::UnknownKey))),
        )??;
        Ok(found.map_or("ok", ErrorCode::as_str))
    }

    /// The id of the data key that seals, or None.
    #[getter]
    fn primary_id(&self, py: Python<'_>) -> Result<Option<String>> {
        let ring = self.0.to_open(py)?;
        Ok(ring.primary_id().map(|id| id.to_string()))
    }

    /// The id of the index key whose terms are stored, or None.
    #[getter]
    fn index_primary_id(&self, py: Python<'_>) -> Result<Option<String>> {
        let ring = self.0.to_open(py)?;
        Ok(ring.index_primary_id().map(|id| id.to_string()))
    }

    /// `LiveKeyring` is the only other kind.
    #[classmethod]
    #[pyo3(signature = (**_options))]
    fn __init_subclass__(
        class: &Bound<'_, PyType>,
        _options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let message = format!("a Keyring is no base class: let {} hold one", class.name()?);
        Err(PyTypeError::new_err(message))
    }

    fn __repr__(&self) -> String {
        self.0.shown()
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(not_pickled(slf))
    }
}

impl Keyring {
    fn value<'a, 'py>(
        &'a self,
        value: &'a Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> Single<'a, 'py, Context> {
        Single {
            ring: &self.0,
            value,
            context: context::read(context),
        }
    }

    fn batch<'py>(
        &self,
        values: &Bound<'py, PyAny>,
        argument: &str,
        context: &Bound<'py, PyAny>,
    ) -> Result<Batch<'_, 'py>> {
        let (py, values) = (values.py(), items(values, argument)?);
        let contexts = Contexts::read(context, values.len())?;
        Ok(Batch {
            ring: &self.0,
            values,
            contexts,
            py,
        })
    }
}

impl From<reseal::Keyring> for Keyring {
    fn from(ring: reseal::Keyring) -> Self {
        Self(Ring::Fixed(Arc::new(ring)))
    }
}
