//! Key sources: the environment and directories, which JavaScript reads and the core judges.

use crate::{batch::part, error::bad_call, key::text_of, keyring::WasmRing, memory::make};
use reseal::{EnvSource, Result, Zeroizing};
use wasm_bindgen::prelude::wasm_bindgen;

/// What the environment says: a directory to read, or the ring itself.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmSource(EnvSource);

/// The variables that count.
#[wasm_bindgen(js_name = envNames)]
pub fn env_names() -> Vec<String> {
    reseal::ENV_NAMES.map(str::to_owned).to_vec()
}

#[wasm_bindgen]
impl WasmSource {
    /// The input is names and values of variables.
    pub fn read(used: usize) -> Option<WasmSource> {
        make(used, |input| {
            let variables = pairs(input)?;
            let variable = |name: &str| {
                let (_, value) = variables.iter().find(|(there, _)| there == name)?;
                Some(value.as_str().to_owned())
            };
            EnvSource::read(variable).map(Self)
        })
    }

    /// The directory to read.
    pub fn directory(&self) -> Option<String> {
        match &self.0 {
            EnvSource::Directory(directory) => Some(directory.path.clone()),
            EnvSource::Ring(_) => None,
        }
    }

    /// The ring. The input is names and contents of the directory's files, if there is one.
    pub fn ring(self, used: usize) -> Option<WasmRing> {
        make(used, |input| match self.0 {
            EnvSource::Ring(ring) => Ok(WasmRing(ring)),
            EnvSource::Directory(directory) => directory.ring(&pairs(input)?).map(WasmRing),
        })
    }
}

/// Names and values, each with its length before it.
fn pairs(mut input: &[u8]) -> Result<Vec<(String, Zeroizing<String>)>> {
    let mut pairs = Vec::new();
    while !input.is_empty() {
        let (name, rest) = part(input).ok_or_else(bad_call)?;
        let (value, rest) = part(rest).ok_or_else(bad_call)?;
        // What is no UTF-8 is no key text either; the core says so, with the name.
        pairs.push((
            text_of(name).to_owned(),
            Zeroizing::new(text_of(value).to_owned()),
        ));
        input = rest;
    }
    Ok(pairs)
}
