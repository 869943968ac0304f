//! The census of columns that mix all formats: what every value is, told without its key. The
//! values stand in `testkit/fixtures/census.json`; JavaScript and Python count the same.

use data_encoding::{BASE64, HEXLOWER};
use reseal::{
    Classified, Column, Key, KeyUse, Keyring, NamedCodec, OsEntropy,
    codec::{
        Certainty, CodecKind, DjangoCryptography, DjangoKeys, Expect, Fernet, FernetKey, Freeboard,
        FreeboardKey, Metabase, MetabaseKey, N8n, Plain, Rails, Reseal, Sentry, SqlalchemyEngine,
        SqlalchemyUtils, StoredValue,
    },
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A stored value, and what is expected of it.
struct Row {
    stored: Option<StoredValue>,
    kind: Option<String>,
    key: Option<String>,
    certainty: Option<Certainty>,
    made_by: Option<String>,
}

type Counts = BTreeMap<String, usize>;

/// That of text, and that of bytes.
fn columns() -> [(Vec<Row>, Counts); 2] {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../testkit/fixtures/census.json"
    );
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let part = |form: &str| {
        let rows = file[form].as_array().unwrap();
        let counts = file[format!("{form}_counts")].clone();
        let counts = serde_json::from_value(counts).unwrap();
        (rows.iter().map(row).collect(), counts)
    };
    [part("text"), part("binary")]
}

fn row(row: &Value) -> Row {
    let text = |name: &str| row[name].as_str().map(ToOwned::to_owned);
    let bytes = row["stored"]["hex"]
        .as_str()
        .map(|hex| StoredValue::Bytes(HEXLOWER.decode(hex.as_bytes()).unwrap()));
    Row {
        stored: bytes.or_else(|| text("stored").map(StoredValue::Text)),
        kind: text("kind"),
        key: text("key"),
        certainty: row["certainty"].as_str().map(|word| match word {
            "yes" => Certainty::Yes,
            "maybe" => Certainty::Maybe,
            other => panic!("{other} is no certainty"),
        }),
        made_by: text("made_by"),
    }
}

/// It has every codec, and of each another key than the values have.
fn column() -> Column {
    let key = Key::generate(KeyUse::Data, &mut OsEntropy).unwrap();
    let ring = Keyring::builder().primary(key).build().unwrap();
    let zeros = BASE64.encode(&[0; 32]);
    let rails = Rails::builder()
        .primary_keys(["another key"])
        .key_derivation_salt("another salt");
    let fernet = Fernet::new(vec![FernetKey::parse(&zeros).unwrap()]);
    let fields = FernetKey::fields("another secret", Fernet::PREFIX).unwrap();
    let alchemy = SqlalchemyUtils::new(&["another key"], SqlalchemyEngine::default());
    let metabase = MetabaseKey::derive("a secret that opens nothing here");
    let freeboard = FreeboardKey::parse(&zeros);
    let column = Column::new(NamedCodec::new("reseal", Reseal::new(Arc::new(ring))));
    [
        NamedCodec::new("fernet", fernet.unwrap()),
        NamedCodec::new(
            "django-fernet",
            Fernet::django(&["another secret"], &["a salt"]).unwrap(),
        ),
        NamedCodec::new("fernet-fields", Fernet::fields(vec![fields]).unwrap()),
        NamedCodec::new(
            "django-cryptography",
            DjangoCryptography::new(&["another secret"], &DjangoKeys::default()).unwrap(),
        ),
        NamedCodec::new(
            "sentry",
            Sentry::new([("other", zeros.as_str())], "other").unwrap(),
        ),
        NamedCodec::new("rails", rails.build().unwrap()),
        NamedCodec::new("metabase", Metabase::new(vec![metabase.unwrap()]).unwrap()),
        NamedCodec::new(
            "n8n",
            N8n::builder()
                .instance_key("a key that opens nothing here")
                .build()
                .unwrap(),
        ),
        NamedCodec::new(
            "freeboard",
            Freeboard::new(vec![freeboard.unwrap()]).unwrap(),
        ),
        NamedCodec::new("sqlalchemy-utils", alchemy.unwrap().expect(Expect::Json)),
        NamedCodec::new("plain", Plain),
    ]
    .into_iter()
    .fold(column, |column, codec| column.read(codec).unwrap())
}

#[test]
fn every_value_is_what_was_put_in() {
    let column = column();
    for (rows, counts) in columns() {
        let mut found = Counts::new();
        for row in &rows {
            let stored = row.stored.as_ref().map(StoredValue::as_stored);
            let name = match column.classify(stored) {
                Classified::Null => {
                    assert!(stored.is_none() && row.kind.is_none());
                    "null".to_owned()
                }
                Classified::In { origin, certainty } => {
                    assert_eq!(Some(&origin.codec), row.kind.as_ref());
                    assert_eq!((&origin.key, Some(certainty)), (&row.key, row.certainty));
                    origin.codec
                }
                Classified::Unknown => panic!("everything may be plain"),
            };
            *found.entry(name).or_default() += 1;
        }
        assert_eq!(found, counts);
        assert!(rows.len() >= 200);
    }
}

#[test]
fn every_kind_made_some_values() {
    let of_kinds = |rows: &[Row]| -> BTreeSet<String> {
        rows.iter().filter_map(|row| row.made_by.clone()).collect()
    };
    let all: BTreeSet<String> = CodecKind::ALL
        .iter()
        .map(|kind| kind.as_str().to_owned())
        .collect();
    let [(text, _), (binary, _)] = columns();
    assert_eq!(of_kinds(&binary), all);
    // Values of django-cryptography are bytes alone.
    let mut of_text = all;
    assert!(of_text.remove(CodecKind::DjangoCryptography.as_str()));
    assert_eq!(of_kinds(&text), of_text);
}

#[test]
fn it_takes_no_codec_at_all() {
    for (rows, _) in columns() {
        for row in &rows {
            let Some(stored) = &row.stored else { continue };
            let shown: Vec<_> = CodecKind::ALL
                .iter()
                .filter_map(|kind| Some((kind, kind.recognize(stored.as_stored())?)))
                .collect();
            let sure = |found: &&(&CodecKind, _)| is_sure(&found.1);
            let (kind, shown) = shown.iter().find(sure).or_else(|| shown.first()).unwrap();
            assert_eq!(Some(kind.as_str()), row.kind.as_deref());
            assert_eq!(
                (&shown.key, Some(shown.certainty)),
                (&row.key, row.certainty)
            );
        }
    }
}

fn is_sure(shown: &reseal::codec::Recognized) -> bool {
    shown.certainty == Certainty::Yes
}
