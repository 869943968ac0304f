//! Nothing that is printed holds a secret, and what is shared may be shared.

use crate::common::{context, key};
use reseal::{
    Argon2id, BlindIndex, Context, Expect, Key, KeyUse, Keyring, Keyset, KeysetDocument, Mode,
    NewKek, Normalizer, OsEntropy, Source, SourceFile, Timestamp, Unlock, Zeroizing,
};

#[test]
fn debug_output_is_as_it_was_approved() {
    let data = Key::from_bytes(KeyUse::Data, &[1; 32]).unwrap();
    let index = Key::from_bytes(KeyUse::Index, &[2; 32]).unwrap();
    let ring = Keyring::builder()
        .primary(data.clone())
        .decrypt_only(index.clone())
        .build()
        .unwrap();
    let field = ring.field(context(), Mode::Padded);
    let blind = BlindIndex::new("email_eq", Normalizer::Digits, 64).unwrap();
    let (id, index_id) = (data.id(), index.id());
    for (shown, expected) in [
        (format!("{data:?}"), format!("Key(data, {id})")),
        (
            format!("{:?}", context()),
            r#"Context{"column", "table"}"#.to_owned(),
        ),
        (
            format!("{field:?}"),
            r#"Field(Context{"column", "table"}, padded)"#.to_owned(),
        ),
        (
            format!("{blind:?}"),
            "BlindIndex(email_eq, digits, 64 bits)".to_owned(),
        ),
        (
            format!(
                "{:?}",
                ring.seal_batch(0, Mode::Random, OsEntropy, |batch| format!("{batch:?}"))
            ),
            format!("Ok(\"SealBatch({id}, random)\")"),
        ),
        (
            format!("{:?}", Keyring::builder().primary(data)),
            format!(
                "KeyringBuilder {{ keys: [(Key(data, {id}), Primary)], destroyed: [], labels: {{}} }}"
            ),
        ),
        (
            format!("{:?}", reseal::OpenBatch::new(&ring)),
            "OpenBatch(hidden)".to_owned(),
        ),
        (
            format!("{:?}", reseal::ContextValue::from("x")),
            "ContextValue(hidden)".to_owned(),
        ),
    ] {
        assert_eq!(shown, expected);
    }
    let shown = format!("{ring:?}");
    assert!(shown.contains(&format!("data {id} primary")), "{shown}");
    assert!(
        shown.contains(&format!("index {index_id} decrypt_only")),
        "{shown}"
    );
}

#[test]
fn no_debug_output_holds_key_bytes() {
    let key = key(KeyUse::Data);
    let body = key.export()["rsk1.data.".len()..].to_owned();
    let ring = Keyring::builder().primary(key.clone()).build().unwrap();
    for shown in [
        format!("{key:?} {ring:?} {ring:#?}"),
        format!("{:?}", Key::parse(&body)),
    ] {
        assert!(
            (0..body.len() - 6).all(|at| !shown.contains(&body[at..at + 6])),
            "{shown}"
        );
    }
}

#[test]
fn no_debug_output_of_a_keyset_holds_a_secret() {
    let now = Timestamp::from_unix(0).unwrap();
    let (data, kek) = (key(KeyUse::Data), key(KeyUse::Kek));
    let new = NewKek::key(kek.clone()).unwrap();
    let mut shown = vec![format!("{new:?}")];
    let mut keyset = Keyset::create(new, 0, now, &mut OsEntropy).unwrap();
    keyset.introduce(data.clone(), "label", now).unwrap();
    let text = keyset.save(now, &mut OsEntropy).unwrap();
    let document = KeysetDocument::parse(text.as_bytes());
    shown.push(format!("{keyset:?} {document:?}"));
    let passphrase = || Unlock::Passphrase(Zeroizing::new(b"correct horse".to_vec()));
    for unlock in [passphrase(), Unlock::Kek(kek.clone())] {
        shown.push(format!("{unlock:?}"));
        let source = Source::keyset("k", unlock, Expect::default());
        shown.push(format!("{source:?}"));
    }
    let shown = shown.concat();
    assert!(!shown.contains("horse"));
    for secret in [data, kek] {
        let body = &secret.export()["rsk1.data".len()..];
        assert!(
            (1..body.len() - 6).all(|at| !shown.contains(&body[at..at + 6])),
            "{shown}"
        );
    }
}

