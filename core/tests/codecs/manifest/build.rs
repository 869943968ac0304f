//! What a manifest needs, and the columns that it makes of real keys.

use super::{column, documents::EVERYTHING, with};
use crate::support::{base64, fresh, text_place, vectors};
use reseal::{
    Classified, Context, Error, ErrorCode, Key, KeyUse, Keyring, Keyset, Mode, NewKek, OsEntropy,
    Outcome, SourceFile, Timestamp, Want as SourceWant, Zeroizing,
    codec::{CodecKind, Form, N8nDataKey, Place, Stored},
    manifest::{CodecSpec, Manifest, Secrets, Want},
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
fn every_kind_is_built_and_goes_round() {
    let (manifest, secrets) = everything();
    let context = Context::new().with("column", "value").unwrap();
    for spec in manifest.codecs() {
        let named = manifest
            .codec(spec.name(), &secrets)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (named.name.as_str(), named.codec.kind()),
            (spec.name(), spec.kind())
        );
        let mut entropy = OsEntropy;
        let mut fresh = fresh(&mut entropy, 1_800_000_000);
        let is_pickled = spec.kind() == CodecKind::DjangoCryptography;
        let place = Place {
            form: if is_pickled { Form::Binary } else { Form::Text },
            ..text_place(&context)
        };
        let sealed = named.codec.seal(b"{\"a\": 1}", &place, &mut fresh);
        if spec.name() == "metabase_streams" {
            assert_eq!(sealed.unwrap_err().code(), ErrorCode::CodecReadOnly);
            continue;
        }
        let stored = sealed.unwrap();
        let opened = named.codec.open(stored.as_stored(), &context).unwrap();
        // A pickle holds the value of a document, and not its spaces.
        let expected: &[u8] = if is_pickled {
            b"{\"a\":1}"
        } else {
            b"{\"a\": 1}"
        };
        assert_eq!(*opened.plaintext, expected, "{}", spec.name());
        assert!(opened.current, "{}", spec.name());
    }
    let kinds: Vec<CodecKind> = manifest.codecs().map(CodecSpec::kind).collect();
    assert!(CodecKind::ALL.iter().all(|kind| kinds.contains(kind)));
}

#[test]
fn the_options_reach_the_codecs() {
    let (manifest, secrets) = everything();
    let scheme = |name: &str| {
        let context = Context::new().with("column", "value").unwrap();
        let named = manifest.codec(name, &secrets).unwrap();
        let mut entropy = OsEntropy;
        let place = text_place(&context);
        let stored = named
            .codec
            .seal(b"{}", &place, &mut fresh(&mut entropy, 1))
            .unwrap();
        let text = stored.as_stored().as_text().unwrap().to_owned();
        (
            named
                .codec
                .open(stored.as_stored(), &context)
                .unwrap()
                .scheme,
            text,
        )
    };
    let (rails, stored) = scheme("rails");
    assert_eq!(rails, "json-deterministic");
    assert!(stored.contains("\"i\":"), "store_key_references: {stored}");
    assert!(scheme("n8n").1.starts_with("bEc5AmLGiLrtdybl:"));
    assert!(scheme("export").1.starts_with("U2FsdGVkX1"));
    assert!(
        scheme("sentry")
            .1
            .starts_with("{\"sentry_encrypted_field_value\": \"enc:fernet:k2:")
    );
    assert!(scheme("sentry_text").1.starts_with("enc:fernet:k1:"));
}

