//! `reseal open`: envelopes back into values.

use clap::Args;
use reseal::{Context, Keyring, Result, Zeroizing};

use crate::console::{Console, harmless};
use crate::context::ContextArgs;
use crate::database::Database;
use crate::encoding::{Encoding, Stored};
use crate::failure::Outcome;
use crate::host::Stream;
use crate::ring;
use crate::values::ValueArgs;

use super::seal::Value;

const EXAMPLES: &str = "\
A value opens in the context that it was sealed in, and in no other. Text and
binary envelopes are told apart by themselves. A value with line breaks takes
several lines: --json keeps the values apart.

Examples:
  reseal open --context table=users --context column=ssn --context row=42 rs1.wnhox…
  reseal open --jsonl --json <sealed.jsonl >rows.jsonl
";

/// Open sealed values
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct OpenArgs {
    #[command(flatten)]
    values: ValueArgs,

    #[command(flatten)]
    context: ContextArgs,

    /// Print the values as base64 or hexadecimal, for those that are no text
    #[arg(long, value_name = "ENCODING", num_args = 0..=1, require_equals = true,
          default_missing_value = "base64")]
    bytes: Option<Encoding>,
}

impl OpenArgs {
    pub(crate) async fn run(&self, console: &mut Console<'_>, database: &Database) -> Outcome {
        let shared = self.context.read()?;
        let ring = ring::load(console, database).await?;
        let to_person = !console.is_json() && console.host.is_terminal(Stream::Output);
        self.values.each(console, |item| {
            let context = item.context(&shared)?;
            let stored = Stored::read(item.text()?)?;
            let opened = match self.bytes {
                Some(encoding) => {
                    open(&ring, &stored, &context).map(|b| encoding.encode(&b).into())
                }
                None => open_text(&ring, &stored, &context),
            }?;
            Ok(Value::secret(if to_person {
                harmless(&opened)
            } else {
                opened
            }))
        })
    }
}

fn open(ring: &Keyring, stored: &Stored<'_>, context: &Context) -> Result<Zeroizing<Vec<u8>>> {
    match stored {
        Stored::Text(text) => ring.open(text, context),
        Stored::Binary(bytes, _) => ring.open_binary(bytes, context),
    }
}

fn open_text(ring: &Keyring, stored: &Stored<'_>, context: &Context) -> Result<Zeroizing<String>> {
    let bytes = open(ring, stored, context)?;
    let text = core::str::from_utf8(&bytes).map_err(|_| {
        reseal::Error::new(
            reseal::ErrorCode::InvalidText,
            "the value is no UTF-8: --bytes prints it as base64",
        )
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}
