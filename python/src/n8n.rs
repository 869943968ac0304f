//! The credentials of n8n, and the rows of its table `deployment_key`.

use crate::{
    codec::Codec,
    codecs::{borrowed, listed, named, pairs},
    convert::argument_text,
    error::{Result, invalid_argument, not_pickled},
    options::{expectation, flag, quoted, secret, secrets, word},
};
use pyo3::{prelude::*, types::PyString};
use reseal::{
    OsEntropy, Zeroizing,
    codec::{self, N8n, N8nWrite},
};

/// What each row has.
const COLUMNS: [&str; 5] = ["id", "type", "value", "algorithm", "status"];

/// The credentials of n8n under one `N8N_ENCRYPTION_KEY` or several, verbatim: the first one writes,
/// all of them open values and unwrap rows.
///
/// `rows` are those of `deployment_key`, each an `N8nKeyRow` or a mapping with its columns id, type,
/// value, algorithm and status. `write` is "legacy", what every n8n reads, or "prefixed", under the
/// active row, what n8n writes with its key rotation on: with an active row it has to be said, and it is
/// "legacy" otherwise. `custom_key` is the key of an export file, in place of all others. `expect` says what the plaintexts are, "json" for credentials: AES-256-CBC
/// authenticates nothing, and without it no value is resealed. `lenient` reads what n8n reads.
///
/// Example:
///     >>> from reseal import codecs
///     >>> codec = codecs.n8n(instance_keys=["test_key"], expect="utf8")
///     >>> opened = codec.open("U2FsdGVkX194VEoX27o3+y5jUd1JTTmVwkOKjVhB6Jg=")
///     >>> opened.plaintext, opened.trust
///     (b'random-string', 'checked')
///
/// Errors: invalid-argument without any key, for a custom key next to others, and for rows that n8n
/// would not have, and for an active row without `write`; invalid-key, duplicate-key, no-primary,
/// format-unsupported; malformed and auth-failed for a row that does not unwrap.
#[pyfunction]
#[pyo3(
    signature = (*, instance_keys=None, custom_key=None, rows=None, write=None, expect=None, lenient=None, name=None),
    text_signature = "(*, instance_keys=(), custom_key=None, rows=(), write=None, expect=None, lenient=False, name='n8n')"
)]
pub(crate) fn n8n(
    instance_keys: Option<&Bound<'_, PyAny>>,
    custom_key: Option<&Bound<'_, PyAny>>,
    rows: Option<&Bound<'_, PyAny>>,
    write: Option<&Bound<'_, PyAny>>,
    expect: Option<&Bound<'_, PyAny>>,
    lenient: Option<&Bound<'_, PyAny>>,
    name: Option<&Bound<'_, PyAny>>,
) -> Result<Codec> {
    let name = named(name, "n8n")?;
    let mut builder = N8n::builder().lenient(flag(lenient, "lenient", false)?);
    for key in secrets(instance_keys, "instance_keys")? {
        builder = builder.instance_key(&key);
    }
    if let Some(key) = custom_key.filter(|key| !key.is_none()) {
        builder = builder.custom_key(&secret(key, "custom_key")?);
    }
    let rows = listed(rows, "rows")?;
    builder = builder.rows(rows.iter().map(row_of).collect::<Result<Vec<_>>>()?);
    let writes = [
        ("legacy", N8nWrite::Legacy),
        ("prefixed", N8nWrite::Prefixed),
    ];
    if let Some(write) = word(write, "write", &writes)? {
        builder = builder.write(write);
    }
    if let Some(expect) = expectation(expect)? {
        builder = builder.expect(expect);
    }
    Ok(Codec::fixed(name, builder.build()?))
}

/// A row of the table `deployment_key`, with the names of its columns.
///
/// Example:
///     >>> from reseal import codecs
///     >>> key = codecs.N8nDataKey.generate()
///     >>> row = codecs.N8nKeyRow("bEc5AmLGiLrtdybl", "data_encryption", key.wrap("old"), "aes-256-gcm", "active")
///     >>> row = row.rewrap(["old"], "new")
///     >>> row.data_key(["new"]).text == key.text
///     True
///
/// Errors: invalid-argument.
///
/// Security: some old shapes of `value` hold the key itself, so that it is not in the repr.
#[pyclass(frozen, module = "reseal.codecs")]
#[derive(Debug)]
pub(crate) struct N8nKeyRow(codec::N8nKeyRow);

