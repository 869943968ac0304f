//! The document: its members, and the rules that each must keep before any key is looked at.

use super::kek::KekSource;
use crate::{
    error::{Error, ErrorCode, Result, fixed},
    ids::{BASE32, KeyId, KeyState, KeyUse},
    json::Json,
    sorted::SortedMap,
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use data_encoding::BASE64URL_NOPAD;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Bytes of a document.
pub const MAX_KEYSET_BYTES: usize = 1_048_576;
/// Key-encrypting keys of a document.
pub const MAX_KEKS: usize = 8;
/// Characters of the label of a key.
pub const MAX_LABEL_CHARS: usize = 64;
/// Seconds of a lease: a year.
pub const MAX_LEASE_SECONDS: u32 = 31_536_000;

pub(super) const FORMAT: &str = "reseal-keyset";
pub(super) const MAX_INTEGER: u64 = (1 << 53) - 1;
/// Bytes of the id of a ring.
pub(super) const RING_BYTES: usize = 16;
/// Characters of a wrapped key: nonce, ciphertext and tag.
const WRAP_CHARS: usize = 96;
const MAC_CHARS: usize = 43;

/// A document whose schema holds. Nothing in it is verified.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) ring: String,
    pub(super) generation: u64,
    pub(super) issued: String,
    pub(super) lease_seconds: u32,
    pub(super) keks: Vec<KekEntry>,
    pub(super) keys: Vec<KeyEntry>,
    pub(super) macs: SortedMap<KeyId, String>,
}

#[derive(Clone, Debug)]
pub(super) struct KekEntry {
    pub(super) id: KeyId,
    pub(super) source: KekSource,
}

#[derive(Clone, Debug)]
pub(super) struct KeyEntry {
    pub(super) id: KeyId,
    pub(super) key_use: KeyUse,
    pub(super) state: KeyState,
    pub(super) created: String,
    pub(super) changed: String,
    pub(super) label: String,
    pub(super) wraps: SortedMap<KeyId, String>,
    /// Whether the key stands in no document yet. It is no member of one.
    pub(super) is_new: bool,
}

/// Names what lies in the place of a keyset by mistake.
fn check_text(bytes: &[u8]) -> Result<()> {
    let text = bytes.trim_ascii_start();
    if text.is_empty() {
        return Err(malformed("the file is empty"));
    }
    if text.starts_with(b"\xEF\xBB\xBF") {
        return Err(malformed(
            "it begins with a byte order mark: save it as UTF-8 without one",
        ));
    }
    if text.starts_with(b"rsk1.") {
        return Err(malformed(
            "it holds a key: is this the file of the key that opens the keyset?",
        ));
    }
    Ok(())
}

