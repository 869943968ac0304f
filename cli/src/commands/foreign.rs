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
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Foreign {
    /// Fernet: base64url of 32 bytes
    Fernet,
    /// Active Record encryption of Ruby on Rails: three texts of 32 characters
    Rails,
    /// Metabase: a text of 44 characters
    Metabase,
    /// n8n: a text of 32 characters
    N8n,
    /// Freeboard: base64 of 32 bytes
    Freeboard,
}

/// Names and values, as the system's configuration has them.
pub(super) struct ForeignKey {
    system: Foreign,
    values: Vec<(&'static str, Zeroizing<String>)>,
}

impl Foreign {
    pub(super) fn generate(self, entropy: &mut impl Entropy) -> Result<ForeignKey> {
        let values = match self {
            Self::Fernet => vec![("key", base64url(entropy)?)],
            Self::Rails => {
                let names = ["primary_key", "deterministic_key", "key_derivation_salt"];
                let values = names.map(|name| Ok((name, alphanumeric(entropy)?)));
                values.into_iter().collect::<Result<_>>()?
            }
            Self::Metabase => vec![("MB_ENCRYPTION_SECRET_KEY", base64::<32>(entropy)?)],
            // As n8n makes its own.
            Self::N8n => vec![("N8N_ENCRYPTION_KEY", base64::<24>(entropy)?)],
            Self::Freeboard => vec![("CREDENTIAL_ENCRYPTION_KEY", base64::<32>(entropy)?)],
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

/// The value itself; for Rails the entry of its credentials.
impl fmt::Display for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [(_, value)] = self.values.as_slice() {
            return f.write_str(value);
        }
        f.write_str("active_record_encryption:")?;
        for (name, value) in &self.values {
            write!(f, "\n  {name}: {}", **value)?;
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

fn base64url(entropy: &mut impl Entropy) -> Result<Zeroizing<String>> {
    let bytes = random::<32>(entropy)?;
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
    use reseal::{Entropy, EntropyKind, OsEntropy, Result};

    #[test]
    fn each_has_the_shape_that_its_system_wants() {
        for system in Foreign::value_variants() {
            let keys = system.generate(&mut OsEntropy).unwrap();
            let value = |at: usize| keys.values[at].1.as_str();
            match system {
                Foreign::Fernet => {
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
            assert_eq!(keys.file_text().ends_with('\n'), *system == Foreign::Rails);
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
