//! The commands that change the keys of a codec of kind reseal, by where they are kept.

use reseal::manifest::{KeyringSource, KeysetUnlock, SecretRef};

use super::add;
use super::shell::{quoted, variable};
use crate::console::shown;

/// What the name of a variable ends with that names a file.
const FILE: &str = "_FILE";

/// The keys of a codec, and which of them are to be rotated.
pub(super) struct RotatedRing {
    pub(super) codec: String,
    pub(super) source: KeyringSource,
    /// `data`, and `index` where there are blind indexes.
    pub(super) uses: Vec<&'static str>,
    /// Whether it is the only one, so that names need not tell it from others.
    pub(super) is_only: bool,
    /// The variables of the environment that name files of its keys, or a place in their stead.
    pub(super) paths: Vec<&'static str>,
}

impl RotatedRing {
    /// Remembers the old keys and makes new ones, which open everywhere and do not seal yet.
    pub(super) fn introduce(&self) -> Vec<String> {
        let mut commands: Vec<String> = self.files().flat_map(unfiled).collect();
        for of in &self.uses {
            let (old, new) = (self.name("OLD", of), self.name("NEW", of));
            match &self.source {
                KeyringSource::Keyset { path, unlock, .. } => {
                    commands.push(format!(
                        "{old}=$({} | awk '$2 == \"{of}\" && $3 == \"primary\" {{print $1}}')",
                        keyset("show", path, unlock)
                    ));
                    let words = if *of == "data" {
                        "introduce".to_owned()
                    } else {
                        format!("introduce --use {of}")
                    };
                    let introduce = keyset(&words, path, unlock);
                    commands.push(format!(
                        "{new}=$({introduce} | awk '{{print substr($4, 1, 32)}}')"
                    ));
                }
                KeyringSource::Directory {
                    path,
                    primary,
                    index_primary,
                } => {
                    let index = index_primary.as_ref().map_or_else(String::new, |it| {
                        format!("RESEAL_INDEX_PRIMARY={} ", quoted(it))
                    });
                    let (directory, primary) = (quoted(path), quoted(primary));
                    let doctor = format!(
                        "RESEAL_KEY_DIR={directory} RESEAL_PRIMARY={primary} {index}reseal doctor"
                    );
                    commands.push(primary_of(&doctor, &old, of));
                    let file = format!("{directory}/$(date +%Y-%m-%d)-{of}.key");
                    commands.push(format!("reseal keys new --use {of} --out {file}"));
                }
                _ => {
                    commands.push(primary_of("reseal doctor", &old, of));
                    commands.push(format!("{new}=$(reseal keys new --use {of})"));
                }
            }
        }
        if matches!(self.source, KeyringSource::Env) {
            let news = self
                .uses
                .iter()
                .map(|of| format!("${}", self.name("NEW", of)));
            let news: Vec<String> = news.collect();
            commands.push(format!(
                "export RESEAL_INTRODUCED_KEYS=\"${{RESEAL_INTRODUCED_KEYS:+$RESEAL_INTRODUCED_KEYS,}}{}\"",
                news.join(",")
            ));
        }
        commands
    }

    /// What a person does for it, where commands do not do it.
    pub(super) fn introduced_by_hand(&self) -> String {
        match &self.source {
            KeyringSource::Env => self.introduced_in_environment(),
            KeyringSource::Directory { path, .. } => format!(
                "Every process gets the new files of {}, and the primary stays.",
                shown(path)
            ),
            _ => String::new(),
        }
    }

    fn introduced_in_environment(&self) -> String {
        let mut text = "Give every process the variable RESEAL_INTRODUCED_KEYS as it is now, from \
                        your secret store."
            .to_owned();
        let files: Vec<&str> = self.files().collect();
        if !files.is_empty() {
            let files = files.join(", ");
            let sentence = format!(
                "{files}: this shell takes what is in the files as variables; a process that has \
                 files goes on with files, which get what the variables of this shell hold."
            );
            add(&mut text, &sentence);
        }
        for name in self.paths.iter().filter(|name| !is_file(name)) {
            let sentence = format!(
                "The commands are for keys in variables, and {name} is set: let keyring of codecs.{} \
                 name that place, as keyset:PATH or dir:PATH, and run reseal guide again.",
                self.codec
            );
            add(&mut text, &sentence);
        }
        text
    }

