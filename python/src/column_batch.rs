//! Many values of a column in one call: read with the GIL held, worked on without it.

use crate::{
    codec::Needs,
    column::{Column, is_refused_for_key, rewritten, with_fresh},
    context::Contexts,
    convert::{Bytes, items},
    error::{Result, exception, per_item},
    outcome::{self, Classified, Opened},
    ring::is_unknown_key,
    stored::{self, StoredArgument},
    value,
};
use pyo3::{prelude::*, types::PyList};
use reseal::{
    Context, Error, Outcome, Read,
    codec::{Stored, StoredValue},
};

/// The values of one call, and what they are sealed or opened with.
pub(crate) struct Batch<'a, 'py> {
    column: &'a Column,
    values: Vec<Bound<'py, PyAny>>,
    contexts: Contexts,
    py: Python<'py>,
}

/// An item that was read: nothing for NULL, or what is wrong with it.
type Item<T> = Result<Option<T>, Error>;
type Nullable<'a> = Option<StoredArgument<'a>>;

impl<'a, 'py> Batch<'a, 'py> {
    pub(crate) fn new(
        column: &'a Column,
        values: &Bound<'py, PyAny>,
        argument: &str,
        rows: Option<&Bound<'py, PyAny>>,
        contexts: Option<&Bound<'py, PyAny>>,
    ) -> Result<Self> {
        let (py, values) = (values.py(), items(values, argument)?);
        let contexts = Column::contexts(values.len(), py, rows, contexts)?;
        Ok(Self {
            column,
            values,
            contexts,
            py,
        })
    }

    pub(crate) fn seal(&self) -> Result<Bound<'py, PyList>> {
        let (kind, mode, form) = self.column.shape();
        let mut spelled = self.read(|value| {
            if value.is_none() {
                return Ok(None);
            }
            value::spell_to_seal(kind, mode, value).map(Some)
        })?;
        // Section 5 checks the context before what is to be sealed.
        for (at, item) in spelled
            .iter_mut()
            .enumerate()
            .filter(|(_, item)| item.is_err())
        {
            if let Err(error) = self.contexts.get(at) {
                *item = Err(error);
            }
        }
        let seal = |column: &reseal::Column, bytes: &Bytes<'_>, facts: &Context| {
            with_fresh(|fresh| column.seal(bytes, facts, form, fresh))
        };
        let sealed = self.work(Needs::Seal, &spelled, seal, lacks_key)?;
        self.list(sealed, |value: StoredValue| {
            Ok(stored::show(self.py, &value))
        })
    }

    pub(crate) fn open(&self) -> Result<Bound<'py, PyList>> {
        let (kind, ..) = self.column.shape();
        let inputs = self.read(StoredArgument::read_nullable)?;
        let open = |column: &reseal::Column, stored: &StoredArgument<'_>, facts: &Context| {
            column.open(stored.as_stored(), facts)
        };
        let opened = self.work(Needs::Open, &inputs, open, lacks_key)?;
        self.list(opened, |read: Read| {
            let value = value::read(self.py, kind, &read.plaintext)?.unbind();
            Ok(Bound::new(self.py, Opened::new(value, read))?.into_any())
        })
    }

    pub(crate) fn rewrite(&self, reopens: bool) -> Result<Bound<'py, PyList>> {
        let inputs = self.read(StoredArgument::read_nullable)?;
        let rewrite = |column: &reseal::Column, stored: &StoredArgument<'_>, facts: &Context| {
            let stored = Some(stored.as_stored());
            with_fresh(|fresh| Ok(rewritten(column, reopens, stored, facts, fresh)))
        };
        let refused = |done: &Item<Outcome>| {
            lacks_key(done) || matches!(done, Ok(Some(outcome)) if is_refused_for_key(outcome))
        };
        let done = self.work(Needs::Both, &inputs, rewrite, refused)?;
        let outcomes = done.into_iter().map(|item| match item {
            Ok(outcome) => outcome.unwrap_or(Outcome::Null),
            Err(error) => Outcome::Refused(error),
        });
        let shown = outcomes.map(|outcome| outcome::show(self.py, outcome));
        Ok(PyList::new(self.py, shown.collect::<PyResult<Vec<_>>>()?)?)
    }

    pub(crate) fn classify(&self) -> Result<Bound<'py, PyList>> {
        let inputs = self.read_nulls_as_values()?;
        let classify = |column: &reseal::Column, stored: &Nullable<'_>, _: &Context| {
            Ok(column.classify(as_stored(stored)))
        };
        let shown = self.work(Needs::Open, &inputs, classify, lacks_key)?;
        self.list(shown, |shown| {
            Ok(Bound::new(self.py, Classified::new(shown))?.into_any())
        })
    }

    /// Stored values, of which NULL is one.
    fn read_nulls_as_values(&self) -> Result<Vec<Item<Nullable<'_>>>> {
        self.read(|value| StoredArgument::read_nullable(value).map(Some))
    }

    /// Every value as it is worked on, or what is wrong with it.
    fn read<'v, T>(
        &'v self,
        read: impl Fn(&'v Bound<'py, PyAny>) -> Result<Option<T>>,
    ) -> Result<Vec<Item<T>>> {
        let values = self.values.iter();
        values.map(|value| per_item(read(value))).collect()
    }

    /// Works on every item while other threads run.
    fn work<I: Sync, T: Send>(
        &self,
        needs: Needs,
        inputs: &[Item<I>],
        work: impl Fn(&reseal::Column, &I, &Context) -> Result<T, Error> + Sync,
        lacks_key: impl Fn(&Item<T>) -> bool,
    ) -> Result<Vec<Item<T>>> {
        let contexts = &self.contexts;
        let work = &work;
        let one = move |column: &reseal::Column, (at, input): (usize, &Item<I>)| match input {
            Ok(None) => Ok(None),
            Ok(Some(input)) => work(column, input, contexts.get(at)?).map(Some),
            Err(error) => Err(error.clone()),
        };
        let each = |column: &reseal::Column| {
            let items = || inputs.iter().enumerate().map(|item| one(column, item));
            self.py.detach(|| items().collect())
        };
        let any_lacks = |done: &Vec<Item<T>>| done.iter().any(&lacks_key);
        self.column.run(self.py, needs, each, any_lacks)
    }

    /// Results as Python objects: None for NULL; an error is an item and not raised.
    fn list<T>(
        &self,
        results: Vec<Item<T>>,
        show: impl Fn(T) -> Result<Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyList>> {
        let mut items = Vec::with_capacity(results.len());
        for result in results {
            let shown = match result {
                Ok(Some(value)) => per_item(show(value))?,
                Ok(None) => Ok(self.py.None().into_bound(self.py)),
                Err(error) => Err(error),
            };
            items.push(shown.unwrap_or_else(|error| {
                let exception = exception(self.py, &error).into_value(self.py);
                exception.into_bound(self.py).into_any()
            }));
        }
        Ok(PyList::new(self.py, items)?)
    }
}

fn as_stored<'a>(value: &'a Nullable<'_>) -> Option<Stored<'a>> {
    value.as_ref().map(StoredArgument::as_stored)
}

fn lacks_key<T>(done: &Item<T>) -> bool {
    done.as_ref().is_err_and(is_unknown_key)
}
