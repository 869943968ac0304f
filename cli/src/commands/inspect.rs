//! `reseal inspect`: what envelopes show without any key.

use core::fmt;

use clap::Args;
use reseal::{Result, inspect, inspect_binary};
use serde::Serialize;

use crate::console::Console;
use crate::encoding::Stored;
use crate::failure::Outcome;
use crate::values::ValueArgs;

const EXAMPLES: &str = "\
Text envelopes, and binary ones as base64 or hexadecimal, are told apart by
themselves. Nothing is verified: whoever wrote a value chose what it shows.

Examples:
  reseal inspect rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg…
  psql -Atc 'SELECT ssn FROM users' | reseal inspect | sort | uniq -c
";

/// Show version, mode, key id and size of envelopes; needs no key
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    values: ValueArgs,
}

#[derive(Serialize)]
struct Shown {
    version: u8,
    mode: &'static str,
    key_id: String,
    ciphertext_bytes: usize,
    form: &'static str,
}

impl InspectArgs {
    pub(crate) fn run(&self, console: &mut Console<'_>) -> Outcome {
        self.values.each(console, |item| show(&item.value))
    }
}

fn show(value: &str) -> Result<Shown> {
    let stored = Stored::read(value)?;
    let shown = match &stored {
        Stored::Text(text) => inspect(text)?,
        Stored::Binary(bytes, _) => inspect_binary(bytes)?,
    };
    Ok(Shown {
        version: shown.version,
        mode: shown.mode.as_str(),
        key_id: shown.key_id.to_string(),
        ciphertext_bytes: shown.ciphertext_bytes,
        form: stored.form(),
    })
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            mode,
            key_id,
            ciphertext_bytes,
            form,
        } = self;
        write!(
            f,
            "rs{version} {mode} {key_id} {ciphertext_bytes} bytes, {form}"
        )
    }
}
