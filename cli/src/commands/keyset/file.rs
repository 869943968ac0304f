//! A keyset: loaded, changed, saved.

use core::fmt;

use reseal::{
    Error, ErrorCode, Expect, KekInfo, KekKind, Key, KeyId, Keyset, KeysetDocument, KeysetKey,
    OsEntropy, Timestamp, Zeroizing,
};
use serde::Serialize;

use crate::console::{Console, shown};
use crate::database::Database;
use crate::failure::Outcome;
use crate::kek::{Given, variable};

use super::{Common, place::Place};

/// Who gave which key-encrypting key.
pub(super) type GivenBy = Vec<(KeyId, String)>;

/// A keyset that was loaded.
pub(crate) struct Loaded {
    pub(crate) keyset: Keyset,
    /// Who gave the key-encrypting keys that are at hand.
    pub(super) from: GivenBy,
    place: Place,
    bytes: Zeroizing<Vec<u8>>,
}

/// A key-encrypting key of a keyset, and who gave it.
#[derive(Serialize)]
pub(super) struct Wrap {
    pub(super) id: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

/// A keyset that was read, and of which nothing is verified.
pub(crate) struct Locked {
    pub(crate) document: KeysetDocument,
    place: Place,
    bytes: Zeroizing<Vec<u8>>,
}

impl Locked {
    pub(crate) async fn read(place: Place, console: &mut Console<'_>) -> Outcome<Self> {
        let bytes = Zeroizing::new(place.read(console).await?);
        Ok(Self {
            document: KeysetDocument::parse(&bytes)?,
            place,
            bytes,
        })
    }

