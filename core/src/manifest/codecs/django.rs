//! The kinds django-fernet, fernet-fields and django-cryptography.

use super::{Facts, Options, Sight, Writes, tokens::keys};
use crate::{
    codec::{DjangoCryptography, DjangoDigest, DjangoField, DjangoKeys, Fernet, FernetKey},
    column::NamedCodec,
    error::{ErrorCode, Result, fixed},
    manifest::{
        SecretRef,
        read::{Table, Value},
        want::{Given, Need},
    },
    value::ValueType,
};
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use data_encoding::BASE64;
use zeroize::Zeroizing;

#[derive(Debug)]
pub(super) struct DjangoFernetOptions {
    secrets: Vec<SecretRef>,
    salts: Vec<SecretRef>,
    lenient: bool,
}

impl DjangoFernetOptions {
    pub(super) fn parse(table: &mut Table<'_, '_>) -> Self {
        Self {
            secrets: table.required_secrets("secrets"),
            salts: table.required_secrets("salts"),
            lenient: table.lenient(),
        }
    }
}

impl Options for DjangoFernetOptions {
    fn needs(&self) -> Vec<Need> {
        let mut needs = Need::secrets("secrets", &self.secrets);
        needs.extend(Need::secrets("salts", &self.salts));
        needs
    }

    fn facts(&self) -> Facts {
        Facts {
            writes: Writes::Text,
            ..Facts::default()
        }
    }

    fn sight(&self) -> Sight {
        Sight::of(self.lenient)
    }

    fn build(&self, given: &Given<'_>) -> Result<NamedCodec> {
        let secrets = given.texts(&self.secrets, "secrets")?;
        let salts = given.texts(&self.salts, "salts")?;
        let codec =
            Fernet::django(&secrets, &salts).map_err(|error| given.explain("secrets", &error))?;
        Ok(NamedCodec::new(given.codec, codec.lenient(self.lenient)))
    }
}

#[derive(Debug)]
pub(super) struct FernetFieldsOptions {
    secrets: Vec<SecretRef>,
    prefix: Option<String>,
    hkdf: bool,
    lenient: bool,
}

impl FernetFieldsOptions {
    pub(super) fn parse(table: &mut Table<'_, '_>) -> Self {
        let prefix = table.value("prefix");
        let options = Self {
            secrets: table.required_secrets("secrets"),
            prefix: prefix.as_ref().and_then(Value::text).map(ToOwned::to_owned),
            hkdf: table.flag("hkdf").unwrap_or(true),
            lenient: table.lenient(),
        };
        if options.prefix.is_some() && !options.hkdf {
            table.wrong("prefix", "without hkdf nothing is derived: leave it out");
        }
        options
    }
}

impl Options for FernetFieldsOptions {
    fn needs(&self) -> Vec<Need> {
        Need::secrets("secrets", &self.secrets)
    }

    fn facts(&self) -> Facts {
        Facts {
            writes: Writes::Text,
            ..Facts::default()
        }
    }

    fn sight(&self) -> Sight {
        Sight::of(self.lenient)
    }

    fn build(&self, given: &Given<'_>) -> Result<NamedCodec> {
        let prefix = self.prefix.as_deref().unwrap_or(Fernet::PREFIX);
        let derived = |secret: &str| {
            if self.hkdf {
                FernetKey::fields(secret, prefix)
            } else {
                FernetKey::parse(secret)
            }
        };
        let secrets = keys(given, "secrets", &self.secrets, derived)?;
        let codec = Fernet::fields(secrets).map_err(|error| given.explain("secrets", &error))?;
        Ok(NamedCodec::new(given.codec, codec.lenient(self.lenient)))
    }
}

#[derive(Debug)]
pub(super) struct DjangoCryptographyOptions {
    secrets: Vec<SecretRef>,
    cryptography_keys: Vec<SecretRef>,
    salt: Option<SecretRef>,
    digest: DjangoDigest,
    field_keys: Vec<SecretRef>,
    field: DjangoField,
}

impl DjangoCryptographyOptions {
    pub(super) fn parse(table: &mut Table<'_, '_>) -> Self {
        let options = Self {
            secrets: table.required_secrets("secrets"),
            cryptography_keys: table.secrets("cryptography_keys"),
            salt: table.secret("salt"),
            digest: table.word(
                "digest",
                "digest of django-cryptography",
                &DjangoDigest::ALL,
            ),
            field_keys: table.secrets("field_keys"),
            field: table.word("field", "field of django-cryptography", &DjangoField::ALL),
        };
        for member in ["cryptography_keys", "salt", "digest"] {
            if table.has("field_keys") && table.has(member) {
                table.wrong(member, "the keys of a field are not derived: leave it out");
            }
        }
        options
    }
}

impl Options for DjangoCryptographyOptions {
    fn needs(&self) -> Vec<Need> {
        let mut needs = Need::secrets("secrets", &self.secrets);
        needs.extend(Need::secrets("cryptography_keys", &self.cryptography_keys));
        needs.extend(self.salt.iter().map(|salt| Need::secret("salt", salt)));
        needs.extend(Need::secrets("field_keys", &self.field_keys));
        needs
    }

    fn facts(&self) -> Facts {
        Facts {
            writes: match self.field {
                DjangoField::Text => Writes::Text,
                DjangoField::Bytes => Writes::Anything,
                DjangoField::Integer => Writes::Only(ValueType::Integer),
                DjangoField::Float => Writes::Only(ValueType::Decimal),
                DjangoField::Boolean => Writes::Only(ValueType::Boolean),
                DjangoField::Json => Writes::Json,
            },
            ..Facts::default()
        }
    }

    fn build(&self, given: &Given<'_>) -> Result<NamedCodec> {
        let secrets = given.texts(&self.secrets, "secrets")?;
        let cryptography_keys = given.texts(&self.cryptography_keys, "cryptography_keys")?;
        let salt = self.salt.as_ref();
        let salt = salt.map_or(Ok(DjangoKeys::SALT), |salt| given.text(salt, "salt"))?;
        let field_keys = keys(given, "field_keys", &self.field_keys, field_key)?;
        let field_keys: Vec<&[u8]> = field_keys.iter().map(|key| key.as_slice()).collect();
        let keys = if field_keys.is_empty() {
            DjangoKeys::Settings {
                cryptography_keys: &cryptography_keys,
                salt,
                digest: self.digest,
            }
        } else {
            DjangoKeys::Field(&field_keys)
        };
        let codec = DjangoCryptography::new(&secrets, &keys);
        let codec = codec.map_err(|error| given.explain("", &error))?;
        Ok(NamedCodec::new(given.codec, codec.field(self.field)))
    }
}

/// Bytes in base64.
fn field_key(text: &str) -> Result<Zeroizing<Vec<u8>>> {
    let bytes = BASE64.decode(text.trim().as_bytes()).map_err(|_| {
        fixed(
            ErrorCode::InvalidKey,
            "expected the bytes of a field's key in base64",
        )
    })?;
    Ok(Zeroizing::new(bytes))
}
