//! `reseal convert --from --to`: values of other systems, into envelopes and back.

use reseal::KeyUse;
use serde_json::{Value, json};

use crate::host::{DAY, Memory, START, key, stored, vector, vectors};

const MANIFEST: &str = "version = 1
[codecs.app]
kind = 'reseal'
keyring = 'env'
[codecs.ring]
kind = 'reseal'
keyring = 'keyset:ring.json'
kek = 'file:kek'
[codecs.rails_old]
kind = 'rails'
primary_keys = ['env:AR_PRIMARY_KEY']
key_derivation_salt = 'file:salt'
digests = ['sha256', 'sha1']
[codecs.rails_bytes]
kind = 'rails'
primary_keys = ['env:AR_PRIMARY_KEY']
key_derivation_salt = 'file:salt'
serializer = 'message_pack'
[codecs.tokens]
kind = 'fernet'
keys = ['env:FERNET_KEY']
[codecs.fields]
kind = 'sentry'
key_dir = 'sentry'
primary = 'key_2024_02'
[codecs.credentials]
kind = 'n8n'
instance_keys = ['env:N8N_KEY']
expect = 'utf8'
[codecs.unchecked]
kind = 'n8n'
instance_keys = ['env:N8N_KEY']
[codecs.rows]
kind = 'n8n'
instance_keys = ['env:N8N_KEY']
rows = 'table:deployment_key'
write = 'prefixed'
[codecs.profiles]
kind = 'freeboard'
keys = ['env:FREEBOARD_KEY']
[codecs.salted]
kind = 'django-fernet'
secrets = ['env:SECRET_KEY']
salts = ['env:SALT_KEY']
[codecs.fields_of_django]
kind = 'fernet-fields'
secrets = ['env:FIELDS_KEY']
[codecs.pickles]
kind = 'django-cryptography'
secrets = ['env:SECRET_KEY']
[codecs.types]
kind = 'sqlalchemy-utils'
keys = ['env:ALCHEMY_KEY']
padding = 'pkcs5'
expect = 'utf8'
[codecs.marked]
kind = 'sentry'
keys = { k = 'env:FERNET_KEY' }
primary = 'k'
method = 'plaintext'
";

/// With the keys of the vectors.
fn memory() -> Memory {
    let mut memory = Memory::new();
    memory.add("reseal.toml", MANIFEST);
    memory.set("RESEAL_PRIMARY_KEY", &key(KeyUse::Data, 1).export());
    let rails = &vector("rails", "rails-pub-01")["keys"];
    memory.set("AR_PRIMARY_KEY", rails["primary_key"][0].as_str().unwrap());
    memory.add("salt", rails["key_derivation_salt"].as_str().unwrap());
    let fernet = vector("fernet", "spec-generate");
    memory.set("FERNET_KEY", fernet["keys"][0].as_str().unwrap());
    for (id, text) in vector("sentry", "text-ascii")["keyring"]
        .as_object()
        .unwrap()
    {
        memory.add(&format!("sentry/{id}"), text.as_str().unwrap());
    }
    let django = vector("django-fernet", "ascii");
    memory.set("SECRET_KEY", django["secrets"][0].as_str().unwrap());
    memory.set("SALT_KEY", django["salts"][0].as_str().unwrap());
    let fields = vector("fernet-fields", "ascii");
    memory.set("FIELDS_KEY", fields["secrets"][0].as_str().unwrap());
    let alchemy = vector("sqlalchemy-utils", "aes-pkcs5-ascii");
    memory.set("ALCHEMY_KEY", alchemy["keys"][0].as_str().unwrap());
    let n8n = vector("n8n", "cbc-ascii");
    memory.set("N8N_KEY", n8n["instance_key"].as_str().unwrap());
    let freeboard = &vector("freeboard", "freeboard-pub-01")["keys"];
    memory.set(
        "FREEBOARD_KEY",
        freeboard["CREDENTIAL_ENCRYPTION_KEY"].as_str().unwrap(),
    );
    memory
}

/// One value, converted.
fn convert(memory: &mut Memory, options: &str, value: &str) -> String {
    memory.input = vec![value.as_bytes().to_vec()];
    let out = memory.ok(&format!("convert {options}"));
    out.strip_suffix('\n').unwrap().to_owned()
}

