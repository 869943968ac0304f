//! Fields: a ring with a context and a mode that are given once.

use crate::{
    batch::Batch,
    context::{Contexts, extend, insert},
    convert::{items, stored_binary, stored_text},
    error::{Result, invalid_argument, not_called, not_pickled},
    index::{BitsArgument, NormalizerArgument, blind_index},
    ring::Ring,
    single::Single,
};
use alloc::borrow::Cow;
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyString, PyTuple},
};
use reseal::{Context, Mode};

/// A column of one table: its ring, its context and its mode, checked and encoded once.
///
/// Pairs of the context that differ from row to row are keywords of each call.
///
/// Example:
///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
///     >>> ssn = ring.field({"table": "users", "column": "ssn"})
///     >>> stored = ssn.seal("078-05-1120", row=42)
///     >>> ssn.open_str(stored, row=42)
///     '078-05-1120'
///     >>> ring.open_str(stored, {"table": "users", "column": "ssn", "row": 42})
///     '078-05-1120'
///
/// Spec: section 4.
#[pyclass(frozen, module = "reseal")]
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) ring: Ring,
    pub(crate) context: Context,
    pub(crate) mode: Mode,
}

#[pymethods]
impl Field {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = None)]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        Err(not_called(
            "a Field is made by the method field of a Keyring",
        ))
    }

    /// As `Keyring.seal`; further pairs of the context are keywords.
    ///
    /// Errors: as of `Keyring.seal`.
    #[pyo3(signature = (value, /, **context))]
    fn seal<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyString>> {
        self.value(value, context).seal(self.mode)
    }

    /// As `Keyring.seal_binary`.
    ///
    /// Errors: as of `Keyring.seal`.
    #[pyo3(signature = (value, /, **context))]
    fn seal_binary<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyBytes>> {
        self.value(value, context).seal_binary(self.mode)
    }

    /// As `Keyring.open`.
    ///
    /// Errors: as of `Keyring.open`.
    #[pyo3(signature = (stored, /, **context))]
    fn open<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyBytes>> {
        self.value(stored, context).open()
    }

    /// As `Keyring.open_str`.
    ///
    /// Errors: as of `Keyring.open_str`.
    #[pyo3(signature = (stored, /, **context))]
    fn open_str<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyString>> {
        self.value(stored, context).open_str()
    }

    /// As `Keyring.open_binary`.
    ///
    /// Errors: as of `Keyring.open`.
    #[pyo3(signature = (stored, /, **context))]
    fn open_binary<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyBytes>> {
        self.value(stored, context).open_binary()
    }

    /// As `Keyring.is_current`, in the field's mode.
    ///
    /// Errors: as of inspect.
    fn is_current(&self, stored: &Bound<'_, PyAny>) -> Result<bool> {
        let ring = self.ring.to_open(stored.py())?;
        Ok(ring.is_current(&stored_text(stored)?, self.mode)?)
    }

    /// As `Keyring.is_current_binary`, in the field's mode.
    ///
    /// Errors: as of inspect.
    fn is_current_binary(&self, stored: &Bound<'_, PyAny>) -> Result<bool> {
        let ring = self.ring.to_open(stored.py())?;
        Ok(ring.is_current_binary(&stored_binary(stored)?, self.mode)?)
    }

    /// As `Keyring.reseal`: the very same object where it is current.
    ///
    /// Errors: as of `Keyring.reseal`.
    #[pyo3(signature = (stored, /, **context))]
    fn reseal<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyAny>> {
        self.value(stored, context).reseal(Some(self.mode))
    }

    /// As `Keyring.reseal_binary`.
    ///
    /// Errors: as of `Keyring.reseal`.
    #[pyo3(signature = (stored, /, **context))]
    fn reseal_binary<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyAny>> {
        self.value(stored, context).reseal_binary(Some(self.mode))
    }

    /// As `Keyring.seal_many`. `rows` has a value of the pair `row` for each value, `contexts` a
    /// mapping of further pairs for each; give one of the two, or none.
    ///
    /// Example:
    ///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    ///     >>> ssn = ring.field({"table": "users", "column": "ssn"})
    ///     >>> stored = ssn.seal_many(["x", "y"], rows=[1, 2])
    ///     >>> ssn.open_many_str(stored, rows=[1, 2])
    ///     ['x', 'y']
    ///
    /// Errors: as of `Keyring.seal_many`.
    #[pyo3(signature = (values, *, rows=None, contexts=None))]
    fn seal_many<'py>(
        &self,
        values: &Bound<'py, PyAny>,
        rows: Option<&Bound<'py, PyAny>>,
        contexts: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyList>> {
        self.batch(values, "values", rows, contexts)?
            .seal(self.mode)
    }

    /// As seal_many, for binary columns.
    ///
    /// Errors: as of `Keyring.seal_many`.
    #[pyo3(signature = (values, *, rows=None, contexts=None))]
    fn seal_many_binary<'py>(
        &self,
        values: &Bound<'py, PyAny>,
        rows: Option<&Bound<'py, PyAny>>,
        contexts: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyList>> {
        self.batch(values, "values", rows, contexts)?
            .seal_binary(self.mode)
    }

    /// As `Keyring.open_many`, with `rows` or `contexts` as of seal_many.
    ///
    /// Errors: as of `Keyring.open_many`.
    #[pyo3(signature = (stored, *, rows=None, contexts=None))]
    fn open_many<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        rows: Option<&Bound<'py, PyAny>>,
        contexts: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyList>> {
        self.batch(stored, "stored", rows, contexts)?.open()
    }

    /// As open_many, as text.
    ///
    /// Errors: as of `Keyring.open_many_str`.
    #[pyo3(signature = (stored, *, rows=None, contexts=None))]
    fn open_many_str<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        rows: Option<&Bound<'py, PyAny>>,
        contexts: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyList>> {
        self.batch(stored, "stored", rows, contexts)?.open_str()
    }

    /// As open_many, for binary columns.
    ///
    /// Errors: as of `Keyring.open_many`.
    #[pyo3(signature = (stored, *, rows=None, contexts=None))]
    fn open_many_binary<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        rows: Option<&Bound<'py, PyAny>>,
        contexts: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyList>> {
        self.batch(stored, "stored", rows, contexts)?.open_binary()
    }

    /// As `Keyring.lookup_values`.
    ///
    /// Errors: as of `Keyring.lookup_values`.
    #[pyo3(signature = (value, /, **context))]
    fn lookup_values<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyList>> {
        self.value(value, context).lookup_values()
    }

    /// As `Keyring.lookup_values_binary`.
    ///
    /// Errors: as of `Keyring.lookup_values`.
    #[pyo3(signature = (value, /, **context))]
    fn lookup_values_binary<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyList>> {
        self.value(value, context).lookup_values_binary()
    }

    /// As `Keyring.index_term`; `context` is a mapping of further pairs.
    ///
    /// Errors: as of `Keyring.index_term`.
    #[pyo3(
        signature = (value, *, index, normalizer=NormalizerArgument::RAW, bits=BitsArgument::DEFAULT, context=None),
        text_signature = "($self, value, *, index, normalizer='raw', bits=64, context=None)"
    )]
    fn index_term<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        index: &Bound<'py, PyAny>,
        normalizer: NormalizerArgument,
        bits: BitsArgument,
        context: Option<&Bound<'py, PyAny>>,
    ) -> Result<String> {
        self.value(value, context)
            .index_term(&blind_index(index, normalizer, bits)?)
    }

    /// As `Keyring.index_terms`; `context` is a mapping of further pairs.
    ///
    /// Errors: as of `Keyring.index_terms`.
    #[pyo3(
        signature = (value, *, index, normalizer=NormalizerArgument::RAW, bits=BitsArgument::DEFAULT, context=None),
        text_signature = "($self, value, *, index, normalizer='raw', bits=64, context=None)"
    )]
    fn index_terms<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        index: &Bound<'py, PyAny>,
        normalizer: NormalizerArgument,
        bits: BitsArgument,
        context: Option<&Bound<'py, PyAny>>,
    ) -> Result<Vec<String>> {
        self.value(value, context)
            .index_terms(&blind_index(index, normalizer, bits)?)
    }

    /// The mode that the field seals in.
    #[getter(mode)]
    fn shown_mode(&self) -> &'static str {
        self.mode.as_str()
    }

    fn __repr__(&self) -> String {
        format!("Field({:?}, {})", self.context, self.mode.as_str())
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

impl Field {
    fn value<'a, 'py, T>(
        &'a self,
        value: &'a Bound<'py, PyAny>,
        extra: Option<&Bound<'py, T>>,
    ) -> Single<'a, 'py, Cow<'a, Context>> {
        let base = &self.context;
        let context = match extra {
            Some(extra) => extend(base.clone(), extra.as_any()).map(Cow::Owned),
            None => Ok(Cow::Borrowed(base)),
        };
        Single {
            ring: &self.ring,
            value,
            context,
        }
    }

    fn batch<'py>(
        &self,
        values: &Bound<'py, PyAny>,
        argument: &str,
        rows: Option<&Bound<'py, PyAny>>,
        contexts: Option<&Bound<'py, PyAny>>,
    ) -> Result<Batch<'_, 'py>> {
        let (py, values) = (values.py(), items(values, argument)?);
        let base = &self.context;
        let contexts = match (rows, contexts) {
            (None, None) => Contexts::One(base.clone()),
            (Some(rows), None) => {
                let name = PyString::intern(py, "row").into_any();
                Contexts::each(rows, "rows", values.len(), |row| {
                    let mut context = base.clone();
                    insert(&mut context, &name, row).map(|()| context)
                })?
            }
            (None, Some(list)) => Contexts::each(list, "contexts", values.len(), |pairs| {
                extend(base.clone(), pairs)
            })?,
            (Some(_), Some(_)) => {
                return Err(invalid_argument("give rows or contexts, not both"));
            }
        };
        Ok(Batch {
            ring: &self.ring,
            values,
            contexts,
            py,
        })
    }
}
