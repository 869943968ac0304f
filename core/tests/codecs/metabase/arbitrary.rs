//! Arbitrary and changed values.

use super::{codec, golden, golden_key, old_key, open, seal};
use crate::support::{fresh, text_place};
use data_encoding::BASE64;
use proptest::prelude::*;
use reseal::{
    Context, Mode, OsEntropy,
    codec::{Codec, Expect, Form, Metabase, Stored},
};

fn every_codec() -> [Metabase; 4] {
    let keys = || [golden_key(), old_key()];
    [
        codec(keys()).lenient(true),
        golden(codec(keys())).unwrap().expect(Expect::Json),
        codec(keys()).aad("a{b}").unwrap(),
        codec(keys()).streams(true).expect(Expect::Utf8),
    ]
}

/// Neither panics, and what opens is what the mark says.
fn survives(stored: Stored<'_>) {
    let context = Context::new().with("b", "c").unwrap();
    for codec in every_codec() {
        let recognized = codec.recognize(stored);
        let _ = codec.is_current(stored, Mode::Random);
        let opened = codec.open(stored, &context);
        let _ = codec.rotate(stored, &text_place(&context), &mut fresh(&mut OsEntropy, 1));
        assert!(opened.is_err() || recognized.is_some());
    }
}

proptest! {
    #[test]
    fn arbitrary_values_do_not_panic(
        start in prop::sample::select(vec![&b""[..], b"MB\x02", b"AES/CBC/PKCS5Padding            "]),
        rest in prop::collection::vec(any::<u8>(), 0..200),
        any_text in ".{0,120}",
    ) {
        let bytes = [start, &rest].concat();
        survives(Stored::Bytes(&bytes));
        survives(Stored::Text(&BASE64.encode(&bytes)));
        survives(Stored::Text(&any_text));
    }

    #[test]
    fn changed_values_do_not_open(at in any::<prop::sample::Index>(), by in 1..=255_u8, v2 in any::<bool>()) {
        let codec = codec([golden_key()]);
        let codec = if v2 { golden(codec).unwrap() } else { codec };
        let sealed = seal(&codec, b"some plaintext", Form::Binary).unwrap();
        let mut bytes = sealed.as_stored().as_bytes().to_vec();
        *at.get_mut(&mut bytes) ^= by;
        survives(Stored::Bytes(&bytes));
        prop_assert!(open(&codec, Stored::Bytes(&bytes)).is_err());
        let cut = at.index(bytes.len());
        prop_assert!(open(&codec, Stored::Bytes(&bytes[..cut])).is_err());
    }

    #[test]
    fn what_was_sealed_opens(plaintext in prop::collection::vec(any::<u8>(), 1..200), v2 in any::<bool>()) {
        let codec = codec([golden_key()]);
        let codec = if v2 { golden(codec).unwrap() } else { codec };
        let sealed = seal(&codec, &plaintext, Form::Binary).unwrap();
        let opened = open(&codec, sealed.as_stored()).unwrap();
        prop_assert_eq!(&*opened.plaintext, &plaintext);
        prop_assert!(opened.current);
    }
}