#[test]
fn values_of_each_system_become_envelopes_and_go_back() {
    let mut memory = memory();
    for (codec, system, id) in [
        ("rails_old", "rails", "rails-pub-01"),
        ("rails_old", "rails", "rails-pub-02"),
        ("rails_old", "rails", "rails-pub-07"),
        ("tokens", "fernet", "spec-generate"),
        ("fields", "sentry", "text-ascii"),
        ("fields", "sentry", "text-old-key"),
        ("fields", "sentry", "text-unicode"),
        ("credentials", "n8n", "cbc-ascii"),
        ("credentials", "n8n", "cbc-unicode"),
        ("profiles", "freeboard", "freeboard-pub-01"),
        ("salted", "django-fernet", "ascii"),
        ("salted", "django-fernet", "unicode"),
        ("fields_of_django", "fernet-fields", "ascii"),
        ("types", "sqlalchemy-utils", "aes-pkcs5-ascii"),
        ("types", "sqlalchemy-utils", "aes-pkcs5-unicode"),
    ] {
        let case = vector(system, id);
        let plaintext = case["plaintext"]
            .as_str()
            .or(case["plaintext"]["value"].as_str());
        let plaintext = plaintext.unwrap();
        let context = "--context table=users -c row=7";
        let sealed = convert(
            &mut memory,
            &format!("--from {codec} --to app {context}"),
            &stored(&case),
        );
        assert!(sealed.starts_with("rs1."), "{id}: {sealed}");
        assert_eq!(
            memory.ok(&format!("open {context} {sealed}")),
            format!("{plaintext}\n")
        );
        memory.fails(1, &format!("open {sealed}"));
        let back = convert(
            &mut memory,
            &format!("--from app --to {codec} {context}"),
            &sealed,
        );
        let seen: Value = serde_json::from_str(&{
            memory.input = vec![back.clone().into_bytes()];
            memory.ok("inspect --json")
        })
        .unwrap();
        // A token does not show whose it is.
        let shown = match system {
            "django-fernet" | "fernet-fields" => "fernet",
            system => system,
        };
        assert_eq!(seen["formats"][0]["kind"], shown, "{id}");
        let plain = convert(&mut memory, &format!("--from {codec} --to plain"), &back);
        assert_eq!(plain, plaintext, "{id}");
    }
}

#[test]
fn what_is_converted_already_stays_so_that_a_run_can_be_repeated() {
    let mut memory = memory();
    let old = stored(&vector("rails", "rails-pub-01"));
    let line = "convert --from rails_old --to app --jsonl --json";
    let row = |value: &str| json!({"id": 1, "value": value, "context": {"row": 1}}).to_string();
    let run = |memory: &mut Memory, input: String| -> Value {
        memory.input = vec![input.into_bytes()];
        serde_json::from_str(&memory.ok(line)).unwrap()
    };
    let first = run(&mut memory, row(&old));
    assert_eq!(first["outcome"], "resealed");
    let value = first["value"].as_str().unwrap();
    let again = run(&mut memory, row(value));
    assert_eq!(
        (&again["outcome"], &again["value"]),
        (&json!("current"), &json!(value))
    );
    // Under a key that no longer seals it is sealed anew.
    memory.set("RESEAL_DECRYPT_KEYS", &key(KeyUse::Data, 1).export());
    memory.set("RESEAL_PRIMARY_KEY", &key(KeyUse::Data, 2).export());
    let rotated = run(&mut memory, row(value));
    assert_eq!(rotated["outcome"], "resealed");
    let rotated = convert(&mut memory, "--from app --to app -c row=1", value);
    let id = key(KeyUse::Data, 2).id().to_string();
    assert!(rotated.starts_with(&format!("rs1.{id}.")), "{rotated}");
}

#[test]
fn null_stays_null_and_what_is_refused_is_told_by_its_line() {
    let mut memory = memory();
    let good = stored(&vector("rails", "rails-pub-01"));
    let other = stored(&vector("rails", "rails-pub-19"));
    let lines = [
        json!({"id": "a", "value": good, "context": {"row": 1}}).to_string(),
        json!({"id": "b", "value": null}).to_string(),
        json!({"id": "c", "value": other}).to_string(),
        json!({"id": "d", "value": "078-05-1120"}).to_string(),
        json!({"id": "e"}).to_string(),
        json!({"id": "f", "value": good, "context": {"rs_row": 1}}).to_string(),
        "junk".to_owned(),
        json!({"id": "g", "value": good}).to_string(),
    ]
    .join("\n");
    memory.input = vec![lines.clone().into_bytes()];
    let ended = memory.run("convert --from rails_old --to app --jsonl --json");
    assert_eq!((ended.code, ended.err.as_str()), (1, ""));
    let lines_out: Vec<Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<_> = lines_out
        .iter()
        .map(|line| line["code"].as_str().or(line["outcome"].as_str()).unwrap())
        .collect();
    assert_eq!(
        told,
        [
            "resealed",
            "null",
            "auth-failed",
            "format-mismatch",
            "invalid-argument",
            "context-invalid",
            "invalid-argument",
            "resealed"
        ]
    );
    assert_eq!(
        lines_out[1],
        json!({"id": "b", "ok": true, "outcome": "null", "value": null})
    );
    assert!(!ended.out.contains("078"));

    memory.input = vec![lines.into_bytes()];
    let ended = memory.run("convert --from rails_old --to app --jsonl");
    assert_eq!(ended.code, 1);
    assert_eq!(ended.out.lines().count(), 8);
    let numbers: Vec<_> = ended.err.lines().map(|line| &line[..14]).collect();
    assert_eq!(
        numbers,
        [3, 4, 5, 6, 7].map(|number| format!("error: value {number}"))
    );
    assert!(
        ended
            .err
            .lines()
            .nth(1)
            .unwrap()
            .ends_with("[format-mismatch]")
    );
}

