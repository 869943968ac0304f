//! `reseal keys new`: a fresh key, ours or another system's.

use core::fmt;

use clap::{Args, Subcommand, ValueEnum};
use reseal::{Key, KeyUse, OsEntropy, Zeroizing};
use serde::Serialize;

use crate::console::{Console, shown};
use crate::failure::{Failure, Outcome, usage};

use super::foreign::{Foreign, ForeignKey};

const EXAMPLES: &str = "\
The key goes to standard output and nowhere else; with --out it goes into a file
that only you may read. Whoever loses a key loses what is sealed under it: put a
copy into a secret store.

Examples:
  reseal keys new                              a data key, for RESEAL_PRIMARY_KEY
  reseal keys new --use kek --out ring.kek     what a keyset is wrapped under
  reseal keys new --for rails                  keys of Active Record encryption
  reseal keys new --for django-fernet          settings of django-fernet-encrypted-fields
";

/// Make keys
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    command: Keys,
}

#[derive(Debug, Subcommand)]
enum Keys {
    New(NewArgs),
}

/// Make a fresh key
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
struct NewArgs {
    /// What the key is for
    #[arg(long = "use", value_name = "USE", default_value = "data")]
    key_use: UseArg,

    /// Make the key of another system, in its own format
    #[arg(long = "for", value_name = "SYSTEM", conflicts_with = "key_use")]
    system: Option<Foreign>,

    /// Write the key into this new file, which only you may read
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
}

/// The uses, as the core has them.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum UseArg {
    /// Seals and opens values
    Data,
    /// Makes blind indexes
    Index,
    /// Wraps the keys of a keyset
    Kek,
}

#[derive(Serialize)]
struct NewKey<'a> {
    id: String,
    #[serde(rename = "use")]
    key_use: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
}

#[derive(Serialize)]
struct NewForeignKey<'a> {
    #[serde(rename = "for")]
    system: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<&'a ForeignKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
}

impl KeysArgs {
    pub(crate) fn run(&self, console: &mut Console<'_>) -> Outcome {
        let Keys::New(args) = &self.command;
        match args.system {
            Some(system) => args.make_foreign(system, console),
            None => args.make(console),
        }
    }
}

impl NewArgs {
    fn make(&self, console: &mut Console<'_>) -> Outcome {
        self.check_output(console)?;
        let key_use = self.key_use.into();
        let key = Key::generate(key_use, &mut OsEntropy)?;
        let text = key.export();
        let file = self.out.as_deref();
        if let Some(file) = file {
            let line = Zeroizing::new(format!("{}\n", *text));
            console.host.create_private_file(file, line.as_bytes())?;
        }
        console.report(&NewKey {
            id: key.id().to_string(),
            key_use: key_use.as_str(),
            key: file.is_none().then_some(text.as_str()),
            file,
        })?;
        if file.is_none() {
            console.hint(&format!("the key id is {}", key.id()))?;
        }
        console.hint(&belongs(key_use, file))
    }

    /// A key that nobody reads is lost, so none is made.
    fn check_output(&self, console: &mut Console<'_>) -> Outcome {
        check_out(self.out.as_deref())?;
        if self.out.is_none() && console.host.loses_output() {
            return Err(Failure::Stream(
                "standard output is closed, or leads nowhere, so the key would be lost: give --out FILE"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    fn make_foreign(&self, system: Foreign, console: &mut Console<'_>) -> Outcome {
        self.check_output(console)?;
        let keys = system.generate(&mut OsEntropy)?;
        let file = self.out.as_deref();
        if let Some(file) = file {
            let text = keys.file_text();
            console.host.create_private_file(file, text.as_bytes())?;
        }
        console.report(&NewForeignKey {
            system: system.name(),
            keys: file.is_none().then_some(&keys),
            file,
        })?;
        console.hint(system.belongs())
    }
}

/// Refuses what elsewhere means standard output.
pub(super) fn check_out(file: Option<&str>) -> Outcome {
    if file == Some("-") {
        return usage("--out takes the name of a file: without it all goes to standard output");
    }
    Ok(())
}

/// Where a key belongs.
fn belongs(key_use: KeyUse, file: Option<&str>) -> String {
    if let (KeyUse::Kek, Some(file)) = (key_use, file) {
        return format!(
            "next: reseal keyset init --keyset ring.json --kek-file {}",
            shown(file)
        );
    }
    let belongs = match (key_use, file.is_some()) {
        (KeyUse::Data, false) => {
            "a new ring has it as RESEAL_PRIMARY_KEY; one in use gets it first as RESEAL_INTRODUCED_KEYS"
        }
        (KeyUse::Data, true) => {
            "a new ring has the file as RESEAL_PRIMARY_KEY_FILE; a keyset takes it with reseal keyset introduce --key-file"
        }
        (KeyUse::Index, false) => {
            "a ring without one has it as RESEAL_INDEX_KEY; one in use gets it first as RESEAL_INTRODUCED_KEYS"
        }
        (KeyUse::Index, true) => {
            "a ring without one has the file as RESEAL_INDEX_KEY_FILE; a keyset takes it with reseal keyset introduce --key-file"
        }
        (KeyUse::Kek, _) => "processes with RESEAL_KEYSET have it as RESEAL_KEK",
    };
    belongs.to_owned()
}

impl fmt::Display for NewKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key, self.file) {
            (Some(key), _) => f.write_str(key),
            (None, Some(file)) => {
                write!(f, "{} key {} in {}", self.key_use, self.id, shown(file))
            }
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Display for NewForeignKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.keys, self.file) {
            (Some(keys), _) => keys.fmt(f),
            (None, Some(file)) => write!(f, "{} in {}", self.system, shown(file)),
            (None, None) => Ok(()),
        }
    }
}

impl From<UseArg> for KeyUse {
    fn from(key_use: UseArg) -> Self {
        match key_use {
            UseArg::Data => Self::Data,
            UseArg::Index => Self::Index,
            UseArg::Kek => Self::Kek,
        }
    }
}
