//! Each check with its message.

use super::{column, problems, told, with};
use proptest::prelude::*;
use reseal::{
    ErrorCode,
    manifest::{MAX_MANIFEST_BYTES, Manifest},
};

/// The only problem of a manifest begins so.
fn one(text: &str, begin: &str) {
    let found = told(problems(text).list());
    assert!(
        found.len() == 1 && found[0].starts_with(begin),
        "{found:#?}\nand not {begin}\nin {text}"
    );
}

fn one_of_column(members: &str, begin: &str) {
    one(&with(&column(members)), &format!("columns[0].{begin}"));
}

fn one_of_codec(options: &str, begin: &str) {
    one(
        &with(&format!("[codecs.x]\n{options}")),
        &format!("codecs.x{begin}"),
    );
}

fn warned(text: &str) -> Vec<String> {
    told(Manifest::parse(text).unwrap().warnings())
}

#[test]
fn the_text_itself() {
    let no_toml = Manifest::parse("version = 1\nx = [1,\ny").unwrap_err();
    assert_eq!(no_toml.code(), ErrorCode::ManifestInvalid);
    let message = no_toml.message();
    assert!(
        message.starts_with("the manifest is not valid: line 3, column 2: this is no TOML:"),
        "{message}"
    );
    assert_eq!(
        problems("version = 1\n\u{e9}\u{e9} = 1").list()[0].column,
        1
    );
    one(
        "version = 1\nversion = 1",
        ": this is no TOML: duplicate key",
    );
    one(
        &" ".repeat(MAX_MANIFEST_BYTES + 1),
        ": a manifest has at most 1048576 bytes",
    );
    assert!(
        Manifest::parse(&format!(
            "version = 1{}",
            " ".repeat(MAX_MANIFEST_BYTES - 11)
        ))
        .is_ok()
    );

    assert!(Manifest::parse("\u{feff}version = 1\r\n").is_ok());
    one("", "version: it is missing: write version = 1");
    one("version = 'one'", "version: expected a whole number");
    one("version = -1", "version: expected a whole number");
    one(
        "version = 99999999999999999999",
        "version: expected a whole number",
    );
    let other = Manifest::parse("version = 2\nnew = 1").unwrap_err();
    assert_eq!(other.code(), ErrorCode::UnsupportedVersion);
    assert!(
        other
            .message()
            .contains("version: this release reads manifests of version 1")
    );
}

#[test]
fn unknown_members_and_words_by_name() {
    one(
        "version = 1\ncolums = []",
        r#"colums: there is no member "colums" of the manifest; did you mean "columns"?"#,
    );
    one(
        "version = 1\nzzz = 1",
        r#"zzz: there is no member "zzz" of the manifest: it is one of version, codecs, columns"#,
    );
    one_of_codec(
        "kind = 'rails'\nprimary_key = ['env:A']\nprimary_keys = ['env:A']\nkey_derivation_salt = 'env:S'",
        r#".primary_key: there is no member "primary_key" of a rails codec; did you mean "primary_keys"?"#,
    );
    one_of_codec(
        "kind = 'fernett'",
        r#".kind: there is no kind of codec "fernett"; did you mean "fernet"?"#,
    );
    one_of_codec(
        "kind = 'vault'",
        r#".kind: there is no kind of codec "vault": it is one of reseal, "#,
    );
    one_of_codec("", ".kind: it is missing: write kind = \"reseal\"");
    one_of_column(
        "write = 'ap'",
        r#"write: there is no codec "ap"; did you mean "app"?"#,
    );
    one_of_column(
        "read = ['app', 'rails']",
        r#"read[1]: there is no codec "rails": it is one of app, plain, tokens"#,
    );
    one_of_column(
        "mode = 'determinstic'",
        r#"mode: there is no mode "determinstic"; did you mean "deterministic"?"#,
    );
    one_of_column(
        "type = 'string'",
        r#"type: there is no type "string": it is one of text, "#,
    );
    one_of_column(
        "readers = { billing = ['rail'] }",
        r#"readers.billing[0]: there is no kind of codec "rail"; did you mean "rails"?"#,
    );
    one_of_column(
        "indexes = [{ name = 'a', column = 'b', bits = 8, normaliser = 'raw' }]",
        r#"indexes[0].normaliser: there is no member "normaliser" of an index; did you mean "normalizer"?"#,
    );
    one_of_column(
        "bind_rows = true",
        r#"bind_rows: there is no member "bind_rows" of a column; did you mean "bind_row"?"#,
    );
}