impl Document {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_KEYSET_BYTES {
            return Err(fixed(
                ErrorCode::KeysetMalformed,
                "a keyset has at most 1,048,576 bytes: is this another file?",
            ));
        }
        check_text(bytes)?;
        let tree = Json::parse(bytes)
            .ok_or_else(|| malformed("it is no JSON, or has a member twice: was it cut?"))?;
        let mut document = Members::of(tree, "the keyset")?;
        check_format(&document)?;
        let _ = (document.take("format")?, document.take("version")?);
        let wrapping = document.list("keks")?;
        let wrapped = document.list("keys")?;
        let parsed = Self {
            ring: document.ring()?,
            generation: document.integer("generation", 1..=MAX_INTEGER)?,
            issued: document.time("issued")?,
            lease_seconds: document.small("lease_seconds", 0..=MAX_LEASE_SECONDS)?,
            keks: wrapping
                .into_iter()
                .map(KekEntry::read)
                .collect::<Result<_>>()?,
            keys: wrapped
                .into_iter()
                .map(KeyEntry::read)
                .collect::<Result<_>>()?,
            macs: document.texts("macs", MAC_CHARS)?,
        };
        let primary = document.object("primary")?;
        document.end()?;
        parsed.check(primary)?;
        Ok(parsed)
    }

    /// The primary key of a use.
    pub(super) fn primary(&self, key_use: KeyUse) -> Option<KeyId> {
        let is_primary = |key: &&KeyEntry| key.key_use == key_use && key.state == KeyState::Primary;
        self.keys.iter().find(is_primary).map(|key| key.id)
    }

    /// The rules that tie members to each other.
    fn check(&self, mut primary: Members) -> Result<()> {
        let mut ids = SortedMap::new();
        let all_new = self.keks.iter().all(|kek| ids.add(kek.id));
        if !(1..=MAX_KEKS).contains(&self.keks.len()) || !all_new {
            return Err(malformed("keks has 1 to 8 entries, each once"));
        }
        let passphrases = self
            .keks
            .iter()
            .filter(|kek| kek.source.argon2id().is_some());
        if passphrases.count() > 1 {
            return Err(malformed("at most one entry of keks has a passphrase"));
        }
        if !self.macs.keys().eq(ids.keys()) {
            return Err(malformed("macs has one member for each entry of keks"));
        }
        for key in &self.keys {
            let destroyed = key.state == KeyState::Destroyed;
            if destroyed != key.wraps.is_empty() || !(destroyed || key.wraps.keys().eq(ids.keys()))
            {
                return Err(malformed(
                    "wraps has one member for each entry of keks, and none where the key is destroyed",
                ));
            }
        }
        let mut kids = SortedMap::new();
        if !self.keys.iter().all(|key| kids.add(key.id)) {
            return Err(malformed("a key stands twice"));
        }
        for key_use in [KeyUse::Data, KeyUse::Index] {
            let named = match primary.take(key_use.as_str()) {
                Ok(Json::Text(text)) => Some(key_id(&text)?),
                Ok(_) => return Err(malformed("primary holds key ids")),
                Err(_) => None,
            };
            let is_primary =
                |key: &&KeyEntry| key.key_use == key_use && key.state == KeyState::Primary;
            let mut primaries = self.keys.iter().filter(is_primary).map(|key| key.id);
            if primaries.next() != named || primaries.next().is_some() {
                return Err(malformed(
                    "primary names another key than the one that is in state primary",
                ));
            }
        }
        primary.end()
    }
}

impl KekEntry {
    fn read(tree: Json) -> Result<Self> {
        let mut members = Members::of(tree, "an entry of keks")?;
        let id = members.key_id("id")?;
        let source = match members.take("source")? {
            Json::Null => KekSource::Key,
            source => KekSource::read(Members::of(source, "the source of a KEK")?)?,
        };
        members.end()?;
        Ok(Self { id, source })
    }
}

impl KeyEntry {
    fn read(tree: Json) -> Result<Self> {
        let mut members = Members::of(tree, "an entry of keys")?;
        let key = Self {
            id: members.key_id("kid")?,
            key_use: match members.text("use")?.as_str() {
                "data" => KeyUse::Data,
                "index" => KeyUse::Index,
                _ => return Err(malformed("the use of a key is data or index")),
            },
            state: members.state()?,
            created: members.time("created")?,
            changed: members.time("changed")?,
            label: members.text("label")?,
            wraps: members.texts("wraps", WRAP_CHARS)?,
            is_new: false,
        };
        members.end()?;
        if !is_label(&key.label) {
            return Err(malformed(
                "a label has up to 64 characters, none of them a control character",
            ));
        }
        Ok(key)
    }
}

/// The rule for labels, which those of file names share.
pub(crate) fn is_label(text: &str) -> bool {
    is_plain(text, MAX_LABEL_CHARS)
}

/// So many characters at most, and no control character.
pub(super) fn is_plain(text: &str, max_chars: usize) -> bool {
    text.chars().count() <= max_chars && !text.chars().any(|c| c < ' ' || c == '\x7F')
}