#[test]
fn null_is_still_no_value_to_seal_or_open() {
    let mut memory = memory();
    for command in ["seal", "open", "inspect", "convert"] {
        memory.input = vec![b"{\"value\":null}\n{}\n".to_vec()];
        let said = memory.fails(1, &format!("{command} --jsonl"));
        assert_eq!(said.matches("the line has no value").count(), 2, "{said}");
    }
}

#[test]
fn only_the_two_codecs_are_built() {
    let mut memory = Memory::new();
    memory.add("reseal.toml", MANIFEST);
    memory.set(
        "FERNET_KEY",
        vector("fernet", "spec-generate")["keys"][0]
            .as_str()
            .unwrap(),
    );
    let token = stored(&vector("fernet", "spec-generate"));
    assert_eq!(
        convert(&mut memory, "--from tokens --to plain", &token),
        "hello"
    );
    for (options, code, said) in [
        ("--from tokens --to app", 3, "[source-missing]"),
        ("--from rails_old --to tokens", 4, "[source-unreadable]"),
        ("--from fields --to tokens", 2, "[invalid-argument]"),
        ("--from ring --to tokens", 4, "[source-unreadable]"),
        (
            "--from unchecked --to tokens",
            3,
            "the variable N8N_KEY is not set [source-missing]",
        ),
    ] {
        let line = format!("convert {options} {token}");
        let error = memory.fails(code, &line);
        assert!(error.ends_with(&format!("{said}\n")), "{options}: {error}");
    }
    memory.set("N8N_KEY", "x");
    let error = memory.fails(3, &format!("convert --from rows --to tokens {token}"));
    assert!(
        error.contains(
            "codecs.rows.rows: this command has no database to read the table deployment_key from"
        ),
        "{error}"
    );
    assert!(error.contains("file:PATH [source-missing]"), "{error}");
    memory.set("FERNET_KEY", "\u{fffd}");
    let error = memory.fails(4, &format!("convert --from tokens --to plain {token}"));
    assert!(error.contains("FERNET_KEY is no text (UTF-8)"), "{error}");
}

#[test]
fn a_codec_with_a_keyset_and_time() {
    let mut memory = memory();
    memory.add("kek", &*key(KeyUse::Kek, 9).export());
    memory.ok("keyset init --keyset ring.json --kek-file kek");
    let token = stored(&vector("fernet", "spec-generate"));
    let sealed = convert(&mut memory, "--from tokens --to ring", &token);
    memory.now = START + DAY;
    let back = convert(&mut memory, "--from ring --to tokens", &sealed);
    // The time of sealing is that of the host.
    let bytes = data_encoding::BASE64URL.decode(back.as_bytes()).unwrap();
    assert_eq!(bytes[1..9], (START + DAY).to_be_bytes());
}

#[test]
fn binary_columns() {
    let mut memory = memory();
    let case = vector("rails", "rails-pub-17");
    let base64 = stored(&case);
    let sealed = convert(&mut memory, "--bytes --from rails_bytes --to app", &base64);
    assert!(sealed.starts_with("wV5SU"), "{sealed}");
    assert_eq!(memory.ok(&format!("open {sealed}")), "message pack\n");
    // A binary envelope stays binary, also where nothing is said.
    let hex = memory.ok(&format!("convert --to hex {sealed}"));
    let plain = convert(&mut memory, "--from app --to plain", hex.trim_end());
    assert_eq!(plain, data_encoding::HEXLOWER.encode(b"message pack"));
    let pickle = vector("django-cryptography", "str");
    let base64 = pickle["ciphertext_b64"].as_str().unwrap();
    let sealed = convert(&mut memory, "--bytes --from pickles --to app", base64);
    assert_eq!(memory.ok(&format!("open {sealed}")), "hello\n");
    let back = convert(&mut memory, "--bytes --from app --to pickles", &sealed);
    let out = convert(&mut memory, "--bytes --from pickles --to plain", &back);
    assert_eq!(out, data_encoding::BASE64.encode(b"hello"));
    let again = convert(&mut memory, "--bytes=hex --from plain --to app", &plain);
    assert!(again.starts_with("c15e5253"), "{again}");
    let said = memory.fails(1, "convert --bytes --from plain --to app no!base64");
    assert!(said.ends_with("[invalid-argument]\n"), "{said}");
}

