//! One value in one call. The GIL is held: to release it takes longer than to seal a field.

use crate::{
    context::format_first,
    convert::{plaintext, stored_binary, stored_text},
    error::{Failure, Result},
    ring::Ring,
};
use core::borrow::Borrow;
use pyo3::{
    prelude::*,
    types::{PyBytes, PyList, PyString},
};
use reseal::{BlindIndex, Context, Error, Mode, OsEntropy, inspect, inspect_binary};

/// A value, and what it is sealed or opened with. The context may be one that could not be read:
/// whether its error comes first depends on the operation.
pub(crate) struct Single<'a, 'py, C> {
    pub(crate) ring: &'a Ring,
    pub(crate) value: &'a Bound<'py, PyAny>,
    pub(crate) context: Result<C>,
}

impl<'py, C: Borrow<Context>> Single<'_, 'py, C> {
    pub(crate) fn seal(self, mode: Mode) -> Result<Bound<'py, PyString>> {
        let (py, context) = (self.value.py(), self.context?);
        let value = plaintext(self.value)?;
        let ring = self.ring.to_seal(py)?;
        let text = ring.seal(&value, context.borrow(), mode, &mut OsEntropy)?;
        Ok(PyString::new(py, &text))
    }

    pub(crate) fn seal_binary(self, mode: Mode) -> Result<Bound<'py, PyBytes>> {
        let (py, context) = (self.value.py(), self.context?);
        let value = plaintext(self.value)?;
        let ring = self.ring.to_seal(py)?;
        let binary = ring.seal_binary(&value, context.borrow(), mode, &mut OsEntropy)?;
        Ok(PyBytes::new(py, &binary))
    }

    pub(crate) fn open(self) -> Result<Bound<'py, PyBytes>> {
        let (py, stored) = (self.value.py(), stored_text(self.value)?);
        let context = checked(self.context, || inspect(&stored))?;
        let opened = self
            .ring
            .open(py, |ring| Ok(ring.open(&stored, context.borrow())?))?;
        Ok(PyBytes::new(py, &opened))
    }

    pub(crate) fn open_str(self) -> Result<Bound<'py, PyString>> {
        let (py, stored) = (self.value.py(), stored_text(self.value)?);
        let context = checked(self.context, || inspect(&stored))?;
        let opened = self
            .ring
            .open(py, |ring| Ok(ring.open_string(&stored, context.borrow())?))?;
        Ok(PyString::new(py, &opened))
    }

    pub(crate) fn open_binary(self) -> Result<Bound<'py, PyBytes>> {
        let (py, stored) = (self.value.py(), stored_binary(self.value)?);
        let context = checked(self.context, || inspect_binary(&stored))?;
        let opened = self
            .ring
            .open(py, |ring| Ok(ring.open_binary(&stored, context.borrow())?))?;
        Ok(PyBytes::new(py, &opened))
    }

    /// The very object that was given, where it is current.
    pub(crate) fn reseal(self, mode: Option<Mode>) -> Result<Bound<'py, PyAny>> {
        let (py, stored) = (self.value.py(), stored_text(self.value)?);
        let context = checked(self.context, || inspect(&stored))?;
        let resealed = self.ring.open(py, |ring| {
            self.ring
                .check_lease(py, || ring.is_current(&stored, mode))?;
            Ok(ring.reseal(&stored, context.borrow(), mode, &mut OsEntropy)?)
        })?;
        match resealed {
            Some(text) => Ok(PyString::new(py, &text).into_any()),
            None => Ok(self.value.clone()),
        }
    }

    /// The very object that was given, where it is current and `bytes`.
    pub(crate) fn reseal_binary(self, mode: Option<Mode>) -> Result<Bound<'py, PyAny>> {
        let (py, stored) = (self.value.py(), stored_binary(self.value)?);
        let context = checked(self.context, || inspect_binary(&stored))?;
        let resealed = self.ring.open(py, |ring| {
            self.ring
                .check_lease(py, || ring.is_current_binary(&stored, mode))?;
            Ok(ring.reseal_binary(&stored, context.borrow(), mode, &mut OsEntropy)?)
        })?;
        match resealed {
            Some(binary) => Ok(PyBytes::new(py, &binary).into_any()),
            None if self.value.is_instance_of::<PyBytes>() => Ok(self.value.clone()),
            None => Ok(PyBytes::new(py, &stored).into_any()),
        }
    }

    pub(crate) fn lookup_values(self) -> Result<Bound<'py, PyList>> {
        let (py, context) = (self.value.py(), self.context?);
        let value = plaintext(self.value)?;
        let ring = self.ring.to_open(py)?;
        Ok(PyList::new(
            py,
            ring.lookup_values(&value, context.borrow())?,
        )?)
    }

    pub(crate) fn lookup_values_binary(self) -> Result<Bound<'py, PyList>> {
        let (py, context) = (self.value.py(), self.context?);
        let value = plaintext(self.value)?;
        let ring = self.ring.to_open(py)?;
        let values = ring.lookup_values_binary(&value, context.borrow())?;
        Ok(PyList::new(
            py,
            values.iter().map(|value| PyBytes::new(py, value)),
        )?)
    }

    pub(crate) fn index_term(self, index: &BlindIndex) -> Result<String> {
        let context = self.context?;
        let value = plaintext(self.value)?;
        let ring = self.ring.to_seal(self.value.py())?;
        Ok(ring.index_term(&value, context.borrow(), index)?)
    }

    pub(crate) fn index_terms(self, index: &BlindIndex) -> Result<Vec<String>> {
        let context = self.context?;
        let value = plaintext(self.value)?;
        let ring = self.ring.to_open(self.value.py())?;
        Ok(ring.index_terms(&value, context.borrow(), index)?)
    }
}

fn checked<C>(
    context: Result<C>,
    inspect: impl FnOnce() -> Result<reseal::Inspection, Error>,
) -> Result<C> {
    let context = match context {
        Err(Failure::Python(exception)) => return Err(exception.into()),
        Err(Failure::Reseal(error)) => Err(error),
        Ok(context) => Ok(context),
    };
    Ok(format_first(context, inspect)?)
}