#[test]
fn a_column_goes_round_with_its_facts() {
    let (manifest, secrets) = everything();
    let columns = manifest.build(&secrets).unwrap();
    let (spec, column) = (&manifest.columns()[0], &columns[0]);
    assert!(
        spec.row_facts()
            .eq([("tenant", "tenant_id"), ("row", "id")])
    );
    let facts = |row: u32| {
        spec.facts(|column| (column == "id").then_some(row).or(Some(7)).map(Into::into))
            .unwrap()
    };
    let mut entropy = OsEntropy;
    let mut fresh = fresh(&mut entropy, 1);
    let stored = column
        .seal(b"{}", &facts(1), Form::Text, &mut fresh)
        .unwrap();
    let read = column.open(stored.as_stored(), &facts(1)).unwrap();
    assert_eq!(
        (
            read.plaintext.as_slice(),
            read.origin.codec.as_str(),
            read.origin.scheme
        ),
        (&b"{}"[..], "app", "padded")
    );
    assert_eq!(
        column
            .open(stored.as_stored(), &facts(2))
            .unwrap_err()
            .code(),
        ErrorCode::AuthFailed
    );
    let none = spec.facts(|_| None).unwrap_err();
    assert_eq!(
        none.message(),
        "the row has nothing in tenant_id, which is bound as tenant"
    );

    // A value of the context before, and one of another codec.
    let before = manifest.codec("app", &secrets).unwrap();
    let earlier = facts(1)
        .joined(&Context::new().with("column", "secret").unwrap())
        .unwrap();
    let old = before
        .codec
        .seal(b"{}", &text_place(&earlier), &mut fresh)
        .unwrap();
    assert!(column.open(old.as_stored(), &facts(1)).unwrap().earlier);
    let token = manifest.codec("tokens", &secrets).unwrap();
    let token = token
        .codec
        .seal(b"{}", &text_place(&earlier), &mut fresh)
        .unwrap();
    let Outcome::Resealed { from, to, .. } =
        column.reseal(Some(token.as_stored()), &facts(1), &mut fresh)
    else {
        panic!("a token is not what the column writes");
    };
    assert_eq!(
        (from.codec.as_str(), to.codec.as_str(), to.scheme),
        ("tokens", "app", "padded")
    );
}

#[test]
fn a_census_needs_no_secret() {
    let (manifest, secrets) = everything();
    let columns = manifest.build(&secrets).unwrap();
    let keyless = manifest.keyless().unwrap();
    let row = Context::new()
        .with("tenant", 7)
        .unwrap()
        .with("row", 1)
        .unwrap();
    let mut entropy = OsEntropy;
    let sealed = columns[0]
        .seal(b"{}", &row, Form::Text, &mut fresh(&mut entropy, 1))
        .unwrap();
    for stored in [
        sealed.as_stored(),
        Stored::Text("gAAAAABl"),
        Stored::Text("enc:fernet:k1:x"),
        Stored::Text("U2FsdGVkX194VEoX27o3+y5jUd1JTTmVwkOKjVhB6Jg="),
    ] {
        let (ours, keyless) = (
            columns[0].classify(Some(stored)),
            keyless[0].classify(Some(stored)),
        );
        assert_eq!(ours, keyless);
        assert!(matches!(ours, Classified::In { .. }));
    }
    let error = keyless[0].open(sealed.as_stored(), &row).unwrap_err();
    assert_eq!(error.code(), ErrorCode::SourceMissing);
}

fn build_error(options: &str, given: &[(&str, &str)]) -> Error {
    let manifest = Manifest::parse(&with(&format!("[codecs.x]\n{options}"))).unwrap();
    let mut secrets = Secrets::new();
    for want in manifest.wants_of("x").unwrap() {
        if let Some((_, content)) = given.iter().find(|(name, _)| *name == want.name) {
            secrets.give(&want, *content);
        }
    }
    manifest.codec("x", &secrets).unwrap_err()
}

const ROWS: &str = "kind = 'n8n'\ninstance_keys = ['env:A']\nrows = 'file:r'";
const DATA_KEYS: &str = "kind = 'metabase'\nkeys = ['env:A']\ndata_keys = 'table:r'";
const BAD: &str = "hunter2-hunter2-hunter2";

