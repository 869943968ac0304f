//! Keysets: how one is opened or made, and what may become of its keys.

use crate::{
    argon2::Deriver,
    key::{WasmKey, text_of, use_of},
    keyring::{WasmRing, arguments, push_all},
    memory::{DONE, call, make},
    random::WebCrypto,
    report::{list, number, object},
    source::expect,
};
use alloc::{borrow::ToOwned, string::String, string::ToString, vec::Vec};
use reseal::{
    Argon2id, ExternalKek, Key, Keyset, KeysetDocument, KeysetInfo, NewKek, Promotion, Result,
    Timestamp,
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// A document, and the keys that are to open it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmDocument {
    document: KeysetDocument,
    keks: Vec<Key>,
}

/// A key-encrypting key that a keyset is to be wrapped under.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmNewKek(NewKek);

/// A keyset; its keys stay in the module.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmKeyset(Keyset);

#[wasm_bindgen]
impl WasmDocument {
    /// The input is a document.
    pub fn parse(used: usize) -> Option<WasmDocument> {
        make(used, |bytes| {
            let document = KeysetDocument::parse(bytes)?;
            Ok(Self {
                document,
                keks: Vec::new(),
            })
        })
    }

    /// What the document says about itself.
    pub fn info(&self) -> JsValue {
        info(self.document.info())
    }

    /// Adds a key object.
    #[wasm_bindgen(js_name = addKey)]
    pub fn add_key(&mut self, key: &WasmKey) -> u8 {
        call(0, |_, _| {
            self.keks.push(key.0.clone());
            Ok(DONE)
        })
    }

    /// The input is a key text, as an environment variable or a file holds it.
    #[wasm_bindgen(js_name = addText)]
    pub fn add_text(&mut self, used: usize) -> u8 {
        call(used, |text, _| {
            self.keks.push(Key::load(text_of(text))?);
            Ok(DONE)
        })
    }

    /// The input is a passphrase.
    #[wasm_bindgen(js_name = addPassphrase)]
    pub fn add_passphrase(&mut self, used: usize, deriver: &Deriver) -> u8 {
        call(used, |passphrase, _| {
            let argon2id = self.document.passphrase_entry()?;
            self.keks.push(deriver.key_of(argon2id, passphrase)?);
            Ok(DONE)
        })
    }

    /// The input is the name of a key service. The output is reference and blob of each key that
    /// it keeps.
    pub fn external(&self, used: usize) -> u8 {
        call(used, |name, output| {
            for (_, kek) in self.document.external_keks() {
                if kek.provider.as_bytes() == name {
                    push_all(output, &[kek.reference.as_bytes(), &kek.blob]);
                }
            }
            Ok(DONE)
        })
    }

    /// The keyset. The input is the ring that is expected, which may be empty.
    pub fn unlock(self, used: usize, min_generation: u64) -> Option<WasmKeyset> {
        make(used, |ring| {
            let expect = expect(ring, min_generation);
            self.document.unlock(&self.keks, &expect).map(WasmKeyset)
        })
    }
}

#[wasm_bindgen]
impl WasmNewKek {
    /// A key object.
    pub fn key(key: &WasmKey) -> Option<WasmNewKek> {
        make(0, |_| NewKek::key(key.0.clone()).map(Self))
    }

    /// The input is a key text.
    pub fn text(used: usize) -> Option<WasmNewKek> {
        make(used, |text| {
            NewKek::key(Key::load(text_of(text))?).map(Self)
        })
    }

    /// The input is a passphrase.
    pub fn passphrase(used: usize, deriver: &Deriver) -> Option<WasmNewKek> {
        make(used, |passphrase| {
            #[cfg(feature = "passphrase")]
            NewKek::check_passphrase(passphrase)?;
            let argon2id = Argon2id::generate(&mut WebCrypto)?;
            let key = deriver.key_of(&argon2id, passphrase)?;
            NewKek::derived(key, argon2id).map(Self)
        })
    }

    /// The input is the name of a key service, its reference, and what it made of the 32 bytes of
    /// the key.
    pub fn external(
        key: &WasmKey,
        provider: usize,
        reference: usize,
        used: usize,
    ) -> Option<WasmNewKek> {
        make(used, |input| {
            let (names, blob) = arguments(input, reference)?;
            let (provider, reference) = arguments(names, provider)?;
            let external = ExternalKek {
                provider: text_of(provider).to_owned(),
                reference: text_of(reference).to_owned(),
                blob: blob.to_vec(),
            };
            NewKek::external(key.0.clone(), external).map(Self)
        })
    }
}

#[wasm_bindgen]
impl WasmKeyset {
    /// A keyset without keys.
    pub fn create(kek: WasmNewKek, lease_seconds: u32, now: u64) -> Option<WasmKeyset> {
        make(0, |_| {
            Keyset::create(kek.0, lease_seconds, time(now)?, &mut WebCrypto).map(Self)
        })
    }

    /// The audit view.
    pub fn info(&self) -> JsValue {
        info(self.0.info())
    }

    /// The ring of these keys.
    pub fn ring(&self) -> Option<WasmRing> {
        make(0, |_| self.0.ring().map(WasmRing::from))
    }

