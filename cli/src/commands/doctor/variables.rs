//! The variables of the environment: what is mistyped, quoted, left over or without effect.

use reseal::{ENV_NAMES, SourceKind};

use crate::console::Console;
use crate::database::DATABASE_URL;
use crate::manifest;

use super::Findings;

const ABOUT: &str = "variables";

/// What each kind of source looks at, by the beginning of its variables.
const OF_KEYS: [&str; 4] = [
    "RESEAL_PRIMARY_KEY",
    "RESEAL_INDEX_KEY",
    "RESEAL_DECRYPT_KEYS",
    "RESEAL_INTRODUCED_KEYS",
];
const OF_DIRECTORY: [&str; 3] = ["RESEAL_KEY_DIR", "RESEAL_PRIMARY", "RESEAL_INDEX_PRIMARY"];
const OF_KEYSET: [&str; 5] = [
    "RESEAL_KEYSET",
    "RESEAL_KEK",
    "RESEAL_PASSPHRASE",
    "RESEAL_RING",
    "RESEAL_MIN_GENERATION",
];

/// The variables that hold a secret themselves.
pub(super) const SECRETS: [&str; 6] = [
    "RESEAL_PRIMARY_KEY",
    "RESEAL_INDEX_KEY",
    "RESEAL_DECRYPT_KEYS",
    "RESEAL_INTRODUCED_KEYS",
    "RESEAL_KEK",
    "RESEAL_PASSPHRASE",
];

/// Looks at every variable whose name begins with `RESEAL`; what the source is `refused` for is not said twice.
pub(super) fn examine(findings: &mut Findings, refused: &str, console: &mut Console<'_>) {
    let mut names = console.host.variable_names();
    names.sort();
    for name in names {
        if ENV_NAMES.contains(&name.as_str()) {
            if let Some(value) = console.host.variable(&name) {
                examine_value(findings, refused, &name, &value);
            }
        } else if name == manifest::REQUIRE_ENCRYPTION || name == DATABASE_URL {
            // It says nothing about keys.
        } else if name
            .split('_')
            .any(|word| matches!(word, "OLD" | "NEW" | "PREVIOUS"))
        {
            findings.warning(
                ABOUT,
                format!("{name} is left over from a rotation by hand, and nothing reads it: the keys that only open stand in RESEAL_DECRYPT_KEYS, a new one in RESEAL_INTRODUCED_KEYS"),
            );
        } else {
            findings.warning(
                ABOUT,
                format!("{name} is read by nothing in this release: is it mistyped?"),
            );
        }
    }
}

/// Whether a source looks at a variable.
pub(super) fn counts(name: &str, kind: SourceKind) -> bool {
    let base = name.strip_suffix("_FILE").unwrap_or(name);
    match kind {
        SourceKind::Keys => OF_KEYS.contains(&base),
        SourceKind::Directory => OF_DIRECTORY.contains(&name),
        SourceKind::Keyset => OF_KEYSET.contains(&base),
    }
}

/// Names what is set and belongs to another source than the one in effect.
pub(super) fn without_effect(findings: &mut Findings, kind: SourceKind, console: &mut Console<'_>) {
    for name in ENV_NAMES {
        let is_set = console
            .host
            .variable(name)
            .is_some_and(|value| !value.trim_ascii().is_empty());
        if is_set && !counts(name, kind) {
            findings.warning(
                ABOUT,
                format!("{name} has no effect, since the keys come from another source"),
            );
        }
    }
}

fn examine_value(findings: &mut Findings, refused: &str, name: &str, value: &str) {
    let value = value.trim_ascii();
    let empty = format!("{name} is set but empty");
    if value.is_empty() && !refused.starts_with(&empty) {
        findings.warning(ABOUT, format!("{empty}, which counts as not set"));
    }
    // Of a passphrase, a quotation mark may well be a part.
    let is_quoted = value.starts_with(['"', '\'', '`']) || value.ends_with(['"', '\'', '`']);
    if is_quoted && name != "RESEAL_PASSPHRASE" {
        findings.error(
            ABOUT,
            format!("{name} has quotation marks around its value, and they are a part of it: take them away"),
        );
    } else if is_quoted {
        findings.warning(
            ABOUT,
            format!("{name} begins or ends with a quotation mark: is it really a part of it?"),
        );
    }
}
