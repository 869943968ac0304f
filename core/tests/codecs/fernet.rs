//! Fernet and `MultiFernet`.

use crate::support::{text, vectors};
use reseal::{
    Context, Result,
    codec::{Certainty, Codec, CodecKind, Fernet, FernetKey, Opened, Stored},
};
use serde_json::Value;

fn codec(case: &Value) -> Result<Fernet> {
    let keys = case["keys"].as_array().unwrap().iter();
    Fernet::new(
        keys.map(|key| FernetKey::parse(key.as_str().unwrap()))
            .collect::<Result<_>>()?,
    )
}

fn open(codec: &Fernet, stored: &str) -> Result<Opened> {
    codec.open(Stored::Text(stored), &Context::new())
}

#[test]
fn what_a_lenient_codec_would_open_is_never_a_plaintext() {
    let mut cases = vectors("fernet").into_iter();
    let token = cases.find(|case| case["op"] == "encrypt_fixed").unwrap();
    let codec = |lenient| codec(&token).unwrap().lenient(lenient);
    let stored = text(&token, "ciphertext");
    for junk in ["\n", " \t\r\n", "!!", "é", "="] {
        let (head, tail) = stored.split_at(1);
        for stored in [format!("{junk}{stored}"), format!("{head}{junk}{tail}")] {
            assert!(open(&codec(true), &stored).is_ok(), "{stored}");
            assert_eq!(codec(false).recognize(Stored::Text(&stored)), None);
            for end in [stored.len(), stored.len() - 5] {
                let shown = codec(true).recognize(Stored::Text(&stored[..end])).unwrap();
                assert_eq!(shown.certainty, Certainty::Yes, "{stored}");
            }
            let error = open(&codec(true), &stored[..stored.len() - 5]).unwrap_err();
            assert_eq!(error.code().as_str(), "malformed", "{stored}");
        }
    }
    assert_eq!(codec(true).recognize(Stored::Text("good morning")), None);
    // One byte of a binary column was changed, so that it is no text.
    let bytes = [&stored.as_bytes()[..40], b"\xFF"].concat();
    let damaged = Stored::Bytes(&bytes);
    let shown = CodecKind::Fernet.recognize(damaged).unwrap();
    assert_eq!(shown.certainty, Certainty::Yes);
    let error = codec(false).open(damaged, &Context::new()).unwrap_err();
    assert_eq!(error.code().as_str(), "malformed");
}