#[pymethods]
impl N8nKeyRow {
    #[new]
    #[pyo3(signature = (id, r#type, value, algorithm, status))]
    fn new(
        id: &Bound<'_, PyAny>,
        r#type: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        algorithm: &Bound<'_, PyAny>,
        status: &Bound<'_, PyAny>,
    ) -> Result<Self> {
        let row = [id, r#type, value, algorithm, status].map(|part| Some(part.clone()));
        Ok(Self(row_from(row)?))
    }

    /// What stands before the colon of a value.
    #[getter]
    fn id(&self) -> &str {
        &self.0.id
    }

    /// "data_encryption" for the keys of values.
    #[getter]
    fn r#type(&self) -> &str {
        &self.0.kind
    }

    /// A wrapped key.
    #[getter]
    fn value(&self) -> &str {
        &self.0.value
    }

    /// "aes-256-gcm" or "aes-256-cbc" for the keys of values, or None.
    #[getter]
    fn algorithm(&self) -> Option<&str> {
        self.0.algorithm.as_deref()
    }

    /// "active" or "inactive".
    #[getter]
    fn status(&self) -> &str {
        &self.0.status
    }

    /// The key of a row of type data_encryption, unwrapped with one of the instance keys; `lenient`
    /// as of `N8nDataKey.unwrap_value`.
    ///
    /// Errors: as of `N8nDataKey.unwrap_value`. The message names the row.
    #[pyo3(
        signature = (instance_keys, *, lenient=None),
        text_signature = "($self, instance_keys, *, lenient=False)"
    )]
    fn data_key(
        &self,
        instance_keys: &Bound<'_, PyAny>,
        lenient: Option<&Bound<'_, PyAny>>,
    ) -> Result<N8nDataKey> {
        let keys = secrets(Some(instance_keys), "instance_keys")?;
        let (row, keys) = (&self.0, borrowed(&keys));
        Ok(N8nDataKey(if flag(lenient, "lenient", false)? {
            row.data_key_lenient(&keys)?
        } else {
            row.data_key(&keys)?
        }))
    }

    /// The row with its secret wrapped under another instance key; the secret stays as it is, and so
    /// does every value under it. A row that is wrapped under that key already, or that n8n never
    /// wraps, comes back unchanged. Pass every row of the table, of whatever type. `lenient`
    /// takes the shapes of before as well.
    ///
    /// Errors: as of data_key; format-unsupported for a row of an unknown type; invalid-key for an
    /// empty new key, and for an active row in a shape of before; random-unavailable.
    ///
    /// Security: a row in a shape of before looks afterwards as if the instance key had vouched for
    /// it: pass such rows only of a table that nobody else could write to. The row with aes-256-cbc
    /// holds the old instance key. n8n reads values without a
    /// prefix with what it holds: turn its key rotation on, or bring all such values to the new key
    /// first.
    #[pyo3(
        signature = (from_keys, to_key, *, lenient=None),
        text_signature = "($self, from_keys, to_key, *, lenient=False)"
    )]
    fn rewrap(
        &self,
        from_keys: &Bound<'_, PyAny>,
        to_key: &Bound<'_, PyAny>,
        lenient: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        let from = secrets(Some(from_keys), "from_keys")?;
        let to = secret(to_key, "to_key")?;
        let (row, from, entropy) = (&self.0, borrowed(&from), &mut OsEntropy);
        Ok(Self(if flag(lenient, "lenient", false)? {
            row.rewrap_lenient(&from, &to, entropy)?
        } else {
            row.rewrap(&from, &to, entropy)?
        }))
    }

    fn __repr__(&self) -> String {
        format!(
            "N8nKeyRow(id={}, type={}, algorithm={}, status={})",
            quoted(Some(&self.0.id)),
            quoted(Some(&self.0.kind)),
            quoted(self.0.algorithm.as_deref()),
            quoted(Some(&self.0.status))
        )
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(not_pickled(slf))
    }
}

/// A data key of n8n, which wraps into a row of `deployment_key`.
///
/// Example:
///     >>> from reseal import codecs
///     >>> value = codecs.N8nDataKey.generate().wrap("the instance key")
///     >>> len(codecs.N8nDataKey.unwrap_value(value, ["the instance key"]).text)
///     64
#[pyclass(frozen, module = "reseal.codecs")]
#[derive(Debug)]
pub(crate) struct N8nDataKey(codec::N8nDataKey);

