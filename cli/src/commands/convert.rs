//! `reseal convert`: text envelopes to binary ones and back.

use clap::{Args, ValueEnum};
use reseal::{Result, inspect, inspect_binary, to_binary, to_text};

use crate::console::Console;
use crate::encoding::{Encoding, Stored};
use crate::failure::Outcome;
use crate::values::ValueArgs;

use super::seal::Value;

const EXAMPLES: &str = "\
The same envelope has a text form and a binary form; no key is needed to go from
one to the other. Which of them a value is in is seen from the value.

Examples:
  reseal convert --to hex rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg…
  psql -Atc 'SELECT ssn FROM users' | reseal convert --to text
";

/// Convert envelopes between text and binary form; needs no key
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ConvertArgs {
    #[command(flatten)]
    values: ValueArgs,

    /// The form to convert to; the default is base64 for a text, and text for all else
    #[arg(long, value_name = "FORM")]
    to: Option<Form>,
}

/// The forms of an envelope.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// The text form, rs1.…
    Text,
    /// The binary form, as base64
    Base64,
    /// The binary form, as hexadecimal
    Hex,
}

impl ConvertArgs {
    pub(crate) fn run(&self, console: &mut Console<'_>) -> Outcome {
        self.values.each(console, |item| {
            convert(&item.value, self.to).map(Value::public)
        })
    }
}

fn convert(value: &str, to: Option<Form>) -> Result<String> {
    let stored = Stored::read(value)?;
    let to = to.unwrap_or(match stored {
        Stored::Text(_) => Form::Base64,
        Stored::Binary(..) => Form::Text,
    });
    match (stored, to) {
        (Stored::Text(text), Form::Text) => inspect(text).map(|_| text.to_owned()),
        (Stored::Text(text), Form::Base64) => to_binary(text).map(|b| Encoding::Base64.encode(&b)),
        (Stored::Text(text), Form::Hex) => to_binary(text).map(|b| Encoding::Hex.encode(&b)),
        (Stored::Binary(bytes, _), Form::Text) => to_text(&bytes),
        (Stored::Binary(bytes, _), Form::Base64) => {
            inspect_binary(&bytes).map(|_| Encoding::Base64.encode(&bytes))
        }
        (Stored::Binary(bytes, _), Form::Hex) => {
            inspect_binary(&bytes).map(|_| Encoding::Hex.encode(&bytes))
        }
    }
}
