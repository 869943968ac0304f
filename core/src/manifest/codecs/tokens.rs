//! The kinds fernet and freeboard: a list of keys, of which the first seals.

use super::{Facts, Options, Sight, Writes};
use crate::{
    codec::{Fernet, FernetKey, Freeboard, FreeboardKey},
    column::NamedCodec,
    error::Result,
    manifest::{
        SecretRef,
        read::Table,
        want::{Given, Need},
    },
};
use alloc::{format, vec::Vec};

#[derive(Debug)]
pub(super) struct FernetOptions {
    keys: Vec<SecretRef>,
    lenient: bool,
}

impl FernetOptions {
    pub(super) fn parse(table: &mut Table<'_, '_>) -> Self {
        Self {
            keys: table.required_secrets("keys"),
            lenient: table.lenient(),
        }
    }
}

impl Options for FernetOptions {
    fn needs(&self) -> Vec<Need> {
        Need::secrets("keys", &self.keys)
    }

    fn sight(&self) -> Sight {
        Sight::of(self.lenient)
    }

    fn build(&self, given: &Given<'_>) -> Result<NamedCodec> {
        let keys = keys(given, "keys", &self.keys, FernetKey::parse)?;
        let codec = Fernet::new(keys).map_err(|error| given.explain("keys", &error))?;
        Ok(NamedCodec::new(given.codec, codec.lenient(self.lenient)))
    }
}

#[derive(Debug)]
pub(super) struct FreeboardOptions {
    keys: Vec<SecretRef>,
    lenient: bool,
}

impl FreeboardOptions {
    pub(super) fn parse(table: &mut Table<'_, '_>) -> Self {
        Self {
            keys: table.required_secrets("keys"),
            lenient: table.lenient(),
        }
    }
}

impl Options for FreeboardOptions {
    fn needs(&self) -> Vec<Need> {
        Need::secrets("keys", &self.keys)
    }

    fn facts(&self) -> Facts {
        Facts {
            writes: Writes::Json,
            ..Facts::default()
        }
    }

    fn build(&self, given: &Given<'_>) -> Result<NamedCodec> {
        let keys = keys(given, "keys", &self.keys, FreeboardKey::parse)?;
        let codec = Freeboard::new(keys).map_err(|error| given.explain("keys", &error))?;
        Ok(NamedCodec::new(given.codec, codec.lenient(self.lenient)))
    }
}

/// The keys of a list of secrets, each with its place in errors.
pub(super) fn keys<K>(
    given: &Given<'_>,
    member: &str,
    secrets: &[SecretRef],
    parse: impl Fn(&str) -> Result<K>,
) -> Result<Vec<K>> {
    let texts = given.texts(secrets, member)?.into_iter().enumerate();
    texts
        .map(|(index, text)| {
            parse(text).map_err(|error| given.explain(&format!("{member}[{index}]"), &error))
        })
        .collect()
}
