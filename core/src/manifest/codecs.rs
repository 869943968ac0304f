//! The codecs of a manifest: their options, and what they become with their secrets.

mod django;
mod metabase;
mod n8n;
mod named_key;
mod rails;
mod reseal;
mod rows;
mod sentry;
mod sqlalchemy;
mod tokens;

pub use named_key::NamedKey;
pub use reseal::{KeyringSource, KeysetUnlock, RingWant};

use super::{
    keyless::{self, Sight},
    problem::Log,
    read::{Table, Value},
    want::{Given, Need},
};
use crate::{
    codec::{CodecKind, Expect, Plain},
    column::NamedCodec,
    error::Result,
    sorted::SortedMap,
    value::ValueType,
};
use alloc::{borrow::ToOwned, format, string::String, sync::Arc, vec::Vec};
use core::fmt;

/// The codec that is there without being named.
pub(super) const PLAIN: &str = "plain";
const MAX_NAME_CHARS: usize = 64;
const EXPECTS: [(&str, Expect); 2] = [("json", Expect::Json), ("utf8", Expect::Utf8)];

/// A codec of a manifest, without its secrets.
#[derive(Clone, Debug)]
pub struct CodecSpec {
    name: String,
    kind: CodecKind,
    /// Where it stands in the text.
    at: usize,
    options: Arc<dyn Options>,
}

impl CodecSpec {
    /// Its name in the manifest.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its format.
    #[must_use]
    pub const fn kind(&self) -> CodecKind {
        self.kind
    }

    /// Whether what it writes can be read by whoever sees it.
    #[must_use]
    pub fn writes_plaintext(&self) -> bool {
        self.options.facts().plaintext
    }

    /// Whether a column may write it: streams of Metabase, for one, are read alone.
    #[must_use]
    pub fn can_write(&self) -> bool {
        self.options.facts().cannot_write.is_none()
    }

    /// The codec without its keys, which recognizes and does not open.
    #[must_use]
    pub fn keyless(&self) -> NamedCodec {
        keyless::named(&self.name, self.kind, self.options.sight())
    }

    pub(super) fn facts(&self) -> Facts {
        self.options.facts()
    }

    pub(super) fn warn_unused(&self, log: &Log<'_>) {
        let place = format!("codecs.{}", self.name);
        log.warn(&place, self.at, "no column uses this codec");
    }

    pub(super) fn needs(&self) -> Vec<Need> {
        self.options.needs()
    }

    pub(super) fn ring(&self) -> Option<&KeyringSource> {
        self.options.ring()
    }

    pub(super) fn build(&self, secrets: &super::Secrets) -> Result<NamedCodec> {
        let given = Given {
            codec: &self.name,
            secrets,
        };
        self.options.build(&given)
    }

    pub(super) fn named_keys(&self, secrets: &super::Secrets) -> Result<Vec<NamedKey>> {
        self.options.named_keys(&Given {
            codec: &self.name,
            secrets,
        })
    }

    fn plain() -> Self {
        Self {
            name: PLAIN.to_owned(),
            kind: CodecKind::Plain,
            at: 0,
            options: Arc::new(PlainOptions),
        }
    }
}

/// The options of one kind.
trait Options: fmt::Debug + Send + Sync {
    /// What is to be read before it can be built.
    fn needs(&self) -> Vec<Need> {
        Vec::new()
    }

    /// Where its ring comes from.
    fn ring(&self) -> Option<&KeyringSource> {
        None
    }

    fn facts(&self) -> Facts {
        Facts::default()
    }

    /// What it recognizes without its keys.
    fn sight(&self) -> Sight {
        Sight::Usual
    }

    /// The keys that values name by ids of their own, as far as they are known without their secrets.
    fn named_keys(&self, _: &Given<'_>) -> Result<Vec<NamedKey>> {
        Ok(Vec::new())
    }

    fn build(&self, given: &Given<'_>) -> Result<NamedCodec>;
}

/// What the columns of a codec must know.
#[derive(Default)]
pub(super) struct Facts {
    /// Why it writes nothing.
    pub(super) cannot_write: Option<&'static str>,
    /// What it writes is not encrypted.
    pub(super) plaintext: bool,
    /// What it can write.
    pub(super) writes: Writes,
    /// Its values can be opened, but not resealed.
    pub(super) unchecked: bool,
    /// The context that it needs for its own format.
    pub(super) context: Vec<String>,
}

/// What a codec can write.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Writes {
    #[default]
    Anything,
    /// UTF-8 text.
    Text,
    /// JSON documents.
    Json,
    /// Values of one type.
    Only(ValueType),
}