/// The members of an object, each taken once.
pub(super) struct Members(Vec<(String, Json)>);

impl Members {
    fn of(tree: Json, what: &str) -> Result<Self> {
        match tree {
            Json::Object(members) => Ok(Self(members)),
            _ => Err(Error::new(
                ErrorCode::KeysetMalformed,
                format!("this is no keyset: {what} is no JSON object"),
            )),
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Result<Json> {
        let at = self.0.iter().position(|(there, _)| there == name);
        let at = at.ok_or_else(|| missing(name))?;
        Ok(self.0.swap_remove(at).1)
    }

    fn get(&self, name: &str) -> Option<&Json> {
        let mut members = self.0.iter();
        members.find_map(|(there, value)| (there == name).then_some(value))
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String> {
        match self.take(name)? {
            Json::Text(text) => Ok(text),
            _ => Err(wrong(name)),
        }
    }

    pub(super) fn integer(
        &mut self,
        name: &str,
        range: core::ops::RangeInclusive<u64>,
    ) -> Result<u64> {
        match self.take(name)? {
            Json::Integer(integer) if range.contains(&integer) => Ok(integer),
            _ => Err(wrong(name)),
        }
    }

    pub(super) fn small(
        &mut self,
        name: &str,
        range: core::ops::RangeInclusive<u32>,
    ) -> Result<u32> {
        let range = u64::from(*range.start())..=u64::from(*range.end());
        u32::try_from(self.integer(name, range)?).map_err(|_| wrong(name))
    }

    /// Bytes in canonical base64url.
    pub(super) fn bytes(
        &mut self,
        name: &str,
        lengths: core::ops::RangeInclusive<usize>,
    ) -> Result<Vec<u8>> {
        let bytes = BASE64URL_NOPAD.decode(self.text(name)?.as_bytes());
        bytes
            .ok()
            .filter(|bytes| lengths.contains(&bytes.len()))
            .ok_or_else(|| wrong(name))
    }

    /// That nothing is left over.
    pub(super) fn end(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        // The name is the document's, so it is not repeated.
        Err(malformed("it has a member that version 1 does not know"))
    }

    fn list(&mut self, name: &str) -> Result<Vec<Json>> {
        match self.take(name)? {
            Json::List(list) => Ok(list),
            _ => Err(wrong(name)),
        }
    }

    fn object(&mut self, name: &str) -> Result<Self> {
        Self::of(self.take(name)?, name)
    }

    fn key_id(&mut self, name: &str) -> Result<KeyId> {
        key_id(&self.text(name)?)
    }

    fn state(&mut self) -> Result<KeyState> {
        let word = self.text("state")?;
        let states = [
            KeyState::Introduced,
            KeyState::Primary,
            KeyState::DecryptOnly,
            KeyState::Disabled,
            KeyState::Destroyed,
        ];
        let found = states.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| wrong("state"))
    }

    fn ring(&mut self) -> Result<String> {
        let ring = self.text("ring")?;
        is_ring(&ring).then_some(ring).ok_or_else(|| wrong("ring"))
    }

    fn time(&mut self, name: &str) -> Result<String> {
        let time = self.text(name)?;
        is_time(&time).then_some(time).ok_or_else(|| wrong(name))
    }

    /// Texts of canonical base64url by the id of a KEK, all of one length.
    fn texts(&mut self, name: &str, chars: usize) -> Result<SortedMap<KeyId, String>> {
        let mut texts = SortedMap::new();
        let members = self.object(name)?.0;
        if members.len() > MAX_KEKS {
            return Err(wrong(name));
        }
        for (id, text) in members {
            match text {
                Json::Text(text)
                    if text.len() == chars && BASE64URL_NOPAD.decode(text.as_bytes()).is_ok() =>
                {
                    texts.insert(key_id(&id)?, text);
                }
                _ => return Err(wrong(name)),
            }
        }
        Ok(texts)
    }
}

/// What an expected ring must look like, too.
pub(crate) fn is_ring(text: &str) -> bool {
    let bytes = BASE32.decode(text.as_bytes());
    bytes.is_ok_and(|bytes| bytes.len() == RING_BYTES)
}

/// `YYYY-MM-DDTHH:MM:SSZ`, by shape.
fn is_time(text: &str) -> bool {
    let shape = b"0000-00-00T00:00:00Z";
    let fits = |(there, shape): (u8, &u8)| match shape {
        b'0' => there.is_ascii_digit(),
        mark => there == *mark,
    };
    text.len() == shape.len() && text.bytes().zip(shape).all(fits)
}

/// `format` and `version` come first, wherever they stand.
fn check_format(document: &Members) -> Result<()> {
    match document.get("format") {
        Some(Json::Text(format)) if format == FORMAT => {}
        _ => return Err(malformed("its format is not reseal-keyset")),
    }
    match document.get("version") {
        Some(Json::Integer(1)) => Ok(()),
        Some(Json::Integer(version)) if *version <= MAX_INTEGER => Err(fixed(
            ErrorCode::UnsupportedVersion,
            "the keyset has a version that this release does not know: update reseal",
        )),
        Some(_) => Err(wrong("version")),
        None => Err(missing("version")),
    }
}

fn key_id(text: &str) -> Result<KeyId> {
    KeyId::decode(text.as_bytes()).ok_or_else(|| malformed("a key id has not its shape"))
}

pub(super) fn malformed(what: &'static str) -> Error {
    Error::new(
        ErrorCode::KeysetMalformed,
        format!("this is no keyset: {what}"),
    )
}

fn missing(name: &str) -> Error {
    Error::new(
        ErrorCode::KeysetMalformed,
        format!("this is no keyset: the member {name} is missing"),
    )
}

pub(super) fn wrong(name: &str) -> Error {
    Error::new(
        ErrorCode::KeysetMalformed,
        format!("this is no keyset: {name} has not its type, shape or range"),
    )
}

/// In the order of the specification, since people read it.
impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("format", FORMAT)?;
        map.serialize_entry("version", &1)?;
        map.serialize_entry("ring", &self.ring)?;
        map.serialize_entry("generation", &self.generation)?;
        map.serialize_entry("issued", &self.issued)?;
        map.serialize_entry("lease_seconds", &self.lease_seconds)?;
        map.serialize_entry("primary", &Primary(self))?;
        map.serialize_entry("keks", &self.keks)?;
        map.serialize_entry("keys", &self.keys)?;
        map.serialize_entry("macs", &ById(&self.macs))?;
        map.end()
    }
}

impl Serialize for KekEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id.to_string())?;
        map.serialize_entry("source", &self.source)?;
        map.end()
    }
}

impl Serialize for KeyEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kid", &self.id.to_string())?;
        map.serialize_entry("use", self.key_use.as_str())?;
        map.serialize_entry("state", self.state.as_str())?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("changed", &self.changed)?;
        map.serialize_entry("label", &self.label)?;
        map.serialize_entry("wraps", &ById(&self.wraps))?;
        map.end()
    }
}

/// The primaries of a document, by use.
struct Primary<'d>(&'d Document);

impl Serialize for Primary<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for key_use in [KeyUse::Data, KeyUse::Index] {
            if let Some(id) = self.0.primary(key_use) {
                map.serialize_entry(key_use.as_str(), &id.to_string())?;
            }
        }
        map.end()
    }
}

/// Texts by key id.
struct ById<'d>(&'d SortedMap<KeyId, String>);

impl Serialize for ById<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (id, text) in self.0.iter() {
            map.serialize_entry(&id.to_string(), text)?;
        }
        map.end()
    }
}

/// The text of a ring id.
pub(super) fn ring_text(bytes: &[u8; RING_BYTES]) -> String {
    BASE32.encode(bytes)
}