/// Options, what is given, and the code and the beginning of the message.
type BadSecret = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);
const BAD_SECRETS: &[BadSecret] = &[
    (
        "kind = 'fernet'\nkeys = ['env:A', 'env:B']",
        &[("A", FERNET)],
        "source-missing",
        "codecs.x.keys[1]: the variable B is not set",
    ),
    (
        "kind = 'fernet'\nkeys = ['file:a']",
        &[],
        "source-missing",
        "codecs.x.keys[0]: the file a was not read",
    ),
    (
        "kind = 'fernet'\nkeys = ['env:A']",
        &[("A", BAD)],
        "invalid-key",
        "codecs.x.keys[0]: a Fernet key is 32 bytes",
    ),
    (
        "kind = 'freeboard'\nkeys = ['env:A']",
        &[("A", BAD)],
        "invalid-key",
        "codecs.x.keys[0]: CREDENTIAL_ENCRYPTION_KEY is",
    ),
    (
        "kind = 'metabase'\nkeys = ['env:A']",
        &[("A", "short")],
        "invalid-key",
        "codecs.x.keys[0]: ",
    ),
    (
        "kind = 'sentry'\nkeys = { a = 'env:A' }\nprimary = 'a'",
        &[("A", BAD)],
        "invalid-key",
        "codecs.x: the key \"a\": a Fernet key",
    ),
    (
        "kind = 'sentry'\nkey_dir = 'd'\nprimary = 'a'",
        &[],
        "source-missing",
        "codecs.x.key_dir: the directory d was not read",
    ),
    (
        "kind = 'rails'\nprimary_keys = ['env:A']\nkey_derivation_salt = 'env:A'",
        &[("A", " ")],
        "invalid-argument",
        "codecs.x: a codec of Rails wants the key_derivation_salt",
    ),
    (
        "kind = 'n8n'\ninstance_keys = ['env:A']",
        &[("A", "")],
        "invalid-key",
        "codecs.x: an instance key of n8n is not empty",
    ),
    (
        "kind = 'reseal'\nkeyring = 'env'",
        &[],
        "source-missing",
        "codecs.x.keyring: no ring was given",
    ),
    (
        ROWS,
        &[("A", BAD), ("r", BAD)],
        "source-unreadable",
        "codecs.x.rows: the rows are no JSON list of objects with id, type, value",
    ),
    (
        ROWS,
        &[("A", BAD), ("r", "[{\"id\": 1}]")],
        "source-unreadable",
        "codecs.x.rows[0].id: expected text",
    ),
    (
        ROWS,
        &[("A", BAD), ("r", "[{\"id\": \"a\"}]")],
        "source-unreadable",
        "codecs.x.rows[0].type: expected text",
    ),
    (
        DATA_KEYS,
        &[("A", BAD)],
        "source-missing",
        "codecs.x.data_keys: the table r was not read",
    ),
    (
        DATA_KEYS,
        &[("A", BAD), ("r", "[{\"id\": -1}]")],
        "source-unreadable",
        "codecs.x.data_keys[0].id: expected a number",
    ),
    (
        DATA_KEYS,
        &[
            ("A", BAD),
            ("r", "[{\"id\": \"1\", \"key_material\": \"?\"}]"),
        ],
        "source-unreadable",
        "codecs.x.data_keys[0].key_material: expected base64",
    ),
    (
        DATA_KEYS,
        &[
            ("A", BAD),
            ("r", "[{\"id\": 1, \"key_material\": \"aHVudGVyMg==\"}]"),
        ],
        "invalid-key",
        "codecs.x.data_keys: ",
    ),
];

#[test]
fn what_is_missing_or_bad_is_named_and_not_shown() {
    for (options, given, code, message) in BAD_SECRETS {
        let error = build_error(options, given);
        assert_eq!(error.code().as_str(), *code, "{error}");
        assert!(error.message().starts_with(message), "{error}");
        assert!(!error.message().contains("hunter2"), "{error}");
    }
    let manifest = Manifest::parse(&with("")).unwrap();
    let want = &manifest.wants_of("tokens").unwrap()[0];
    let mut secrets = Secrets::new();
    secrets.give(want, [0xFF, 0xFE]);
    let error = manifest.codec("tokens", &secrets).unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (
            ErrorCode::SourceUnreadable,
            "codecs.tokens.keys[0]: env:FERNET_KEY is no text (UTF-8)"
        )
    );
}

