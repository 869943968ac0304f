//! The options of codecs.

use super::{one, one_of_codec, with};
use reseal::manifest::Manifest;

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
