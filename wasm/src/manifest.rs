//! The manifest: the core parses it, JavaScript reads what its codecs want.

mod facts;

use crate::{
    batch::part,
    codec::WasmCodec,
    error::bad_call,
    key::text_of,
    keyring::arguments,
    memory::{DONE, call, make},
    slot::Slot,
    source::{WasmSource, files, variable},
};
use alloc::format;
use reseal::{
    Error, ErrorCode, Result,
    manifest::{Manifest, Secrets},
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// A manifest; it holds no secret.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmManifest(Manifest);

#[wasm_bindgen]
impl WasmManifest {
    /// The input is the path of the file, or nothing, and the text.
    pub fn parse(path: usize, used: usize) -> Option<WasmManifest> {
        make(used, |input| {
            let (path, bytes) = arguments(input, path)?;
            parsed(bytes, text_of(path)).map(Self)
        })
    }

    /// The codecs and what they want, the columns and the warnings.
    pub fn facts(&self) -> JsValue {
        facts::of(&self.0)
    }

    /// Fails where a column writes plaintext.
    #[wasm_bindgen(js_name = requireEncryption)]
    pub fn require_encryption(&self) -> u8 {
        call(0, |_, _| self.0.check_encryption(true).map(|()| DONE))
    }

    /// The input is the name of a codec, then names and values of the variables of its ring.
    pub fn source(&self, name: usize, used: usize) -> Option<WasmSource> {
        make(used, |input| {
            let (name, variables) = arguments(input, name)?;
            let ring = self.0.ring_of(text_of(name))?.ok_or_else(bad_call)?;
            let variables = files(variables)?;
            let source = ring.source.source(|name| variable(&variables, name))?;
            Ok(WasmSource(source))
        })
    }

    /// The input is the name of a codec, then, for everything that it wants, the names and contents
    /// of its files.
    pub fn codec(&self, name: usize, used: usize) -> Option<WasmCodec> {
        make(used, |input| {
            let (name, mut contents) = arguments(input, name)?;
            let name = text_of(name);
            let mut secrets = Secrets::new();
            for want in self.0.wants_of(name)? {
                let (read, rest) = part(contents).ok_or_else(bad_call)?;
                secrets.give_files(&want, files(read)?);
                contents = rest;
            }
            let slot = self.0.ring_of(name)?.map(|_| Slot::default());
            if let Some(slot) = &slot {
                secrets.give_ring(name, slot.clone());
            }
            let named = self.0.codec(name, &secrets)?;
            Ok(WasmCodec { named, slot })
        })
    }

    /// The input is the name of a codec.
    pub fn keyless(&self, used: usize) -> Option<WasmCodec> {
        make(used, |name| {
            let mut codecs = self.0.codecs();
            let codec = codecs.find(|codec| codec.name().as_bytes() == name);
            let named = codec.ok_or_else(bad_call)?.keyless();
            Ok(WasmCodec { named, slot: None })
        })
    }
}

/// The manifest of a file, or of a text, whose path is empty.
fn parsed(bytes: &[u8], path: &str) -> Result<Manifest> {
    let text = core::str::from_utf8(bytes).map_err(|_| {
        let message = format!("{path:?} is no text (UTF-8)");
        Error::new(ErrorCode::ManifestInvalid, message)
    })?;
    Manifest::parse(text).map_err(|error| match path {
        "" => error,
        _ => Error::new(error.code(), format!("{path:?}: {}", error.message())),
    })
}
