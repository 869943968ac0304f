//! Codecs: a format with its keys.

use crate::{
    context,
    convert::{ModeArgument, plaintext},
    error::{Result, not_pickled},
    live::Live,
    options::flag,
    recognized::{OpenedBytes, Recognized},
    ring::{NEWER_RINGS, Ring, is_unknown_key},
    stored::{self, StoredArgument},
    time::moment,
};
use alloc::sync::{Arc, Weak};
use pyo3::prelude::*;
use reseal::{
    Context, Error, Keyring, Mode, NamedCodec, OsEntropy,
    codec::{self, CodecKind, Form, Fresh, Place, Rings},
};

/// A format of stored values with its keys. The functions of `reseal.codecs` make them.
///
/// It never shows its keys, and is not pickled. Threads share one. A `Column` uses it; by itself it
/// reads and writes single values as bytes, whatever their type.
///
/// Example:
///     >>> from reseal import codecs
///     >>> codec = codecs.fernet(keys=["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="])
///     >>> codec.open(codec.seal("hello")).plaintext
///     b'hello'
#[pyclass(frozen, module = "reseal.codecs")]
#[derive(Debug)]
pub(crate) struct Codec(pub(crate) Arc<Named>);

/// A codec by the name that it has in reports.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) source: Source,
}

/// Where the keys of a codec are.
#[derive(Debug)]
pub(crate) enum Source {
    /// In itself.
    Fixed(Arc<dyn codec::Codec>),
    /// In a ring that follows a source: each call asks it.
    Live(Arc<Live>),
}

#[pymethods]
impl Codec {
    /// The name that it has in a column and in reports.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The format: "plain", "reseal", "fernet", "django-fernet", "fernet-fields",
    /// "django-cryptography", "sqlalchemy-utils", "sentry", "rails", "metabase", "n8n" or "freeboard".
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind().as_str()
    }

    /// What a stored value shows of this format, without using a key; None where it is another.
    ///
    /// Errors: invalid-argument; invalid-text.
    fn recognize(&self, stored: &Bound<'_, PyAny>) -> Result<Option<Recognized>> {
        let py = stored.py();
        let stored = StoredArgument::read(stored)?;
        let shown = self.call(py, Needs::Open, |codec| {
            Ok(codec.recognize(stored.as_stored()))
        })??;
        Ok(shown.map(Recognized::new))
    }

    /// The plaintext of a stored value, and what opened it.
    ///
    /// Errors: format-mismatch for a value of another format; format-unsupported and malformed for a
    /// variant or damage that public bytes show; unknown-key where they name a key that is not there;
    /// double-encrypted; auth-failed for everything that depends on a secret; context-invalid.
    #[pyo3(signature = (stored, context=None), text_signature = "($self, stored, context={})")]
    fn open(
        &self,
        stored: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
    ) -> Result<OpenedBytes> {
        let py = stored.py();
        let (stored, context) = (StoredArgument::read(stored)?, read_context(context)?);
        let open = |codec: &dyn codec::Codec| codec.open(stored.as_stored(), &context);
        Ok(OpenedBytes::new(py, self.call(py, Needs::Open, open)??))
    }

    /// A value to store, of text or bytes: text, or bytes for a binary column. `now` is for formats
    /// that store the time, a datetime with a time zone or seconds since 1970.
    ///
    /// Errors: codec-read-only for what the format cannot hold or this codec does not write;
    /// looks-sealed; context-invalid, invalid-text, too-large, no-primary, ring-stale,
    /// random-unavailable.
    #[pyo3(
        signature = (plaintext, context=None, mode=ModeArgument::RANDOM, binary=None, now=None),
        text_signature = "($self, plaintext, context={}, mode='random', binary=False, now=None)"
    )]
    fn seal<'py>(
        &self,
        plaintext: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyAny>>,
        mode: ModeArgument,
        binary: Option<&Bound<'py, PyAny>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyAny>> {
        let py = plaintext.py();
        let (context, mode) = (read_context(context)?, mode.0?);
        let plaintext = self::plaintext(plaintext)?;
        let form = stored::form(flag(binary, "binary", false)?);
        let now = moment(now)?;
        let seal = |codec: &dyn codec::Codec| {
            let place = place(&context, mode, form);
            let entropy = &mut OsEntropy;
            codec.seal(&plaintext, &place, &mut Fresh { entropy, now })
        };
        Ok(stored::show(py, &self.call(py, Needs::Seal, seal)??))
    }

    /// A stored value of this codec, sealed anew under the key that seals. What belongs to the
    /// format stays: the time of a token, the label of an encoding.
    ///
    /// Errors: as of open and seal; expect-required for what is not authenticated and not checked.
    #[pyo3(
        signature = (stored, context=None, mode=ModeArgument::RANDOM, now=None),
        text_signature = "($self, stored, context={}, mode='random', now=None)"
    )]
    fn rotate<'py>(
        &self,
        stored: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyAny>>,
        mode: ModeArgument,
        now: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyAny>> {
        let py = stored.py();
        let argument = StoredArgument::read(stored)?;
        let (context, mode, now) = (read_context(context)?, mode.0?, moment(now)?);
        let rotate = |codec: &dyn codec::Codec| {
            let stored = argument.as_stored();
            let place = place(&context, mode, stored.form());
            let entropy = &mut OsEntropy;
            codec.rotate(stored, &place, &mut Fresh { entropy, now })
        };
        Ok(stored::show(py, &self.call(py, Needs::Both, rotate)??))
    }

    /// Whether the codec would write a value as it stands, judged by public bytes; None where only
    /// open tells.
    ///
    /// Errors: invalid-argument; invalid-text.
    #[pyo3(
        signature = (stored, mode=ModeArgument::RANDOM),
        text_signature = "($self, stored, mode='random')"
    )]
    fn is_current(&self, stored: &Bound<'_, PyAny>, mode: ModeArgument) -> Result<Option<bool>> {
        let py = stored.py();
        let (stored, mode) = (StoredArgument::read(stored)?, mode.0?);
        let judge = |codec: &dyn codec::Codec| Ok(codec.is_current(stored.as_stored(), mode));
        Ok(self.call(py, Needs::Open, judge)??)
    }

    fn __repr__(&self) -> String {
        format!("Codec({} {:?})", self.kind(), self.0.name)
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(not_pickled(slf))
    }
}

