//! The operations that a runner in another language asks for.

use crate::{accumulated, hex::Hex};
use reseal::{
    Context, EntropyKind, Key, Keyring, Mode,
    hazmat::{self, FixedEntropy},
    to_text,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// One request. The answer holds `out`, or what the operation says; or `error`, the code of an
/// error of the core; or `refused`, the reason why the request is none.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    /// `D(K, label, 32)` of section 1.
    Derive {
        key_text: String,
        label: String,
    },
    /// XAES-256-GCM; the answer also has `k1`.
    XaesSeal {
        key: Hex,
        nonce: Hex,
        aad: Hex,
        message: Hex,
    },
    XaesOpen {
        key: Hex,
        nonce: Hex,
        aad: Hex,
        sealed: Hex,
    },
    /// AES-256-GCM with a 12-byte iv.
    AesGcmSeal {
        key: Hex,
        iv: Hex,
        aad: Hex,
        message: Hex,
    },
    AesGcmOpen {
        key: Hex,
        iv: Hex,
        aad: Hex,
        sealed: Hex,
    },
    Hkdf {
        ikm: Hex,
        salt: Hex,
        info: Hex,
        size: usize,
    },
    Hmac {
        key: Hex,
        message: Hex,
    },
    /// Seals under a data key with prepared random bytes: 24 for one value; with `salt`, as a
    /// batch of one with 12 bytes. `indirect` hedges. The answer has `text` and `binary`.
    SealFixed {
        key_text: String,
        mode: String,
        context: Vec<(String, Hex)>,
        plaintext: Hex,
        random: Hex,
        #[serde(default)]
        salt: Option<Hex>,
        #[serde(default)]
        indirect: bool,
    },
    /// The wrap of a key in a keyset, with 24 prepared bytes of an indirect source.
    WrapHedged {
        kek_text: String,
        ring: String,
        created: String,
        key_text: String,
        random: Hex,
    },
    /// The accumulated hash of the XAES specification.
    XaesAccumulated {
        iterations: u32,
    },
}

/// Why there is no answer.
enum Failure {
    Core(reseal::Error),
    Refused(String),
}

/// Answers one request.
#[must_use]
pub fn call(request: &str) -> String {
    let answer = serde_json::from_str(request)
        .map_err(|error| Failure::Refused(error.to_string()))
        .and_then(run);
    let answer = answer.unwrap_or_else(|failure| match failure {
        Failure::Core(error) => json!({ "error": error.code().as_str() }),
        Failure::Refused(reason) => json!({ "refused": reason }),
    });
    answer.to_string()
}

fn run(request: Request) -> Result<Value, Failure> {
    match request {
        Request::Derive { key_text, label } => {
            let out = hazmat::derive(&Key::parse(&key_text)?, &label);
            Ok(json!({ "out": Hex(out.to_vec()) }))
        }
        Request::XaesSeal {
            key,
            nonce,
            aad,
            message,
        } => {
            let out = hazmat::xaes_seal(key.array()?, &nonce.array()?, &aad.0, &message.0)?;
            let k1 = hazmat::xaes_k1(key.array()?);
            Ok(json!({ "out": Hex(out), "k1": Hex(k1.to_vec()) }))
        }
        Request::XaesOpen {
            key,
            nonce,
            aad,
            sealed,
        } => {
            let out = hazmat::xaes_open(key.array()?, &nonce.array()?, &aad.0, &sealed.0)?;
            Ok(json!({ "out": Hex(out) }))
        }
        Request::AesGcmSeal {
            key,
            iv,
            aad,
            message,
        } => {
            let out = hazmat::aes_gcm_seal(key.array()?, iv.array()?, &aad.0, &message.0)?;
            Ok(json!({ "out": Hex(out) }))
        }
        Request::AesGcmOpen {
            key,
            iv,
            aad,
            sealed,
        } => {
            let out = hazmat::aes_gcm_open(key.array()?, iv.array()?, &aad.0, &sealed.0)?;
            Ok(json!({ "out": Hex(out) }))
        }
        Request::Hkdf {
            ikm,
            salt,
            info,
            size,
        } => {
            let out = hazmat::hkdf(&ikm.0, &salt.0, &info.0, size)?;
            Ok(json!({ "out": Hex(out) }))
        }
        Request::Hmac { key, message } => {
            let out = hazmat::hmac(&key.0, &message.0)?;
            Ok(json!({ "out": Hex(out.to_vec()) }))
        }
        Request::SealFixed {
            key_text,
            mode,
            context,
            plaintext,
            random,
            salt,
            indirect,
        } => {
            let key = Key::parse(&key_text)?;
            let context = self::context(&context)?;
            let kind = if indirect {
                EntropyKind::Indirect
            } else {
                EntropyKind::Direct
            };
            let prepared = Prepared { salt, random, kind };
            let binary = seal_fixed(key, Mode::parse(&mode)?, &context, &plaintext.0, prepared)?;
            Ok(json!({ "text": to_text(&binary)?, "binary": Hex(binary) }))
        }
        Request::WrapHedged {
            kek_text,
            ring,
            created,
            key_text,
            random,
        } => {
            let (kek, key) = (Key::parse(&kek_text)?, Key::parse(&key_text)?);
            let out = wrap_hedged(&kek, &ring, &created, &key, random)?;
            Ok(json!({ "out": out }))
        }
        Request::XaesAccumulated { iterations } => {
            let out = accumulated::xaes(iterations)?;
            Ok(json!({ "out": Hex(out.to_vec()) }))
        }
    }
}

/// Random bytes that a source is to give.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The salt of a batch of one value.
    pub(crate) salt: Option<Hex>,
    pub(crate) random: Hex,
    pub(crate) kind: EntropyKind,
}

/// The context of a vector.
pub(crate) fn context(pairs: &[(String, Hex)]) -> reseal::Result<Context> {
    let empty = Context::new();
    pairs.iter().try_fold(empty, |context, (name, value)| {
        context.with(name, value.0.as_slice())
    })
}

/// Seals with prepared random bytes, as one value or as a batch of one.
pub(crate) fn seal_fixed(
    key: Key,
    mode: Mode,
    context: &Context,
    plaintext: &[u8],
    prepared: Prepared,
) -> reseal::Result<Vec<u8>> {
    let ring = Keyring::builder().primary(key).build()?;
    let batch = prepared.salt.is_some();
    let salt = prepared.salt.unwrap_or_default();
    let mut entropy = FixedEntropy::new(prepared.kind, [salt.0, prepared.random.0].concat());
    if batch {
        ring.seal_batch(1, mode, entropy, |batch| {
            batch.seal_binary(plaintext, context)
        })?
    } else {
        ring.seal_binary(plaintext, context, mode, &mut entropy)
    }
}

/// Wraps with prepared random bytes of an indirect source.
pub(crate) fn wrap_hedged(
    kek: &Key,
    ring: &str,
    created: &str,
    key: &Key,
    random: Hex,
) -> reseal::Result<String> {
    let mut entropy = FixedEntropy::new(EntropyKind::Indirect, random.0);
    hazmat::keyset_wrap(kek, ring, created, key, &mut entropy)
}

impl From<reseal::Error> for Failure {
    fn from(error: reseal::Error) -> Self {
        Self::Core(error)
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self::Refused(reason)
    }
}
