//! `reseal inspect`: what stored values show without any key.

use core::cmp::Reverse;
use core::fmt;

use clap::Args;
use reseal::codec::{self, Certainty, CodecKind, Recognized};
use reseal::{Error, ErrorCode, Result, inspect, inspect_binary};
use serde::Serialize;

use crate::console::{Console, shown};
use crate::encoding::{Encoding, Stored};
use crate::failure::Outcome;
use crate::values::ValueArgs;

const EXAMPLES: &str = "\
Text envelopes, and binary ones as base64 or hexadecimal, are told apart by
themselves. Nothing is verified: whoever wrote a value chose what it shows.

Of any other value it names the formats that it is in, the surest first, with the
variant and, where the value has it, the key: `sure` where it carries a mark of the
format, `maybe` where only its shape fits. Bytes in another format are read in
hexadecimal after \\x, as psql prints them. A value in no format, as plaintext is,
is refused, and makes the exit code 1.

Examples:
  reseal inspect rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg…
  psql -Atc 'SELECT ssn FROM users' | reseal inspect | sort | uniq -c
";

/// Show the format of values, and mode, key id and size of envelopes; needs no key
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    values: ValueArgs,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Shown {
    Envelope(Envelope),
    Foreign { formats: Vec<Format> },
}

#[derive(Serialize)]
struct Envelope {
    version: u8,
    mode: &'static str,
    key_id: String,
    ciphertext_bytes: usize,
    form: &'static str,
}

/// A format that a value is in, or may be.
#[derive(Serialize)]
struct Format {
    kind: &'static str,
    scheme: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    certainty: &'static str,
}

impl InspectArgs {
    pub(crate) fn run(&self, console: &mut Console<'_>) -> Outcome {
        self.values.each(console, |item| show(item.text()?))
    }
}

fn show(value: &str) -> Result<Shown> {
    let stored = Stored::read(value)?;
    let shown = match &stored {
        Stored::Text(text) => inspect(text),
        Stored::Binary(bytes, _) => inspect_binary(bytes),
    };
    match shown {
        Ok(shown) => Ok(Shown::Envelope(Envelope {
            version: shown.version,
            mode: shown.mode.as_str(),
            key_id: shown.key_id.to_string(),
            ciphertext_bytes: shown.ciphertext_bytes,
            form: stored.form(),
        })),
        Err(error) if error.code() == ErrorCode::NotEnvelope => foreign(value),
        Err(error) => Err(error),
    }
}

fn foreign(value: &str) -> Result<Shown> {
    let mut formats = recognized(codec::Stored::Text(value));
    if formats.is_empty() && value.starts_with("\\x") {
        let bytes = Encoding::Hex.decode(value).unwrap_or_default();
        formats = recognized(codec::Stored::Bytes(&bytes));
    }
    if formats.is_empty() {
        return Err(Error::new(
            ErrorCode::NotEnvelope,
            "this is no envelope, and in no other format that is known: as far as it shows, it is plain",
        ));
    }
    Ok(Shown::Foreign { formats })
}

/// The surest first.
fn recognized(stored: codec::Stored<'_>) -> Vec<Format> {
    let is_foreign = |kind| !matches!(kind, CodecKind::Plain | CodecKind::Reseal);
    let mut found: Vec<(CodecKind, Recognized)> = CodecKind::recognize_any(stored)
        .filter(|(kind, _)| is_foreign(*kind))
        .collect();
    found.sort_by_key(|(_, recognized)| Reverse(recognized.certainty));
    found.into_iter().map(Format::of).collect()
}

impl Format {
    fn of((kind, recognized): (CodecKind, Recognized)) -> Self {
        Self {
            kind: kind.as_str(),
            scheme: recognized.scheme,
            key: recognized.key,
            certainty: match recognized.certainty {
                Certainty::Yes => "sure",
                Certainty::Maybe => "maybe",
            },
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Envelope(envelope) => envelope.fmt(f),
            Self::Foreign { formats } => {
                let formats: Vec<_> = formats.iter().map(Format::to_string).collect();
                f.write_str(&formats.join("; "))
            }
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.scheme)?;
        if let Some(key) = &self.key {
            write!(f, " key {}", shown(key))?;
        }
        write!(f, ", {}", self.certainty)
    }
}

impl fmt::Display for Envelope {
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
