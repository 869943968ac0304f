//! `reseal seal`: values into envelopes.

use core::fmt;

use clap::{Args, ValueEnum};
use reseal::{Error, ErrorCode, Mode, OsEntropy, Result, Zeroizing};
use serde::Serialize;

use crate::console::Console;
use crate::context::ContextArgs;
use crate::database::Database;
use crate::encoding::Encoding;
use crate::failure::Outcome;
use crate::ring;
use crate::values::ValueArgs;

const EXAMPLES: &str = "\
Arguments are seen by others on the machine: give real values on standard input.

Examples:
  reseal seal --context table=users --context column=ssn --context row=42 <ssn.txt
  reseal seal --jsonl --json <rows.jsonl >sealed.jsonl
      {\"id\":1,\"value\":\"078-05-1120\",\"context\":{\"table\":\"users\",\"column\":\"ssn\",\"row\":1}}
";

/// Seal values under the primary key
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SealArgs {
    #[command(flatten)]
    values: ValueArgs,

    #[command(flatten)]
    context: ContextArgs,

    /// How to seal
    #[arg(long, value_name = "MODE", default_value = "random")]
    mode: ModeArg,

    /// Print binary envelopes, as base64 or hexadecimal
    #[arg(long, value_name = "ENCODING", num_args = 0..=1, require_equals = true,
          default_missing_value = "base64")]
    binary: Option<Encoding>,

    /// The values are bytes, given as base64 or hexadecimal
    #[arg(long, value_name = "ENCODING", num_args = 0..=1, require_equals = true,
          default_missing_value = "base64")]
    bytes: Option<Encoding>,
}

/// The modes, as the core has them.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeArg {
    /// A fresh nonce for every value
    Random,
    /// Equal values get equal envelopes, and everybody sees that they are equal
    Deterministic,
    /// Random, and the length is hidden up to a bucket
    Padded,
}

/// One value that was made.
#[derive(Serialize)]
pub(super) struct Value {
    value: Zeroized,
}

/// Text that is wiped on drop.
pub(super) struct Zeroized(pub(super) Zeroizing<String>);

impl SealArgs {
    pub(crate) async fn run(&self, console: &mut Console<'_>, database: &Database) -> Outcome {
        let shared = self.context.read()?;
        let ring = ring::load(console, database).await?;
        self.values.each(console, |item| {
            let context = item.context(&shared)?;
            let mode = self.mode.into();
            let value = item.text()?;
            let decoded = plaintext(value, self.bytes)?;
            let plain = decoded.as_ref().map_or(value.as_bytes(), |bytes| bytes);
            let sealed = match self.binary {
                None => ring.seal(plain, &context, mode, &mut OsEntropy)?,
                Some(encoding) => {
                    encoding.encode(&ring.seal_binary(plain, &context, mode, &mut OsEntropy)?)
                }
            };
            Ok(Value::public(sealed))
        })
    }
}

/// The bytes that a value stands for; none where it is text.
pub(super) fn plaintext(
    value: &str,
    bytes: Option<Encoding>,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let Some(encoding) = bytes else {
        return Ok(None);
    };
    let decoded = encoding.decode(value).ok_or_else(|| {
        Error::new(
            ErrorCode::InvalidArgument,
            "the value is not encoded as --bytes says",
        )
    })?;
    Ok(Some(decoded))
}

impl Value {
    /// What anybody may see.
    pub(super) fn public(value: String) -> Self {
        Self::secret(Zeroizing::new(value))
    }

    /// What is wiped when it is written.
    pub(super) fn secret(value: Zeroizing<String>) -> Self {
        Self {
            value: Zeroized(value),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value.0)
    }
}

impl Serialize for Zeroized {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Random => Self::Random,
            ModeArg::Deterministic => Self::Deterministic,
            ModeArg::Padded => Self::Padded,
        }
    }
}