#[test]
fn the_key_of_a_field_is_base64_and_the_digest_a_word() {
    let cases = vectors("django-cryptography");
    for (id, options) in [
        ("field-key-32", "field_keys = ['env:K']"),
        ("digest-md5", "digest = 'md5'"),
    ] {
        let case = cases.iter().find(|case| case["id"] == id).unwrap();
        let options = format!("kind = 'django-cryptography'\nsecrets = ['env:S']\n{options}");
        let manifest = Manifest::parse(&with(&format!("[codecs.x]\n{options}"))).unwrap();
        let mut secrets = Secrets::new();
        for want in manifest.wants_of("x").unwrap() {
            let content = match want.name.as_str() {
                "S" => &case["secrets"][0],
                _ => &case["field_keys"][0],
            };
            secrets.give(&want, content.as_str().unwrap());
        }
        let codec = manifest.codec("x", &secrets).unwrap().codec;
        let stored = base64(case, "ciphertext_b64");
        let opened = codec.open(Stored::Bytes(&stored), &Context::new()).unwrap();
        assert_eq!(*opened.plaintext, b"hello", "{id}");
    }
    let field = "kind = 'django-cryptography'\nsecrets = ['env:S']\nfield_keys = ['env:K']";
    for (key, code) in [
        (BAD, ErrorCode::InvalidKey),
        ("aGVsbG8=", ErrorCode::InvalidKey),
        (
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
            ErrorCode::FormatUnsupported,
        ),
    ] {
        let error = build_error(field, &[("S", "a secret"), ("K", key)]);
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.to_string().contains(key), "{error}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let (manifest, secrets) = everything();
    let columns = manifest.build(&secrets).unwrap();
    let shown = format!("{manifest:?} {secrets:?} {columns:?}");
    for secret in world().values().filter(|secret| secret.len() > 2) {
        assert!(!shown.contains(secret.trim()), "{secret}");
    }
    assert_eq!(
        format!("{secrets:?}"),
        "Secrets(21 contents and 3 rings, hidden)"
    );
}

/// One final line feed of a file is no part of the secret, and everything else is.
#[test]
fn secrets_reach_a_codec_verbatim() {
    let text = "version = 1\n[codecs.a]\nkind = 'n8n'\ninstance_keys = ['env:K']\nexpect = 'utf8'\n[codecs.b]\nkind = 'n8n'\ninstance_keys = ['file:k']\nexpect = 'utf8'";
    let manifest = Manifest::parse(text).unwrap();
    let codec = |name: &str, content: &str| {
        let mut secrets = Secrets::new();
        secrets.give(&manifest.wants_of(name).unwrap()[0], content);
        manifest.codec(name, &secrets).unwrap().codec
    };
    // Sealed with `test_key`.
    let stored = Stored::Text("U2FsdGVkX194VEoX27o3+y5jUd1JTTmVwkOKjVhB6Jg=");
    let opens = |name: &str, content: &str| {
        let opened = codec(name, content).open(stored, &Context::new());
        opened.is_ok_and(|opened| *opened.plaintext == b"random-string")
    };
    assert!(opens("a", "test_key") && opens("b", "test_key") && opens("b", "test_key\n"));
    assert!(!opens("a", "test_key\n") && !opens("b", "test_key\n\n") && !opens("b", " test_key"));
}

#[test]
fn keyrings_from_their_sources() {
    let now = Timestamp::from_unix(1_800_000_000).unwrap();
    let key = |key_use| Key::generate(key_use, &mut OsEntropy).unwrap();
    let (data, kek) = (key(KeyUse::Data), key(KeyUse::Kek));
    let mut keyset =
        Keyset::create(NewKek::key(kek.clone()).unwrap(), 0, now, &mut OsEntropy).unwrap();
    keyset.introduce(data.clone(), "first", now).unwrap();
    let document = keyset.save(now, &mut OsEntropy).unwrap();

    let source = |options: &str| {
        let text = format!("version = 1\n[codecs.x]\nkind = 'reseal'\n{options}");
        Manifest::parse(&text).unwrap().rings()[0].source.clone()
    };
    let variable = |name: &str| match name {
        "KEK" => Some(kek.export().to_string()),
        "DATA" => Some(data.export().to_string()),
        _ => None,
    };
    let paths =
        |wants: Vec<SourceWant>| wants.into_iter().map(|want| want.path).collect::<Vec<_>>();
    let file = |name: &str, content: &str| SourceFile {
        name: name.into(),
        content: Zeroizing::new(content.as_bytes().to_vec()),
    };

    let mut given = source("keyring = 'keyset:k.json'\nkek = 'env:KEK'")
        .source(variable)
        .unwrap();
    assert_eq!(paths(given.wants()), ["k.json"]);
    let loaded = given
        .load(&[vec![file("k.json", &document)]], |_, _| {
            panic!("there is no passphrase")
        })
        .unwrap();
    assert!(loaded.ring.is_some());
    let in_file = source("keyring = 'keyset:k.json'\nkek = 'file:kek'")
        .source(variable)
        .unwrap();
    assert_eq!(paths(in_file.wants()), ["k.json", "kek"]);
    let passphrase = source("keyring = 'keyset:k.json'\npassphrase = 'file:p'")
        .source(variable)
        .unwrap();
    assert_eq!(paths(passphrase.wants()), ["k.json", "p"]);

    let mut directory = source("keyring = 'dir:/keys'\nprimary = 'a'")
        .source(variable)
        .unwrap();
    assert_eq!(paths(directory.wants()), ["/keys"]);
    let ring = directory
        .load(&[vec![file("a", &data.export())]], |_, _| {
            panic!("there is no passphrase")
        })
        .unwrap()
        .ring;
    assert_eq!(ring.unwrap().primary_id(), Some(data.id()));

    for (options, code) in [
        ("keyring = 'env'", ErrorCode::SourceMissing),
        (
            "keyring = 'keyset:k'\nkek = 'env:NONE'",
            ErrorCode::SourceMissing,
        ),
        (
            "keyring = 'keyset:k'\npassphrase = 'env:NONE'",
            ErrorCode::SourceMissing,
        ),
        (
            "keyring = 'keyset:k'\nkek = 'env:DATA'",
            ErrorCode::KeyWrongUse,
        ),
    ] {
        assert_eq!(
            source(options).source(variable).unwrap_err().code(),
            code,
            "{options}"
        );
    }
    let other = source("keyring = 'keyset:k.json'\nkek = 'env:KEK'\nmin_generation = 9");
    let mut outdated = other.source(variable).unwrap();
    let error = outdated
        .load(&[vec![file("k.json", &document)]], |_, _| {
            panic!("there is no passphrase")
        })
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeysetOutdated);
}

#[test]
fn mode_and_index_of_a_column() {
    let text = with(&column(
        "mode = 'deterministic'\nindexes = [{ name = 'eq', column = 'b', bits = 64 }]",
    ));
    let manifest = Manifest::parse(&text).unwrap();
    let secrets = secrets(&manifest, &BTreeMap::new());
    let columns = manifest.build(&secrets).unwrap();
    let mut entropy = OsEntropy;
    let mut fresh = fresh(&mut entropy, 1);
    let mut seal = || {
        columns[0]
            .seal(b"x", &Context::new(), Form::Text, &mut fresh)
            .unwrap()
    };
    assert_eq!(seal(), seal());
    let spec = &manifest.columns()[0];
    assert_eq!(
        (spec.mode, spec.index_codec()),
        (Mode::Deterministic, Some("app"))
    );
    let term = ring()
        .index_term(b"x", &spec.fixed_context(), &spec.indexes[0].index)
        .unwrap();
    assert!(term.starts_with("rx1."));
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
