//! Keys of other systems, each as that system wants it.

use core::fmt;

use clap::ValueEnum;
use data_encoding::{BASE64, BASE64URL};
use reseal::{Entropy, Result, Zeroizing};
use serde::Serialize;
use serde::ser::SerializeMap as _;

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// What Rails' own generator makes, and what its three settings have.
const RAILS_CHARS: usize = 32;

/// The systems whose keys we make.
#[expect(
    clippy::doc_markdown,
    reason = "the comments are the help of the command"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Foreign {
    /// Fernet: base64url of 32 bytes
    Fernet,
    /// Active Record encryption of Rails: three texts of 32 characters
    Rails,
    /// Metabase: a text of 44 characters
    Metabase,
    /// n8n: a text of 32 characters
    N8n,
    /// Freeboard: base64 of 32 bytes
    Freeboard,
    /// django-fernet-encrypted-fields: SECRET_KEY and SALT_KEY
    DjangoFernet,
    /// django-fernet-fields, djfernet: base64url of 32 bytes
    FernetFields,
    /// django-cryptography: SECRET_KEY and CRYPTOGRAPHY_KEY
    DjangoCryptography,
    /// SQLAlchemy-Utils: a text of 64 characters
    SqlalchemyUtils,
}

/// Names and values, as the system's configuration has them.
pub(super) struct ForeignKey {
    system: Foreign,
    values: Vec<(&'static str, Zeroizing<String>)>,
}

impl Foreign {
    pub(super) fn generate(self, entropy: &mut impl Entropy) -> Result<ForeignKey> {
        let values = match self {
            Self::Fernet => vec![("key", base64url::<32>(entropy)?)],
            Self::Rails => {
                let names = ["primary_key", "deterministic_key", "key_derivation_salt"];
                let values = names.map(|name| Ok((name, alphanumeric(entropy)?)));
                values.into_iter().collect::<Result<_>>()?
            }
            Self::Metabase => vec![("MB_ENCRYPTION_SECRET_KEY", base64::<32>(entropy)?)],
            // As n8n makes its own.
            Self::N8n => vec![("N8N_ENCRYPTION_KEY", base64::<24>(entropy)?)],
            Self::Freeboard => vec![("CREDENTIAL_ENCRYPTION_KEY", base64::<32>(entropy)?)],
            // Django asks for 50 characters or more.
            Self::DjangoFernet => vec![
                ("SECRET_KEY", base64url::<48>(entropy)?),
                ("SALT_KEY", base64url::<24>(entropy)?),
            ],
            // A key of Fernet, so that it is one with FERNET_USE_HKDF and without.
            Self::FernetFields => vec![("FERNET_KEYS", base64url::<32>(entropy)?)],
            Self::DjangoCryptography => vec![
                ("SECRET_KEY", base64url::<48>(entropy)?),
                ("CRYPTOGRAPHY_KEY", base64url::<48>(entropy)?),
            ],
            Self::SqlalchemyUtils => vec![("key", base64url::<48>(entropy)?)],
        };
        Ok(ForeignKey {
            system: self,
            values,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fernet => "fernet",
            Self::Rails => "rails",
            Self::Metabase => "metabase",
            Self::N8n => "n8n",
            Self::Freeboard => "freeboard",
            Self::DjangoFernet => "django-fernet",
            Self::FernetFields => "fernet-fields",
            Self::DjangoCryptography => "django-cryptography",
            Self::SqlalchemyUtils => "sqlalchemy-utils",
        }
    }

    /// Where the key belongs, and what to mind there.
    pub(super) fn belongs(self) -> &'static str {
        match self {
            Self::Fernet => {
                "put it first into the list of a MultiFernet, which seals with its first key and opens with all; for Sentry it is one more file in the key directory"
            }
            Self::Rails => {
                "this goes into the credentials; in an application that has data add only the primary_key, at first anywhere but last in its list, and once every process has it as the last, which seals; leave the salt and the deterministic key as they are"
            }
            Self::Metabase => {
                "set MB_ENCRYPTION_SECRET_KEY to exactly this, without quotes or a line end; where there is data already, run rotate-encryption-key with it first"
            }
            Self::N8n => {
                "set N8N_ENCRYPTION_KEY to it in the main process and in all workers before the first start; n8n cannot change it where there are credentials"
            }
            Self::Freeboard => {
                "set CREDENTIAL_ENCRYPTION_KEY to it; where there is data already, re-encrypt it from the old key to this one first"
            }
            Self::DjangoFernet => {
                "this goes into the settings; in an application that has data put the salt first into the list SALT_KEY and keep the others in it, and change SECRET_KEY only together with SECRET_KEY_FALLBACKS: each secret opens with each salt"
            }
            Self::FernetFields => {
                "put it first into the list FERNET_KEYS, which seals with its first key and opens with all; where there is data and no such list yet, SECRET_KEY is the second"
            }
            Self::DjangoCryptography => {
                "this goes into the settings of an application without data: the library reads values under one key alone, and signs them with SECRET_KEY; where there is data, reseal it"
            }
            Self::SqlalchemyUtils => {
                "give it to the type as its key, read from the environment; the library reads values under one key alone: where there is data, reseal it"
            }
        }
    }
}

impl ForeignKey {
    /// As it is to lie in a file. Several systems take a line end for a part of the key, so there
    /// is none after a single value.
    pub(super) fn file_text(&self) -> Zeroizing<String> {
        let end = if self.values.len() == 1 { "" } else { "\n" };
        Zeroizing::new(format!("{self}{end}"))
    }
}

/// The value itself; for Rails the entry of its credentials, for Django the lines of its settings.
impl fmt::Display for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [(_, value)] = self.values.as_slice() {
            return f.write_str(value);
        }
        if self.system == Foreign::Rails {
            f.write_str("active_record_encryption:")?;
            for (name, value) in &self.values {
                write!(f, "\n  {name}: {}", **value)?;
            }
            return Ok(());
        }
        for (at, (name, value)) in self.values.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(f, "{end}{name} = \"{}\"", **value)?;
        }
        Ok(())
    }
}

