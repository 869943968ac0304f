//! Secrets that stand in the text themselves.

use super::{column, problems, with};

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
