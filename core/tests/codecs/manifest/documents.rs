//! The documents: the example, the schema and the model say the same.

use super::{column, problems, told, with};
use reseal::{
    Mode, ValueType,
    manifest::{CodecSpec, Fact, KeyringSource, Manifest, RingWant},
};
use serde_json::Value;
use std::collections::BTreeSet;

const DOCS: &str = include_str!("../../../../docs/manifest.md");
const SCHEMA: &str = include_str!("../../../../spec/manifest.schema.json");

/// The manifest of the design.
const DESIGN: &str = r#"
version = 1

[codecs.app]
kind = "reseal"
keyring = "env"                       # env | dir:PATH | keyset:PATH

[codecs.rails_old]
kind = "rails"
primary_keys = ["env:AR_PRIMARY_KEY"] # env:NAME or file:PATH, never the secret; the last one writes
key_derivation_salt = "env:AR_SALT"
digests = ["sha256", "sha1"]

[[columns]]
table = "users"
column = "ssn"
row_id = ["id"]                       # any unique key, also composite
context = { table = "users", column = "ssn" }
bind_row = false                      # true adds row = the row id
type = "text"                         # text | bytes | integer | decimal | boolean | date | time | timestamp | uuid | json
mode = "random"
write = "app"
read = ["app", "rails_old"]
readers = { billing = ["rails"] }     # optional: kinds that another application can read
indexes = [{ name = "ssn_eq", column = "ssn_bidx", normalizer = "digits", bits = 64 }]

[[columns]]
table = "settings"
column = "value"
row_id = ["key"]
where = "key = 'smtp-password'"       # only some rows
# path = "$.mfaRecoveryCodes[*]"      # only some members of a JSON column
context = { table = "settings", column = "value" }
write = "app"
read = ["app", "plain"]
"#;

/// Every kind with every option that goes with the others.
pub(crate) const EVERYTHING: &str = r#"
version = 1
[codecs.app]
kind = "reseal"
keyring = "env"
[codecs.dir]
kind = "reseal"
keyring = "dir:/run/keys"
primary = "2026"
index_primary = "index"
[codecs.set]
kind = "reseal"
keyring = "keyset:/etc/reseal.json"
passphrase = "file:/run/secrets/passphrase"
ring = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
min_generation = 3
[codecs.tokens]
kind = "fernet"
keys = ["env:FERNET_KEY"]
lenient = true
[codecs.sentry]
kind = "sentry"
key_dir = "/run/sentry"
primary = "k2"
field = "json"
method = "fernet"
lenient = false
[codecs.sentry_text]
kind = "sentry"
keys = { k1 = "env:SENTRY_1", "k 2" = "file:/run/k2" }
primary = "k1"
[codecs.rails]
kind = "rails"
deterministic_keys = ["env:AR_DETERMINISTIC"]
previous_keys = ["env:AR_OLD"]
key_derivation_salt = "env:AR_SALT"
digests = ["sha1"]
serializer = "json"
deterministic = true
envelope = false
store_key_references = true
compress = false
lenient = true
[[codecs.rails.previous]]
primary_keys = ["env:AR_PRIMARY_KEY"]
key_derivation_salt = "env:AR_SALT_OLD"
[codecs.metabase]
kind = "metabase"
keys = ["env:MB_ENCRYPTION_SECRET_KEY"]
data_keys = "table:data_encryption_key"
lenient = true
[codecs.metabase_aad]
kind = "metabase"
keys = ["env:MB_ENCRYPTION_SECRET_KEY"]
aad = "setting.{column}"
[codecs.metabase_streams]
kind = "metabase"
keys = ["env:MB_ENCRYPTION_SECRET_KEY"]
streams = true
expect = "utf8"
[codecs.n8n]
kind = "n8n"
instance_keys = ["env:N8N_ENCRYPTION_KEY"]
rows = "file:/run/rows.json"
write = "prefixed"
expect = "json"
lenient = true
[codecs.export]
kind = "n8n"
custom_key = "env:N8N_EXPORT"
expect = "json"
[codecs.board]
kind = "freeboard"
keys = ["env:CREDENTIAL_ENCRYPTION_KEY"]
lenient = true
[codecs.django]
kind = "django-fernet"
secrets = ["env:DJANGO_SECRET_KEY", "env:DJANGO_SECRET_KEY_OLD"]
salts = ["env:DJANGO_SALT_KEY"]
lenient = true
[codecs.fields]
kind = "fernet-fields"
secrets = ["env:DJANGO_SECRET_KEY"]
prefix = "my-app"
hkdf = true
lenient = true
[codecs.pickled]
kind = "django-cryptography"
secrets = ["env:DJANGO_SECRET_KEY"]
cryptography_keys = ["env:CRYPTOGRAPHY_KEY"]
salt = "env:CRYPTOGRAPHY_SALT"
field = "json"
[codecs.alchemy]
kind = "sqlalchemy-utils"
keys = ["env:ALCHEMY_KEY"]
engine = "aes"
padding = "pkcs5"
expect = "utf8"
lenient = true
[codecs.plain]
kind = "plain"
[[columns]]
table = "public.everything"
column = "value"
row_id = ["id"]
where = "kind = 'secret'"
path = "$.codes[*]['the code'][0]"
context = { column = "value", tenant = { column = "tenant_id" } }
earlier_contexts = [{ column = "secret" }]
bind_row = true
type = "json"
mode = "padded"
write = "app"
read = ["dir", "set", "tokens", "sentry", "sentry_text", "rails", "metabase", "metabase_aad", "metabase_streams", "n8n", "export", "board", "django", "fields", "pickled", "alchemy", "plain"]
readers = { other = ["reseal", "plain"] }
indexes = [{ name = "eq", column = "bidx", normalizer = "raw", bits = 256 }]
"#;