#[test]
fn plaintext_is_warned_of_and_refused_where_encryption_is_required() {
    let mut memory = memory();
    let token = stored(&vector("fernet", "spec-generate"));
    for (to, out) in [("plain", "hello\n"), ("marked", "enc:plaintext:aGVsbG8=\n")] {
        let line = format!("convert --from tokens --to {to} {token}");
        let ended = memory.run(&line);
        assert_eq!((ended.code, ended.out.as_str()), (0, out));
        assert!(
            ended
                .err
                .starts_with(&format!("warning: the codec {to} writes plaintext"))
        );
        memory.set("RESEAL_REQUIRE_ENCRYPTION", "1");
        let ended = memory.run(&line);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""));
        assert!(
            ended.err.ends_with("[encryption-required]\n"),
            "{}",
            ended.err
        );
        memory.variables.remove("RESEAL_REQUIRE_ENCRYPTION");
    }
    memory.set("RESEAL_REQUIRE_ENCRYPTION", "1");
    let ended = memory.run("convert --from plain --to app 078-05-1120");
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}

#[test]
fn values_that_nothing_vouches_for_and_lookalikes_are_refused() {
    let mut memory = memory();
    let value = stored(&vector("n8n", "cbc-ascii"));
    let said = memory.fails(1, &format!("convert --from unchecked --to app {value}"));
    assert!(said.ends_with("[expect-required]\n"), "{said}");
    let sealed = convert(&mut memory, "--from plain --to app", "rs1 no envelope");
    let inner = memory.ok("seal x");
    memory.input = vec![inner.clone().into_bytes()];
    let outer = memory.ok("seal");
    let said = memory.fails(1, &format!("convert --from app --to plain {outer}"));
    assert!(said.ends_with("[looks-sealed]\n"), "{said}");
    assert_eq!(memory.ok(&format!("open {sealed}")), "rs1 no envelope\n");
}

#[test]
fn wrong_calls_repeat_nothing() {
    let mut memory = memory();
    for line in [
        "convert --to Secret! x",
        "convert --to app x",
        "convert --from app x",
        "convert --from Secret! --to app x",
        "convert --from app --to Secret! x",
        "convert --manifest other.toml --to text x",
        "convert -c a=b --to text x",
        "convert --bytes --to text x",
    ] {
        let said = memory.fails(2, line);
        assert!(!said.contains("Secret"), "{line}: {said}");
    }
    let said = memory.fails(2, "convert --from Secret! --to app x");
    assert!(
        said.contains("which has app, credentials, fields, "),
        "{said}"
    );
    memory.add("reseal.toml", "version = 1\ncolums = 3\n");
    let said = memory.fails(2, "convert --from app --to plain x");
    assert!(
        said.contains("colums: ") && said.ends_with("[manifest-invalid]\n"),
        "{said}"
    );
    memory.add("other.toml", "version = 9\n");
    let said = memory.fails(2, "convert --from app --to plain --manifest other.toml x");
    assert!(said.ends_with("[unsupported-version]\n"), "{said}");
}

#[test]
fn no_secret_of_a_manifest_is_shown() {
    let mut memory = memory();
    for name in ["AR_PRIMARY_KEY", "FERNET_KEY", "N8N_KEY", "FREEBOARD_KEY"] {
        memory.set(name, "Secret!Secret!");
    }
    memory.add("salt", "Secret!");
    for id in ["key_2024_01", "key_2024_02"] {
        memory.add(&format!("sentry/{id}"), "Secret!");
    }
    for codec in ["rails_old", "tokens", "fields", "credentials", "profiles"] {
        for case in vectors("fernet").iter().chain(&vectors("rails")).take(3) {
            memory.input = vec![stored(case).into_bytes()];
            let ended = memory.run(&format!("convert --from {codec} --to app"));
            assert_ne!(ended.code, 0, "{codec}");
            assert!(!(ended.out + &ended.err).contains("Secret"), "{codec}");
        }
    }
}

#[test]
fn an_opened_value_steers_no_terminal() {
    let mut memory = memory();
    memory.input = vec![b"a\x1b[2Jb".to_vec()];
    let sealed = memory.ok("seal");
    memory.terminal_output = true;
    let line = format!("convert --from app --to plain {sealed}");
    assert_eq!(memory.ok(&line), "a\\u{1b}[2Jb\n");
    memory.terminal_output = false;
    assert_eq!(memory.ok(&line), "a\u{1b}[2Jb\n");
}