/// Whoever has the keyset and what was printed must not guess the passphrase faster than by Argon2id.
#[test]
fn no_debug_output_of_a_source_depends_on_the_passphrase() {
    let now = Timestamp::from_unix(0).unwrap();
    let kek = key(KeyUse::Kek);
    let argon2id = Argon2id::generate(&mut OsEntropy).unwrap();
    let new = NewKek::derived(kek.clone(), argon2id).unwrap();
    let mut keyset = Keyset::create(new, 0, now, &mut OsEntropy).unwrap();
    let id = keyset.introduce(key(KeyUse::Data), "label", now).unwrap();
    let text = keyset.save(now, &mut OsEntropy).unwrap();
    let file = |content: &str| {
        vec![SourceFile {
            name: "f".to_owned(),
            content: Zeroizing::new(content.as_bytes().to_vec()),
        }]
    };
    let shown = ["correct horse", "battery staple"].map(|passphrase| {
        let given = Zeroizing::new(passphrase.as_bytes().to_vec());
        let in_file = Unlock::PassphraseFile("p".to_owned());
        let both = [
            (in_file, vec![file(&text), file(passphrase)]),
            (Unlock::Passphrase(given), vec![file(&text)]),
        ];
        both.map(|(unlock, contents)| {
            let mut source = Source::keyset("k", unlock, Expect::default()).unwrap();
            let loaded = source.load(&contents, |_, _| Ok(kek.clone())).unwrap();
            assert!(loaded.ring.unwrap().keys().any(|key| key.id == id));
            let shown = format!("{source:?}");
            assert!(!shown.contains(&kek.id().to_string()), "{shown}");
            shown
        })
    });
    assert_eq!(shown[0], shown[1]);
}

#[test]
fn auth_failed_is_one_error_whatever_the_reason() {
    let [one, two] = [key(KeyUse::Data), key(KeyUse::Data)];
    let ctx = context();
    let ring = |key: &Key| Keyring::builder().primary(key.clone()).build().unwrap();
    let open = |stored: &[u8], ctx: &Context| ring(&one).open_binary(stored, ctx).unwrap_err();
    let seal = |mode| {
        ring(&one)
            .seal_binary(b"value", &ctx, mode, &mut OsEntropy)
            .unwrap()
    };
    let [random, deterministic, padded] =
        [Mode::Random, Mode::Deterministic, Mode::Padded].map(seal);
    let changed = |mut stored: Vec<u8>, at: usize, to: u8| {
        stored[at] ^= to;
        stored
    };
    let foreign = ring(&two)
        .seal(b"value", &ctx, Mode::Random, &mut OsEntropy)
        .unwrap();
    let foreign = foreign.replace(&two.id().to_string(), &one.id().to_string());
    let errors = [
        open(&changed(random.clone(), 30, 1), &ctx),
        open(&changed(random.clone(), 55, 1), &ctx),
        open(&changed(random.clone(), 70, 1), &ctx),
        open(&changed(deterministic.clone(), 30, 1), &ctx),
        open(&changed(random.clone(), 25, 3), &ctx),
        open(&changed(padded, 25, 2), &ctx),
        open(&deterministic, &Context::new()),
        ring(&one).open(&foreign, &ctx).unwrap_err(),
    ];
    for error in &errors {
        assert_eq!(
            (error.code(), error.message()),
            (errors[0].code(), errors[0].message())
        );
        assert_eq!(error.code().as_str(), "auth-failed");
    }
}

#[test]
fn rings_and_keys_may_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Keyring>();
    shared::<Key>();
    shared::<Context>();
    shared::<reseal::Error>();
}
