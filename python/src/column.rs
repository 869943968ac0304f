//! Columns: the codec that is written, those that may be read, a context and a type.

use crate::{
    codec::{self, Codec, Named, Needs, RingsOfACall, Source, Taken},
    column_batch::Batch,
    context::{Contexts, extend, insert, read},
    convert::{ModeArgument, argument_text, items, type_name},
    error::{Failure, Result, invalid_argument, not_pickled, per_item},
    index,
    options::flag,
    outcome::{self, Classified, Opened},
    plaintext,
    ring::is_unknown_key,
    stored::{self, StoredArgument},
    time::moment,
    value,
};
use alloc::{borrow::Cow, sync::Arc};
use core::fmt;
use pyo3::{
    prelude::*,
    types::{PyDict, PyList, PyString},
};
use reseal::{
    BlindIndex, Context, Error, ErrorCode, Mode, NamedCodec, OsEntropy, Outcome, ValueType,
    codec::{Form, Fresh, Stored, StoredValue},
};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// A column of one table: the codec that it writes, the codecs that its values may be in, its
/// context, its mode and its type.
///
/// `context` is bound to every value; what differs from row to row is a keyword of each call.
/// `earlier_contexts` are those that older values may have, after a rename. `mode` is that of
/// envelopes. `type` says what the values are: "text", "bytes", "integer", "decimal", "boolean",
/// "date", "time", "timestamp", "uuid" or "json". `binary` says that the column holds bytes.
/// `indexes` are its blind indexes, each a mapping with `index`, a name, and `normalizer` and `bits`
/// as of `Keyring.index_term`; the ring of the first codec of envelopes makes their terms.
///
/// None is NULL: it is given back, and never sealed.
///
/// Example:
///     >>> from reseal import codecs
///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
///     >>> column = reseal.Column(
///     ...     write=codecs.reseal(ring),
///     ...     read=[codecs.fernet(keys=["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="])],
///     ...     context={"table": "users", "column": "ssn"},
///     ... )
///     >>> token = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
///     >>> column.open(token, row=42).value
///     'hello'
///     >>> resealed = column.reseal(token, row=42)
///     >>> resealed.from_.codec, resealed.to.codec
///     ('fernet', 'reseal')
///     >>> column.open(resealed.value, row=42).current
///     True
///
/// A column that writes plaintext gives a `PlaintextWarning`.
///
/// Errors: invalid-argument, also for two codecs of one name; context-invalid; encryption-required for
/// one that writes plaintext where `RESEAL_REQUIRE_ENCRYPTION` is set.
///
/// Spec: `spec/values.md` for the types.
#[pyclass(frozen, module = "reseal")]
#[derive(Debug)]
pub(crate) struct Column {
    /// The one that is written first, each once.
    codecs: Vec<Arc<Named>>,
    /// What it is unless a codec follows a ring.
    fixed: Option<reseal::Column>,
    /// What it was in the last call, if a codec follows a ring: as a rule the next call has the same.
    last: Mutex<Option<Arc<Followed>>>,
    parts: Parts,
    form: Form,
}

/// A column of codecs that follow rings, and the rings of the call that it was made for.
struct Followed {
    rings: Vec<RingsOfACall>,
    column: reseal::Column,
}

/// The column only.
impl fmt::Debug for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.column.fmt(f)
    }
}

/// A repair of the core.
type Repair =
    fn(&reseal::Column, Stored<'_>, &Context, &mut Fresh<'_>) -> Result<StoredValue, Error>;

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) context: Context,
    pub(crate) earlier: Vec<Context>,
    pub(crate) mode: Mode,
    pub(crate) kind: ValueType,
    pub(crate) indexes: Vec<BlindIndex>,
}

