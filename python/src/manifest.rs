//! The manifest: which columns of a database are encrypted, and how.

use crate::{
    codec::{Codec, Named},
    column::{Column, Parts},
    convert::argument_text,
    error::{Result, refuse},
    manifest_facts as facts,
    manifest_secrets::{Given, Outside},
    plaintext,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use pyo3::{prelude::*, types::PyString};
use reseal::{
    Error, ErrorCode,
    codec::Form,
    manifest::{self, CodecSpec, ColumnSpec, MAX_MANIFEST_BYTES},
};

/// The encrypted columns of a database, as `reseal.toml` describes them. It names secrets and holds
/// none.
///
/// `build` reads them and gives the columns: `rings` has a `Keyring` or a `LiveKeyring` by the name
/// of a codec, in the place of what its `keyring` says; `tables` has the rows of `table:NAME`, by the
/// name of the table; `environ` is what `env:NAME` is read from, `os.environ` if nothing is given.
///
/// Example:
///     >>> manifest = reseal.Manifest.parse('''
///     ... version = 1
///     ... [codecs.app]
///     ... kind = "reseal"
///     ... keyring = "env"
///     ... [codecs.tokens]
///     ... kind = "fernet"
///     ... keys = ["env:FERNET_KEY"]
///     ... [[columns]]
///     ... table = "users"
///     ... column = "ssn"
///     ... row_id = ["id"]
///     ... context = { table = "users", column = "ssn" }
///     ... write = "app"
///     ... read = ["tokens"]
///     ... ''')
///     >>> manifest.columns[0].table, manifest.columns[0].read
///     ('users', ['tokens'])
///     >>> ring = reseal.Keyring(reseal.Key.generate("data"))
///     >>> environ = {"FERNET_KEY": "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="}
///     >>> [ssn] = manifest.build(rings={"app": ring}, environ=environ)
///     >>> ssn.open(ssn.seal("078-05-1120", row=42), row=42).value
///     '078-05-1120'
///
/// `docs/manifest.md` has every member.
#[pyclass(frozen, module = "reseal")]
#[derive(Debug)]
pub(crate) struct Manifest {
    manifest: manifest::Manifest,
    text: String,
}

#[pymethods]
impl Manifest {
    /// The manifest in a file.
    ///
    /// Errors: as of parse, with the path in the message; source-unreadable.
    #[staticmethod]
    #[pyo3(signature = (path=None), text_signature = "(path='reseal.toml')")]
    fn load(py: Python<'_>, path: Option<&Bound<'_, PyAny>>) -> Result<Self> {
        let read = py.import("reseal._manifest")?.getattr("read_manifest")?;
        let limit = MAX_MANIFEST_BYTES + 1;
        let read = match path {
            Some(path) => read.call1((path, limit))?,
            None => read.call1(("reseal.toml", limit))?,
        };
        let (path, content) = read.extract::<(String, Vec<u8>)>()?;
        let (manifest, text) = parse_file(&path, content)?;
        Ok(Self { manifest, text })
    }

    /// The manifest of a text.
    ///
    /// Errors: manifest-invalid, whose message lists up to 20 problems with place and line;
    /// unsupported-version for another version than 1.
    #[staticmethod]
    fn parse(text: &Bound<'_, PyAny>) -> Result<Self> {
        let well_formed = text.cast::<PyString>().map(|text| text.to_str());
        if let Ok(Err(exception)) = well_formed {
            let error = Error::new(
                ErrorCode::InvalidArgument,
                "a manifest has a lone surrogate",
            );
            return Err(refuse(text.py(), exception, error));
        }
        let text = argument_text(text, "text")?;
        let manifest = manifest::Manifest::parse(&text)?;
        Ok(Self {
            manifest,
            text: text.into(),
        })
    }

    /// The codecs, and `plain`, in the order of their names.
    #[getter]
    fn codecs<'py>(&self, py: Python<'py>) -> Result<Vec<Bound<'py, PyAny>>> {
        self.manifest
            .codecs()
            .map(|spec| facts::codec(py, spec))
            .collect()
    }

    /// The columns, in the order of the text.
    #[getter]
    fn columns<'py>(&self, py: Python<'py>) -> Result<Vec<Bound<'py, PyAny>>> {
        let columns = self.manifest.columns().iter();
        columns.map(|spec| facts::column(py, spec)).collect()
    }

    /// What is allowed, and what its author should know.
    #[getter]
    fn warnings<'py>(&self, py: Python<'py>) -> Result<Vec<Bound<'py, PyAny>>> {
        let warnings = self.manifest.warnings().iter();
        warnings
            .map(|warning| facts::problem(py, warning))
            .collect()
    }

    /// The columns with their codecs and keys, in the order of `columns`. A ring that is read here
    /// stays as it is; give a `LiveKeyring` for one that follows its source. A column that writes
    /// plaintext gives a `PlaintextWarning`.
    ///
    /// Errors: encryption-required for columns that write plaintext where `RESEAL_REQUIRE_ENCRYPTION`
    /// is set, in `environ` or in the environment of the process; source-missing for a variable or a
    /// table that is not there, source-unreadable; those of keys and keysets, such as invalid-key; invalid-argument. The messages name the member.
    #[pyo3(signature = (rings=None, tables=None, environ=None))]
    fn build(
        &self,
        py: Python<'_>,
        rings: Option<&Bound<'_, PyAny>>,
        tables: Option<&Bound<'_, PyAny>>,
        environ: Option<&Bound<'_, PyAny>>,
    ) -> Result<Vec<Column>> {
        let given = Given::read(py, &self.manifest, rings, tables, environ)?;
        self.manifest
            .check_encryption(given.requires_encryption()?)?;
        let outside = Outside::read(&given, &self.manifest.wants(), self.manifest.rings())?;
        let columns = self.columns_with(|spec| outside.codec(&self.manifest, spec.name()))?;
        for spec in self
            .manifest
            .columns()
            .iter()
            .filter(|it| it.writes_plaintext())
        {
            let column = format!("the column {}.{}", spec.table, spec.column);
            plaintext::warn(py, &column, &spec.write)?;
        }
        Ok(columns)
    }

    /// One codec with its keys; the arguments are those of build. A column may read plaintext wherever
    /// it may not write it, so that plain is given in any case.
    ///
    /// Errors: as of build, without encryption-required; invalid-argument where there is no codec of this name.
    #[pyo3(signature = (name, rings=None, tables=None, environ=None))]
    fn codec(
        &self,
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        rings: Option<&Bound<'_, PyAny>>,
        tables: Option<&Bound<'_, PyAny>>,
        environ: Option<&Bound<'_, PyAny>>,
    ) -> Result<Codec> {
        let name = argument_text(name, "name")?;
        let given = Given::read(py, &self.manifest, rings, tables, environ)?;
        let (wants, ring) = (
            self.manifest.wants_of(&name)?,
            self.manifest.ring_of(&name)?,
        );
        let outside = Outside::read(&given, &wants, ring)?;
        Ok(Codec(outside.codec(&self.manifest, &name)?))
    }

    /// The columns without any key: enough for `Column.classify`, the census. Nothing opens.
    ///
    /// Example:
    ///     >>> manifest = reseal.Manifest.parse('''
    ///     ... version = 1
    ///     ... [codecs.tokens]
    ///     ... kind = "fernet"
    ///     ... keys = ["env:FERNET_KEY"]
    ///     ... [[columns]]
    ///     ... table = "users"
    ///     ... column = "ssn"
    ///     ... row_id = ["id"]
    ///     ... write = "tokens"
    ///     ... ''')
    ///     >>> manifest.keyless()[0].classify("gAAAAABl").codec
    ///     'tokens'
    fn keyless(&self) -> Result<Vec<Column>> {
        self.columns_with(|spec| Ok(Arc::new(spec.keyless().into())))
    }

    /// What it was made of, for `reseal.jobs`.
    #[getter]
    fn _text(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        let (codecs, columns) = (
            self.manifest.codecs().count(),
            self.manifest.columns().len(),
        );
        format!("Manifest({codecs} codecs, {columns} columns)")
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }
}

