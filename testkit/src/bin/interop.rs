//! What each language seals, the others open: `interop seal COUNT SEED FILE` writes random values,
//! contexts and modes as JSON lines, `interop open FILE…` opens and compares every one.
//!
//! The same program stands in `js-tests/interop.mjs` and `py-tests/interop.py`.

use core::error::Error;
use reseal::{Context, Key, KeyUse, Keyring, Mode, OsEntropy, to_binary, to_text};
use reseal_testkit::hex::Hex;
use serde::{Deserialize, Serialize};
use std::{
    env, fs,
    io::{Write, stdout},
    process::ExitCode,
};

const NAMES: [&str; 4] = ["row", "a", "tenant_", "z9_"];

/// One sealed value with everything that opens it.
#[derive(Serialize, Deserialize)]
struct Line {
    key_text: String,
    mode: String,
    context: Vec<(String, Hex)>,
    plaintext: Hex,
    text: String,
    binary_hex: Hex,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["seal", count, seed, file] => seal(count.parse()?, Random(seed.parse()?), file),
        ["open", files @ ..] => open(files),
        _ => Err("usage: interop seal COUNT SEED FILE | interop open FILE…".into()),
    }
}

fn seal(count: usize, mut random: Random, file: &str) -> Result<ExitCode, Box<dyn Error>> {
    let mut lines = String::new();
    for _ in 0..count {
        let key = Key::from_bytes(KeyUse::Data, &random.bytes(32))?;
        let key_text = key.export().to_string();
        let ring = Keyring::builder().primary(key).build()?;
        let pairs = random.pairs();
        let context = context(&pairs)?;
        let mode = [Mode::Random, Mode::Deterministic, Mode::Padded]
            .into_iter()
            .nth(random.below(3))
            .unwrap_or_default();
        let len = [0, 16, 64, 300, 5000].into_iter().nth(random.below(5));
        let len = random.below(len.unwrap_or(0) + 1);
        let plaintext = random.bytes(len);
        let text = ring.seal(&plaintext, &context, mode, &mut OsEntropy)?;
        let line = Line {
            key_text,
            mode: mode.as_str().into(),
            context: pairs,
            plaintext: Hex(plaintext),
            binary_hex: Hex(to_binary(&text)?),
            text,
        };
        lines += &serde_json::to_string(&line)?;
        lines.push('\n');
    }
    fs::write(file, lines)?;
    Ok(ExitCode::SUCCESS)
}

fn open(files: &[&str]) -> Result<ExitCode, Box<dyn Error>> {
    let mut all_good = true;
    for file in files {
        let (mut passed, mut failed) = (0, 0);
        for line in fs::read_to_string(file)?.lines() {
            let line: Line = serde_json::from_str(line)?;
            if opens(&line).unwrap_or(false) {
                passed += 1;
            } else {
                failed += 1;
            }
        }
        let run = passed + failed;
        writeln!(
            stdout(),
            "rust {file} run={run} passed={passed} failed={failed}"
        )?;
        all_good &= failed == 0 && passed > 0;
    }
    Ok(if all_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn opens(line: &Line) -> reseal::Result<bool> {
    let ring = Keyring::builder()
        .primary(Key::parse(&line.key_text)?)
        .build()?;
    let context = context(&line.context)?;
    let mode = Mode::parse(&line.mode)?;
    let plaintext = &line.plaintext.0;
    Ok(*ring.open(&line.text, &context)? == *plaintext
        && *ring.open_binary(&line.binary_hex.0, &context)? == *plaintext
        && to_text(&line.binary_hex.0)? == line.text
        && ring.is_current(&line.text, mode)?
        && (mode != Mode::Deterministic
            || ring.lookup_values(plaintext, &context)? == [line.text.as_str()]))
}

fn context(pairs: &[(String, Hex)]) -> reseal::Result<Context> {
    let mut context = Context::new();
    for (name, value) in pairs {
        context.insert(name, value.0.as_slice())?;
    }
    Ok(context)
}

/// Test data from a seed (`SplitMix64`). Nonces come from the operating system.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(1).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    fn pairs(&mut self) -> Vec<(String, Hex)> {
        let count = self.below(17);
        let mut pairs = Vec::new();
        for number in 0..count {
            let len = self.below(80);
            let value = Hex(self.bytes(len));
            pairs.push((
                format!(
                    "{}{number}",
                    NAMES.get(self.below(NAMES.len())).unwrap_or(&"x")
                ),
                value,
            ));
        }
        pairs
    }
}