#[pymethods]
impl Column {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "keywords of Python")]
    #[pyo3(
        signature = (write, read=None, context=None, earlier_contexts=None, mode=ModeArgument::RANDOM, r#type=None, binary=None, indexes=None),
        text_signature = "(write, read=(), context={}, earlier_contexts=(), mode='random', type='text', binary=False, indexes=())"
    )]
    fn new(
        write: &Bound<'_, PyAny>,
        read: Option<&Bound<'_, PyAny>>,
        context: Option<&Bound<'_, PyAny>>,
        earlier_contexts: Option<&Bound<'_, PyAny>>,
        mode: ModeArgument,
        r#type: Option<&Bound<'_, PyAny>>,
        binary: Option<&Bound<'_, PyAny>>,
        indexes: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        let mut codecs = vec![codec_of(write, "write")?];
        for codec in read.map_or_else(|| Ok(vec![]), |read| items(read, "read"))? {
            let codec = codec_of(&codec, "each of read")?;
            if !codecs.iter().any(|there| Arc::ptr_eq(there, &codec)) {
                codecs.push(codec);
            }
        }
        let earlier =
            earlier_contexts.map_or_else(|| Ok(vec![]), |list| items(list, "earlier_contexts"))?;
        let kind = match r#type {
            Some(kind) if !kind.is_none() => ValueType::parse(&argument_text(kind, "type")?)?,
            _ => ValueType::Text,
        };
        let indexes = indexes.map_or_else(|| Ok(vec![]), |list| items(list, "indexes"))?;
        let parts = Parts {
            context: context.map_or_else(|| Ok(Context::new()), self::read)?,
            earlier: earlier.iter().map(self::read).collect::<Result<_>>()?,
            mode: mode.0?,
            kind,
            indexes: indexes
                .iter()
                .map(index::described)
                .collect::<Result<_>>()?,
        };
        let form = stored::form(flag(binary, "binary", false)?);
        let column = Self::of(codecs, parts, form)?;
        if let Some(codec) = column.written_in_plaintext() {
            plaintext::refuse_or_warn(write.py(), codec)?;
        }
        Ok(column)
    }

    /// A value to store, in the codec that is written; further pairs of the context are keywords.
    /// None for None.
    ///
    /// Errors: context-invalid; invalid-argument for a value of another type, and value-invalid for
    /// one that has no canonical form; invalid-text, too-large; codec-read-only for what the format
    /// cannot hold; looks-sealed for what another codec of the column would take for its own; no-primary,
    /// ring-stale, random-unavailable.
    #[pyo3(signature = (value, /, **context))]
    fn seal<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyAny>> {
        if value.is_none() {
            return Ok(value.clone());
        }
        let py = value.py();
        let facts = facts(context)?;
        let bytes = value::spell_to_seal(self.parts.kind, self.parts.mode, value)?;
        let sealed = self.call(py, Needs::Seal, |column| {
            with_fresh(|fresh| column.seal(&bytes, &facts, self.form, fresh))
        })?;
        Ok(stored::show(py, &sealed?))
    }

    /// The value of what is stored, and how it was opened. None for None.
    ///
    /// What carries the mark of a codec is opened by such a codec or not at all: it is never taken
    /// for plaintext.
    ///
    /// Errors: format-mismatch where no codec of the column has this format; those of the codecs;
    /// value-invalid and invalid-text where the plaintext is no value of the column's type.
    #[pyo3(signature = (stored, /, **context))]
    fn open<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Option<Opened>> {
        let read = self.read(stored, context)?;
        read.map(|read| self.opened(stored.py(), read)).transpose()
    }

    /// As open, the value alone: what an adapter asks for, value by value.
    ///
    /// Errors: as of open.
    #[pyo3(name = "_value", signature = (stored, /, **context))]
    fn value<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Option<Bound<'py, PyAny>>> {
        let read = self.read(stored, context)?;
        read.map(|read| value::read(stored.py(), self.parts.kind, &read.plaintext))
            .transpose()
    }

    /// Which codec a stored value is in, and under which key, judged without any key.
    ///
    /// Errors: invalid-argument for what is neither text nor bytes nor None; invalid-text.
    #[pyo3(signature = (stored, /))]
    fn classify(&self, stored: &Bound<'_, PyAny>) -> Result<Classified> {
        let py = stored.py();
        let stored = StoredArgument::read_nullable(stored)?;
        let stored = stored.as_ref().map(StoredArgument::as_stored);
        let shown = self.call(py, Needs::Open, |column| Ok(column.classify(stored)))??;
        Ok(Classified::new(shown))
    }

    /// What is to become of a stored value: `Null`, `Current`, `Resealed` with the value in the codec
    /// that is written, or `Refused` with the code why it stays. A value never makes it raise.
    ///
    /// Example:
    ///     >>> from reseal import codecs
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> column = reseal.Column(write=codecs.reseal(ring), read=[codecs.plain()])
    ///     >>> [type(column.reseal(stored)).__name__ for stored in (None, column.seal("x"), "x")]
    ///     ['Null', 'Current', 'Resealed']
    ///     >>> column.reseal(ring.seal("x", {})[:50]).code
    ///     'malformed'
    #[pyo3(signature = (stored, /, **context))]
    fn reseal<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyAny>> {
        self.rewrite(stored, context, false)
    }

    /// As reseal, and a value that is current is opened as well: where it has an earlier context, it
    /// is sealed with the present one.
    #[pyo3(signature = (stored, /, **context))]
    fn reopen<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyAny>> {
        self.rewrite(stored, context, true)
    }

    /// The value of a row that was encrypted twice, sealed once: a repair for one row, that a person
    /// asks for.
    ///
    /// Errors: format-mismatch where the plaintext is in no foreign codec of the column; those of
    /// open and seal.
    ///
    /// Security: never make it a rule: whoever submits a foreign ciphertext as his own text would
    /// read it opened.
    #[pyo3(signature = (stored, /, **context))]
    fn unwrap_twice<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyAny>> {
        self.repair(stored, context, reseal::Column::unwrap_twice)
    }

    /// The value of a row in the codec that is written, whatever its plaintext looks like: for a row
    /// that is refused as double-encrypted, and in which somebody just wrote what looks like a
    /// ciphertext. A person asks for it, for one row.
    ///
    /// Errors: those of open and seal; expect-required.
    #[pyo3(signature = (stored, /, **context))]
    fn keep_twice<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyAny>> {
        self.repair(stored, context, reseal::Column::keep_twice)
    }

    /// As seal, for many values in one call. `rows` has a value of the pair `row` for each, `contexts`
    /// a mapping of further pairs for each; give one of the two, or none. A value that fails is an
    /// item that is an error.
    ///
    /// Example:
    ///     >>> from reseal import codecs
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> column = reseal.Column(write=codecs.reseal(ring), type="integer")
    ///     >>> stored = column.seal_many([7, None, "8"], rows=[1, 2, 3])
    ///     >>> stored[2].code
    ///     'invalid-argument'
    ///     >>> [opened and opened.value for opened in column.open_many(stored[:2], rows=[1, 2])]
    ///     [7, None]
    ///
    /// Errors: invalid-argument for what is no list, or lists of different lengths.
    #[pyo3(signature = (values, *, rows=None, contexts=None))]
    fn seal_many<'py>(
        &self,
        values: &Bound<'py, PyAny>,
        rows: Option<&Bound<'py, PyAny>>,
        contexts: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyList>> {
        Batch::new(self, values, "values", rows, contexts)?.seal()
    }

    /// As open, for many values in one call; `rows` and `contexts` as of seal_many.
    ///
    /// Errors: as of seal_many.
    #[pyo3(signature = (stored, *, rows=None, contexts=None))]
    fn open_many<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        rows: Option<&Bound<'py, PyAny>>,
        contexts: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyList>> {
        Batch::new(self, stored, "stored", rows, contexts)?.open()
    }

    /// As reseal, for many values in one call; `rows` and `contexts` as of seal_many. Each item is
    /// `Null`, `Current`, `Resealed` or `Refused`.
    ///
    /// Errors: as of seal_many.
    #[pyo3(signature = (stored, *, rows=None, contexts=None))]
    fn reseal_many<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        rows: Option<&Bound<'py, PyAny>>,
        contexts: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyList>> {
        Batch::new(self, stored, "stored", rows, contexts)?.rewrite(false)
    }

    /// As reopen, for many values in one call; arguments and items are those of reseal_many.
    ///
    /// Example:
    ///     >>> from reseal import codecs
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> column = reseal.Column(write=codecs.reseal(ring), read=[codecs.plain()])
    ///     >>> [type(item).__name__ for item in column.reopen_many([None, column.seal("x"), "x"])]
    ///     ['Null', 'Current', 'Resealed']
    ///
    /// Errors: as of seal_many.
    #[pyo3(signature = (stored, *, rows=None, contexts=None))]
    fn reopen_many<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        rows: Option<&Bound<'py, PyAny>>,
        contexts: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyList>> {
        Batch::new(self, stored, "stored", rows, contexts)?.rewrite(true)
    }

    /// As classify, for many values in one call.
    ///
    /// Errors: as of seal_many.
    #[pyo3(signature = (stored, /))]
    fn classify_many<'py>(&self, stored: &Bound<'py, PyAny>) -> Result<Bound<'py, PyList>> {
        Batch::new(self, stored, "stored", None, None)?.classify()
    }

    /// The term of a value in a blind index of the column, which is stored beside it; further pairs of
    /// the context are keywords. They must be those that a query knows as well: with the row id among
    /// them no two terms would be equal. None for None.
    ///
    /// Example:
    ///     >>> from reseal import codecs
    ///     >>> keys = (reseal.Key.generate("data"), reseal.Key.generate("index"))
    ///     >>> column = reseal.Column(
    ///     ...     write=codecs.reseal(reseal.Keyring(primary=keys[0], index=keys[1])),
    ///     ...     indexes=[{"index": "ssn_eq", "normalizer": "digits"}],
    ///     ... )
    ///     >>> term = column.index_term("078-05-1120", "ssn_eq", tenant=7)
    ///     >>> term in column.index_terms("078 05 1120", "ssn_eq", tenant=7)
    ///     True
    ///
    /// Errors: invalid-argument where there is no such index, or no codec of envelopes in the column;
    /// those of seal for the value; no-primary without an index key, ring-stale.
    ///
    /// Spec: section 8.
    #[pyo3(signature = (value, index, /, **context))]
    fn index_term(
        &self,
        value: &Bound<'_, PyAny>,
        index: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyDict>>,
    ) -> Result<Option<String>> {
        self.indexed(
            value,
            index,
            context,
            Needs::Seal,
            reseal::Column::index_term,
        )
    }

    /// The terms of a value under every index key that opens, the primary's first, and with each of the
    /// earlier contexts: what a query asks for. Verify the hits after opening. None for None.
    ///
    /// Errors: as of index_term, but for ring-stale.
    #[pyo3(signature = (value, index, /, **context))]
    fn index_terms(
        &self,
        value: &Bound<'_, PyAny>,
        index: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyDict>>,
    ) -> Result<Option<Vec<String>>> {
        self.indexed(
            value,
            index,
            context,
            Needs::Open,
            reseal::Column::index_terms,
        )
    }

    /// Everything that a value may be stored as, what is written today first: what a query asks for.
    /// Verify the hits after opening. Further pairs of the context are keywords, and must be those that a
    /// query knows. None for None.
    ///
    /// It is over the codec that is written and all that are read, under every key that opens and with
    /// the earlier contexts. Envelopes are so in mode deterministic, plain is, Rails with
    /// deterministic, and SQLAlchemy-Utils with its engine aes. A binary column may hold the text of
    /// an envelope as well: there it is over both forms.
    ///
    /// Example:
    ///     >>> from reseal import codecs
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> column = reseal.Column(codecs.reseal(ring), [codecs.plain()], mode="deterministic")
    ///     >>> column.lookup_values("a@b.example") == [column.seal("a@b.example"), "a@b.example"]
    ///     True
    ///
    /// Errors: invalid-argument where a codec of the column, which it names, stores equal values
    /// differently; those of seal for the value.
    ///
    /// Security: who sees such a column sees which rows are equal.
    #[pyo3(signature = (value, /, **context))]
    fn lookup_values<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Option<Vec<Bound<'py, PyAny>>>> {
        if value.is_none() {
            return Ok(None);
        }
        let (py, facts) = (value.py(), facts(context)?);
        let bytes = value::spell(self.parts.kind, value)?;
        let found = self.call(py, Needs::Open, |column| {
            column.lookup_values(&bytes, &facts, self.form)
        })?;
        let found = found?;
        Ok(Some(
            found.iter().map(|one| stored::show(py, one)).collect(),
        ))
    }

    /// The mode of its envelopes.
    #[getter]
    fn mode(&self) -> &'static str {
        self.parts.mode.as_str()
    }

    /// What its values are.
    #[getter]
    fn r#type(&self) -> &'static str {
        self.parts.kind.as_str()
    }

    /// Whether it holds bytes.
    #[getter]
    fn binary(&self) -> bool {
        self.form == Form::Binary
    }

    fn __repr__(&self) -> String {
        let names = self.codecs.iter().map(|codec| codec.name.as_str());
        let names: Vec<_> = names.collect();
        let (kind, mode) = (self.parts.kind.as_str(), self.parts.mode.as_str());
        format!(
            "Column({}, {:?}, {mode}, {kind})",
            names.join(" <- "),
            self.parts.context
        )
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

impl Column {
    /// The column of codecs, of which the first is written and each is there once.
    pub(crate) fn of(codecs: Vec<Arc<Named>>, parts: Parts, form: Form) -> Result<Self> {
        // Made here in any case, so that what is wrong with it is told now and not at the first use.
        let ready = codecs.iter().map(|codec| match &codec.source {
            Source::Fixed(codec) => Arc::clone(codec),
            Source::Live(_) => codec::unlooked(),
        });
        let column = parts.column(&codecs, &ready.collect::<Vec<_>>())?;
        let follows = codecs
            .iter()
            .any(|codec| matches!(codec.source, Source::Live(_)));
        Ok(Self {
            codecs,
            fixed: (!follows).then_some(column),
            last: Mutex::new(None),
            parts,
            form,
        })
    }

    /// The name of the codec that is written, if it does not encrypt.
    fn written_in_plaintext(&self) -> Option<&str> {
        let writer = self.codecs.first()?;
        let Source::Fixed(codec) = &writer.source else {
            return None;
        };
        codec.writes_plaintext().then_some(&writer.name)
    }

    /// What its values are, and in which form they are sealed.
    pub(crate) const fn shape(&self) -> (ValueType, Mode, Form) {
        (self.parts.kind, self.parts.mode, self.form)
    }

    /// What `work` gives with the column as it is now; once more where a ring that it follows lacks
    /// a key, and has a newer one.
    pub(crate) fn run<T>(
        &self,
        py: Python<'_>,
        needs: Needs,
        work: impl Fn(&reseal::Column) -> T,
        lacks_key: impl Fn(&T) -> bool,
    ) -> Result<T> {
        if let Some(column) = &self.fixed {
            return Ok(work(column));
        }
        codec::with_rings(
            py,
            &self.codecs,
            needs,
            |taken| Ok(work(&self.followed(taken)?.column)),
            lacks_key,
        )
    }

    /// The column of a call: that of the one before, where the rings are the same.
    fn followed(&self, taken: &[Taken<'_>]) -> Result<Arc<Followed>> {
        let last = self.last().clone();
        let fits = |last: &Arc<Followed>| {
            let mut pairs = taken.iter().zip(&last.rings);
            pairs.all(|(taken, rings)| taken.has(rings))
        };
        if let Some(last) = last.filter(fits) {
            return Ok(last);
        }
        let codecs: Vec<_> = taken.iter().map(Taken::codec).collect();
        let made = Arc::new(Followed {
            rings: taken.iter().map(Taken::rings).collect(),
            column: self.parts.column(&self.codecs, &codecs)?,
        });
        *self.last() = Some(Arc::clone(&made));
        Ok(made)
    }

    fn last(&self) -> MutexGuard<'_, Option<Arc<Followed>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call<T>(
        &self,
        py: Python<'_>,
        needs: Needs,
        work: impl Fn(&reseal::Column) -> Result<T, Error>,
    ) -> Result<Result<T, Error>> {
        self.run(py, needs, work, |done| {
            done.as_ref().is_err_and(is_unknown_key)
        })
    }

    /// What a stored value opens to; None for None.
    fn read(
        &self,
        stored: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyDict>>,
    ) -> Result<Option<reseal::Read>> {
        let py = stored.py();
        let Some(stored) = StoredArgument::read_nullable(stored)? else {
            return Ok(None);
        };
        let facts = facts(context)?;
        let read = self.call(py, Needs::Open, |column| {
            column.open(stored.as_stored(), &facts)
        })?;
        Ok(Some(read?))
    }

    fn opened(&self, py: Python<'_>, read: reseal::Read) -> Result<Opened> {
        let value = value::read(py, self.parts.kind, &read.plaintext)?;
        Ok(Opened::new(value.unbind(), read))
    }

    fn rewrite<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
        reopens: bool,
    ) -> Result<Bound<'py, PyAny>> {
        let py = stored.py();
        // What is wrong with the value or its context is an outcome; the caller's exceptions are not.
        let stored = per_item(StoredArgument::read_nullable(stored))?;
        if let Ok(None) = stored {
            return Ok(outcome::show(py, Outcome::Null)?);
        }
        let facts = per_item(facts(context))?;
        let (stored, facts) = match (stored, facts) {
            (Ok(stored), Ok(facts)) => (stored, facts),
            (Err(error), _) | (_, Err(error)) => {
                return Ok(outcome::show(py, Outcome::Refused(error))?);
            }
        };
        let stored = stored.as_ref().map(StoredArgument::as_stored);
        let done = self.run(
            py,
            Needs::Both,
            |column| {
                let rewritten =
                    with_fresh(|fresh| Ok(rewritten(column, reopens, stored, &facts, fresh)));
                rewritten.unwrap_or_else(Outcome::Refused)
            },
            is_refused_for_key,
        )?;
        Ok(outcome::show(py, done)?)
    }

    /// One row, in a way that a person chose.
    fn repair<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
        way: Repair,
    ) -> Result<Bound<'py, PyAny>> {
        let py = stored.py();
        let stored = StoredArgument::read(stored)?;
        let facts = facts(context)?;
        let repaired = self.call(py, Needs::Both, |column| {
            with_fresh(|fresh| way(column, stored.as_stored(), &facts, fresh))
        })?;
        Ok(stored::show(py, &repaired?))
    }

    /// What an index has of a value.
    fn indexed<T>(
        &self,
        value: &Bound<'_, PyAny>,
        index: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyDict>>,
        needs: Needs,
        terms: fn(&reseal::Column, &str, &[u8], &Context) -> Result<T, Error>,
    ) -> Result<Option<T>> {
        if value.is_none() {
            return Ok(None);
        }
        let (index, facts) = (argument_text(index, "index")?, facts(context)?);
        let bytes = value::spell(self.parts.kind, value)?;
        let found = self.call(value.py(), needs, |column| {
            terms(column, &index, &bytes, &facts)
        })?;
        Ok(Some(found?))
    }

    /// The facts of each item of a batch.
    pub(crate) fn contexts(
        count: usize,
        py: Python<'_>,
        rows: Option<&Bound<'_, PyAny>>,
        contexts: Option<&Bound<'_, PyAny>>,
    ) -> Result<Contexts> {
        match (rows, contexts) {
            (None, None) => Ok(Contexts::One(Context::new())),
            (Some(rows), None) => {
                let name = PyString::intern(py, "row").into_any();
                Contexts::each(rows, "rows", count, |row| {
                    let mut context = Context::new();
                    insert(&mut context, &name, row).map(|()| context)
                })
            }
            (None, Some(list)) => Contexts::each(list, "contexts", count, read),
            (Some(_), Some(_)) => Err(invalid_argument("give rows or contexts, not both")),
        }
    }
}

