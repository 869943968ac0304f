//! The Python door: converts, calls the core, maps errors. One file per noun of the core.
#![expect(
    clippy::doc_markdown,
    clippy::doc_link_with_quotes,
    reason = "the comments of Python's items are Python's docstrings"
)]

extern crate alloc;

mod arguments;
mod batch;
mod cli;
mod context;
mod convert;
mod envelope;
mod error;
mod field;
mod index;
mod info;
mod key;
mod keyring;
mod keyset;
mod keyset_file;
mod live;
mod ring;
mod single;
mod source;
mod time;

use pyo3::prelude::*;

/// The native part of the package `reseal`. Import `reseal` instead.
#[pymodule(gil_used = false)]
mod _native {
    use super::{Bound, PyModule, PyModuleMethods as _, PyResult};
    use pyo3::types::PyTuple;
    use reseal::ErrorCode;

    #[pymodule_export]
    use crate::cli::run_command;
    #[pymodule_export]
    use crate::envelope::{Inspection, inspect, to_binary, to_text};
    #[pymodule_export]
    use crate::field::Field;
    #[pymodule_export]
    use crate::key::Key;
    #[pymodule_export]
    use crate::keyring::Keyring;
    #[pymodule_export]
    use crate::keyset::{Keyset, external_keks, inspect_keyset};
    #[pymodule_export]
    use crate::keyset_file::KeysetStore;
    #[pymodule_export]
    use crate::live::LiveKeyring;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let codes = ErrorCode::ALL.iter().map(|code| code.as_str());
        let codes = PyTuple::new(module.py(), codes)?;
        module.add("ERROR_CODES", codes)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
