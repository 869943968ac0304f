//! What is only warned of, and what is refused where encryption is required.

use super::{column, warned, with};
use reseal::{ErrorCode, manifest::Manifest};

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
