//! Many values in one call: read with the GIL held, sealed or opened without it.

use crate::{
    context::{Contexts, format_first},
    convert::{Bytes, plaintext, stored_binary, stored_text},
    error::{Result, exception, per_item},
};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyList, PyString},
};
use reseal::{Context, Error, Keyring, Mode, OpenBatch, OsEntropy, inspect, inspect_binary};

/// The values of one call, and what they are sealed or opened with.
pub(crate) struct Batch<'a, 'py> {
    pub(crate) ring: &'a Keyring,
    pub(crate) values: Vec<Bound<'py, PyAny>>,
    pub(crate) contexts: Contexts,
    pub(crate) py: Python<'py>,
}

impl<'py> Batch<'_, 'py> {
    /// Text envelopes.
    pub(crate) fn seal(&self, mode: Mode) -> Result<Bound<'py, PyList>> {
        let sealed = self
            .ring
            .seal_batch(self.values.len(), mode, OsEntropy, |batch| {
                self.each(read_plaintext, |value, context| {
                    let (context, value) = context_first(context, value)?;
                    batch.seal(value, context)
                })
            })??;
        self.list(&sealed, |text| PyString::new(self.py, text).into_any())
    }

    /// Binary envelopes.
    pub(crate) fn seal_binary(&self, mode: Mode) -> Result<Bound<'py, PyList>> {
        let sealed = self
            .ring
            .seal_batch(self.values.len(), mode, OsEntropy, |batch| {
                self.each(read_plaintext, |value, context| {
                    let (context, value) = context_first(context, value)?;
                    batch.seal_binary(value, context)
                })
            })??;
        self.list(&sealed, |binary| PyBytes::new(self.py, binary).into_any())
    }

    /// The plaintexts of text envelopes.
    pub(crate) fn open(&self) -> Result<Bound<'py, PyList>> {
        let mut batch = OpenBatch::new(self.ring);
        let opened = self.each(stored_text, |stored, context| {
            batch.open(stored, format_first(context, || inspect(stored))?)
        })?;
        self.list(&opened, |bytes| PyBytes::new(self.py, bytes).into_any())
    }

    /// The plaintexts of text envelopes, as text.
    pub(crate) fn open_str(&self) -> Result<Bound<'py, PyList>> {
        let mut batch = OpenBatch::new(self.ring);
        let opened = self.each(stored_text, |stored, context| {
            batch.open_string(stored, format_first(context, || inspect(stored))?)
        })?;
        self.list(&opened, |text| PyString::new(self.py, text).into_any())
    }

    /// The plaintexts of binary envelopes.
    pub(crate) fn open_binary(&self) -> Result<Bound<'py, PyList>> {
        let mut batch = OpenBatch::new(self.ring);
        let opened = self.each(stored_binary, |stored, context| {
            batch.open_binary(stored, format_first(context, || inspect_binary(stored))?)
        })?;
        self.list(&opened, |bytes| PyBytes::new(self.py, bytes).into_any())
    }

    /// Reads every value, then works on them while other threads run.
    fn each<'a, I: Sync, T: Send>(
        &'a self,
        read: impl Fn(&'a Bound<'py, PyAny>) -> Result<I>,
        mut work: impl FnMut(&I, Result<&Context, Error>) -> Result<T, Error> + Send,
    ) -> Result<Vec<Result<T, Error>>> {
        let inputs = self.values.iter().map(|value| per_item(read(value)));
        let inputs: Vec<_> = inputs.collect::<Result<_>>()?;
        let contexts = &self.contexts;
        Ok(self.py.detach(|| {
            let items = inputs.iter().enumerate();
            let one = |(item, input): (usize, &Result<I, Error>)| match input {
                Ok(input) => work(input, contexts.get(item)),
                Err(error) => Err(error.clone()),
            };
            items.map(one).collect()
        }))
    }

    /// Results as Python objects; an error is an item and not raised.
    fn list<T>(
        &self,
        results: &[Result<T, Error>],
        show: impl Fn(&T) -> Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyList>> {
        let items = results.iter().map(|result| match result {
            Ok(value) => show(value),
            Err(error) => exception(self.py, error)
                .into_value(self.py)
                .into_bound(self.py)
                .into_any(),
        });
        Ok(PyList::new(self.py, items)?)
    }
}

/// The bytes to seal, or what is wrong with them.
fn read_plaintext<'a>(value: &'a Bound<'_, PyAny>) -> Result<Result<Bytes<'a>, Error>> {
    per_item(plaintext(value))
}

/// Section 5 checks the context before what is to be sealed.
fn context_first<'a>(
    context: Result<&'a Context, Error>,
    value: &'a Result<Bytes<'_>, Error>,
) -> Result<(&'a Context, &'a [u8]), Error> {
    Ok((context?, value.as_deref().map_err(Clone::clone)?))
}
