//! The kind rails: the options of `config.active_record.encryption` and of `encrypts`.

use super::Options;
use crate::{
    codec::{Rails, RailsBuilder, RailsDigest, RailsSerializer},
    column::NamedCodec,
    error::Result,
    manifest::{
        SecretRef,
        read::{Table, Value},
        want::{Given, Need},
    },
};
use alloc::{format, string::String, vec::Vec};

const DIGESTS: [(&str, RailsDigest); 2] =
    [("sha1", RailsDigest::Sha1), ("sha256", RailsDigest::Sha256)];
const SERIALIZERS: [(&str, RailsSerializer); 2] = [
    ("json", RailsSerializer::Json),
    ("message_pack", RailsSerializer::MessagePack),
];

#[derive(Debug)]
pub(super) struct RailsOptions {
    scheme: Scheme,
    lenient: bool,
}

/// The current scheme, or one before it.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of Rails that others do not touch"
)]
struct Scheme {
    primary_keys: Vec<SecretRef>,
    deterministic_keys: Vec<SecretRef>,
    previous_keys: Vec<SecretRef>,
    salt: Option<SecretRef>,
    digests: Vec<RailsDigest>,
    serializer: Option<RailsSerializer>,
    deterministic: bool,
    envelope: bool,
    store_key_references: bool,
    compress: bool,
    previous: Vec<Self>,
}

impl RailsOptions {
    pub(super) fn parse(table: &mut Table<'_, '_>) -> Self {
        Self {
            lenient: table.lenient(),
            scheme: Scheme::parse(table),
        }
    }
}

impl Scheme {
    fn parse(table: &mut Table<'_, '_>) -> Self {
        let salt = table.required("key_derivation_salt", "\"env:NAME\"");
        let scheme = Self {
            primary_keys: table.secrets("primary_keys"),
            deterministic_keys: table.secrets("deterministic_keys"),
            previous_keys: table.secrets("previous_keys"),
            salt: salt.and_then(|salt| salt.secret()),
            digests: table.value("digests").map(digests).unwrap_or_default(),
            serializer: table
                .value("serializer")
                .and_then(|value| value.word("serializer of Rails", &SERIALIZERS)),
            deterministic: table.flag("deterministic").unwrap_or_default(),
            envelope: table.flag("envelope").unwrap_or_default(),
            store_key_references: table.flag("store_key_references").unwrap_or_default(),
            compress: table.flag("compress").unwrap_or(true),
            previous: table.value("previous").map(previous).unwrap_or_default(),
        };
        scheme.check(table);
        scheme
    }

    /// What Rails would not have, before any key is there.
    fn check(&self, table: &Table<'_, '_>) {
        let (keys, other) = if self.deterministic {
            ("deterministic_keys", "primary_keys")
        } else {
            ("primary_keys", "deterministic_keys")
        };
        let wrong = |member: &str, message: &str| table.wrong(member, message);
        if !table.has(keys) {
            wrong(
                keys,
                match (table.has(other), self.deterministic) {
                    (true, false) => {
                        "it is missing: write deterministic = true, or the primary keys"
                    }
                    _ => "it is missing: write it as [\"env:NAME\"]",
                },
            );
        }
        if table.has(keys) && table.has(other) {
            table.warn(
                other,
                format!("the scheme is under {keys}: these are never used"),
            );
        }
        if self.deterministic && self.envelope {
            wrong(
                "envelope",
                "a value in an envelope has a key of its own, so it is not deterministic",
            );
        }
        if self.deterministic && self.deterministic_keys.len() > 1 {
            wrong(
                "deterministic_keys",
                "Rails takes one deterministic key: those before it are previous_keys",
            );
        }
    }

    fn needs(&self, before: &str) -> Vec<Need> {
        let lists = [
            ("primary_keys", &self.primary_keys),
            ("deterministic_keys", &self.deterministic_keys),
            ("previous_keys", &self.previous_keys),
        ];
        let mut needs: Vec<Need> = lists
            .into_iter()
            .flat_map(|(member, list)| Need::secrets(&format!("{before}{member}"), list))
            .collect();
        let salt = self.salt.iter();
        needs.extend(salt.map(|salt| Need::secret(format!("{before}key_derivation_salt"), salt)));
        for (index, previous) in self.previous.iter().enumerate() {
            needs.extend(previous.needs(&format!("{before}previous[{index}].")));
        }
        needs
    }

    fn builder(&self, given: &Given<'_>, before: &str) -> Result<RailsBuilder> {
        let member = |name: &str| -> String { format!("{before}{name}") };
        let texts = |list, name| given.texts(list, &member(name));
        let mut builder = Rails::builder()
            .primary_keys(texts(&self.primary_keys, "primary_keys")?)
            .deterministic_keys(texts(&self.deterministic_keys, "deterministic_keys")?)
            .previous_keys(texts(&self.previous_keys, "previous_keys")?)
            .digests(self.digests.iter().copied())
            .deterministic(self.deterministic)
            .envelope(self.envelope)
            .store_key_references(self.store_key_references)
            .compress(self.compress);
        if let Some(salt) = &self.salt {
            let salt = given.text(salt, &member("key_derivation_salt"))?;
            builder = builder.key_derivation_salt(salt);
        }
        if let Some(serializer) = self.serializer {
            builder = builder.serializer(serializer);
        }
        for (index, previous) in self.previous.iter().enumerate() {
            let previous = previous.builder(given, &format!("{before}previous[{index}]."))?;
            builder = builder.previous(previous);
        }
        Ok(builder)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for Option::map")]
fn digests(value: Value<'_, '_>) -> Vec<RailsDigest> {
    let items = value.texts().into_iter();
    items
        .filter_map(|(item, _)| item.word("digest of Rails", &DIGESTS))
        .collect()
}

#[expect(clippy::needless_pass_by_value, reason = "for Option::map")]
fn previous(value: Value<'_, '_>) -> Vec<Scheme> {
    let items = value.list().unwrap_or_default().into_iter();
    items
        .filter_map(|item| {
            let mut table = item.table("a previous scheme")?;
            let scheme = Scheme::parse(&mut table);
            table.finish();
            Some(scheme)
        })
        .collect()
}

impl Options for RailsOptions {
    fn needs(&self) -> Vec<Need> {
        self.scheme.needs("")
    }

    fn build(&self, given: &Given<'_>) -> Result<NamedCodec> {
        let builder = self.scheme.builder(given, "")?.lenient(self.lenient);
        let codec = builder.build().map_err(|error| given.explain("", &error))?;
        Ok(NamedCodec::new(given.codec, codec))
    }
}
