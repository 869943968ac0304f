//! `reseal keyset export-keys`

use core::fmt;

use clap::Args;
use reseal::Zeroizing;
use serde::Serialize;

use crate::commands::keys::check_out;
use crate::console::{Console, counted, shown, to_json};
use crate::database::Database;
use crate::failure::Outcome;

use super::Common;
use super::file::Loaded;

const EXAMPLES: &str = "\
The keys come out as they are, without any protection: for another system, or for
a copy on paper in a safe. A destroyed key is not among them.

Examples:
  reseal keyset export-keys --out keys.txt
  reseal keyset export-keys --yes --json | age --recipient age1… >keys.age
";

/// Print the keys themselves, unprotected
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct ExportKeys {
    /// Write the keys into this new file, which only you may read
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
}

#[derive(Serialize)]
struct Exported {
    keys: Vec<ExportedKey>,
}

#[derive(Serialize)]
struct ExportedKey {
    id: String,
    #[serde(rename = "use")]
    key_use: &'static str,
    state: &'static str,
    label: String,
    key: String,
}

#[derive(Serialize)]
struct Written<'a> {
    action: &'static str,
    file: &'a str,
    keys: usize,
}

impl ExportKeys {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        check_out(self.out.as_deref())?;
        let loaded = Loaded::open(common, database, console).await?;
        let to = shown(self.out.as_deref().unwrap_or("standard output"));
        loaded.ask(
            common,
            &format!("all keys go to {to}, unprotected"),
            console,
        )?;
        let exported = Exported::of(&loaded)?;
        let Some(file) = &self.out else {
            return console.report(&exported);
        };
        let text = Zeroizing::new(if console.is_json() {
            to_json(&exported).to_string()
        } else {
            exported.to_string()
        });
        let text = Zeroizing::new(format!("{}\n", *text));
        console.host.create_private_file(file, text.as_bytes())?;
        console.report(&Written {
            action: "exported",
            file,
            keys: exported.keys.len(),
        })
    }
}

impl Exported {
    fn of(loaded: &Loaded) -> reseal::Result<Self> {
        let keys = loaded.keyset.export_keys().into_iter();
        let keys = keys.map(|(id, mut text)| {
            let key = loaded.key(id)?;
            Ok(ExportedKey {
                id: id.to_string(),
                key_use: key.key_use.as_str(),
                state: key.state.as_str(),
                label: key.label,
                key: core::mem::take(&mut *text),
            })
        });
        Ok(Self {
            keys: keys.collect::<reseal::Result<_>>()?,
        })
    }
}

/// A line for each key: its text, and what people know it by.
impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, key) in self.keys.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(f, "{end}{} {} {}", key.key, key.id, key.state)?;
            if !key.label.is_empty() {
                write!(f, " {}", shown(&key.label))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "exported {} to {}",
            counted(self.keys, "key"),
            shown(self.file)
        )
    }
}
