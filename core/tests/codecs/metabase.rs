//! The encrypted columns of Metabase.

mod arbitrary;
mod data_keys;
mod keys;
mod variants;

use crate::support::fresh;
use data_encoding::BASE64;
use reseal::{
    Context, Mode, OsEntropy, Result,
    codec::{
        Certainty, Codec, CodecKind, Form, Metabase, MetabaseKey, Opened, Place, Recognized,
        Stored, StoredValue,
    },
};
use std::sync::LazyLock;

const NEW: &str = "a new secret for Metabase, as long as it likes";
const OLD: &str = "Orw0AAyzkO/kPTLJRxiyKoBHXa/d6ZcO+p+gpZO/wSQ=";
const GOLDEN: &str = "golden-envelope-test-key-000000000000000000";
const GOLDEN_ROW: &str =
    "yt+PKk1LdyTo8NLQn2rh4a/CCk+8lK9BkkKTkoVIry0YAzOQfTFJtHecJj2gkqjJlypF39h+m0AtDsil";
const GOLDEN_VALUE: &str = "TUICAAAAAaV2ePSvgOrK+c1nX3Kq1TCZo1b4/d0u0uoWxXLu+B08VHbyB48W9L0=";

/// Deriving takes its 100 000 rounds: each key once.
static KEYS: LazyLock<[MetabaseKey; 3]> =
    LazyLock::new(|| [NEW, OLD, GOLDEN].map(|secret| MetabaseKey::derive(secret).unwrap()));

fn new_key() -> MetabaseKey {
    KEYS[0].clone()
}

fn old_key() -> MetabaseKey {
    KEYS[1].clone()
}

fn golden_key() -> MetabaseKey {
    KEYS[2].clone()
}

fn codec(keys: impl IntoIterator<Item = MetabaseKey>) -> Metabase {
    Metabase::new(keys.into_iter().collect()).unwrap()
}

fn golden(codec: Metabase) -> Result<Metabase> {
    codec.data_keys([(1, decode(GOLDEN_ROW).as_slice())])
}

fn decode(text: &str) -> Vec<u8> {
    BASE64.decode(text.as_bytes()).unwrap()
}

fn code(result: Result<Opened>) -> &'static str {
    result.unwrap_err().code().as_str()
}

fn open(codec: &Metabase, stored: Stored<'_>) -> Result<Opened> {
    codec.open(stored, &Context::new())
}

fn shown(stored: Stored<'_>) -> Option<(Certainty, &'static str, Option<String>)> {
    let Recognized {
        certainty,
        scheme,
        key,
    } = CodecKind::Metabase.recognize(stored)?;
    Some((certainty, scheme, key))
}

fn place(context: &Context, form: Form) -> Place<'_> {
    Place {
        context,
        mode: Mode::Random,
        form,
    }
}

fn seal(codec: &Metabase, plaintext: &[u8], form: Form) -> Result<StoredValue> {
    let context = Context::new();
    codec.seal(
        plaintext,
        &place(&context, form),
        &mut fresh(&mut OsEntropy, 1),
    )
}
