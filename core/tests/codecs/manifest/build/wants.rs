//! What a manifest needs from outside, and the keys that are known without it.

use super::name_of;
use crate::manifest::{column, documents::EVERYTHING, with};
use reseal::{
    ErrorCode, SourceFile, Zeroizing,
    manifest::{Manifest, Secrets},
};

#[test]
fn wants_name_each_thing_once_and_where_it_is_named() {
    let manifest = Manifest::parse(EVERYTHING).unwrap();
    let wants = manifest.wants();
    let named: Vec<String> = wants
        .iter()
        .map(|want| format!("{} {}", name_of(want), want.named_by))
        .collect();
    assert_eq!(
        named,
        [
            "env ALCHEMY_KEY codecs.alchemy.keys[0]",
            "env CREDENTIAL_ENCRYPTION_KEY codecs.board.keys[0]",
            "env DJANGO_SECRET_KEY codecs.django.secrets[0]",
            "env DJANGO_SECRET_KEY_OLD codecs.django.secrets[1]",
            "env DJANGO_SALT_KEY codecs.django.salts[0]",
            "env N8N_EXPORT codecs.export.custom_key",
            "env MB_ENCRYPTION_SECRET_KEY codecs.metabase.keys[0]",
            "table data_encryption_key codecs.metabase.data_keys",
            "env N8N_ENCRYPTION_KEY codecs.n8n.instance_keys[0]",
            "file /run/rows.json codecs.n8n.rows",
            "env CRYPTOGRAPHY_KEY codecs.pickled.cryptography_keys[0]",
            "env CRYPTOGRAPHY_SALT codecs.pickled.salt",
            "env AR_DETERMINISTIC codecs.rails.deterministic_keys[0]",
            "env AR_OLD codecs.rails.previous_keys[0]",
            "env AR_SALT codecs.rails.key_derivation_salt",
            "env AR_PRIMARY_KEY codecs.rails.previous[0].primary_keys[0]",
            "env AR_SALT_OLD codecs.rails.previous[0].key_derivation_salt",
            "directory /run/sentry codecs.sentry.key_dir",
            "file /run/k2 codecs.sentry_text.keys.\"k 2\"",
            "env SENTRY_1 codecs.sentry_text.keys.k1",
            "env FERNET_KEY codecs.tokens.keys[0]",
        ]
        .map(str::to_owned)
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
    );
    let table = wants
        .iter()
        .find(|want| want.kind.as_str() == "table")
        .unwrap();
    assert_eq!(table.kind.columns(), ["id", "key_material"]);
    let rings: Vec<String> = manifest
        .rings()
        .into_iter()
        .map(|ring| ring.codec)
        .collect();
    assert_eq!(rings, ["app", "dir", "set"]);
    assert_eq!(manifest.wants_of("export").unwrap().len(), 1);
    let error = manifest.wants_of("exprt").unwrap_err();
    assert_eq!(
        error.message(),
        r#"there is no codec "exprt"; did you mean "export"?"#
    );

    // What no column uses is not wanted.
    let one = Manifest::parse(&with(&column(""))).unwrap();
    assert!(one.wants().is_empty());
    assert_eq!(one.wants_of("tokens").unwrap().len(), 1);
}

#[test]
fn keys_that_values_name_are_known_without_their_secrets() {
    let manifest = Manifest::parse(
        "version = 1
        [codecs.files]
        kind = 'sentry'
        key_dir = 'keys'
        primary = 'b'
        [codecs.n8n]
        kind = 'n8n'
        instance_keys = ['env:N8N']
        rows = 'table:deployment_key'
        [codecs.metabase]
        kind = 'metabase'
        keys = ['env:MB']
        data_keys = 'table:data_encryption_key'
        [codecs.tokens]
        kind = 'fernet'
        keys = ['env:FERNET']",
    )
    .unwrap();
    let ids = |codec: &str, secrets: &Secrets| {
        let keys = manifest.named_keys(codec, secrets).unwrap().into_iter();
        keys.map(|key| (key.id, key.is_primary))
            .collect::<Vec<(String, bool)>>()
    };
    let key = |id: &str, is_primary| (id.to_owned(), is_primary);
    let mut secrets = Secrets::new();
    assert_eq!(ids("files", &secrets), [key("b", true)]);
    for codec in ["n8n", "metabase", "tokens"] {
        assert_eq!(ids(codec, &secrets), []);
    }
    for want in manifest.wants() {
        let name = |name: &str| SourceFile {
            name: name.to_owned(),
            content: Zeroizing::new(b"no key".to_vec()),
        };
        match want.name.as_str() {
            "keys" => secrets.give_files(&want, vec![name("a"), name("b"), name(".c")]),
            "deployment_key" => secrets.give(
                &want,
                r#"[{"id": "x", "type": "data_encryption", "value": "", "algorithm": null, "status": "inactive"},
                    {"id": "y", "type": "data_encryption", "value": "", "algorithm": null, "status": "active"},
                    {"id": "w", "type": "data_encryption", "value": "", "algorithm": "aes-256-cbc", "status": "inactive"},
                    {"id": "z", "type": "instance.id", "value": "", "algorithm": null, "status": "active"}]"#,
            ),
            "data_encryption_key" => secrets.give(&want, r#"[{"id": 10}, {"id": 9}]"#),
            _ => {}
        }
    }
    assert_eq!(ids("files", &secrets), [key("a", false), key("b", true)]);
    // Values without a prefix, which `w` opens, do not show it.
    assert_eq!(ids("n8n", &secrets), [key("x", false), key("y", true)]);
    let metabase = ids("metabase", &secrets);
    assert_eq!(metabase, [key("10", true), key("9", false)]);
    let no_rows = manifest.wants().into_iter();
    for want in no_rows.filter(|want| want.name == "deployment_key") {
        secrets.give(&want, "[1]");
    }
    let error = manifest.named_keys("n8n", &secrets).unwrap_err();
    assert_eq!(error.code(), ErrorCode::SourceUnreadable);
    let error = manifest.named_keys("none", &secrets).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
}
