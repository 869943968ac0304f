//! Keyrings from their sources.

use reseal::{
    ErrorCode, Key, KeyUse, Keyset, NewKek, OsEntropy, SourceFile, Timestamp, Want as SourceWant,
    Zeroizing, manifest::Manifest,
};

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
