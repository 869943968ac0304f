//! `reseal convert`: between the forms of an envelope, and between the codecs of a manifest.

mod codecs;

use clap::{Args, ValueEnum};
use reseal::{Result, inspect, inspect_binary, to_binary, to_text};

use crate::console::Console;
use crate::context::ContextArgs;
use crate::database::Database;
use crate::encoding::{Encoding, Stored};
use crate::failure::{Outcome, usage};
use crate::values::ValueArgs;

use super::seal::Value;

const EXAMPLES: &str = "\
The same envelope has a text form and a binary form; no key is needed to go from
one to the other. Which of them a value is in is seen from the value.

With --from, values go from one codec of the manifest to another: they are opened
with the one and sealed with the other, each with the keys that the manifest names.
A value that is in the other codec already stays as it is, and so does NULL, which
--jsonl has; an empty line is the empty text. Binary envelopes stay binary. A value
that is refused leaves an empty line, so keep the old values until the exit code is 0.
--context and the context of a JSON line are what envelopes are bound to; most
other formats bind nothing.

With RESEAL_REQUIRE_ENCRYPTION=1 a codec that writes plaintext is refused.

Examples:
  reseal convert --to hex rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg…
  psql -Atc 'SELECT ssn FROM users' | reseal convert --to text
  reseal convert --from rails_old --to app --jsonl --json <rows.jsonl >sealed.jsonl
";

/// Convert envelopes between text and binary form, or values between codecs of a manifest
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ConvertArgs {
    #[command(flatten)]
    values: ValueArgs,

    /// The form to convert to; with --from, the codec
    ///
    /// Forms are text, base64 and hex; without --to a text becomes base64, all else text
    #[arg(long, value_name = "TARGET")]
    to: Option<String>,

    /// The codec of the manifest that the values are in now
    #[arg(long, value_name = "CODEC", requires = "to")]
    from: Option<String>,

    /// The manifest; the default is reseal.toml
    #[arg(long, value_name = "FILE", requires = "from")]
    manifest: Option<String>,

    #[command(flatten)]
    context: ContextArgs,

    /// With --from: the values are bytes, given and printed as base64 or hexadecimal
    #[arg(long, value_name = "ENCODING", num_args = 0..=1, require_equals = true,
          default_missing_value = "base64", requires = "from")]
    bytes: Option<Encoding>,
}

/// The forms of an envelope.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Text,
    Base64,
    Hex,
}

impl ConvertArgs {
    pub(crate) async fn run(&self, console: &mut Console<'_>, database: &Database) -> Outcome {
        if let (Some(from), Some(to)) = (&self.from, &self.to) {
            return self.between_codecs(from, to, console, database).await;
        }
        if !self.context.is_empty() {
            return usage("--context counts with --from: the form of an envelope needs none");
        }
        let to = self.form()?;
        self.values
            .each(console, |item| convert(item.text()?, to).map(Value::public))
    }

    fn form(&self) -> Outcome<Option<Form>> {
        let Some(to) = &self.to else { return Ok(None) };
        match Form::from_str(to, false) {
            Ok(form) => Ok(Some(form)),
            Err(_) => usage(
                "--to is text, base64 or hex; or with --from a codec of the manifest, and --from is missing",
            ),
        }
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
