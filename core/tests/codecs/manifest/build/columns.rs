//! Columns with their facts, modes and indexes.

use super::{everything, ring, secrets};
use crate::manifest::{column, with};
use crate::support::{fresh, text_place};
use reseal::{
    Classified, Context, ErrorCode, Mode, OsEntropy, Outcome,
    codec::{Form, Stored},
    manifest::Manifest,
};
use std::collections::BTreeMap;

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
