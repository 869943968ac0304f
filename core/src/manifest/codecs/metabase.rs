//! The kind metabase: secrets, data keys, and what a value is bound to.

use super::{Facts, NamedKey, Options, Sight, named_key::named, rows, tokens};
use crate::{
    codec::{Expect, Metabase, MetabaseKey, MetabaseTemplate},
    column::NamedCodec,
    error::Result,
    manifest::{
        SecretRef,
        read::{Table, Value},
        secret::RowsRef,
        want::{Given, Need},
    },
};
use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};

/// The columns of `data_encryption_key` that are read.
const COLUMNS: &[&str] = &["id", "key_material"];

#[derive(Debug)]
pub(super) struct MetabaseOptions {
    keys: Vec<SecretRef>,
    data_keys: Option<RowsRef>,
    aad: Option<String>,
    streams: bool,
    expect: Option<Expect>,
    lenient: bool,
}

impl MetabaseOptions {
    pub(super) fn parse(table: &mut Table<'_, '_>) -> Self {
        let options = Self {
            keys: table.required_secrets("keys"),
            data_keys: table.rows("data_keys"),
            aad: table.value("aad").and_then(|value| template(&value)),
            streams: table.flag("streams").unwrap_or_default(),
            expect: table.expect(),
            lenient: table.lenient(),
        };
        if options.streams && (options.expect.is_none() || options.aad.is_some()) {
            let message = "nothing authenticates a stream: say what it holds with expect = \
                           \"json\" or \"utf8\", and leave out aad, which it cannot have";
            table.wrong("streams", message);
        }
        if options.data_keys.is_some() && (options.streams || options.aad.is_some()) {
            table.wrong(
                "data_keys",
                "no stream is under them, and nothing with an aad: leave them out",
            );
        }
        if options.expect.is_some() && !options.streams {
            table.wrong(
                "expect",
                "it is for streams: write streams = true, or leave it out",
            );
        }
        options
    }
}

fn template(value: &Value<'_, '_>) -> Option<String> {
    let text = value.text()?;
    if MetabaseTemplate::parse(text).is_err() {
        value.wrong(
            "an aad is text with names of the context in braces, as in setting.{key}; none of it \
             is a brace otherwise",
        );
        return None;
    }
    Some(text.to_owned())
}

impl Options for MetabaseOptions {
    fn needs(&self) -> Vec<Need> {
        let mut needs = Need::secrets("keys", &self.keys);
        needs.extend(
            self.data_keys
                .iter()
                .map(|source| rows::need("data_keys", source, COLUMNS)),
        );
        needs
    }

    fn facts(&self) -> Facts {
        let aad = self.aad.as_deref().map(MetabaseTemplate::parse);
        let aad = aad.and_then(Result::ok);
        Facts {
            cannot_write: self.streams.then_some("streams of Metabase are read only"),
            context: aad
                .iter()
                .flat_map(MetabaseTemplate::names)
                .map(ToOwned::to_owned)
                .collect(),
            ..Facts::default()
        }
    }

    fn sight(&self) -> Sight {
        Sight::of(self.lenient)
    }

    fn named_keys(&self, given: &Given<'_>) -> Result<Vec<NamedKey>> {
        let Some(source) = &self.data_keys else {
            return Ok(Vec::new());
        };
        let rows = rows::or_none(rows::read(given, "data_keys", source, COLUMNS))?;
        let ids = rows.iter().map(|row| row.number("id"));
        let ids = ids.collect::<Result<Vec<u32>>>()?;
        let newest = ids.iter().max().map(ToString::to_string);
        let ids = ids.iter().map(ToString::to_string);
        Ok(named(ids, |id| newest.as_deref() == Some(id)))
    }

    fn build(&self, given: &Given<'_>) -> Result<NamedCodec> {
        let explain = |member: &'static str| move |error| given.explain(member, &error);
        let keys = tokens::keys(given, "keys", &self.keys, MetabaseKey::derive)?;
        let mut codec = Metabase::new(keys).map_err(explain("keys"))?;
        if let Some(source) = &self.data_keys {
            let rows = rows::read(given, "data_keys", source, COLUMNS)?;
            let rows = rows
                .iter()
                .map(|row| Ok((row.number("id")?, row.base64("key_material")?)))
                .collect::<Result<Vec<_>>>()?;
            let rows = rows.iter().map(|(id, bytes)| (*id, bytes.as_slice()));
            codec = codec.data_keys(rows).map_err(explain("data_keys"))?;
        }
        if let Some(aad) = &self.aad {
            codec = codec.aad(aad).map_err(explain("aad"))?;
        }
        if let Some(expect) = self.expect {
            codec = codec.expect(expect);
        }
        let codec = codec.streams(self.streams).lenient(self.lenient);
        Ok(NamedCodec::new(given.codec, codec))
    }
}