#[derive(Debug)]
struct PlainOptions;

impl Options for PlainOptions {
    fn facts(&self) -> Facts {
        Facts {
            plaintext: true,
            ..Facts::default()
        }
    }

    fn build(&self, given: &Given<'_>) -> Result<NamedCodec> {
        Ok(NamedCodec::new(given.codec, Plain))
    }
}

/// Codecs by name; nothing for one that has a problem.
pub(super) type Codecs = SortedMap<String, Option<CodecSpec>>;

/// The codecs of the member `codecs`, and `plain`.
pub(super) fn parse(codecs: Option<&Value<'_, '_>>) -> Codecs {
    let mut found = Codecs::new();
    found.insert(PLAIN.to_owned(), Some(CodecSpec::plain()));
    let Some(table) = codecs.and_then(|codecs| codecs.table("the codecs")) else {
        return found;
    };
    for (name, value) in table.all() {
        if value.log.is_full() {
            break;
        }
        found.insert(name.to_owned(), parse_one(name, &value));
    }
    found
}

fn parse_one(name: &str, value: &Value<'_, '_>) -> Option<CodecSpec> {
    check_name(name, value.log, &value.place, value.at);
    let mut table = value.table("a codec")?;
    let kinds: Vec<(&str, CodecKind)> = CodecKind::ALL
        .iter()
        .map(|kind| (kind.as_str(), *kind))
        .collect();
    let kind = table.required("kind", "\"reseal\"")?;
    let kind = kind.word("kind of codec", &kinds)?;
    if (name == PLAIN) != (kind == CodecKind::Plain) {
        value.wrong("the codec of kind plain is named plain, and no other one is");
    }
    let options = options(kind, &mut table);
    table.finish_as(kind_noun(kind));
    Some(CodecSpec {
        name: name.to_owned(),
        kind,
        at: value.at,
        options: options?,
    })
}

fn options(kind: CodecKind, table: &mut Table<'_, '_>) -> Option<Arc<dyn Options>> {
    Some(match kind {
        CodecKind::Plain => Arc::new(PlainOptions),
        CodecKind::Reseal => Arc::new(reseal::RingOptions::parse(table)?),
        CodecKind::Fernet => Arc::new(tokens::FernetOptions::parse(table)),
        CodecKind::DjangoFernet => Arc::new(django::DjangoFernetOptions::parse(table)),
        CodecKind::FernetFields => Arc::new(django::FernetFieldsOptions::parse(table)),
        CodecKind::DjangoCryptography => Arc::new(django::DjangoCryptographyOptions::parse(table)),
        CodecKind::SqlalchemyUtils => Arc::new(sqlalchemy::SqlalchemyOptions::parse(table)),
        CodecKind::Freeboard => Arc::new(tokens::FreeboardOptions::parse(table)),
        CodecKind::Sentry => Arc::new(sentry::SentryOptions::parse(table)?),
        CodecKind::Rails => Arc::new(rails::RailsOptions::parse(table)),
        CodecKind::Metabase => Arc::new(metabase::MetabaseOptions::parse(table)),
        CodecKind::N8n => Arc::new(n8n::N8nOptions::parse(table)),
    })
}

const fn kind_noun(kind: CodecKind) -> &'static str {
    match kind {
        CodecKind::Plain => "a plain codec",
        CodecKind::Reseal => "a reseal codec",
        CodecKind::Fernet => "a fernet codec",
        CodecKind::DjangoFernet => "a django-fernet codec",
        CodecKind::FernetFields => "a fernet-fields codec",
        CodecKind::DjangoCryptography => "a django-cryptography codec",
        CodecKind::SqlalchemyUtils => "a sqlalchemy-utils codec",
        CodecKind::Freeboard => "a freeboard codec",
        CodecKind::Sentry => "a sentry codec",
        CodecKind::Rails => "a rails codec",
        CodecKind::Metabase => "a metabase codec",
        CodecKind::N8n => "an n8n codec",
    }
}

fn check_name(name: &str, log: &Log<'_>, place: &str, at: usize) {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.is_empty() || name.len() > MAX_NAME_CHARS || !name.bytes().all(allowed) {
        let message = "the name of a codec has 1 to 64 letters, digits, _ and -";
        log.wrong(place, at, message);
    }
}

impl Table<'_, '_> {
    fn expect(&mut self) -> Option<Expect> {
        self.value("expect")?
            .word("kind of plaintext to expect", &EXPECTS)
    }

    fn lenient(&mut self) -> bool {
        self.flag("lenient").unwrap_or_default()
    }
}
