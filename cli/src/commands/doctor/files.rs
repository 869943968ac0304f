//! The files of a source: who may read and change them.

use reseal::job::KeysetRow;
use reseal::{KeysetDocument, Source, SourceFile, Want, WantKind};

use crate::console::Console;
use crate::failure::Outcome;

use super::Findings;

const ABOUT: &str = "files";

/// Looks at everything that the source is read from.
pub(super) fn examine(
    findings: &mut Findings,
    source: &Source,
    contents: &[Vec<SourceFile>],
    console: &mut Console<'_>,
) -> Outcome {
    for (want, files) in source.wants().iter().zip(contents) {
        if want.kind == WantKind::Keyset && KeysetRow::ring_in(&want.path).is_some() {
            // The rights to a row are the database's.
            continue;
        }
        let is_secret = match want.kind {
            WantKind::Secret => true,
            WantKind::Directory => false,
            WantKind::Keyset => has_passphrase(files),
        };
        rights(findings, &want.path, is_secret, console)?;
        match want.kind {
            WantKind::Secret => {}
            WantKind::Directory => {
                for file in files {
                    rights(findings, &inside(want, &file.name), true, console)?;
                }
            }
            WantKind::Keyset => keyset(findings, &want.path, console)?,
        }
    }
    Ok(())
}

/// The path of a file in a directory.
pub(super) fn inside(directory: &Want, name: &str) -> String {
    format!("{}/{name}", directory.path.trim_end_matches('/'))
}

/// Whoever reads such a keyset may try passphrases without end; without a passphrase there is
/// nothing to guess in it.
fn has_passphrase(files: &[SourceFile]) -> bool {
    let document = files
        .first()
        .map(|file| KeysetDocument::parse(&file.content));
    document.is_some_and(|parsed| parsed.is_ok_and(|document| document.argon2id().is_some()))
}

fn rights(
    findings: &mut Findings,
    path: &str,
    is_secret: bool,
    console: &mut Console<'_>,
) -> Outcome {
    let Some(facts) = console.host.file_facts(path)? else {
        return Ok(()); // it went away meanwhile
    };
    let Some(mode) = facts.mode else {
        findings.ok(
            ABOUT,
            format!("{path}: this system has no rights to look at"),
        );
        return Ok(());
    };
    if mode & 0o002 != 0 {
        findings.error(
            ABOUT,
            format!("everybody may change {path} ({mode:03o}): chmod o-w"),
        );
    } else if mode & 0o004 != 0 && is_secret {
        findings.warning(
            ABOUT,
            format!("everybody on this machine may read {path} ({mode:03o}): chmod 600 it, or set defaultMode: 0400 where Kubernetes mounts it"),
        );
    } else if mode & 0o020 != 0 {
        findings.warning(
            ABOUT,
            format!("its group may change {path} ({mode:03o}): is that meant?"),
        );
    } else {
        findings.ok(ABOUT, format!("{path} ({mode:03o})"));
    }
    Ok(())
}

fn keyset(findings: &mut Findings, path: &str, console: &mut Console<'_>) -> Outcome {
    let facts = console.host.file_facts(path)?;
    if facts.is_some_and(|facts| facts.is_link) {
        findings.warning(
            ABOUT,
            format!("{path} is a symbolic link, which is read but never saved to: change the keyset where the file itself lies"),
        );
    }
    if console.host.file_facts(&format!("{path}.lock"))?.is_some() {
        findings.warning(
            ABOUT,
            format!("{path}.lock is there: a process changes the keyset at this moment, or was killed while it did"),
        );
    }
    Ok(())
}