/// The example of the documentation.
pub(crate) fn example() -> String {
    let (_, rest) = DOCS.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_example_of_the_design() {
    let manifest = Manifest::parse(DESIGN).unwrap();
    let names: Vec<&str> = manifest.codecs().map(CodecSpec::name).collect();
    assert_eq!(names, ["app", "plain", "rails_old"]);
    let [users, settings] = manifest.columns() else {
        panic!("there are two columns");
    };
    assert_eq!(
        (users.table.as_str(), users.column.as_str()),
        ("users", "ssn")
    );
    assert_eq!(
        (users.value_type, users.mode),
        (ValueType::Text, Mode::Random)
    );
    assert!(users.codecs().eq(["app", "rails_old"]));
    assert_eq!(
        users.context[0],
        ("column".into(), Fact::Text("ssn".into()))
    );
    assert_eq!(users.indexes[0].column, "ssn_bidx");
    assert_eq!(users.index_codec(), Some("app"));
    assert_eq!(users.blind_readers(), ["billing"]);
    assert_eq!(settings.filter.as_deref(), Some("key = 'smtp-password'"));
    assert!(settings.codecs().eq(["app", "plain"]));
    let wants: Vec<String> = manifest.wants().into_iter().map(|want| want.name).collect();
    assert_eq!(wants, ["AR_PRIMARY_KEY", "AR_SALT"]);
    let rings = manifest.rings();
    assert!(
        matches!(rings.as_slice(), [RingWant { codec, source: KeyringSource::Env, .. }] if codec == "app")
    );
    let warnings = told(manifest.warnings());
    assert_eq!(
        warnings,
        ["columns[0].readers: billing cannot read what is written: reseal"]
    );
    let path = DESIGN.replace("# path", "type = \"json\"\npath");
    assert!(Manifest::parse(&path).unwrap().columns()[1].path.is_some());
}

#[test]
fn the_example_of_the_documentation() {
    let manifest = Manifest::parse(&example()).unwrap();
    assert_eq!(manifest.columns().len(), 3);
    assert!(told(manifest.warnings()).is_empty());
    let everything = Manifest::parse(EVERYTHING).unwrap();
    assert!(
        told(everything.warnings()).is_empty(),
        "{:?}",
        everything.warnings()
    );
}

/// The words after "it is one of" in the only problem that speaks of the word that is not there.
fn listed(text: &str) -> BTreeSet<String> {
    let problems = problems(text);
    let found = told(problems.list());
    let ours = found
        .iter()
        .find(|problem| problem.contains("\"qqqqqqqq\""));
    let ours = ours.unwrap_or_else(|| panic!("{found:?}\n{text}"));
    let (_, list) = ours
        .split_once(": it is one of ")
        .or_else(|| ours.split_once(": there is only "))
        .unwrap_or_else(|| panic!("{ours}"));
    list.split(", ").map(str::to_owned).collect()
}

fn members(schema: &Value) -> BTreeSet<String> {
    schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

fn words(schema: &Value) -> BTreeSet<String> {
    let words = schema["enum"]
        .as_array()
        .unwrap_or_else(|| panic!("{schema}"));
    words
        .iter()
        .map(|word| word.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_schema_has_the_members_of_the_model() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let defs = &schema["$defs"];
    assert_eq!(members(&schema), listed("version = 1\nqqqqqqqq = 1"));
    for kind in words(&schema["properties"]["codecs"]["additionalProperties"]["properties"]["kind"])
    {
        let name = if kind == "plain" { "plain" } else { "x" };
        let text = format!("version = 1\n[codecs.{name}]\nkind = '{kind}'\nqqqqqqqq = 1");
        assert_eq!(members(&defs[&kind]), listed(&text), "{kind}");
        assert_eq!(defs[&kind]["properties"]["kind"]["const"], kind.as_str());
    }
    let in_column = |members: &str| with(&column(members));
    for (name, text) in [
        ("column", in_column("qqqqqqqq = 1")),
        ("index", in_column("indexes = [{ qqqqqqqq = 1 }]")),
        ("fact", in_column("context = { a = { qqqqqqqq = 1 } }")),
        (
            "previous",
            with("[codecs.x]\nkind = 'rails'\nprevious = [{ qqqqqqqq = 1 }]"),
        ),
    ] {
        assert_eq!(members(&defs[name]), listed(&text), "{name}");
    }
}

#[test]
fn the_schema_has_the_words_of_the_model() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let defs = &schema["$defs"];
    let codec = |options: &str| with(&format!("[codecs.x]\n{options}"));
    let in_column = |members: &str| with(&column(members));
    let of = |def: &str, member: &str| &defs[def]["properties"][member];
    for (words_of, text) in [
        (
            &schema["properties"]["codecs"]["additionalProperties"]["properties"]["kind"],
            codec("kind = 'qqqqqqqq'"),
        ),
        (
            of("sentry", "field"),
            codec("kind = 'sentry'\nfield = 'qqqqqqqq'"),
        ),
        (
            of("sentry", "method"),
            codec("kind = 'sentry'\nmethod = 'qqqqqqqq'"),
        ),
        (
            of("django-cryptography", "field"),
            codec("kind = 'django-cryptography'\nfield = 'qqqqqqqq'"),
        ),
        (
            of("django-cryptography", "digest"),
            codec("kind = 'django-cryptography'\ndigest = 'qqqqqqqq'"),
        ),
        (
            of("sqlalchemy-utils", "engine"),
            codec("kind = 'sqlalchemy-utils'\nengine = 'qqqqqqqq'"),
        ),
        (
            of("sqlalchemy-utils", "padding"),
            codec("kind = 'sqlalchemy-utils'\npadding = 'qqqqqqqq'"),
        ),
        (
            &defs["expect"],
            codec("kind = 'sqlalchemy-utils'\nexpect = 'qqqqqqqq'"),
        ),
        (
            &defs["digests"]["items"],
            codec("kind = 'rails'\ndigests = ['qqqqqqqq']"),
        ),
        (
            &defs["serializer"],
            codec("kind = 'rails'\nserializer = 'qqqqqqqq'"),
        ),
        (&defs["expect"], codec("kind = 'n8n'\nexpect = 'qqqqqqqq'")),
        (
            &defs["expect"],
            codec("kind = 'metabase'\nexpect = 'qqqqqqqq'"),
        ),
        (
            of("n8n", "write"),
            codec("kind = 'n8n'\nwrite = 'qqqqqqqq'"),
        ),
        (of("column", "type"), in_column("type = 'qqqqqqqq'")),
        (of("column", "mode"), in_column("mode = 'qqqqqqqq'")),
        (
            &of("column", "readers")["additionalProperties"]["items"],
            in_column("readers = { a = ['qqqqqqqq'] }"),
        ),
        (
            of("index", "normalizer"),
            in_column("indexes = [{ normalizer = 'qqqqqqqq' }]"),
        ),
    ] {
        assert_eq!(words(words_of), listed(&text), "{text}");
    }
    let enums = SCHEMA.matches("\"enum\"").count();
    assert_eq!(enums, 15, "an enum of the schema is not compared here");
}
