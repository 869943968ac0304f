//! The keys: their states, and how long they have been in them.

use reseal::{
    KeyId, KeyInfo, KeyState, KeyUse, Keyring, KeysetDocument, KeysetInfo, KeysetKey, Source,
    SourceFile, Timestamp, WantKind,
};

use crate::console::{Console, counted};
use crate::failure::Outcome;

use super::{Findings, files::inside};

const ABOUT: &str = "keys";
const YEAR_SECONDS: u64 = 365 * 24 * 60 * 60;
/// The variables that name a file with one key of a ring.
const KEY_FILES: [&str; 2] = ["RESEAL_PRIMARY_KEY_FILE", "RESEAL_INDEX_KEY_FILE"];
/// What the clocks of two machines may differ by.
const CLOCK_SECONDS: u64 = 300;
/// A process that looks at its keyset more often than this does little else.
const SHORT_LEASE_SECONDS: u32 = 60;

/// Looks at the states of the keys of a ring.
pub(super) fn examine(findings: &mut Findings, ring: &Keyring) {
    let mut keys: Vec<_> = ring.keys().collect();
    let order = |key: &KeyInfo| (key.key_use.map(KeyUse::as_str), key.state.as_str());
    keys.sort_by_key(|key| (order(key), key.label.clone()));
    for key in &keys {
        findings.ok(ABOUT, described(key));
    }
    if ring.primary_id().is_none() {
        findings.error(
            ABOUT,
            "no data key is primary, so nothing is sealed: promote one",
        );
    }
    let has_index_keys = ring
        .keys()
        .any(|key| key.key_use == Some(KeyUse::Index) && key.state.opens());
    if has_index_keys && ring.index_primary_id().is_none() {
        findings.warning(
            ABOUT,
            "no index key is primary, so no blind index is written: promote one",
        );
    }
}

fn described(key: &KeyInfo) -> String {
    let key_use = key.key_use.map_or("", KeyUse::as_str);
    let what = format!("{} {} {key_use}", key.id, key.state.as_str());
    match key.label.as_str() {
        "" => what.trim_end().to_owned(),
        label => format!("{} ({})", what.trim_end(), label),
    }
}

/// Looks at how old they are, where that is known.
pub(super) fn examine_dates(
    findings: &mut Findings,
    source: &Source,
    contents: &[Vec<SourceFile>],
    console: &mut Console<'_>,
) -> Outcome {
    for (want, files) in source.wants().iter().zip(contents) {
        match want.kind {
            WantKind::Secret if KEY_FILES.contains(&want.named_by) => {
                old_file(findings, &want.path, console)?;
            }
            WantKind::Secret => {}
            WantKind::Directory => {
                for file in files {
                    let path = inside(want, &file.name);
                    old_file(findings, &path, console)?;
                }
            }
            WantKind::Keyset => {
                if let Some(file) = files.first() {
                    let info = KeysetDocument::parse(&file.content)?.info();
                    keyset(findings, &info, console)?;
                }
            }
        }
    }
    Ok(())
}

/// A key is not younger than its file.
fn old_file(findings: &mut Findings, path: &str, console: &mut Console<'_>) -> Outcome {
    let facts = console.host.file_facts(path)?;
    let year_ago = console.host.now().saturating_sub(YEAR_SECONDS);
    if facts.is_some_and(|facts| facts.modified < year_ago) {
        findings.warning(ABOUT, format!("the key in {path} is older than a year"));
    }
    Ok(())
}

/// Moments of a keyset are text that sorts as they follow each other.
fn keyset(findings: &mut Findings, info: &KeysetInfo, console: &mut Console<'_>) -> Outcome {
    let now = console.host.now();
    let text = |seconds: u64| Timestamp::from_unix(seconds).map(|time| time.to_string());
    let year_ago = text(now.saturating_sub(YEAR_SECONDS))?;
    let lease_ago = text(now.saturating_sub(info.lease_seconds.into()))?;
    let lease = match info.lease_seconds {
        0 => "no lease".to_owned(),
        seconds => format!("a lease of {}", counted(seconds, "second")),
    };
    findings.ok(
        "keyset",
        format!(
            "ring {}, generation {}, issued {}, {lease}",
            info.ring, info.generation, info.issued
        ),
    );
    if info.issued > text(now + CLOCK_SECONDS)? {
        findings.warning(
            "keyset",
            "it was issued in the future: the clock of this machine, or of the one that saved it, is wrong",
        );
    }
    if (1..SHORT_LEASE_SECONDS).contains(&info.lease_seconds) {
        findings.warning(
            "keyset",
            "its lease is very short: whenever the file cannot be read for that long, nothing is sealed",
        );
    }
    for key in &info.keys {
        age(findings, key, &year_ago, &lease_ago);
    }
    if info.keks.len() > 1 {
        findings.ok(
            "keyset",
            format!(
                "it is wrapped under {} key-encrypting keys: once no process needs an old one, reseal keyset rewrap-keys --remove",
                info.keks.len()
            ),
        );
    }
    Ok(())
}

fn age(findings: &mut Findings, key: &KeysetKey, year_ago: &str, lease_ago: &str) {
    let id: KeyId = key.id;
    match key.state {
        KeyState::Introduced if key.changed.as_str() <= lease_ago => findings.ok(
            ABOUT,
            format!(
                "{id} came at {}, and may be promoted, if every process without a live ring was restarted since",
                key.changed
            ),
        ),
        KeyState::Introduced => findings.ok(
            ABOUT,
            format!(
                "{id} came at {}, and not every process knows it yet: wait for the lease, and restart every process without a live ring",
                key.changed
            ),
        ),
        KeyState::Primary if key.created.as_str() < year_ago => findings.warning(
            ABOUT,
            format!("{id} is older than a year and still seals: rotate"),
        ),
        KeyState::DecryptOnly if key.changed.as_str() < year_ago => findings.warning(
            ABOUT,
            format!("{id} has only opened for more than a year: reseal its values, and disable it"),
        ),
        KeyState::Disabled if key.changed.as_str() < year_ago => findings.warning(
            ABOUT,
            format!("{id} has been disabled for more than a year: destroy it if no value needs it"),
        ),
        _ => {}
    }
}
