//! What a row of a program holds before its value was asked for, and the attribute of it. Native, as a
//! list of rows makes one for each of its values.

use pyo3::{
    exceptions::PyAttributeError,
    intern,
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};

/// A stored value in a row, still sealed. It is not in its repr.
///
/// Example:
///     >>> from reseal._native import Held
///     >>> Held("rs1.…")
///     <sealed>
#[pyclass(frozen, get_all, module = "reseal._native")]
#[derive(Debug)]
pub(crate) struct Held {
    /// What the database has.
    raw: Py<PyAny>,
    /// What the row bound when it was loaded; None where nothing is bound, or it is not known.
    binding: Option<Py<PyTuple>>,
    /// Whether it is of a list that shows what cannot be opened.
    reports: bool,
}

#[pymethods]
impl Held {
    #[new]
    #[pyo3(signature = (raw, binding=None, reports=false))]
    const fn new(raw: Py<PyAny>, binding: Option<Py<PyTuple>>, reports: bool) -> Self {
        Self {
            raw,
            binding,
            reports,
        }
    }

    #[expect(clippy::unused_self, reason = "a method of Python")]
    const fn __repr__(&self) -> &'static str {
        "<sealed>"
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, held) = (slf.py(), slf.get());
        let arguments = (&held.raw, &held.binding, held.reports).into_pyobject(py)?;
        (slf.get_type(), arguments).into_pyobject(py)
    }
}

/// What a column holds as an object relational mapper asks for it: a converter of Django's, which gets
/// an expression and a connection as well. None for NULL.
#[pyfunction]
#[pyo3(signature = (raw, _expression, _connection, /))]
pub(crate) fn hold(
    raw: Bound<'_, PyAny>,
    _expression: &Bound<'_, PyAny>,
    _connection: &Bound<'_, PyAny>,
) -> Option<Held> {
    held(raw, false)
}

/// As `hold`, for a list that shows what cannot be opened.
#[pyfunction]
#[pyo3(signature = (raw, _expression, _connection, /))]
pub(crate) fn hold_reporting(
    raw: Bound<'_, PyAny>,
    _expression: &Bound<'_, PyAny>,
    _connection: &Bound<'_, PyAny>,
) -> Option<Held> {
    held(raw, true)
}

fn held(raw: Bound<'_, PyAny>, reports: bool) -> Option<Held> {
    (!raw.is_none()).then(|| Held::new(raw.unbind(), None, reports))
}

/// The attribute of what instances have under one name. A subclass has the methods `opened`, which
/// makes the value of a `Held`; `missing`, where there is nothing; and `kept`, which says what becomes
/// of what was there and a `Held` that is set.
#[pyclass(frozen, subclass, module = "reseal._native")]
#[derive(Debug)]
pub(crate) struct HeldAttribute {
    name: Py<PyString>,
}

#[pymethods]
impl HeldAttribute {
    #[new]
    const fn new(name: Py<PyString>) -> Self {
        Self { name }
    }

    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        instance: Option<&Bound<'py, PyAny>>,
        owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(instance) = instance else {
            return Ok(slf.clone().into_any());
        };
        let py = slf.py();
        let Some(value) = known(instance)?.get_item(slf.get().name.bind(py))? else {
            return slf.call_method1(intern!(py, "missing"), (instance, owner));
        };
        if value.is_exact_instance_of::<Held>() {
            return slf.call_method1(intern!(py, "opened"), (instance, value));
        }
        Ok(value)
    }

    fn __set__(
        slf: &Bound<'_, Self>,
        instance: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (py, known) = (slf.py(), known(instance)?);
        let name = slf.get().name.bind(py);
        if value.is_exact_instance_of::<Held>()
            && let Some(before) = known.get_item(name)?
        {
            let kept = slf.call_method1(intern!(py, "kept"), (before, value))?;
            return known.set_item(name, kept);
        }
        known.set_item(name, value)
    }

    /// What is asked for next is missing.
    fn __delete__(slf: &Bound<'_, Self>, instance: &Bound<'_, PyAny>) -> PyResult<()> {
        let (known, name) = (known(instance)?, slf.get().name.bind(slf.py()));
        if known.contains(name)? {
            return known.del_item(name);
        }
        Err(PyAttributeError::new_err(name.clone().unbind()))
    }
}

/// The attributes that an instance has by itself.
fn known<'py>(instance: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let known = instance.getattr(intern!(instance.py(), "__dict__"))?;
    Ok(known.cast_into()?)
}