#[pymethods]
impl N8nDataKey {
    /// A new key for AES-256-GCM.
    ///
    /// Errors: random-unavailable.
    #[staticmethod]
    fn generate() -> Result<Self> {
        Ok(Self(codec::N8nDataKey::generate(&mut OsEntropy)?))
    }

    /// The key of a text. The row that reads values without a prefix holds an instance key.
    ///
    /// Errors: invalid-key for an empty text.
    #[staticmethod]
    fn from_text(text: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(codec::N8nDataKey::from_text(&secret(text, "text")?)?))
    }

    /// The key in the `value` of a row of type data_encryption. `lenient` reads the shapes of before
    /// as well: wrapped with AES-256-CBC, as it is, or the instance key itself.
    ///
    /// Errors: invalid-key for the shapes that only `lenient` reads; malformed, format-unsupported and
    /// too-large for what is no such value; auth-failed where no instance key unwraps it.
    ///
    /// Security: nothing authenticates the shapes of before: whoever can write to the table may have
    /// put the key there, and then reads what is sealed under it. Only open values with it.
    #[staticmethod]
    #[pyo3(
        signature = (value, instance_keys, *, lenient=None),
        text_signature = "(value, instance_keys, *, lenient=False)"
    )]
    fn unwrap_value(
        value: &Bound<'_, PyAny>,
        instance_keys: &Bound<'_, PyAny>,
        lenient: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        let keys = secrets(Some(instance_keys), "instance_keys")?;
        let (value, keys) = (secret(value, "value")?, borrowed(&keys));
        Ok(Self(if flag(lenient, "lenient", false)? {
            codec::N8nDataKey::unwrap_value_lenient(&value, &keys)?
        } else {
            codec::N8nDataKey::unwrap_value(&value, &keys)?
        }))
    }

    /// A `value` for a row, as n8n writes it since 2.20.
    ///
    /// Errors: invalid-key for an empty instance key; random-unavailable.
    fn wrap(&self, instance_key: &Bound<'_, PyAny>) -> Result<String> {
        let key = secret(instance_key, "instance_key")?;
        Ok(self.0.wrap(&key, &mut OsEntropy)?)
    }

    /// The text of the key. Who has it opens every value under it: show it nowhere.
    #[getter]
    fn text(&self) -> &str {
        self.0.text()
    }

    #[expect(clippy::unused_self, reason = "Python calls it as a method")]
    fn __repr__(&self) -> &'static str {
        "N8nDataKey(hidden)"
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(not_pickled(slf))
    }
}

fn row_of(row: &Bound<'_, PyAny>) -> Result<codec::N8nKeyRow> {
    if let Ok(row) = row.cast::<N8nKeyRow>() {
        return Ok(row.get().0.clone());
    }
    let mut parts: [Option<Bound<'_, PyAny>>; 5] = Default::default();
    for (column, value) in pairs(row, "each of rows")? {
        // A row may have more columns, as the table does.
        let column = column
            .cast::<PyString>()
            .ok()
            .map(|text| text.to_string_lossy());
        let place = COLUMNS
            .iter()
            .position(|name| column.as_deref() == Some(*name));
        if let Some(part) = place.and_then(|place| parts.get_mut(place)) {
            *part = Some(value);
        }
    }
    row_from(parts)
}

fn row_from(parts: [Option<Bound<'_, PyAny>>; 5]) -> Result<codec::N8nKeyRow> {
    let [id, kind, value, algorithm, status] = parts;
    let text = |part: Option<Bound<'_, PyAny>>, column: &str| {
        let missing = || invalid_argument(format!("a row of deployment_key has no {column}"));
        let part = part.ok_or_else(missing)?;
        Ok::<_, crate::error::Failure>(argument_text(&part, column)?.into_owned())
    };
    let algorithm = algorithm.filter(|algorithm| !algorithm.is_none());
    Ok(codec::N8nKeyRow {
        id: text(id, "id")?,
        kind: text(kind, "type")?,
        value: Zeroizing::new(text(value, "value")?),
        algorithm: algorithm
            .map(|it| text(Some(it), "algorithm"))
            .transpose()?,
        status: text(status, "status")?,
    })
}