#[test]
fn every_problem_at_once_in_the_order_of_the_text() {
    let text = with(&format!(
        "{}{}",
        column("mode = 'x'\nwrite = 'ap'"),
        column("column = 'b'\nbind_row = 'yes'\nzz = 1")
    ));
    let found = problems(&text);
    let places: Vec<&str> = found
        .list()
        .iter()
        .map(|problem| problem.place.as_str())
        .collect();
    assert_eq!(
        places,
        [
            "columns[0].mode",
            "columns[0].write",
            "columns[1].bind_row",
            "columns[1].zz"
        ]
    );
    assert!(found.list().is_sorted_by_key(|problem| problem.line));
    let message = Manifest::parse(&text).unwrap_err().message().to_owned();
    assert_eq!(message.lines().count(), 5, "{message}");
    assert!(
        message.contains(
            "\n- columns[0].write: there is no codec \"ap\"; did you mean \"app\"? (line 10)"
        ),
        "{message}"
    );

    let many = problems(&format!("version = 1\n{}", "[[columns]]\n".repeat(1000)));
    assert_eq!((many.list().len(), many.has_more()), (20, true));
    assert!(many.to_string().ends_with("\n- and more"));
}

#[test]
fn secrets_are_named_and_never_shown() {
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ=";
    let key = "rsk1.data.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for secret in [
        secret,
        key,
        "env:",
        "env:A-B",
        "env:1A",
        "file:",
        "",
        "ENV:A",
        "file:rsk1.data.AAAA",
        "hunter2",
    ] {
        for options in [
            format!("kind = 'fernet'\nkeys = ['{secret}']"),
            format!("kind = 'freeboard'\nkeys = ['env:A', '{secret}']"),
            format!("kind = 'rails'\nprimary_keys = ['env:A']\nkey_derivation_salt = '{secret}'"),
            format!("kind = 'sentry'\nkeys = {{ a = '{secret}' }}\nprimary = 'a'"),
            format!("kind = 'metabase'\nkeys = ['{secret}']"),
            format!("kind = 'n8n'\ncustom_key = '{secret}'"),
            format!("kind = 'n8n'\ninstance_keys = ['env:A']\nrows = '{secret}'"),
            format!("kind = 'reseal'\nkeyring = 'keyset:k'\nkek = '{secret}'"),
            format!("kind = 'reseal'\nkeyring = 'keyset:k'\npassphrase = '{secret}'"),
        ] {
            let problems = problems(&with(&format!("[codecs.x]\n{options}")));
            let shown = format!("{problems} {problems:?}");
            assert!(shown.contains("is not shown"), "{shown}");
            assert!(secret.len() < 7 || !shown.contains(secret), "{shown}");
        }
    }
    // Nor where a secret stands in the place of something else.
    let long = "uhtk2DYS80OweAPnMLtrV2FhYIXaceAy";
    for secret in [long, key] {
        for text in [
            with(&format!("[codecs.x]\nkind = '{secret}'")),
            with(&format!("[codecs.x]\nkind = 'fernet'\nkeys = '{secret}'")),
            with(&format!(
                "[codecs.x]\nkind = 'fernet'\nkeys = ['env:A']\nlenient = '{secret}'"
            )),
            with(&format!(
                "[codecs.x]\nkind = 'reseal'\nkeyring = '{secret}'"
            )),
            with(&format!(
                "[codecs.x]\nkind = 'reseal'\nkeyring = 'env'\nprimary = '{secret}'"
            )),
            with(&format!(
                "[codecs.x]\nkind = 'rails'\nprimary_keys = ['env:A']\nkey_derivation_salt = 'env:A'\ndigests = ['{secret}']"
            )),
            with(&column(&format!("write = '{secret}'"))),
            with(&column(&format!("mode = '{secret}'"))),
            with(&column(&format!("row_id = {secret}"))),
        ] {
            let problems = problems(&text);
            let shown = format!("{problems} {problems:?}");
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

const OPTIONS: &[(&str, &str)] = &[
    (
        "kind = 'fernet'",
        ".keys: it is missing: write keys = [\"env:NAME\"]",
    ),
    ("kind = 'fernet'\nkeys = []", ".keys: the list is empty"),
    (
        "kind = 'fernet'\nkeys = 'env:A'",
        ".keys: expected a list in brackets",
    ),
    (
        "kind = 'fernet'\nkeys = [1]",
        ".keys[0]: expected text in quotes",
    ),
    (
        "kind = 'fernet'\nkeys = ['env:A']\nlenient = 1",
        ".lenient: expected true or false",
    ),
    (
        "kind = 'django-fernet'\nsecrets = ['env:A']",
        ".salts: it is missing: write salts = [\"env:NAME\"]",
    ),
    (
        "kind = 'django-fernet'\nsalts = ['env:A']",
        ".secrets: it is missing",
    ),
    ("kind = 'fernet-fields'", ".secrets: it is missing"),
    (
        "kind = 'fernet-fields'\nsecrets = ['env:A']\nprefix = 'x'\nhkdf = false",
        ".prefix: without hkdf nothing is derived",
    ),
    (
        "kind = 'fernet-fields'\nsecrets = ['env:A']\nkeys = ['env:A']",
        ".keys: there is no member",
    ),
    ("kind = 'django-cryptography'", ".secrets: it is missing"),
    (
        "kind = 'django-cryptography'\nsecrets = ['env:A']\nsalt = 'a salt'",
        ".salt: a secret is named",
    ),
    (
        "kind = 'django-cryptography'\nsecrets = ['env:A']\nfield = 'date'",
        ".field: there is no field of django-cryptography \"date\"",
    ),
    (
        "kind = 'django-cryptography'\nsecrets = ['env:A']\nlenient = true",
        ".lenient: there is no member",
    ),
    (
        "kind = 'django-cryptography'\nsecrets = ['env:A']\ndigest = 'sha384'",
        ".digest: there is no digest of django-cryptography \"sha384\"",
    ),
    (
        "kind = 'django-cryptography'\nsecrets = ['env:A']\nfield_keys = ['env:B']\nsalt = 'env:C'",
        ".salt: the keys of a field are not derived: leave it out",
    ),
    (
        "kind = 'django-cryptography'\nsecrets = ['env:A']\nfield_keys = ['env:B']\ndigest = 'md5'",
        ".digest: the keys of a field are not derived: leave it out",
    ),
    ("kind = 'sqlalchemy-utils'", ".keys: it is missing"),
    (
        "kind = 'sqlalchemy-utils'\nkeys = ['env:A']\nengine = 'des'",
        ".engine: there is no engine of SQLAlchemy-Utils \"des\"",
    ),
    (
        "kind = 'sqlalchemy-utils'\nkeys = ['env:A']\npadding = 'none'",
        ".padding: there is no padding of SQLAlchemy-Utils \"none\"",
    ),
    (
        "kind = 'sqlalchemy-utils'\nkeys = ['env:A']\nengine = 'aes-gcm'\npadding = 'pkcs5'",
        ".padding: only the engine aes has it",
    ),
    (
        "kind = 'sqlalchemy-utils'\nkeys = ['env:A']\nengine = 'fernet'\nexpect = 'utf8'",
        ".expect: only the engine aes has it",
    ),
    (
        "kind = 'plain'",
        ": the codec of kind plain is named plain, and no other one is",
    ),
    (
        "kind = 'sentry'\nprimary = 'a'",
        ".keys: write keys = { id = \"env:NAME\" } or key_dir = \"PATH\", one of them",
    ),
    (
        "kind = 'sentry'\nkeys = { a = 'env:A' }\nkey_dir = 'd'\nprimary = 'a'",
        ".keys: write keys = { id",
    ),
    (
        "kind = 'sentry'\nkeys = { a = 'env:A' }\nprimary = 'b'",
        ".primary: keys has no key with the id \"b\"",
    ),
    (
        "kind = 'sentry'\nkeys = { a = 'env:A' }",
        ".primary: it is missing",
    ),
    (
        "kind = 'sentry'\nkeys = { a = 'env:A' }\nprimary = 'a'\nfield = 'xml'",
        ".field: there is no field of Sentry \"xml\": it is one of text, json",
    ),
    (
        "kind = 'rails'\nprimary_keys = ['env:A']",
        ".key_derivation_salt: it is missing",
    ),
    (
        "kind = 'rails'\nkey_derivation_salt = 'env:S'",
        ".primary_keys: it is missing",
    ),
    (
        "kind = 'rails'\nkey_derivation_salt = 'env:S'\ndeterministic_keys = ['env:A']",
        ".primary_keys: it is missing: write deterministic = true",
    ),
    (
        "kind = 'rails'\nkey_derivation_salt = 'env:S'\ndeterministic = true\ndeterministic_keys = ['env:A', 'env:B']",
        ".deterministic_keys: Rails takes one",
    ),
    (
        "kind = 'rails'\nkey_derivation_salt = 'env:S'\ndeterministic = true\ndeterministic_keys = ['env:A']\nenvelope = true",
        ".envelope: a value in an envelope",
    ),
    (
        "kind = 'rails'\nkey_derivation_salt = 'env:S'\nprimary_keys = ['env:A']\ndigests = ['md5']",
        ".digests[0]: there is no digest of Rails \"md5\"",
    ),
    (
        "kind = 'rails'\nkey_derivation_salt = 'env:S'\nprimary_keys = ['env:A']\nprevious = [{ primary_keys = ['env:B'] }]",
        ".previous[0].key_derivation_salt: it is missing",
    ),
    (
        "kind = 'rails'\nkey_derivation_salt = 'env:S'\nprimary_keys = ['env:A']\nprevious = [{ primary_keys = ['env:B'], key_derivation_salt = 'env:S', lenient = true }]",
        ".previous[0].lenient: there is no member \"lenient\" of a previous scheme",
    ),
    (
        "kind = 'metabase'\nkeys = ['env:A']\naad = 'a{b'",
        ".aad: an aad is text with names",
    ),
    (
        "kind = 'metabase'\nkeys = ['env:A']\naad = 'a{B}'",
        ".aad: an aad is text with names",
    ),
    (
        "kind = 'metabase'\nkeys = ['env:A']\naad = ''",
        ".aad: an aad is text with names",
    ),
    (
        "kind = 'metabase'\nkeys = ['env:A']\nexpect = 'xml'",
        ".expect: there is no kind of plaintext to expect \"xml\": it is one of json, utf8",
    ),
    (
        "kind = 'metabase'\nkeys = ['env:A']\nexpect = 'utf8'",
        ".expect: it is for streams: write streams = true, or leave it out",
    ),
    (
        "kind = 'metabase'\nkeys = ['env:A']\ndata_keys = 'table:r'\naad = 'a'",
        ".data_keys: no stream is under them, and nothing with an aad",
    ),
    (
        "kind = 'metabase'\nkeys = ['env:A']\ndata_keys = 'table:r'\nstreams = true\nexpect = 'json'",
        ".data_keys: no stream is under them, and nothing with an aad",
    ),
    (
        "kind = 'metabase'\nkeys = ['env:A']\ndata_keys = 'table:'",
        ".data_keys: this is no name of a table",
    ),
    ("kind = 'n8n'", ".instance_keys: it is missing"),
    (
        "kind = 'n8n'\ninstance_keys = ['env:A']\nwrite = 'prefixed'",
        ".rows: it is missing",
    ),
    (
        "kind = 'n8n'\ninstance_keys = ['env:A']\ncustom_key = 'env:B'",
        ".custom_key: an export has its custom key alone",
    ),
    ("kind = 'reseal'", ".keyring: it is missing"),
    (
        "kind = 'reseal'\nkeyring = 'vault'",
        ".keyring: a keyring is env, dir:PATH, keyset:PATH or sql:RING; what stands here is not shown",
    ),
    (
        "kind = 'reseal'\nkeyring = 'dir:/keys'",
        ".primary: it is missing: write the name of the file",
    ),
    (
        "kind = 'reseal'\nkeyring = 'dir:'\nprimary = 'a'",
        ".keyring: this is no path",
    ),
    (
        "kind = 'reseal'\nkeyring = 'keyset:/k'",
        ".kek: a keyset is opened by kek",
    ),
    (
        "kind = 'reseal'\nkeyring = 'keyset:/k'\nkek = 'env:A'\npassphrase = 'env:B'",
        ".kek: a keyset is opened by kek",
    ),
    (
        "kind = 'reseal'\nkeyring = 'keyset:/k'\nkek = 'env:A'\nring = 'x'",
        ".ring: a ring id is 26 characters",
    ),
    (
        "kind = 'reseal'\nkeyring = 'keyset:/k'\nkek = 'env:A'\nmin_generation = -1",
        ".min_generation: expected a whole number",
    ),
    (
        "kind = 'reseal'\nkeyring = 'sql:'",
        ".kek: a keyset is opened by kek",
    ),
    (
        "kind = 'reseal'\nkeyring = 'sql:users'\nkek = 'env:A'",
        ".keyring: a ring id is 26 characters",
    ),
    (
        "kind = 'reseal'\nkeyring = 'env'\nkek = 'env:A'",
        ".kek: it counts with keyring = \"keyset:PATH or sql:RING\", and this one is env",
    ),
    (
        "kind = 'reseal'\nkeyring = 'keyset:/k'\nkek = 'env:A'\nprimary = 'a'",
        ".primary: it counts with keyring = \"dir:PATH\", and this one is keyset",
    ),
];

#[test]
fn options_of_codecs() {
    for (options, begin) in OPTIONS {
        one_of_codec(options, begin);
    }
    one(
        &with("[codecs.'my codec']\nkind = 'fernet'\nkeys = ['env:A']"),
        "codecs.\"my codec\": the name of a codec has 1 to 64",
    );
    one(
        &with("[codecs.plain]\nkind = 'fernet'\nkeys = ['env:A']"),
        "codecs.plain: the codec of kind plain is named plain",
    );
    one("version = 1\ncodecs = 1", "codecs: expected a table");
    assert!(Manifest::parse(&with("[codecs.plain]\nkind = 'plain'")).is_ok());
}

const MEMBERS: &[(&str, &str)] = &[
    ("table = ''", "table: this is no name of a table or column"),
    ("column = 1", "column: expected text in quotes"),
    ("row_id = 'id'", "row_id: expected a list in brackets"),
    ("row_id = []", "row_id: the list is empty"),
    ("row_id = ['a', 'a']", "row_id[1]: \"a\" is there twice"),
    ("row_id = ['ssn']", "row_id: a sealed column is no row id"),
    ("where = ' '", "where: this is no condition of SQL"),
    (
        "path = '$.a'",
        "path: a path leads into JSON: write type = \"json\"",
    ),
    ("path = 'a'\ntype = 'json'", "path: a path begins with $"),
    ("path = '$'\ntype = 'json'", "path: a path begins with $"),
    (
        "context = { Table = 'x' }",
        "context.Table: a context name is 1 to 32",
    ),
    (
        "context = { rs_a = 'x' }",
        "context.rs_a: context names that begin with rs_ are reserved",
    ),
    (
        "context = { tenant = 1 }",
        "context.tenant: expected text in quotes",
    ),
    (
        "context = { tenant = {} }",
        "context.tenant.column: it is missing",
    ),
    (
        "context = { tenant = { colum = 'a', column = 'b' } }",
        "context.tenant.colum: there is no member \"colum\" of a fact of the row; did you mean \"column\"?",
    ),
    (
        "context = { row = 'x' }\nbind_row = true",
        "context: the context has row twice",
    ),
    (
        "context = { it = { column = 'ssn' } }",
        "context: it is the sealed column itself",
    ),
    (
        "bind_row = true\nmode = 'deterministic'",
        "bind_row: in mode deterministic equal values",
    ),
    (
        "bind_row = true\nrow_id = ['a', 'b']",
        "bind_row: it binds a row id of one column",
    ),
    (
        "earlier_contexts = [{ a = { column = 'b' } }]",
        "earlier_contexts[0].a: an earlier context has fixed text alone",
    ),
    (
        "earlier_contexts = [{ row = 'x' }]\nbind_row = true",
        "earlier_contexts: row is a fact of the row",
    ),
    (
        "earlier_contexts = [{ A = 'x' }]",
        "earlier_contexts[0].A: a context name is",
    ),
    ("read = ['app', 'app']", "read[1]: \"app\" is there twice"),
    (
        "indexes = [{ name = 'a', column = 'b', bits = 7 }]",
        "indexes[0]: a blind index keeps 8 to 256 bits",
    ),
    (
        "indexes = [{ name = 'A', column = 'b', bits = 64 }]",
        "indexes[0]: an index name is 1 to 32",
    ),
    (
        "indexes = [{ name = 'a', column = 'b' }]",
        "indexes[0].bits: it is missing: write bits = 64",
    ),
    (
        "indexes = [{ name = 'a', column = 'ssn', bits = 64 }]",
        "indexes: an index has a column of its own, and ssn is",
    ),
    (
        "indexes = [{ name = 'a', column = 'id', bits = 64 }]",
        "indexes: an index has a column of its own, and id is another one",
    ),
    (
        "indexes = [{ name = 'a', column = 'b', bits = 64 }]\ncontext = { it = { column = 'b' } }",
        "indexes: an index has a column of its own, and b is another one",
    ),
    (
        "indexes = [{ name = 'a', column = 'b', bits = 64 }, { name = 'b', column = 'b', bits = 64 }]",
        "indexes: two indexes have the column b",
    ),
    (
        "indexes = [{ name = 'a', column = 'b', bits = 64 }, { name = 'a', column = 'c', bits = 64 }]",
        "indexes: two indexes have the name a",
    ),
    (
        "indexes = [{ name = 'a', column = 'b', bits = 64 }]\nwrite = 'tokens'",
        "indexes: the ring of a reseal codec makes the terms",
    ),
];

#[test]
fn members_of_columns() {
    for (members, begin) in MEMBERS {
        one_of_column(members, begin);
    }
    let pairs: Vec<String> = (0..17).map(|at| format!("c{at} = 'x'")).collect();
    let context = pairs.join(", ");
    one_of_column(
        &format!("context = {{ {context} }}"),
        "context: a context has at most 16 pairs",
    );
    one(
        "version = 1\n[[columns]]\ncolumn = 'a'\nrow_id = ['b']\nwrite = 'plain'",
        "columns[0].table: it is missing: write table = \"users\"",
    );
}

#[test]
fn codecs_and_columns_together() {
    let sentry = |field: &str, id: &str| {
        format!(
            "[codecs.sentry]\nkind = 'sentry'\nkeys = {{ '{id}' = 'env:A' }}\nprimary = '{id}'\nfield = '{field}'\n"
        )
    };
    for (codec, members, begin) in [
        (
            sentry("text", "a:b"),
            "write = 'sentry'",
            "write: the codec sentry cannot write: Sentry cannot read",
        ),
        (
            sentry("json", "a"),
            "write = 'sentry'",
            "type: the codec sentry writes JSON alone",
        ),
        (
            sentry("text", "a"),
            "write = 'sentry'\ntype = 'bytes'",
            "type: the codec sentry writes text alone, and no bytes",
        ),
        (
            "[codecs.board]\nkind = 'freeboard'\nkeys = ['env:A']\n".into(),
            "write = 'board'",
            "type: the codec board writes JSON alone",
        ),
        (
            pickled("integer"),
            "write = 'pickled'",
            "type: the codec pickled writes values of one type: write type = \"integer\"",
        ),
        (
            pickled("float"),
            "write = 'pickled'\ntype = 'integer'",
            "type: the codec pickled writes values of one type: write type = \"decimal\"",
        ),
        (
            pickled("boolean"),
            "write = 'pickled'",
            "type: the codec pickled writes values of one type: write type = \"boolean\"",
        ),
        (
            pickled("json"),
            "write = 'pickled'",
            "type: the codec pickled writes JSON alone",
        ),
        (
            pickled("text"),
            "write = 'pickled'\ntype = 'bytes'",
            "type: the codec pickled writes text alone, and no bytes",
        ),
        (
            "[codecs.mb]\nkind = 'metabase'\nkeys = ['env:A']\naad = 'setting.{key}'\n".into(),
            "read = ['mb']",
            "context: the aad of the codec mb needs the name key",
        ),
    ] {
        one(
            &with(&format!("{codec}{}", column(members))),
            &format!("columns[0].{begin}"),
        );
        let read_only = with(&format!("{codec}{}", column("read = ['sentry']")));
        assert!(!codec.contains("sentry") || Manifest::parse(&read_only).is_ok());
    }
    // What is wrong with a codec is told once, and not again by its columns.
    one(
        &with(&format!(
            "[codecs.x]\nkind = 'fernet'\n{}",
            column("write = 'x'\nmode = 'padded'")
        )),
        "codecs.x.keys: it is missing",
    );
}

#[test]
fn the_same_column_twice() {
    let two = |one: &str, other: &str| with(&format!("{}{}", column(one), column(other)));
    one(
        &two("", ""),
        "columns[1].column: columns[0] is the same column, with the same where and path",
    );
    one(
        &two("where = 'a'", "where = 'a'"),
        "columns[1].column: columns[0] is the same column",
    );
    let json = |path: &str| format!("type = 'json'\npath = \"{path}\"");
    one(
        &two(&json("$.a"), &json("$['a']")),
        "columns[1].column: columns[0] is the same column",
    );
    for (one, other) in [("where = 'a'", "where = 'b'"), (&json("$.a"), &json("$.b"))] {
        let warnings = warned(&two(one, other));
        assert!(
            warnings
                .iter()
                .all(|warning| !warning.contains("same column")),
            "{warnings:?}"
        );
    }
    assert!(warned(&two("where = 'a'", "")).contains(&"columns[1].column: columns[0] has rows of the same column: one of the two has no where".to_owned()));
}

#[test]
fn paths_that_overlap() {
    let two = |one: &str, other: &str| with(&format!("{}{}", column(one), column(other)));
    let json = |path: &str| format!("type = 'json'\npath = '{path}'");
    let whole = "type = 'json'".to_owned();
    let filtered = |members: &str, filter: &str| format!("{members}\nwhere = '{filter}'");
    for (first, second) in [
        (json("$.a[*]"), json("$.a[0]")),
        (json("$.a"), json("$.a.b")),
        (json("$.a[3]"), json("$.a[*].b")),
        (whole, json("$.a")),
    ] {
        for (first, second) in [(&first, &second), (&second, &first)] {
            let begin =
                "columns[1].column: columns[0] is the same column, and the two paths overlap";
            one(&two(first, second), begin);
            one(&two(&filtered(first, "a"), &filtered(second, "a")), begin);
            let warns = |text: &str| {
                let warnings = warned(text);
                warnings.iter().any(|warning| {
                    warning.starts_with("columns[1].column: columns[0] has rows of the same column")
                })
            };
            assert!(warns(&two(&filtered(first, "a"), second)));
            assert!(warns(&two(first, &filtered(second, "a"))));
            assert!(!warns(&two(&filtered(first, "a"), &filtered(second, "b"))));
        }
    }
    for (first, second) in [
        ("$.a[0]", "$.a[1]"),
        ("$.a[*].b", "$.a[*].c"),
        ("$.a", "$.ab"),
    ] {
        assert!(Manifest::parse(&two(&json(first), &json(second))).is_ok());
    }
}

#[test]
fn a_column_of_terms_that_is_of_use_otherwise() {
    let two = |one: &str, other: &str| with(&format!("{}{}", column(one), column(other)));
    let indexed = |of: &str, column: &str| {
        format!("column = '{of}'\nindexes = [{{ name = 'eq', column = '{column}', bits = 64 }}]")
    };
    for (member, other) in [
        ("column", "column = 'it'"),
        ("column", "column = 'it'\nwrite = 'plain'"),
        ("row_id", "column = 'mail'\nrow_id = ['it']"),
        (
            "context",
            "column = 'mail'\ncontext = { a = { column = 'it' } }",
        ),
        ("indexes", &indexed("mail", "it")),
    ] {
        let shared = "an index has a column of its own, and it is of columns[0] as well";
        one(
            &two(&indexed("ssn", "it"), other),
            &format!("columns[1].{member}: {shared}"),
        );
        one(
            &two(other, &indexed("ssn", "it")),
            &format!("columns[1].indexes: {shared}"),
        );
        let elsewhere = format!("{other}\ntable = 'people'");
        assert!(Manifest::parse(&two(&indexed("ssn", "it"), &elsewhere)).is_ok());
    }
    // Parts of one column have their terms in one place.
    let part = |filter: &str| format!("{}\nwhere = '{filter}'", indexed("ssn", "it"));
    assert!(Manifest::parse(&two(&part("a"), &part("b"))).is_ok());
}

#[test]
fn a_column_that_depends_on_a_sealed_one() {
    let two = |one: &str, other: &str| with(&format!("{}{}", column(one), column(other)));
    let other = "column = 'mail'";
    let bound = "context = { mail = { column = 'mail' } }";
    one(
        &two(other, bound),
        "columns[1].context: mail is sealed itself, by columns[0]",
    );
    one(
        &two(bound, other),
        "columns[1].column: columns[0] depends on what it holds",
    );
    one(
        &two(other, "row_id = ['mail']"),
        "columns[1].row_id: mail is sealed itself, by columns[0]",
    );
    one(
        &two("row_id = ['mail']", &format!("{other}\nwhere = 'a'")),
        "columns[1].column: columns[0] depends on what it holds",
    );
    // What holds plaintext alone stays as it is, and so does a column of another table.
    for kept in [
        "column = 'mail'\nwrite = 'plain'",
        "column = 'mail'\ntable = 'people'",
    ] {
        assert!(Manifest::parse(&two(bound, kept)).is_ok());
        assert!(Manifest::parse(&two(kept, bound)).is_ok());
    }
}

#[test]
fn keys_of_rails_that_a_scheme_never_uses() {
    let rails = "kind = 'rails'\nkey_derivation_salt = 'env:S'\nprimary_keys = ['env:A']\ndeterministic_keys = ['env:B']";
    let never = |keys: &str| format!("the scheme is under {keys}: these are never used");
    for (options, member, keys) in [
        ("", "deterministic_keys", "primary_keys"),
        ("deterministic = true", "primary_keys", "deterministic_keys"),
    ] {
        let text = with(&format!("[codecs.x]\n{rails}\n{options}"));
        let expected = format!("codecs.x.{member}: {}", never(keys));
        assert!(warned(&text).contains(&expected), "{:#?}", warned(&text));
    }
}

#[test]
fn warnings() {
    let n8n = "[codecs.n8n]\nkind = 'n8n'\ninstance_keys = ['env:A']\n";
    let text = with(&format!(
        "{n8n}{}{}",
        column("write = 'plain'\nmode = 'padded'\nread = ['app', 'n8n']\ncontext = {}"),
        column("column = 'b'\nreaders = { billing = ['rails'], shop = ['reseal'] }"),
    ));
    let found = warned(&text);
    for begin in [
        "codecs.tokens: no column uses this codec",
        "columns[0].write: plain writes plaintext",
        "columns[0].mode: the codec plain has no modes",
        "columns[0].context: without a context",
        "columns[0].read: the codec n8n has no expect",
        "columns[1].readers: billing cannot read what is written: reseal",
    ] {
        assert!(
            found.iter().any(|warning| warning.starts_with(begin)),
            "{begin}\n{found:#?}"
        );
    }
    assert_eq!(found.len(), 6, "{found:#?}");
    let manifest = Manifest::parse(&text).unwrap();
    assert_eq!(manifest.columns()[1].blind_readers(), ["billing"]);
    assert!(warned(&with(&column("read = ['tokens']"))).is_empty());
}

#[test]
fn where_encryption_is_required() {
    let sentry = "[codecs.sentry]\nkind = 'sentry'\nkeys = { a = 'env:A' }\nprimary = 'a'\nmethod = 'plaintext'\n";
    let text = with(&format!(
        "{}{sentry}{}{}",
        "",
        column("write = 'sentry'"),
        column("column = 'b'\nwrite = 'plain'")
    ));
    let manifest = Manifest::parse(&text).unwrap();
    assert!(manifest.check_encryption(false).is_ok());
    let error = manifest.check_encryption(true).unwrap_err();
    assert_eq!(error.code(), ErrorCode::EncryptionRequired);
    assert!(
        error
            .message()
            .contains("columns[0].write: sentry writes plaintext (line "),
        "{error}"
    );
    assert!(
        error
            .message()
            .contains("columns[1].write: plain writes plaintext (line "),
        "{error}"
    );
    let sealed = Manifest::parse(&with(&column("read = ['plain']"))).unwrap();
    assert!(sealed.check_encryption(true).is_ok());
}

#[test]
fn deep_and_wide_texts_are_bounded() {
    let deep = format!(
        "version = 1\nx = {}{}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    assert!(Manifest::check(&deep).is_err());
    let lines: Vec<String> = (0..20_000).map(|at| format!("m{at} = 1")).collect();
    let wide = lines.join("\n");
    assert_eq!(problems(&format!("version = 1\n{wide}")).list().len(), 20);
    let columns = column("").repeat(2_000);
    let names: Vec<String> = (0..100_000).map(|at| format!("'{at}'")).collect();
    let row_id = format!("row_id = [{}]", names.join(","));
    one_of_column(&row_id, "row_id: the list has more than 64 items");
    assert!(problems(&with(&columns)).has_more());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _checked = Manifest::check(&text);
    }

    /// Texts that are nearly manifests.
    #[test]
    fn no_changed_manifest_makes_it_panic(at in any::<prop::sample::Index>(), put in "\\PC{0,8}", cut in 0usize..20, twice in any::<bool>()) {
        let text = format!("{}{}", super::documents::EVERYTHING, super::documents::example());
        let text = if twice { text } else { super::documents::EVERYTHING.to_owned() };
        let at = at.index(text.len());
        let start = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let end = (at + cut..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        let changed = format!("{}{put}{}", &text[..start], &text[end..]);
        if let Err(problems) = Manifest::check(&changed) {
            prop_assert!((1..=20).contains(&problems.list().len()));
        }
    }
}

fn pickled(field: &str) -> String {
    format!(
        "[codecs.pickled]\nkind = 'django-cryptography'\nsecrets = ['env:A']\nfield = '{field}'\n"
    )
}
