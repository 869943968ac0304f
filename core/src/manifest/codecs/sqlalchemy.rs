//! The kind sqlalchemy-utils: keys, the engine and its padding.

use super::{Facts, Options, Sight, Writes};
use crate::{
    codec::{Expect, SqlalchemyEngine, SqlalchemyPadding, SqlalchemyUtils},
    column::NamedCodec,
    error::Result,
    manifest::{
        SecretRef,
        read::Table,
        want::{Given, Need},
    },
};
use alloc::vec::Vec;

const ENGINES: [(&str, SqlalchemyEngine); 3] = [
    ("aes", SqlalchemyEngine::Aes(SqlalchemyPadding::Naive)),
    ("aes-gcm", SqlalchemyEngine::AesGcm),
    ("fernet", SqlalchemyEngine::Fernet),
];
const PADDINGS: [(&str, SqlalchemyPadding); 4] = [
    ("naive", SqlalchemyPadding::Naive),
    ("pkcs5", SqlalchemyPadding::Pkcs5),
    ("oneandzeroes", SqlalchemyPadding::OneAndZeroes),
    ("zeroes", SqlalchemyPadding::Zeroes),
];

#[derive(Debug)]
pub(super) struct SqlalchemyOptions {
    keys: Vec<SecretRef>,
    engine: SqlalchemyEngine,
    expect: Option<Expect>,
    lenient: bool,
}

impl SqlalchemyOptions {
    pub(super) fn parse(table: &mut Table<'_, '_>) -> Self {
        let keys = table.required_secrets("keys");
        let engine = table.word("engine", "engine of SQLAlchemy-Utils", &ENGINES);
        let padding = table.word("padding", "padding of SQLAlchemy-Utils", &PADDINGS);
        let engine = match engine {
            SqlalchemyEngine::Aes(_) => SqlalchemyEngine::Aes(padding),
            other => other,
        };
        let is_aes = matches!(engine, SqlalchemyEngine::Aes(_));
        for member in ["padding", "expect"] {
            if table.has(member) && !is_aes {
                table.wrong(member, "only the engine aes has it: leave it out");
            }
        }
        Self {
            keys,
            engine,
            expect: table.expect(),
            lenient: table.lenient(),
        }
    }
}

impl Options for SqlalchemyOptions {
    fn needs(&self) -> Vec<Need> {
        Need::secrets("keys", &self.keys)
    }

    fn sight(&self) -> Sight {
        Sight::Engine(self.engine, self.lenient)
    }

    fn facts(&self) -> Facts {
        Facts {
            writes: Writes::Text,
            unchecked: matches!(self.engine, SqlalchemyEngine::Aes(_)) && self.expect.is_none(),
            ..Facts::default()
        }
    }

    fn build(&self, given: &Given<'_>) -> Result<NamedCodec> {
        let keys = given.texts(&self.keys, "keys")?;
        let codec = SqlalchemyUtils::new(&keys, self.engine)
            .map_err(|error| given.explain("keys", &error))?
            .lenient(self.lenient);
        let codec = match self.expect {
            Some(expect) => codec.expect(expect),
            None => codec,
        };
        Ok(NamedCodec::new(given.codec, codec))
    }
}
