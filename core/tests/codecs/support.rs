//! What the tests of all codecs need.

use reseal::{
    Context, Entropy, EntropyKind, Mode, OsEntropy, Result, Timestamp,
    codec::{Form, Fresh, N8n, N8nDataKey, N8nKeyRow, N8nWrite, Place},
};
use serde_json::Value;

/// The cases of `spec/vectors/<system>/public.json`.
pub(crate) fn vectors(system: &str) -> Vec<Value> {
    let path = format!(
        "{}/../spec/vectors/{system}/public.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

/// Text of a case.
pub(crate) fn text<'v>(case: &'v Value, name: &str) -> &'v str {
    case[name]
        .as_str()
        .unwrap_or_else(|| panic!("{} has no text {name}", case["id"]))
}

/// Bytes that a case gives in base64.
pub(crate) fn base64(case: &Value, name: &str) -> Vec<u8> {
    data_encoding::BASE64
        .decode(text(case, name).as_bytes())
        .unwrap()
}

/// Gives the bytes of a case, in their order.
pub(crate) struct Fixed(pub(crate) Vec<u8>);

impl Entropy for Fixed {
    fn kind(&self) -> EntropyKind {
        EntropyKind::Direct
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        assert!(self.0.len() >= bytes.len(), "the case gives too few bytes");
        let rest = self.0.split_off(bytes.len());
        bytes.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

/// A source and a time, as a writer gets them.
pub(crate) fn fresh(entropy: &mut dyn Entropy, time: u64) -> Fresh<'_> {
    let now = Timestamp::from_unix(time).unwrap();
    Fresh { entropy, now }
}

/// A place in a text column, without a context.
pub(crate) fn text_place(context: &Context) -> Place<'_> {
    place(context, Form::Text)
}

/// A place in a column of this form.
pub(crate) fn place(context: &Context, form: Form) -> Place<'_> {
    Place {
        context,
        mode: Mode::Random,
        form,
    }
}

/// A codec of n8n with one data key.
pub(crate) fn n8n_row() -> N8n {
    let key = N8nDataKey::generate(&mut OsEntropy).unwrap();
    let row = N8nKeyRow {
        id: "bEc5AmLGiLrtdybl".into(),
        kind: "data_encryption".into(),
        value: key.wrap("the key", &mut OsEntropy).unwrap().into(),
        algorithm: Some("aes-256-gcm".into()),
        status: "active".into(),
    };
    let builder = N8n::builder().instance_key("the key").rows(vec![row]);
    builder.write(N8nWrite::Prefixed).build().unwrap()
}
