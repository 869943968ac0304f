//! The kind sentry: keys by their ids, given one by one or as a directory.

use super::{Facts, NamedKey, Options, Sight, Writes, named_key::named};
use crate::{
    codec::{Sentry, SentryField, SentryMethod},
    column::NamedCodec,
    error::{ErrorCode, Result},
    manifest::{
        SecretRef,
        problem::shown,
        read::{Table, Value, key},
        want::{Given, Need, WantKind},
    },
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

const FIELDS: [(&str, SentryField); 2] = [("text", SentryField::Text), ("json", SentryField::Json)];
const METHODS: [(&str, SentryMethod); 2] = [
    ("fernet", SentryMethod::Fernet),
    ("plaintext", SentryMethod::Plaintext),
];

#[derive(Debug)]
pub(super) struct SentryOptions {
    keys: Keys,
    primary: String,
    field: SentryField,
    method: SentryMethod,
    plaintext: bool,
    lenient: bool,
}

#[derive(Debug)]
enum Keys {
    Each(Vec<(String, SecretRef)>),
    Directory(String),
}

impl SentryOptions {
    pub(super) fn parse(table: &mut Table<'_, '_>) -> Option<Self> {
        let keys = keys(table);
        let primary = table.required("primary", "\"the id of the key that seals\"");
        let primary_text = primary.as_ref().and_then(Value::text);
        if let (Some(Keys::Each(keys)), Some(primary), Some(id)) = (&keys, &primary, primary_text)
            && !keys.iter().any(|(there, _)| there == id)
        {
            primary.wrong(format!("keys has no key with the id {}", shown(id)));
        }
        let field = table.word("field", "field of Sentry", &FIELDS);
        let method = table.word("method", "method of Sentry", &METHODS);
        let plaintext = table.flag("plaintext").unwrap_or(true);
        let lenient = table.lenient();
        Some(Self {
            keys: keys?,
            primary: primary_text?.to_owned(),
            field,
            method,
            plaintext,
            lenient,
        })
    }
}

fn keys(table: &mut Table<'_, '_>) -> Option<Keys> {
    let each = table.value("keys");
    let directory = table.value("key_dir");
    if each.is_some() == directory.is_some() {
        let message = "write keys = { id = \"env:NAME\" } or key_dir = \"PATH\", one of them";
        table.wrong("keys", message);
    }
    if let Some(each) = each {
        let keys = each.table("the keys of a sentry codec")?.all();
        let keys = keys.map(|(id, value)| Some((id.to_owned(), value.secret()?)));
        return keys.collect::<Option<Vec<_>>>().map(Keys::Each);
    }
    let directory = directory?;
    directory.path(directory.text()?).map(Keys::Directory)
}

impl Options for SentryOptions {
    fn needs(&self) -> Vec<Need> {
        match &self.keys {
            Keys::Each(keys) => keys
                .iter()
                .map(|(id, secret)| Need::secret(format!("keys.{}", key(id)), secret))
                .collect(),
            Keys::Directory(path) => Vec::from([Need {
                kind: WantKind::Directory,
                name: path.clone(),
                member: "key_dir".into(),
            }]),
        }
    }

    fn facts(&self) -> Facts {
        let colon = self.method == SentryMethod::Fernet && self.primary.contains(':');
        Facts {
            cannot_write: colon
                .then_some("Sentry cannot read what a key seals whose id has a colon"),
            plaintext: self.method == SentryMethod::Plaintext,
            writes: match self.field {
                SentryField::Json => Writes::Json,
                SentryField::Text => Writes::Text,
            },
            ..Facts::default()
        }
    }

    fn sight(&self) -> Sight {
        if self.lenient && self.field == SentryField::Json {
            Sight::Unmarked
        } else {
            Sight::Usual
        }
    }

    fn named_keys(&self, given: &Given<'_>) -> Result<Vec<NamedKey>> {
        let mut ids: Vec<&str> = match &self.keys {
            Keys::Each(keys) => keys.iter().map(|(id, _)| id.as_str()).collect(),
            Keys::Directory(path) => {
                let files = given.files(WantKind::Directory, path, "key_dir");
                let names = files.unwrap_or_default().iter();
                let names = names.map(|file| file.name.as_str());
                names.filter(|name| !name.starts_with('.')).collect()
            }
        };
        if !ids.contains(&self.primary.as_str()) {
            ids.push(&self.primary);
        }
        Ok(named(ids, |id| id == self.primary))
    }

    fn build(&self, given: &Given<'_>) -> Result<NamedCodec> {
        let keys: Vec<(&str, &str)> = match &self.keys {
            Keys::Each(keys) => keys
                .iter()
                .map(|(id, secret)| {
                    Ok((
                        id.as_str(),
                        given.text(secret, &format!("keys.{}", key(id)))?,
                    ))
                })
                .collect::<Result<_>>()?,
            Keys::Directory(path) => given
                .files(WantKind::Directory, path, "key_dir")?
                .iter()
                .filter(|file| !file.name.starts_with('.'))
                .map(|file| {
                    let text = core::str::from_utf8(&file.content).map_err(|_| {
                        let message = format!("{} is no text (UTF-8)", shown(&file.name));
                        given.error("key_dir", ErrorCode::SourceUnreadable, &message)
                    })?;
                    Ok((file.name.as_str(), text))
                })
                .collect::<Result<_>>()?,
        };
        let codec = Sentry::new(keys, &self.primary).map_err(|error| given.explain("", &error))?;
        let codec = codec
            .field(self.field)
            .method(self.method)
            .plaintext(self.plaintext)
            .lenient(self.lenient);
        Ok(NamedCodec::new(given.codec, codec))
    }
}