impl Serialize for ForeignKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (name, value) in &self.values {
            map.serialize_entry(name, value.as_str())?;
        }
        map.end()
    }
}

/// Nothing of the values.
impl fmt::Debug for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForeignKey({})", self.system.name())
    }
}

fn random<const N: usize>(entropy: &mut impl Entropy) -> Result<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    entropy.fill(&mut *bytes)?;
    Ok(bytes)
}

fn base64url<const N: usize>(entropy: &mut impl Entropy) -> Result<Zeroizing<String>> {
    let bytes = random::<N>(entropy)?;
    Ok(Zeroizing::new(BASE64URL.encode(&*bytes)))
}

fn base64<const N: usize>(entropy: &mut impl Entropy) -> Result<Zeroizing<String>> {
    let bytes = random::<N>(entropy)?;
    Ok(Zeroizing::new(BASE64.encode(&*bytes)))
}

/// Every character as likely as every other: bytes that would favour some are drawn again.
fn alphanumeric(entropy: &mut impl Entropy) -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(RAILS_CHARS));
    while text.len() < RAILS_CHARS {
        let bytes = random::<64>(entropy)?;
        let fair = bytes.iter().filter(|byte| **byte < 4 * 62);
        let chars = fair.filter_map(|byte| ALPHANUMERIC.get(usize::from(byte % 62)));
        let missing = RAILS_CHARS - text.len();
        text.extend(chars.take(missing).map(|byte| char::from(*byte)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{Foreign, alphanumeric};
    use clap::ValueEnum as _;
    use reseal::codec::{CodecKind, Fernet};
    use reseal::{Entropy, EntropyKind, OsEntropy, Result};

    #[test]
    fn each_has_the_shape_that_its_system_wants() {
        for system in Foreign::value_variants() {
            let keys = system.generate(&mut OsEntropy).unwrap();
            let value = |at: usize| keys.values[at].1.as_str();
            match system {
                Foreign::Fernet | Foreign::FernetFields => {
                    assert_eq!(
                        data_encoding::BASE64URL
                            .decode(value(0).as_bytes())
                            .unwrap()
                            .len(),
                        32
                    );
                }
                Foreign::Rails => {
                    assert_eq!(keys.values.len(), 3);
                    assert!((0..3).all(|at| value(at).len() == 32));
                }
                Foreign::DjangoFernet => {
                    assert_eq!((value(0).len(), value(1).len()), (64, 32));
                    let text = keys.file_text();
                    assert!(
                        text.starts_with("SECRET_KEY = \"") && text.contains("\"\nSALT_KEY = \"")
                    );
                    Fernet::django(&[value(0)], &[value(1)]).unwrap();
                }
                Foreign::DjangoCryptography => {
                    assert_eq!((value(0).len(), value(1).len()), (64, 64));
                    assert!(keys.file_text().contains("\"\nCRYPTOGRAPHY_KEY = \""));
                }
                Foreign::SqlalchemyUtils => assert_eq!(value(0).len(), 64),
                Foreign::Metabase => assert!(value(0).len() >= 16),
                Foreign::N8n => assert_eq!(value(0).len(), 32),
                Foreign::Freeboard => {
                    assert_eq!(
                        data_encoding::BASE64
                            .decode(value(0).as_bytes())
                            .unwrap()
                            .len(),
                        32
                    );
                }
            }
            assert!(!format!("{keys:?}").contains(value(0)));
            let is_single = keys.values.len() == 1;
            assert_eq!(keys.file_text().ends_with('\n'), !is_single);
            // That of the codec.
            assert!(CodecKind::parse(system.name()).is_ok());
            let named = system.to_possible_value().unwrap();
            assert_eq!(named.get_name(), system.name());
        }
    }

    #[test]
    fn characters_are_drawn_fairly() {
        /// Bytes from 255 downwards: the first eight are above the last whole multiple of 62.
        struct Falling(u8);
        impl Entropy for Falling {
            fn kind(&self) -> EntropyKind {
                EntropyKind::Indirect
            }
            fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
                for byte in bytes {
                    *byte = self.0;
                    self.0 = self.0.wrapping_sub(1);
                }
                Ok(())
            }
        }
        let text = alphanumeric(&mut Falling(255)).unwrap();
        assert!(text.starts_with("9876543210zyx"), "{}", *text);
    }
}
