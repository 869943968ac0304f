//! Many values in one call: read with the GIL held, sealed or opened without it.

use crate::{
    context::{Contexts, format_first},
    convert::{plaintext, stored_binary, stored_text},
    error::{Result, exception, per_item},
    ring::{Ring, is_unknown_key},
};
use core::ops::Range;
use pyo3::{
    prelude::*,
    types::{PyBytes, PyList, PyString},
};
use reseal::{Context, Error, Mode, OpenBatch, OsEntropy, SealBatch, inspect, inspect_binary};

/// The values of one call, and what they are sealed or opened with.
pub(crate) struct Batch<'a, 'py> {
    pub(crate) ring: &'a Ring,
    pub(crate) values: Vec<Bound<'py, PyAny>>,
    pub(crate) contexts: Contexts,
    pub(crate) py: Python<'py>,
}

impl<'py> Batch<'_, 'py> {
    /// Text envelopes. They are made in one piece, which costs less than an allocation for each.
    pub(crate) fn seal(&self, mode: Mode) -> Result<Bound<'py, PyList>> {
        let mut texts = String::new();
        let sealed = self.seal_each(mode, |batch, value, context| {
            let start = texts.len();
            batch.seal_into(value, context, &mut texts)?;
            Ok(start..texts.len())
        })?;
        let text = |place: &Range<usize>| texts.get(place.clone()).unwrap_or_default();
        self.list(&sealed, |place| {
            PyString::new(self.py, text(place)).into_any()
        })
    }

    /// Binary envelopes.
    pub(crate) fn seal_binary(&self, mode: Mode) -> Result<Bound<'py, PyList>> {
        let sealed = self.seal_each(mode, |batch, value, context| {
            batch.seal_binary(value, context)
        })?;
        self.list(&sealed, |binary| PyBytes::new(self.py, binary).into_any())
    }

    /// The plaintexts of text envelopes.
    pub(crate) fn open(&self) -> Result<Bound<'py, PyList>> {
        let opened = self.open_each(stored_text, |batch, stored, context| {
            batch.open(stored, format_first(context, || inspect(stored))?)
        })?;
        self.list(&opened, |bytes| PyBytes::new(self.py, bytes).into_any())
    }

    /// The plaintexts of text envelopes, as text.
    pub(crate) fn open_str(&self) -> Result<Bound<'py, PyList>> {
        let opened = self.open_each(stored_text, |batch, stored, context| {
            batch.open_string(stored, format_first(context, || inspect(stored))?)
        })?;
        self.list(&opened, |text| PyString::new(self.py, text).into_any())
    }

    /// The plaintexts of binary envelopes.
    pub(crate) fn open_binary(&self) -> Result<Bound<'py, PyList>> {
        let opened = self.open_each(stored_binary, |batch, stored, context| {
            batch.open_binary(stored, format_first(context, || inspect_binary(stored))?)
        })?;
        self.list(&opened, |bytes| PyBytes::new(self.py, bytes).into_any())
    }

    /// Reads every value, then seals them while other threads run. No code of Python's runs between
    /// the drawing of random bytes and their use, so none can fork in between.
    fn seal_each<T: Send>(
        &self,
        mode: Mode,
        mut seal: impl FnMut(&mut SealBatch<'_, OsEntropy>, &[u8], &Context) -> Result<T, Error> + Send,
    ) -> Result<Vec<Result<T, Error>>> {
        let (inputs, contexts) = (self.read(plaintext)?, &self.contexts);
        let ring = self.ring.to_seal(self.py)?;
        Ok(self.py.detach(|| {
            ring.seal_batch(inputs.len(), mode, OsEntropy, |batch| {
                // Section 5 checks the context before what is to be sealed.
                each(&inputs, contexts, |input, context| {
                    let context = context?;
                    seal(batch, input?, context)
                })
            })
        })?)
    }

    /// Reads every stored value, then opens them while other threads run.
    fn open_each<'a, I: Sync, T: Send>(
        &'a self,
        read: impl Fn(&'a Bound<'py, PyAny>) -> Result<I>,
        open: impl Fn(&mut OpenBatch<'_>, &I, Result<&Context, Error>) -> Result<T, Error> + Sync,
    ) -> Result<Vec<Result<T, Error>>> {
        let (inputs, contexts) = (self.read(read)?, &self.contexts);
        let open_with = |ring: &reseal::Keyring| {
            self.py.detach(|| {
                let mut batch = OpenBatch::new(ring);
                each(&inputs, contexts, |input, context| {
                    open(&mut batch, input?, context)
                })
            })
        };
        self.ring.open_all(self.py, open_with, |opened| {
            opened
                .iter()
                .any(|item| item.as_ref().is_err_and(is_unknown_key))
        })
    }

    /// Every value as bytes or text, or what is wrong with it.
    fn read<'a, I>(
        &'a self,
        read: impl Fn(&'a Bound<'py, PyAny>) -> Result<I>,
    ) -> Result<Vec<Result<I, Error>>> {
        self.values
            .iter()
            .map(|value| per_item(read(value)))
            .collect()
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

fn each<I, T>(
    inputs: &[Result<I, Error>],
    contexts: &Contexts,
    mut work: impl FnMut(Result<&I, Error>, Result<&Context, Error>) -> Result<T, Error>,
) -> Vec<Result<T, Error>> {
    let items = inputs.iter().enumerate();
    let one = |(item, input): (usize, &Result<I, Error>)| {
        work(input.as_ref().map_err(Clone::clone), contexts.get(item))
    };
    items.map(one).collect()
}
