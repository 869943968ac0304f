//! The context: `--context NAME=VALUE`, and the member `context` of a JSON line.

use core::fmt;

use clap::Args;
use reseal::{Context, Error, ErrorCode, Result};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::failure::{Outcome, usage};

/// Where the values belong.
#[derive(Args, Debug)]
pub(crate) struct ContextArgs {
    /// A fact about the place of the values, such as table=users; may be repeated
    #[arg(long, short, value_name = "NAME=VALUE")]
    context: Vec<String>,
}

impl ContextArgs {
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.context.is_empty()
    }

    /// The context that all values share.
    pub(crate) fn read(&self) -> Outcome<Context> {
        let mut context = Context::new();
        for pair in &self.context {
            let Some((name, value)) = pair.split_once('=') else {
                return usage(
                    "--context takes NAME=VALUE, such as --context table=users: the = is missing",
                );
            };
            context.insert(name, value)?;
        }
        Ok(context)
    }
}

/// Pairs of a JSON line, in their order and not yet checked.
#[derive(Debug, Default)]
pub(crate) struct Pairs(Vec<(String, PairValue)>);

#[derive(Debug)]
enum PairValue {
    Text(String),
    Integer(i128),
    Other,
}

impl Pairs {
    /// The shared context with these pairs.
    ///
    /// # Errors
    /// `context-invalid`, also for a name that both have.
    pub(crate) fn added_to(&self, shared: &Context) -> Result<Context> {
        let mut context = shared.clone();
        for (name, value) in &self.0 {
            match value {
                PairValue::Text(text) => context.insert(name, text.as_str())?,
                PairValue::Integer(integer) => context.insert(name, *integer)?,
                PairValue::Other => {
                    return Err(Error::new(
                        ErrorCode::ContextInvalid,
                        "a context value in JSON is text or an integer",
                    ));
                }
            }
        }
        Ok(context)
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Pairs::default();
        while let Some((name, value)) = map.next_entry::<String, serde_json::Value>()? {
            pairs.0.push((name, pair_value(value)));
        }
        Ok(pairs)
    }
}

fn pair_value(value: serde_json::Value) -> PairValue {
    match value {
        serde_json::Value::String(text) => PairValue::Text(text),
        serde_json::Value::Number(number) => number
            .as_i128()
            .map_or(PairValue::Other, PairValue::Integer),
        _ => PairValue::Other,
    }
}