impl Parts {
    fn column(
        &self,
        named: &[Arc<Named>],
        ready: &[Arc<dyn reseal::codec::Codec>],
    ) -> Result<reseal::Column> {
        let mut codecs = named.iter().zip(ready).map(|(named, codec)| NamedCodec {
            name: named.name.clone(),
            codec: Arc::clone(codec),
        });
        let none = || Error::new(ErrorCode::InvalidArgument, "the column writes no codec");
        let column = reseal::Column::new(codecs.next().ok_or_else(none)?)
            .context(self.context.clone())
            .mode(self.mode)
            .value_type(self.kind);
        let column = codecs.try_fold(column, reseal::Column::read)?;
        let mut indexes = self.indexes.iter().cloned();
        let column = indexes.try_fold(column, reseal::Column::index)?;
        let earlier = self.earlier.iter().cloned();
        Ok(earlier.fold(column, reseal::Column::earlier_context))
    }
}

/// What becomes of a value.
pub(crate) fn rewritten(
    column: &reseal::Column,
    reopens: bool,
    stored: Option<Stored<'_>>,
    facts: &Context,
    fresh: &mut Fresh<'_>,
) -> Outcome {
    if reopens {
        column.reopen(stored, facts, fresh)
    } else {
        column.reseal(stored, facts, fresh)
    }
}

