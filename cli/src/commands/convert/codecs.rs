//! Values from one codec of a manifest to another.

use core::fmt;

use reseal::codec::{self, Fresh, StoredValue};
use reseal::manifest::{CodecSpec, Manifest};
use reseal::{
    Column, Context, Error, ErrorCode, OsEntropy, Outcome as Resealed, Result, Timestamp, Zeroizing,
};
use serde::Serialize;

use crate::commands::seal::{Zeroized, plaintext};
use crate::console::{Console, harmless};
use crate::database::Database;
use crate::encoding::{Encoding, Stored};
use crate::failure::{Failure, Outcome, usage};
use crate::host::Stream;
use crate::manifest;

use super::ConvertArgs;

/// What became of a value.
#[derive(Serialize)]
struct Converted {
    outcome: &'static str,
    value: Option<Zeroized>,
}

/// A value as a column would give it.
enum Given<'v> {
    Text(&'v str),
    Bytes(Zeroizing<Vec<u8>>, Encoding),
}

impl ConvertArgs {
    pub(super) async fn between_codecs(
        &self,
        from: &str,
        to: &str,
        console: &mut Console<'_>,
        database: &Database,
    ) -> Outcome {
        let shared = self.context.read()?;
        let path = self.manifest.as_deref().unwrap_or(manifest::DEFAULT_PATH);
        let manifest = manifest::load(console, path)?;
        let (from, to) = (
            named(&manifest, from, "--from")?,
            named(&manifest, to, "--to")?,
        );
        warn_of_plaintext(to, console)?;
        let column = column(&manifest, from, to, console, database).await?;
        let now = Timestamp::from_unix(console.host.now())?;
        let to_person = !console.is_json() && console.host.is_terminal(Stream::Output);
        self.values.each(console, |item| {
            let context = item.context(&shared)?;
            let Some(text) = &item.value else {
                return Ok(Converted::null());
            };
            let given = Given::read(text, self.bytes)?;
            let mut converted = convert(&column, &given, &context, now)?;
            // What stays as it is, stays as it was written.
            let value = converted
                .value
                .take()
                .map_or_else(|| text.clone(), |it| it.0);
            let value = if to_person { harmless(&value) } else { value };
            converted.value = Some(Zeroized(value));
            Ok(converted)
        })
    }
}

/// A codec of the manifest. What is none is not repeated.
fn named<'m>(manifest: &'m Manifest, name: &str, option: &str) -> Outcome<&'m CodecSpec> {
    let found = manifest.codecs().find(|codec| codec.name() == name);
    let Some(codec) = found else {
        let names: Vec<_> = manifest.codecs().map(CodecSpec::name).collect();
        let names = names.join(", ");
        return usage(format!(
            "{option} names no codec of the manifest, which has {names}"
        ));
    };
    Ok(codec)
}

fn warn_of_plaintext(to: &CodecSpec, console: &mut Console<'_>) -> Outcome {
    if !to.writes_plaintext() {
        return Ok(());
    }
    let name = to.name();
    if manifest::encryption_is_required(console) {
        let why = format!(
            "the codec {name} writes plaintext, and encryption is required here ({})",
            manifest::REQUIRE_ENCRYPTION
        );
        return Err(Failure::Given(Error::new(
            ErrorCode::EncryptionRequired,
            why,
        )));
    }
    console.warning(&format!(
        "the codec {name} writes plaintext: whoever sees the results reads the values"
    ))
}

/// A column with these codecs, and only their keys. Within one codec it rotates.
async fn column(
    manifest: &Manifest,
    from: &CodecSpec,
    to: &CodecSpec,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome<Column> {
    let column = Column::new(manifest::codec(manifest, to.name(), console, database).await?);
    if from.name() == to.name() {
        return Ok(column);
    }
    let from = manifest::codec(manifest, from.name(), console, database).await?;
    Ok(column.read(from)?)
}

/// Without a value where it stays as it is.
fn convert(
    column: &Column,
    given: &Given<'_>,
    context: &Context,
    now: Timestamp,
) -> Result<Converted> {
    let mut fresh = Fresh {
        entropy: &mut OsEntropy,
        now,
    };
    match column.reseal(Some(given.as_stored()), context, &mut fresh) {
        Resealed::Null => Ok(Converted::null()),
        Resealed::Current => Ok(Converted {
            outcome: "current",
            value: None,
        }),
        Resealed::Resealed { value, .. } => Ok(Converted {
            outcome: "resealed",
            value: Some(Zeroized(given.written(value))),
        }),
        Resealed::Refused(error) => Err(error),
    }
}

impl<'v> Given<'v> {
    fn read(text: &'v str, bytes: Option<Encoding>) -> Result<Self> {
        if let (Some(encoding), Some(decoded)) = (bytes, plaintext(text, bytes)?) {
            return Ok(Self::Bytes(decoded, encoding));
        }
        Ok(match Stored::read(text)? {
            Stored::Text(text) => Self::Text(text),
            Stored::Binary(bytes, encoding) => Self::Bytes(Zeroizing::new(bytes), encoding),
        })
    }

    fn as_stored(&self) -> codec::Stored<'_> {
        match self {
            Self::Text(text) => codec::Stored::Text(text),
            Self::Bytes(bytes, _) => codec::Stored::Bytes(bytes),
        }
    }

    /// A value for the same column, in the same writing.
    fn written(&self, value: StoredValue) -> Zeroizing<String> {
        match (value, self) {
            (StoredValue::Text(text), _) => Zeroizing::new(text),
            (StoredValue::Bytes(bytes), Self::Bytes(_, encoding)) => {
                Zeroizing::new(encoding.encode(&Zeroizing::new(bytes)))
            }
            (StoredValue::Bytes(bytes), Self::Text(_)) => {
                Zeroizing::new(Encoding::Base64.encode(&Zeroizing::new(bytes)))
            }
        }
    }
}

impl Converted {
    const fn null() -> Self {
        Self {
            outcome: "null",
            value: None,
        }
    }
}

/// NULL leaves an empty line.
impl fmt::Display for Converted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.value.as_ref().map(|value| value.0.as_str());
        f.write_str(text.unwrap_or_default())
    }
}
