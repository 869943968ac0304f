//! What may be shown of keys and rings. The classes are written in Python, in `reseal/_info.py`.

use crate::error::{Result, exception};
use core::time::Duration;
use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyTuple, PyType},
};
use reseal::{Error, KeyInfo, KeyState, KeyUse, KeysetInfo};

/// What `LiveKeyring.status` tells.
pub(crate) struct LiveStatus {
    pub(crate) kind: &'static str,
    pub(crate) generation: Option<u64>,
    pub(crate) ring_id: Option<String>,
    pub(crate) lease_seconds: u32,
    pub(crate) confirmed_ago: Option<Duration>,
    pub(crate) stale: bool,
    pub(crate) error: Option<Error>,
}

impl LiveStatus {
    pub(crate) fn show(self, py: Python<'_>) -> Result<Bound<'_, PyAny>> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let error = self.error.map(|error| exception(py, &error).into_value(py));
        let ago = self.confirmed_ago.map(|ago| ago.as_secs_f64());
        Ok(class(py, &CLASS, "LiveStatus")?.call1((
            self.kind,
            self.generation,
            self.ring_id,
            self.lease_seconds,
            ago,
            self.stale,
            error,
        ))?)
    }
}

/// A key of a ring.
pub(crate) fn key(py: Python<'_>, key: KeyInfo) -> Result<Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    Ok(class(py, &CLASS, "KeyInfo")?.call1((
        key.id.to_string(),
        key.key_use.map(KeyUse::as_str),
        key.state.as_str(),
        key.label,
    ))?)
}

/// The keys of a keyset.
pub(crate) fn keyset_keys<'py>(
    py: Python<'py>,
    info: &KeysetInfo,
) -> Result<Vec<Bound<'py, PyAny>>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = class(py, &CLASS, "KeysetKey")?;
    let show = |key: &reseal::KeysetKey| {
        Ok(class.call1((
            key.id.to_string(),
            key.key_use.as_str(),
            key.state.as_str(),
            &key.created,
            &key.changed,
            &key.label,
        ))?)
    };
    info.keys.iter().map(show).collect()
}

/// The key-encrypting keys of a keyset.
pub(crate) fn keks<'py>(py: Python<'py>, info: &KeysetInfo) -> Result<Vec<Bound<'py, PyAny>>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = class(py, &CLASS, "KekInfo")?;
    let show = |kek: &reseal::KekInfo| {
        let external = kek.external.as_ref();
        Ok(class.call1((
            kek.id.to_string(),
            kek.kind.as_str(),
            external.map(|external| &external.provider),
            external.map(|external| &external.reference),
            kek.held,
        ))?)
    };
    info.keks.iter().map(show).collect()
}

/// What a document says about itself.
pub(crate) fn inspection<'py>(py: Python<'py>, info: &KeysetInfo) -> Result<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    Ok(class(py, &CLASS, "KeysetInspection")?.call1((
        &info.ring,
        info.generation,
        &info.issued,
        info.lease_seconds,
        primary(info, KeyUse::Data),
        primary(info, KeyUse::Index),
        PyTuple::new(py, keyset_keys(py, info)?)?,
        PyTuple::new(py, keks(py, info)?)?,
    ))?)
}

/// The id of the primary of a use.
pub(crate) fn primary(info: &KeysetInfo, key_use: KeyUse) -> Option<String> {
    let is_primary =
        |key: &&reseal::KeysetKey| key.key_use == key_use && key.state == KeyState::Primary;
    info.keys
        .iter()
        .find(is_primary)
        .map(|key| key.id.to_string())
}

fn class<'py>(
    py: Python<'py>,
    known: &'static PyOnceLock<Py<PyType>>,
    name: &str,
) -> Result<&'py Bound<'py, PyType>> {
    Ok(known.import(py, "reseal._info", name)?)
}
