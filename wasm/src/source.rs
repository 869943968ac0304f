//! Key sources: the environment, directories and keysets, which JavaScript reads and the core
//! judges.

use crate::{
    argon2::Deriver,
    batch::part,
    error::bad_call,
    key::{WasmKey, text_of},
    keyring::{WasmRing, arguments},
    memory::{DONE, call, make},
    report::{list, number, object},
};
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use reseal::{Expect, Key, Loaded, Result, Source, SourceFile, Unlock, WantKind, Zeroizing};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// Where a ring comes from.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmSource(pub(crate) Source);

/// What opens a keyset in a file.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmUnlock(Unlock);

/// What a source gave.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmLoaded(Loaded);

/// The variables that count.
#[wasm_bindgen(js_name = envNames)]
pub fn env_names() -> Vec<String> {
    reseal::ENV_NAMES.map(str::to_owned).to_vec()
}

#[wasm_bindgen]
impl WasmUnlock {
    /// A key-encrypting key.
    pub fn kek(key: &WasmKey) -> Option<WasmUnlock> {
        make(0, |_| Ok(Self(Unlock::Kek(key.0.clone()))))
    }

    /// The input is a key text.
    #[wasm_bindgen(js_name = kekText)]
    pub fn kek_text(used: usize) -> Option<WasmUnlock> {
        make(used, |text| {
            Key::load(text_of(text)).map(Unlock::Kek).map(Self)
        })
    }

    /// The input is the path of a file with a key text.
    #[wasm_bindgen(js_name = kekFile)]
    pub fn kek_file(used: usize) -> Option<WasmUnlock> {
        make(used, |path| Ok(Self(Unlock::KekFile(text_of(path).into()))))
    }

    /// The input is a passphrase.
    pub fn passphrase(used: usize) -> Option<WasmUnlock> {
        make(used, |passphrase| {
            let passphrase = Zeroizing::new(passphrase.to_vec());
            Ok(Self(Unlock::Passphrase(passphrase)))
        })
    }

    /// The input is the path of a file with a passphrase.
    #[wasm_bindgen(js_name = passphraseFile)]
    pub fn passphrase_file(used: usize) -> Option<WasmUnlock> {
        make(used, |path| {
            Ok(Self(Unlock::PassphraseFile(text_of(path).into())))
        })
    }
}

#[wasm_bindgen]
impl WasmSource {
    /// The input is names and values of variables.
    #[wasm_bindgen(js_name = fromEnv)]
    pub fn from_env(used: usize) -> Option<WasmSource> {
        make(used, |input| {
            let variables = files(input)?;
            Source::from_env(|name| variable(&variables, name)).map(Self)
        })
    }

    /// The input is the path and one or two names of files: primary and index primary.
    pub fn directory(used: usize) -> Option<WasmSource> {
        make(used, |input| {
            let (path, rest) = part(input).ok_or_else(bad_call)?;
            let (primary, rest) = part(rest).ok_or_else(bad_call)?;
            let index = part(rest).map(|(index, _)| text_of(index));
            Source::directory(text_of(path), text_of(primary), index).map(Self)
        })
    }

    /// The input is the path and the ring that is expected, which may be empty.
    pub fn keyset(
        unlock: WasmUnlock,
        path: usize,
        used: usize,
        min_generation: u64,
    ) -> Option<WasmSource> {
        make(used, |input| {
            let (path, ring) = arguments(input, path)?;
            let expect = expect(ring, min_generation);
            Source::keyset(text_of(path), unlock.0, expect).map(Self)
        })
    }

    /// `keys`, `directory` or `keyset`.
    pub fn kind(&self) -> String {
        self.0.kind().as_str().to_owned()
    }

    /// What is to be read before each load.
    pub fn wants(&self) -> JsValue {
        list(self.0.wants().into_iter().map(|want| {
            let kind = match want.kind {
                WantKind::Secret => "secret",
                WantKind::Directory => "directory",
                WantKind::Keyset => "keyset",
            };
            object(&[
                ("path", want.path.into()),
                ("kind", kind.into()),
                ("namedBy", want.named_by.into()),
            ])
        }))
    }

    /// The input is, for everything that is wanted, the names and contents of its files.
    pub fn load(&mut self, used: usize, deriver: &Deriver) -> Option<WasmLoaded> {
        make(used, |mut input| {
            let mut contents = Vec::new();
            while let Some((read, rest)) = part(input) {
                contents.push(files(read)?);
                input = rest;
            }
            let derive = |argon2id: &_, passphrase: &_| deriver.key_of(argon2id, passphrase);
            self.0.load(&contents, derive).map(WasmLoaded)
        })
    }
}

#[wasm_bindgen]
impl WasmLoaded {
    /// Lease, generation and ring id.
    pub fn facts(&self) -> JsValue {
        object(&[
            ("leaseSeconds", self.0.lease_seconds.into()),
            ("generation", self.0.generation.map(number).into()),
            ("ringId", self.0.ring_id.as_deref().into()),
        ])
    }

    /// The ring, unless nothing has changed.
    pub fn ring(self) -> Option<WasmRing> {
        let mut ring = None;
        call(0, |_, _| {
            ring = self.0.ring.map(WasmRing::from);
            Ok(DONE)
        });
        ring
    }
}

/// What the caller expects of a keyset.
pub(crate) fn expect(ring: &[u8], min_generation: u64) -> Expect {
    Expect {
        ring: (!ring.is_empty()).then(|| text_of(ring).to_owned()),
        min_generation,
    }
}

/// The variable of a name.
pub(crate) fn variable(variables: &[SourceFile], name: &str) -> Option<String> {
    let found = variables.iter().find(|there| there.name == name)?;
    Some(text_of(&found.content).to_owned())
}

/// Names and contents, each with its length before it.
pub(crate) fn files(mut input: &[u8]) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    while !input.is_empty() {
        let (name, rest) = part(input).ok_or_else(bad_call)?;
        let (content, rest) = part(rest).ok_or_else(bad_call)?;
        files.push(SourceFile {
            name: text_of(name).to_owned(),
            content: Zeroizing::new(content.to_vec()),
        });
        input = rest;
    }
    Ok(files)
}