impl Manifest {
    /// The columns; each codec is made once, and columns share it.
    fn columns_with(
        &self,
        codec: impl Fn(&CodecSpec) -> Result<Arc<Named>>,
    ) -> Result<Vec<Column>> {
        let specs = self.manifest.columns();
        let used: BTreeSet<&str> = specs.iter().flat_map(ColumnSpec::codecs).collect();
        let mut codecs = BTreeMap::new();
        for spec in self
            .manifest
            .codecs()
            .filter(|spec| used.contains(spec.name()))
        {
            codecs.insert(spec.name(), codec(spec)?);
        }
        specs.iter().map(|spec| column(spec, &codecs)).collect()
    }
}

fn column(spec: &ColumnSpec, codecs: &BTreeMap<&str, Arc<Named>>) -> Result<Column> {
    let missing = || {
        Error::new(
            ErrorCode::InvalidArgument,
            "a codec of the column is missing",
        )
    };
    let codecs = spec
        .codecs()
        .map(|name| codecs.get(name).cloned().ok_or_else(missing));
    let parts = Parts {
        context: spec.fixed_context(),
        earlier: spec.earlier_contexts.clone(),
        mode: spec.mode,
        kind: spec.sealed_type(),
        indexes: spec.indexes.iter().map(|it| it.index.clone()).collect(),
    };
    Column::of(codecs.collect::<Result<_, _>>()?, parts, Form::Text)
}

fn parse_file(path: &str, content: Vec<u8>) -> Result<(manifest::Manifest, String), Error> {
    let invalid = |message| Error::new(ErrorCode::ManifestInvalid, message);
    if content.len() > MAX_MANIFEST_BYTES {
        return Err(invalid(format!(
            "a manifest has at most {MAX_MANIFEST_BYTES} bytes, and {path} has more"
        )));
    }
    let text = String::from_utf8(content);
    let text = text.map_err(|_| invalid(format!("{path} is no text (UTF-8)")))?;
    let manifest = manifest::Manifest::parse(&text)
        .map_err(|error| Error::new(error.code(), format!("{path}: {error}")))?;
    Ok((manifest, text))
}
