//! What a manifest says. The classes are written in Python, in `reseal/_manifest.py`.

use crate::error::Result;
use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyType},
};
use reseal::{
    codec::CodecKind,
    manifest::{CodecSpec, ColumnSpec, Fact, IndexSpec, Problem},
};

pub(crate) fn codec<'py>(py: Python<'py>, spec: &CodecSpec) -> Result<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let facts = (spec.name(), spec.kind().as_str(), spec.writes_plaintext());
    Ok(class(py, &CLASS, "CodecSpec")?.call1(facts)?)
}

pub(crate) fn column<'py>(py: Python<'py>, spec: &ColumnSpec) -> Result<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let facts = PyDict::new(py);
    facts.set_item("table", &spec.table)?;
    facts.set_item("column", &spec.column)?;
    facts.set_item("row_id", &spec.row_id)?;
    facts.set_item("where", &spec.filter)?;
    facts.set_item("path", spec.path.as_ref().map(ToString::to_string))?;
    facts.set_item("context", context(py, spec)?)?;
    facts.set_item("bind_row", spec.bind_row)?;
    facts.set_item("earlier_contexts", earlier_contexts(py, spec)?)?;
    facts.set_item("type", spec.value_type.as_str())?;
    facts.set_item("mode", spec.mode.as_str())?;
    facts.set_item("write", &spec.write)?;
    facts.set_item("read", &spec.read)?;
    facts.set_item("readers", readers(py, spec)?)?;
    facts.set_item("indexes", indexes(py, spec)?)?;
    Ok(class(py, &CLASS, "ColumnSpec")?.call((), Some(&facts))?)
}

pub(crate) fn problem<'py>(py: Python<'py>, problem: &Problem) -> Result<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let facts = (&problem.place, problem.line, &problem.message);
    Ok(class(py, &CLASS, "Problem")?.call1(facts)?)
}

fn context<'py>(py: Python<'py>, spec: &ColumnSpec) -> Result<Bound<'py, PyDict>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let facts = PyDict::new(py);
    for (name, fact) in &spec.context {
        match fact {
            Fact::Text(text) => facts.set_item(name, text)?,
            Fact::Column(column) => {
                facts.set_item(name, class(py, &CLASS, "FromRow")?.call1((column,))?)?;
            }
        }
    }
    Ok(facts)
}

fn earlier_contexts<'py>(py: Python<'py>, spec: &ColumnSpec) -> Result<Vec<Bound<'py, PyDict>>> {
    let shown = |pairs: Vec<(&str, &str)>| {
        let facts = PyDict::new(py);
        for (name, text) in pairs {
            facts.set_item(name, text)?;
        }
        Ok(facts)
    };
    spec.earlier_facts().map(shown).collect()
}

fn readers<'py>(py: Python<'py>, spec: &ColumnSpec) -> Result<Bound<'py, PyDict>> {
    let readers = PyDict::new(py);
    for (name, kinds) in &spec.readers {
        let kinds: Vec<&str> = kinds.iter().copied().map(CodecKind::as_str).collect();
        readers.set_item(name, kinds)?;
    }
    Ok(readers)
}

fn indexes<'py>(py: Python<'py>, spec: &ColumnSpec) -> Result<Vec<Bound<'py, PyAny>>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = class(py, &CLASS, "IndexSpec")?;
    let shown = |index: &IndexSpec| {
        let normalizer = index.normalizer.as_str();
        Ok(class.call1((&index.name, &index.column, normalizer, index.bits))?)
    };
    spec.indexes.iter().map(shown).collect()
}

fn class<'py>(
    py: Python<'py>,
    known: &'static PyOnceLock<Py<PyType>>,
    name: &str,
) -> Result<&'py Bound<'py, PyType>> {
    Ok(known.import(py, "reseal._manifest", name)?)
}
