//! What a fuzzer feeds to the codecs, each with valid keys.

use reseal::{
    Context, EntropyKind, Mode, Timestamp, ValueType,
    codec::{
        Codec, Expect, Fernet, FernetKey, Form, Freeboard, FreeboardKey, Fresh, Metabase,
        MetabaseKey, N8n, Place, Rails, RailsSerializer, Sentry, SentryField, Stored, StoredValue,
        Trust,
    },
    hazmat::FixedEntropy,
    manifest::Manifest,
};
use std::sync::LazyLock;

const FERNET: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const SECRET: &str = "a secret of many characters";

/// Fernet tokens.
pub fn fernet(data: &[u8]) {
    static CODEC: LazyLock<Fernet> =
        LazyLock::new(|| Fernet::new(vec![FernetKey::parse(FERNET).unwrap()]).unwrap());
    check(&*CODEC, data);
}

/// Sentry's fields, text and JSON.
pub fn sentry(data: &[u8]) {
    let new = || Sentry::new([("key_1", FERNET)], "key_1").unwrap();
    check(&new(), data);
    check(&new().field(SentryField::Json), data);
}

/// Rails' attributes: JSON, deterministic JSON and `MessagePack`.
pub fn rails(data: &[u8]) {
    static CODECS: LazyLock<[Rails; 3]> = LazyLock::new(|| {
        let new = || Rails::builder().key_derivation_salt("salt");
        let random = || new().primary_keys([SECRET]);
        [
            random().build().unwrap(),
            new()
                .deterministic(true)
                .deterministic_keys([SECRET])
                .build()
                .unwrap(),
            random()
                .serializer(RailsSerializer::MessagePack)
                .build()
                .unwrap(),
        ]
    });
    for codec in &*CODECS {
        check(codec, data);
    }
}

/// Metabase's values, and its streams.
pub fn metabase(data: &[u8]) {
    static CODECS: LazyLock<[Metabase; 2]> = LazyLock::new(|| {
        let key = MetabaseKey::derive(SECRET).unwrap();
        let new = || {
            Metabase::new(vec![key.clone()])
                .unwrap()
                .expect(Expect::Utf8)
        };
        [new(), new().streams(true)]
    });
    for codec in &*CODECS {
        check(codec, data);
    }
}

/// n8n's legacy values.
pub fn n8n(data: &[u8]) {
    static CODEC: LazyLock<N8n> = LazyLock::new(|| {
        N8n::builder()
            .instance_key(SECRET)
            .expect(Expect::Utf8)
            .build()
            .unwrap()
    });
    check(&*CODEC, data);
}

/// Freeboard's rows.
pub fn freeboard(data: &[u8]) {
    const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    static CODEC: LazyLock<Freeboard> =
        LazyLock::new(|| Freeboard::new(vec![FreeboardKey::parse(KEY).unwrap()]).unwrap());
    check(&*CODEC, data);
}

/// A manifest: it is valid, or says what is not.
pub fn manifest(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    match Manifest::check(text) {
        Ok(manifest) => assert!(manifest.keyless().is_ok()),
        Err(problems) => assert!(!problems.list().is_empty()),
    }
}

/// Values of all types: the first byte is the type and the mode.
pub fn value(data: &[u8]) {
    let Some((first, spelled)) = data.split_first() else {
        return;
    };
    let kind = ValueType::ALL[usize::from(first & 0x7F) % ValueType::ALL.len()];
    let mode = if first & 0x80 == 0 {
        Mode::Random
    } else {
        Mode::Deterministic
    };
    if let Ok(canonical) = kind.canonical(spelled, mode) {
        assert_eq!(
            kind.canonical(&canonical, mode).unwrap(),
            canonical,
            "not its own form"
        );
    }
}

/// As a stored value, as a plaintext, and as damage to a stored value: the offset and the bits of
/// each change.
pub(super) fn check(codec: &dyn Codec, data: &[u8]) {
    let context = Context::new();
    read(codec, Stored::Bytes(data), &context);
    if let Ok(text) = core::str::from_utf8(data) {
        read(codec, Stored::Text(text), &context);
    }
    write(codec, data, &context);
    let Some(valid) = seal(codec, b"[\"a plaintext\"]", &context) else {
        return;
    };
    let mut bytes = valid.as_stored().as_bytes().to_vec();
    for change in data.chunks_exact(2).take(8) {
        let at = usize::from(change[0]) % bytes.len();
        bytes[at] ^= change[1];
    }
    read(codec, Stored::Bytes(&bytes), &context);
    if let Ok(opened) = codec.open(Stored::Bytes(&bytes), &context)
        && opened.trust == Trust::Authenticated
    {
        assert_eq!(*opened.plaintext, b"[\"a plaintext\"]", "a forgery");
    }
}

/// What opens is recognised, and is no other than what was recognised.
pub(super) fn read(codec: &dyn Codec, stored: Stored<'_>, context: &Context) {
    let shown = codec.recognize(stored);
    let current = codec.is_current(stored, Mode::Random);
    match codec.open(stored, context) {
        Ok(opened) => {
            assert!(shown.is_some(), "it opens and is not recognised");
            assert!(current != Some(true) || opened.current, "it is not current");
        }
        Err(error) => assert!(!error.message().is_empty()),
    }
}

fn write(codec: &dyn Codec, plaintext: &[u8], context: &Context) {
    if let Some(stored) = seal(codec, plaintext, context) {
        let opened = codec.open(stored.as_stored(), context).unwrap();
        assert_eq!(*opened.plaintext, plaintext, "another plaintext");
        assert!(opened.current, "what was written is not current");
        assert!(codec.recognize(stored.as_stored()).is_some());
    }
}

pub(super) fn seal(codec: &dyn Codec, plaintext: &[u8], context: &Context) -> Option<StoredValue> {
    let mut entropy = FixedEntropy::new(EntropyKind::Direct, vec![3; 1 << 8]);
    let now = Timestamp::from_unix(1_800_000_000).unwrap();
    let mut fresh = Fresh {
        entropy: &mut entropy,
        now,
    };
    [Form::Text, Form::Binary].into_iter().find_map(|form| {
        let place = Place {
            context,
            mode: Mode::Random,
            form,
        };
        codec.seal(plaintext, &place, &mut fresh).ok()
    })
}