/// Whether a value was refused for a key that a newer ring may have.
pub(crate) fn is_refused_for_key(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(error) if is_unknown_key(error))
}

/// What `work` gives with random bytes of the system and its time.
pub(crate) fn with_fresh<T>(
    work: impl FnOnce(&mut Fresh<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let now = moment(None).map_err(|failure| match failure {
        Failure::Reseal(error) => error,
        Failure::Python(_) => Error::new(ErrorCode::InvalidArgument, "the clock gives no time"),
    })?;
    let entropy = &mut OsEntropy;
    work(&mut Fresh { entropy, now })
}

/// What is bound to one value beside the column's own; as a rule nothing.
fn facts(context: Option<&Bound<'_, PyDict>>) -> Result<Cow<'static, Context>> {
    static NONE: LazyLock<Context> = LazyLock::new(Context::new);
    match context {
        None => Ok(Cow::Borrowed(&NONE)),
        Some(pairs) => extend(Context::new(), pairs.as_any()).map(Cow::Owned),
    }
}

fn codec_of(value: &Bound<'_, PyAny>, argument: &str) -> Result<Arc<Named>> {
    match value.cast::<Codec>() {
        Ok(codec) => Ok(Arc::clone(&codec.get().0)),
        Err(_) => Err(invalid_argument(format!(
            "{argument} is a codec of reseal.codecs, not {}",
            type_name(value)
        ))),
    }
}