impl Codec {
    pub(crate) fn fixed(name: String, codec: impl codec::Codec + 'static) -> Self {
        Self(Arc::new(NamedCodec::new(name, codec).into()))
    }

    /// What `work` gives; once more where a ring lacks the key, and its source has a newer one.
    fn call<T>(
        &self,
        py: Python<'_>,
        needs: Needs,
        work: impl Fn(&dyn codec::Codec) -> Result<T, Error>,
    ) -> Result<Result<T, Error>> {
        if let Source::Fixed(codec) = &self.0.source {
            return Ok(work(codec.as_ref()));
        }
        let named = core::slice::from_ref(&self.0);
        let lacks_key = |done: &Result<T, Error>| done.as_ref().is_err_and(is_unknown_key);
        with_rings(
            py,
            named,
            needs,
            |taken| match taken.first() {
                Some(taken) => Ok(work(taken.codec().as_ref())),
                None => Ok(Err(no_codec())),
            },
            lacks_key,
        )
    }
}

impl From<NamedCodec> for Named {
    fn from(NamedCodec { name, codec }: NamedCodec) -> Self {
        let source = Source::Fixed(codec);
        Self { name, source }
    }
}

impl Named {
    /// A codec over a ring, which it follows where that is live.
    pub(crate) fn over(name: String, ring: &Ring) -> Self {
        let source = match ring {
            Ring::Fixed(ring) => Source::Fixed(Arc::new(codec::Reseal::new(Arc::clone(ring)))),
            Ring::Live(live) => Source::Live(Arc::clone(live)),
        };
        Self { name, source }
    }

    pub(crate) fn kind(&self) -> CodecKind {
        match &self.source {
            Source::Fixed(codec) => codec.kind(),
            Source::Live(_) => CodecKind::Reseal,
        }
    }

    /// The codec of one call.
    fn take(&self, py: Python<'_>, needs: Needs) -> Result<Taken<'_>> {
        let live = match &self.source {
            Source::Fixed(codec) => return Ok(Taken::Fixed(codec)),
            Source::Live(live) => live,
        };
        // What the source lacks is an error of the values that need it, and of no others.
        let (open, seal) = match needs {
            Needs::Open | Needs::Seal => {
                let ring = known(if needs == Needs::Open {
                    live.to_open(py)
                } else {
                    live.to_seal(py)
                })?;
                (ring.clone(), ring)
            }
            Needs::Both => (known(live.to_open(py))?, known(live.to_seal(py))?),
        };
        Ok(Taken::Live { live, open, seal })
    }
}

/// What a call does with the ring of a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Open,
    Seal,
    Both,
}

/// A codec of one call. The rings of a live one are looked at before the call begins: no code of
/// Python's runs in the midst of it.
pub(crate) enum Taken<'n> {
    Fixed(&'n Arc<dyn codec::Codec>),
    Live {
        live: &'n Live,
        open: Result<Arc<Keyring>, Error>,
        seal: Result<Arc<Keyring>, Error>,
    },
}