    /// The input is a label; gives the key id. A rotation says whether it is `early`.
    pub fn introduce(
        &mut self,
        key: &WasmKey,
        used: usize,
        now: u64,
        early: Option<bool>,
    ) -> Option<String> {
        make(used, |label| {
            let (key, label, now) = (key.0.clone(), text_of(label), time(now)?);
            let id = match early {
                None => self.0.introduce(key, label, now)?,
                Some(early) => self.0.rotate(key, label, now, early)?,
            };
            Ok(id.to_string())
        })
    }

    /// The input is a key id, or its beginning, as in all calls below.
    pub fn promote(&mut self, used: usize, now: u64, early: bool, back: bool) -> u8 {
        call(used, |id, _| {
            let id = self.0.find(text_of(id))?;
            self.0.promote(id, time(now)?, Promotion { early, back })?;
            Ok(DONE)
        })
    }

    /// The input is a key use; gives the key id.
    pub fn revert(&mut self, used: usize, now: u64) -> Option<String> {
        make(used, |word| {
            Ok(self.0.revert(use_of(word)?, time(now)?)?.to_string())
        })
    }

    /// A primary only in an emergency.
    pub fn disable(&mut self, used: usize, now: u64, emergency: bool) -> u8 {
        call(used, |id, _| {
            let id = self.0.find(text_of(id))?;
            self.0.disable(id, time(now)?, emergency).map(|()| DONE)
        })
    }

    /// Lets a disabled key open again.
    pub fn enable(&mut self, used: usize, now: u64) -> u8 {
        call(used, |id, _| {
            let id = self.0.find(text_of(id))?;
            self.0.enable(id, time(now)?).map(|()| DONE)
        })
    }

    /// Forgets a disabled key.
    pub fn destroy(&mut self, used: usize, now: u64) -> u8 {
        call(used, |id, _| {
            let id = self.0.find(text_of(id))?;
            self.0.destroy(id, time(now)?).map(|()| DONE)
        })
    }

    /// The input is key id and label.
    pub fn relabel(&mut self, id: usize, used: usize) -> u8 {
        call(used, |input, _| {
            let (id, label) = arguments(input, id)?;
            let id = self.0.find(text_of(id))?;
            self.0.relabel(id, text_of(label)).map(|()| DONE)
        })
    }

    /// Sets the lease.
    #[wasm_bindgen(js_name = setLeaseSeconds)]
    pub fn set_lease_seconds(&mut self, seconds: u32) -> u8 {
        call(0, |_, _| self.0.set_lease_seconds(seconds).map(|()| DONE))
    }

    /// Gives the key id.
    #[wasm_bindgen(js_name = addKek)]
    pub fn add_kek(&mut self, kek: WasmNewKek) -> Option<String> {
        make(0, |_| Ok(self.0.add_kek(kek.0)?.to_string()))
    }

    /// The input is the id of a key-encrypting key, or its beginning.
    #[wasm_bindgen(js_name = removeKek)]
    pub fn remove_kek(&mut self, used: usize) -> u8 {
        call(used, |id, _| {
            let id = self.0.find_kek(text_of(id))?;
            self.0.remove_kek(id).map(|()| DONE)
        })
    }

    /// Fails where a key-encrypting key was not given.
    pub fn verify(&self) -> u8 {
        call(0, |_, _| self.0.verify().map(|()| DONE))
    }

    /// The output is id and key text of each key; the caller wipes it.
    #[wasm_bindgen(js_name = exportKeys)]
    pub fn export_keys(&self) -> u8 {
        call(0, |_, output| {
            for (id, text) in self.0.export_keys() {
                push_all(output, &[&id.to_string(), &*text]);
            }
            Ok(DONE)
        })
    }

    /// The output is the document.
    pub fn save(&self, now: u64) -> u8 {
        call(0, |_, output| {
            let text = self.0.save(time(now)?, &mut WebCrypto)?;
            output.set(text.into_bytes());
            Ok(DONE)
        })
    }

    /// The input is a document that `save` gave.
    pub fn saved(&mut self, used: usize) -> u8 {
        call(used, |text, _| self.0.saved(text_of(text)).map(|()| DONE))
    }
}

fn time(unix: u64) -> Result<Timestamp> {
    Timestamp::from_unix(unix)
}

fn info(info: KeysetInfo) -> JsValue {
    let wrapped_under = info.keks.into_iter().map(|kek| {
        let (provider, reference) = match kek.external {
            Some(external) => (Some(external.provider), Some(external.reference)),
            None => (None, None),
        };
        object(&[
            ("id", kek.id.to_string().into()),
            ("kind", kek.kind.as_str().into()),
            ("provider", provider.into()),
            ("reference", reference.into()),
            ("held", kek.held.into()),
        ])
    });
    let keys = info.keys.into_iter().map(|key| {
        object(&[
            ("id", key.id.to_string().into()),
            ("use", key.key_use.as_str().into()),
            ("state", key.state.as_str().into()),
            ("created", key.created.into()),
            ("changed", key.changed.into()),
            ("label", key.label.into()),
        ])
    });
    object(&[
        ("ringId", info.ring.into()),
        ("generation", number(info.generation)),
        ("issued", info.issued.into()),
        ("leaseSeconds", info.lease_seconds.into()),
        ("keks", list(wrapped_under)),
        ("keys", list(keys)),
    ])
}
