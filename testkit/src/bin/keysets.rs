//! What one language writes, another one edits, and a third one reads: the part of Rust, for
//! `py-tests/test_exchange.py`.
//!
//! `keysets create FILE KIND SECRET` and `keysets rotate FILE KIND SECRET` print a canary of the new
//! key; `keysets read FILE KIND SECRET CANARY…` checks canaries, and prints as JSON what the keyset
//! shows. KIND is `kek`, `passphrase` or `memory`; the file SECRET holds the key text, the
//! passphrase, or the key text of the key service.

use core::{
    error::Error,
    pin::pin,
    task::{Context, Poll, Waker},
};
use reseal::{
    Argon2id, Expect, Key, KeyUse, Keyring, Keyset, KeysetDocument, KeysetKey, MemoryProvider,
    NewKek, OsEntropy, Promotion, Timestamp,
};
use serde::Serialize;
use std::{
    env, fs,
    io::{Write, stdout},
    time::{SystemTime, UNIX_EPOCH},
};

type Result<T> = core::result::Result<T, Box<dyn Error>>;

/// What opens the keyset.
enum Secret {
    Kek(Key),
    Passphrase(String),
    Service(MemoryProvider),
}

#[derive(Serialize)]
struct Shown {
    ring: String,
    generation: u64,
    kinds: Vec<&'static str>,
    keys: Vec<ShownKey>,
}

#[derive(Serialize)]
struct ShownKey {
    id: String,
    #[serde(rename = "use")]
    key_use: &'static str,
    state: &'static str,
    label: String,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["create", file, kind, secret] => create(file, &Secret::read(kind, secret)?),
        ["rotate", file, kind, secret] => rotate(file, &Secret::read(kind, secret)?),
        ["read", file, kind, secret, canaries @ ..] => {
            read(file, &Secret::read(kind, secret)?, canaries)
        }
        _ => Err("usage: keysets create|rotate|read FILE kek|passphrase|memory SECRET".into()),
    }
}

fn create(file: &str, secret: &Secret) -> Result<()> {
    let keyset = Keyset::create(secret.new_kek()?, 0, now()?, &mut OsEntropy)?;
    rotated(file, keyset)
}

fn rotate(file: &str, secret: &Secret) -> Result<()> {
    rotated(file, secret.load(file)?)
}

fn rotated(file: &str, mut keyset: Keyset) -> Result<()> {
    let key = Key::generate(KeyUse::Data, &mut OsEntropy)?;
    let id = keyset.introduce(key, "by rust", now()?)?;
    keyset.promote(id, now()?, Promotion::default())?;
    fs::write(file, keyset.save(now()?, &mut OsEntropy)?)?;
    let canary = keyset.ring()?.canary(&mut OsEntropy)?;
    Ok(writeln!(stdout(), "{canary}")?)
}

fn read(file: &str, secret: &Secret, canaries: &[&str]) -> Result<()> {
    let keyset = secret.load(file)?;
    keyset.verify()?;
    let ring = keyset.ring()?;
    for canary in canaries {
        if let Some(code) = ring.check(canary)? {
            return Err(code.as_str().into());
        }
    }
    let info = keyset.info();
    let shown = Shown {
        ring: info.ring,
        generation: info.generation,
        kinds: info.keks.iter().map(|kek| kek.kind.as_str()).collect(),
        keys: info.keys.into_iter().map(ShownKey::of).collect(),
    };
    Ok(writeln!(stdout(), "{}", serde_json::to_string(&shown)?)?)
}

impl ShownKey {
    fn of(key: KeysetKey) -> Self {
        Self {
            id: key.id.to_string(),
            key_use: key.key_use.as_str(),
            state: key.state.as_str(),
            label: key.label,
        }
    }
}

impl Secret {
    fn read(kind: &str, file: &str) -> Result<Self> {
        let text = fs::read_to_string(file)?;
        match kind {
            "kek" => Ok(Self::Kek(Key::parse(&text)?)),
            "passphrase" => Ok(Self::Passphrase(text)),
            "memory" => {
                let ring = Keyring::builder().primary(Key::parse(&text)?).build()?;
                Ok(Self::Service(MemoryProvider::new(ring)))
            }
            _ => Err("a kind is kek, passphrase or memory".into()),
        }
    }

    fn new_kek(&self) -> reseal::Result<NewKek> {
        match self {
            Self::Kek(key) => NewKek::key(key.clone()),
            Self::Passphrase(text) => {
                let argon2id = Argon2id::generate(&mut OsEntropy)?;
                NewKek::derived(argon2id.derive(text.as_bytes())?, argon2id)
            }
            Self::Service(service) => {
                finish(NewKek::from_provider(service, "keys/app", &mut OsEntropy))
            }
        }
    }

    fn load(&self, file: &str) -> Result<Keyset> {
        let document = KeysetDocument::parse(&fs::read(file)?)?;
        let keks = match self {
            Self::Kek(key) => vec![key.clone()],
            Self::Passphrase(text) => vec![document.kek_from_passphrase(text.as_bytes())?],
            Self::Service(service) => finish(document.keks_from_provider(service))?,
        };
        Ok(document.unlock(&keks, &Expect::default())?)
    }
}

fn now() -> Result<Timestamp> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(Timestamp::from_unix(seconds)?)
}

/// The service in memory never waits.
fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut task = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut task) {
            return done;
        }
    }
}