impl Taken<'_> {
    pub(crate) fn codec(&self) -> Arc<dyn codec::Codec> {
        match self {
            Self::Fixed(codec) => Arc::clone(codec),
            Self::Live { .. } => Arc::new(codec::Reseal::new(self.rings())),
        }
    }

    pub(crate) fn rings(&self) -> RingsOfACall {
        let weak = |ring: &Result<Arc<Keyring>, Error>| match ring {
            Ok(ring) => Ok(Arc::downgrade(ring)),
            Err(error) => Err(error.clone()),
        };
        match self {
            Self::Fixed(_) => RingsOfACall::none(),
            Self::Live { open, seal, .. } => RingsOfACall {
                open: weak(open),
                seal: weak(seal),
            },
        }
    }

    /// Whether an earlier call had the same rings.
    pub(crate) fn has(&self, rings: &RingsOfACall) -> bool {
        let same = |ring: &Result<Arc<Keyring>, Error>, before: &Result<Weak<Keyring>, Error>| {
            let (Ok(ring), Ok(before)) = (ring, before) else {
                return false;
            };
            Arc::as_ptr(ring) == before.as_ptr()
        };
        match self {
            Self::Fixed(_) => true,
            Self::Live { open, seal, .. } => same(open, &rings.open) && same(seal, &rings.seal),
        }
    }

    fn has_newer(&self, py: Python<'_>) -> Result<bool> {
        match self {
            Self::Live {
                live,
                open: Ok(ring),
                ..
            } => Ok(live.newer(py, ring)?.is_some()),
            _ => Ok(false),
        }
    }
}

/// The rings of one call, which holds them: what is kept of it for the next one does not, so that an old
/// ring is wiped as soon as its source has a newer one.
pub(crate) struct RingsOfACall {
    open: Result<Weak<Keyring>, Error>,
    seal: Result<Weak<Keyring>, Error>,
}

impl RingsOfACall {
    fn none() -> Self {
        Self {
            open: Err(no_codec()),
            seal: Err(no_codec()),
        }
    }
}

impl Rings for RingsOfACall {
    fn to_open(&self) -> Result<Arc<Keyring>, Error> {
        held(&self.open)
    }

    fn to_seal(&self) -> Result<Arc<Keyring>, Error> {
        held(&self.seal)
    }
}

/// The ring of a call, which lives as long as the call.
fn held(ring: &Result<Weak<Keyring>, Error>) -> Result<Arc<Keyring>, Error> {
    match ring {
        Ok(ring) => ring.upgrade().ok_or_else(no_codec),
        Err(error) => Err(error.clone()),
    }
}

/// A codec over a live ring which is not looked at.
pub(crate) fn unlooked() -> Arc<dyn codec::Codec> {
    Arc::new(codec::Reseal::new(RingsOfACall::none()))
}

/// Calls `work` with the codecs, in their order; once more where a ring lacks a key, and its source
/// has a newer one.
pub(crate) fn with_rings<T>(
    py: Python<'_>,
    named: &[Arc<Named>],
    needs: Needs,
    work: impl Fn(&[Taken<'_>]) -> Result<T>,
    lacks_key: impl Fn(&T) -> bool,
) -> Result<T> {
    let mut left = NEWER_RINGS;
    loop {
        let taken = named.iter().map(|named| named.take(py, needs));
        let taken = taken.collect::<Result<Vec<_>>>()?;
        let done = work(&taken)?;
        if left == 0 || !lacks_key(&done) || !has_newer(py, &taken)? {
            return Ok(done);
        }
        left -= 1;
    }
}

fn has_newer(py: Python<'_>, taken: &[Taken<'_>]) -> Result<bool> {
    let mut newer = false;
    for one in taken {
        newer |= one.has_newer(py)?;
    }
    Ok(newer)
}

/// An error of the core as a result of its own; what the caller's code raised is raised.
fn known<T>(result: Result<T>) -> Result<Result<T, Error>> {
    crate::error::per_item(result)
}

const fn place(context: &Context, mode: Mode, form: Form) -> Place<'_> {
    Place {
        context,
        mode,
        form,
    }
}

fn read_context(mapping: Option<&Bound<'_, PyAny>>) -> Result<Context> {
    mapping.map_or_else(|| Ok(Context::new()), context::read)
}

fn no_codec() -> Error {
    Error::new(
        reseal::ErrorCode::InvalidArgument,
        "the ring of this codec was not looked at",
    )
}