    /// Unlocks it with what was given.
    pub(crate) fn unlock(
        self,
        given: &[Given],
        expect: &Expect,
        console: &mut Console<'_>,
    ) -> Outcome<Loaded> {
        let (keks, from) = keks(given, &self.document, console)?;
        Ok(Loaded {
            keyset: self.document.unlock(&keks, expect)?,
            from,
            place: self.place,
            bytes: self.bytes,
        })
    }
}

impl Loaded {
    /// Reads the keyset and unlocks it with all that was given.
    pub(super) async fn open(
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome<Self> {
        let locked = Locked::read(common.place(database, console).await?, console).await?;
        let given = common.keks.read(console)?;
        if given.is_empty() {
            return Err(nothing_opens().into());
        }
        let expect = expect(console)?;
        locked.unlock(&given, &expect, console)
    }

    /// A key that people name by the beginning of its id.
    pub(super) fn find(&self, id: &str) -> Outcome<KeysetKey> {
        let id = self.keyset.find(id).map_err(|error| listed(&error))?;
        Ok(self.key(id)?)
    }

    /// A key-encrypting key that people name by the beginning of its id.
    pub(super) fn find_kek(&self, id: &str) -> reseal::Result<KeyId> {
        self.keyset.find_kek(id).map_err(|error| listed(&error))
    }

    /// What may be shown of a key.
    pub(crate) fn key(&self, id: KeyId) -> reseal::Result<KeysetKey> {
        let keys = self.keyset.info().keys;
        let found = keys.into_iter().find(|key| key.id == id);
        found.ok_or_else(|| Error::new(ErrorCode::InvalidArgument, "the keyset has no such key"))
    }

    /// Asks before a dangerous change of this keyset, once it is known that it can be saved.
    pub(super) fn confirm(
        &self,
        common: &Common,
        what: &str,
        console: &mut Console<'_>,
    ) -> Outcome {
        self.check_complete()?;
        self.ask(common, what, console)
    }

    /// Asks, and says of which keyset it is.
    pub(super) fn ask(&self, common: &Common, what: &str, console: &mut Console<'_>) -> Outcome {
        let path = shown(&self.place.path);
        let ring = self.keyset.ring_id();
        common.confirm(&format!("{path} of the ring {ring}: {what}"), console)
    }

    /// That everything was given that a change needs.
    pub(crate) fn check_complete(&self) -> reseal::Result<()> {
        let keks = self.keyset.info().keks;
        let missing: Vec<_> = keks.iter().filter(|kek| !kek.held).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let described: Vec<_> = missing.iter().map(|kek| lacking(kek)).collect();
        let removal: Vec<_> = missing.iter().map(|kek| beginning(kek, &keks)).collect();
        Err(Error::new(
            ErrorCode::KekMismatch,
            format!(
                "the keyset is also wrapped under {}; or take it away with reseal keyset rewrap-keys --remove {}",
                described.join(", and under "),
                removal.join(" --remove ")
            ),
        ))
    }

    /// Writes the changed keyset, if nobody else did, and gives its generation.
    pub(crate) async fn save(mut self, console: &mut Console<'_>) -> Outcome<u64> {
        self.check_complete()?;
        let document = self.keyset.save(now(console)?, &mut OsEntropy)?;
        self.place
            .replace(&self.keyset, &self.bytes, &document, console)
            .await?;
        self.keyset.saved(&document)?;
        Ok(self.keyset.generation())
    }
}

/// What is missing, and which option gives it.
fn lacking(kek: &KekInfo) -> String {
    let (id, kind) = (kek.id, kek.kind.as_str());
    let how = match (kek.kind, &kek.external) {
        (KekKind::Passphrase, _) => "give --passphrase or --passphrase-file".to_owned(),
        (_, Some(external)) => format!(
            "{} keeps it, which a program has to ask",
            shown(&external.provider)
        ),
        (_, None) => "give --kek-file".to_owned(),
    };
    format!("{id} ({kind}): {how}")
}

/// As much of an id as it takes to tell it from the others.
fn beginning(kek: &KekInfo, keks: &[KekInfo]) -> String {
    let id = kek.id.to_string();
    let is_unique = |text: &str| {
        let same = |other: &&KekInfo| other.id.to_string().starts_with(text);
        keks.iter().filter(same).count() == 1
    };
    let found = (4..id.len())
        .filter_map(|end| id.get(..end))
        .find(|text| is_unique(text));
    found.unwrap_or(&id).to_owned()
}

/// Where the ids are to be seen that can be given.
fn listed(error: &Error) -> Error {
    let why = format!("{error}; reseal keyset show lists the ids");
    Error::new(error.code(), why)
}

/// The key-encrypting keys that were given and are listed, and who gave each. Something that opens
/// nothing is said; if nothing opens, that is an error.
pub(super) fn keks(
    given: &[Given],
    document: &KeysetDocument,
    console: &mut Console<'_>,
) -> Outcome<(Vec<Key>, GivenBy)> {
    let listed = document.info().keks;
    let (mut keks, mut from, mut without_use) = (Vec::new(), Vec::new(), Vec::new());
    for given in given {
        match given.for_keyset(document)? {
            Some(key) if listed.iter().any(|kek| kek.id == key.id()) => {
                from.push((key.id(), given.from.clone()));
                keks.push(key);
            }
            _ => without_use.push(given),
        }
    }
    if keks.is_empty() {
        return Err(none_opens(&without_use, &listed).into());
    }
    for given in without_use {
        console.warning(&format!(
            "{} opens nothing of this keyset",
            given.described()
        ))?;
    }
    Ok((keks, from))
}

fn none_opens(given: &[&Given], listed: &[KekInfo]) -> Error {
    let given: Vec<_> = given.iter().map(|given| given.described()).collect();
    let listed: Vec<_> = listed
        .iter()
        .map(|kek| format!("{} ({})", kek.id, kek.kind.as_str()))
        .collect();
    let verb = if given.len() == 1 { "opens" } else { "open" };
    Error::new(
        ErrorCode::KekMismatch,
        format!(
            "{} {verb} nothing of this keyset, which is wrapped under {}",
            given.join(" and "),
            listed.join(", ")
        ),
    )
}

/// What a keyset is wrapped under, and who gave it.
pub(super) fn wraps(keks: &[KekInfo], from: &[(KeyId, String)]) -> Vec<Wrap> {
    let wrap = |kek: &KekInfo| Wrap {
        id: kek.id.to_string(),
        kind: kek.kind.as_str(),
        from: from
            .iter()
            .find(|(id, _)| *id == kek.id)
            .map(|(_, from)| from.clone()),
    };
    keks.iter().map(wrap).collect()
}

impl Wrap {
    /// The id, and who gave it.
    pub(super) fn described(&self) -> String {
        let from = self.from.as_deref().unwrap_or(self.kind);
        format!("{} ({})", self.id, shown(from))
    }
}

impl fmt::Display for Wrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrapped under {}", self.described())
    }
}

/// Which keyset the environment expects.
pub(super) fn expect(console: &mut Console<'_>) -> Outcome<Expect> {
    let ring = variable(console, "RESEAL_RING").map(|ring| ring.trim_ascii().to_owned());
    let min_generation = match variable(console, "RESEAL_MIN_GENERATION") {
        None => 0,
        Some(text) => text.trim_ascii().parse().map_err(|_| {
            Error::new(
                ErrorCode::InvalidArgument,
                "RESEAL_MIN_GENERATION is a whole number: the generation that `reseal keyset show` prints",
            )
        })?,
    };
    Ok(Expect {
        ring,
        min_generation,
    })
}

/// The time of the host.
pub(crate) fn now(console: &mut Console<'_>) -> Outcome<Timestamp> {
    Ok(Timestamp::from_unix(console.host.now())?)
}

pub(super) fn nothing_opens() -> Error {
    Error::new(
        ErrorCode::SourceMissing,
        "nothing opens the keyset: give --kek-file, --passphrase-file or --passphrase, or set RESEAL_KEK_FILE, RESEAL_KEK, RESEAL_PASSPHRASE_FILE or RESEAL_PASSPHRASE",
    )
}
