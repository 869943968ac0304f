//! The members of columns, and which codecs go with them.

use super::{column, one, one_of_column, with};
use reseal::manifest::Manifest;

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

fn pickled(field: &str) -> String {
    format!(
        "[codecs.pickled]\nkind = 'django-cryptography'\nsecrets = ['env:A']\nfield = '{field}'\n"
    )
}
