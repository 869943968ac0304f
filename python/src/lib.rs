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
mod codec;
mod codecs;
mod column;
mod column_batch;
mod context;
mod convert;
mod django;
mod envelope;
mod error;
mod field;
mod followed;
mod held;
mod index;
mod info;
mod integer;
mod key;
mod keyring;
mod keyset;
mod keyset_row;
mod keyset_store;
mod live;
mod manifest;
mod manifest_facts;
mod manifest_secrets;
mod n8n;
mod options;
mod outcome;
mod plaintext;
mod rails;
mod recognized;
mod ring;
mod single;
mod source;
mod stored;
mod time;
mod turns;
mod value;
mod writers;

use pyo3::prelude::*;
use std::alloc::System;
use zeroizing_alloc::ZeroAlloc;

/// Whatever is freed is wiped, also what libraries work on: compression, JSON, numbers.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// The native part of the package `reseal`. Import `reseal` instead.
#[pymodule(gil_used = false)]
mod _native {
    use super::{Bound, PyModule, PyModuleMethods as _, PyResult};
    use pyo3::types::PyTuple;
    use reseal::ErrorCode;

    #[pymodule_export]
    use crate::cli::{run_command, run_job};
    #[pymodule_export]
    use crate::codec::Codec;
    #[pymodule_export]
    use crate::codecs::{fernet, freeboard, metabase, plain, reseal_codec, sentry};
    #[pymodule_export]
    use crate::column::Column;
    #[pymodule_export]
    use crate::django::{django_cryptography, django_fernet, fernet_fields, sqlalchemy_utils};
    #[pymodule_export]
    use crate::envelope::{Inspection, inspect, to_binary, to_text};
    #[pymodule_export]
    use crate::error::error_of;
    #[pymodule_export]
    use crate::field::Field;
    #[pymodule_export]
    use crate::held::{Held, HeldAttribute, hold, hold_reporting};
    #[pymodule_export]
    use crate::key::Key;
    #[pymodule_export]
    use crate::keyring::Keyring;
    #[pymodule_export]
    use crate::keyset::{Keyset, external_keks, inspect_keyset};
    #[pymodule_export]
    use crate::keyset_row::{insert_keyset_row, read_keyset_row, update_keyset_row};
    #[pymodule_export]
    use crate::keyset_store::KeysetStore;
    #[pymodule_export]
    use crate::live::LiveKeyring;
    #[pymodule_export]
    use crate::manifest::Manifest;
    #[pymodule_export]
    use crate::n8n::{N8nDataKey, N8nKeyRow, n8n};
    #[pymodule_export]
    use crate::outcome::{Classified, Current, Null, Opened, Origin, Refused, Resealed};
    #[pymodule_export]
    use crate::rails::rails;
    #[pymodule_export]
    use crate::recognized::{OpenedBytes, Recognized, recognize};
    #[pymodule_export]
    use crate::writers::writing_transactions;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let codes = ErrorCode::ALL.iter().map(|code| code.as_str());
        let codes = PyTuple::new(module.py(), codes)?;
        module.add("ERROR_CODES", codes)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
