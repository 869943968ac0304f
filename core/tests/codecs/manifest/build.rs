//! What a manifest needs, and the columns that it makes of real keys.

mod codecs;
mod columns;
mod keyrings;
mod refused;
mod wants;

use super::documents::EVERYTHING;
use reseal::{
    Key, KeyUse, Keyring, OsEntropy, SourceFile, Zeroizing,
    codec::N8nDataKey,
    manifest::{Manifest, Secrets, Want},
};
use std::{collections::BTreeMap, sync::Arc};

const FERNET: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const OTHER_FERNET: &str = "B9IqD_3LAFlcSPXnMYzUyWXuhQKADXPWgbaKslfwZ78=";

fn ring() -> Arc<Keyring> {
    let key = |key_use| Key::generate(key_use, &mut OsEntropy).unwrap();
    let builder = Keyring::builder().primary(key(KeyUse::Data));
    Arc::new(builder.primary(key(KeyUse::Index)).build().unwrap())
}

/// What lies outside, by `kind name`.
fn world() -> BTreeMap<String, String> {
    let row = N8nDataKey::generate(&mut OsEntropy).unwrap();
    let row = row.wrap("the instance key", &mut OsEntropy).unwrap();
    let rows = format!(
        r#"[{{"id": "bEc5AmLGiLrtdybl", "type": "data_encryption", "value": "{row}", "algorithm": "aes-256-gcm", "status": "active"}},
            {{"id": "x", "type": "instance.id", "value": "y", "algorithm": null, "status": "active", "more": 1}}]"#
    );
    let world = [
        ("env FERNET_KEY", FERNET),
        ("env SENTRY_1", FERNET),
        (
            "file /run/k2",
            "B9IqD_3LAFlcSPXnMYzUyWXuhQKADXPWgbaKslfwZ78=\n",
        ),
        ("env AR_PRIMARY_KEY", "the primary key"),
        ("env AR_DETERMINISTIC", "the deterministic key"),
        ("env AR_OLD", "the old key"),
        ("env AR_SALT", "the salt"),
        ("env AR_SALT_OLD", "the old salt"),
        ("env MB_ENCRYPTION_SECRET_KEY", "a secret of Metabase"),
        ("table data_encryption_key", "[]"),
        ("env N8N_ENCRYPTION_KEY", "the instance key"),
        ("file /run/rows.json", rows.as_str()),
        ("env N8N_EXPORT", "the key of an export"),
        ("env DJANGO_SECRET_KEY", "the secret of Django"),
        ("env DJANGO_SECRET_KEY_OLD", "the old secret of Django"),
        ("env DJANGO_SALT_KEY", "the salt of Django"),
        ("env CRYPTOGRAPHY_KEY", "the key of django-cryptography"),
        ("env CRYPTOGRAPHY_SALT", "the salt of django-cryptography"),
        ("env ALCHEMY_KEY", "the key of SQLAlchemy"),
        (
            "env CREDENTIAL_ENCRYPTION_KEY",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
    ];
    world
        .map(|(name, content)| (name.to_owned(), content.to_owned()))
        .into()
}

fn name_of(want: &Want) -> String {
    format!("{} {}", want.kind.as_str(), want.name)
}

/// As a door does it.
fn secrets(manifest: &Manifest, world: &BTreeMap<String, String>) -> Secrets {
    let mut secrets = Secrets::new();
    for want in manifest.wants() {
        if want.kind.as_str() == "directory" {
            let file = |name: &str, key: &str| SourceFile {
                name: name.into(),
                content: Zeroizing::new(key.as_bytes().to_vec()),
            };
            let files = vec![
                file("k1", FERNET),
                file("..data", "x"),
                file("k2", OTHER_FERNET),
            ];
            secrets.give_files(&want, files);
        } else if let Some(content) = world.get(&name_of(&want)) {
            secrets.give(&want, content.as_str());
        }
    }
    for ring_want in manifest.rings() {
        secrets.give_ring(ring_want.codec, ring());
    }
    secrets
}

fn everything() -> (Manifest, Secrets) {
    let manifest = Manifest::parse(EVERYTHING).unwrap();
    let secrets = secrets(&manifest, &world());
    (manifest, secrets)
}