    fn files(&self) -> impl Iterator<Item = &'static str> {
        self.paths.iter().copied().filter(|name| is_file(name))
    }

    /// Lets the new keys seal.
    pub(super) fn promote(&self) -> Vec<String> {
        let uses = self.uses.iter();
        match &self.source {
            KeyringSource::Keyset { path, unlock, .. } => uses
                .map(|of| {
                    let new = self.name("NEW", of);
                    keyset(&format!("promote \"${new}\""), path, unlock)
                })
                .collect(),
            KeyringSource::Env => {
                let variables: Vec<(&str, String)> = uses
                    .map(|of| (primary_variable(of), self.name("NEW", of)))
                    .collect();
                let olds = variables.iter().map(|(name, _)| format!("${name}"));
                let olds: Vec<String> = olds.collect();
                let decrypt = format!(
                    "export RESEAL_DECRYPT_KEYS=\"${{RESEAL_DECRYPT_KEYS:+$RESEAL_DECRYPT_KEYS,}}{}\"",
                    olds.join(",")
                );
                let news = variables.iter();
                let news = news.map(|(name, new)| format!("export {name}=\"${new}\""));
                let unset = "unset RESEAL_INTRODUCED_KEYS".to_owned();
                [decrypt].into_iter().chain(news).chain([unset]).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn promoted_by_hand(&self) -> String {
        match &self.source {
            KeyringSource::Env => "Every process gets the variables as they are now.".to_owned(),
            KeyringSource::Directory { .. } => self.promoted_in_directory(),
            _ => String::new(),
        }
    }

    fn promoted_in_directory(&self) -> String {
        let (member, variable) = match self.uses.first() {
            Some(&"index") => ("index_primary", "RESEAL_INDEX_PRIMARY"),
            _ => ("primary", "RESEAL_PRIMARY"),
        };
        let more = if self.uses.len() > 1 {
            ". That of the new index key is index_primary and RESEAL_INDEX_PRIMARY"
        } else {
            ""
        };
        format!(
            "Write the name of the new file as {member} of codecs.{} into the manifest, and into \
             {variable} of every process{more}; old files stay.",
            self.codec
        )
    }

    /// What `retire` takes for the old keys.
    pub(super) fn olds(&self) -> Vec<String> {
        let uses = self.uses.iter();
        uses.map(|of| format!("\"${}\"", self.name("OLD", of)))
            .collect()
    }

    /// Forgets the old keys, each once it was counted again, by the command that `retire` gives.
    pub(super) fn destroy(&self, retire: impl Fn(&str) -> String) -> Vec<String> {
        let KeyringSource::Keyset { path, unlock, .. } = &self.source else {
            return Vec::new();
        };
        let uses = self.uses.iter();
        uses.map(|of| {
            let old = format!("\"${}\"", self.name("OLD", of));
            let destroy = keyset(&format!("destroy {old}"), path, unlock);
            format!("{} && {destroy}", retire(&old))
        })
        .collect()
    }

    pub(super) fn gone_by_hand(&self) -> &'static str {
        match &self.source {
            KeyringSource::Env => "Take the old key out of RESEAL_DECRYPT_KEYS.",
            KeyringSource::Directory { .. } => "Take the file of the old key away.",
            _ => "",
        }
    }

    fn name(&self, start: &str, of: &str) -> String {
        let start = if of == "data" {
            start.to_owned()
        } else {
            format!("{start}_{}", of.to_ascii_uppercase())
        };
        if self.is_only {
            return start;
        }
        variable(&start, &self.codec)
    }
}

/// What a file holds, as the variable that stands for it.
fn unfiled(file: &str) -> [String; 2] {
    let name = file.trim_end_matches(FILE);
    [
        format!("export {name}=\"$(cat \"${file}\")\""),
        format!("unset {file}"),
    ]
}

/// Whether a variable names a file with keys.
fn is_file(name: &str) -> bool {
    name.ends_with(FILE)
}

fn primary_variable(of: &str) -> &'static str {
    match of {
        "data" => "RESEAL_PRIMARY_KEY",
        _ => "RESEAL_INDEX_KEY",
    }
}

/// The id of the key that seals, as `reseal doctor` tells it.
fn primary_of(doctor: &str, name: &str, of: &str) -> String {
    format!("{name}=$({doctor} | awk '$4 == \"primary\" && $5 == \"{of}\" {{print $3}}')")
}

/// A command of `reseal keyset`, with what opens the keyset as the manifest says.
fn keyset(words: &str, path: &str, unlock: &KeysetUnlock) -> String {
    let (before, after) = match unlock {
        KeysetUnlock::Kek(SecretRef::File(file)) => (String::new(), with("--kek-file", file)),
        KeysetUnlock::Passphrase(SecretRef::File(file)) => {
            (String::new(), with("--passphrase-file", file))
        }
        KeysetUnlock::Kek(SecretRef::Env(name)) => (taken_from("RESEAL_KEK", name), String::new()),
        KeysetUnlock::Passphrase(SecretRef::Env(name)) => {
            (taken_from("RESEAL_PASSPHRASE", name), String::new())
        }
    };
    format!(
        "{before}reseal keyset {words} --keyset {}{after}",
        quoted(path)
    )
}

fn with(option: &str, file: &str) -> String {
    format!(" {option} {}", quoted(file))
}

fn taken_from(known: &str, name: &str) -> String {
    if known == name {
        return String::new();
    }
    format!("{known}=\"${name}\" ")
}
