//! Discovery inside of JSON documents, and of what a user may read.

use crate::support::{World, failed, manifest};
use reseal::{
    job::{Discovered, End, Step, Target, Work},
    manifest::JsonPath,
};

/// A table `settings` with these documents.
fn world(documents: &[String]) -> World {
    let world = World::new("CREATE TABLE settings (id INTEGER PRIMARY KEY, body JSON)");
    for document in documents {
        let insert = "INSERT INTO settings (body) VALUES (?)";
        world.db.execute(insert, [document]).unwrap();
    }
    world
}

fn discovered(world: &World, targets: Vec<Target>) -> Vec<Discovered> {
    world
        .run(World::job_of(Work::Discover, targets, |_| {}))
        .discovered
}

fn paths(world: &World) -> Vec<Option<String>> {
    let all = discovered(world, Vec::new()).into_iter();
    all.map(|it| it.path).collect()
}

#[test]
fn strings_in_documents_are_looked_at_by_their_path() {
    let sealed = World::new("").seal("x");
    let world = world(&[
        format!("{{\"smtp\":{{\"the pass\":\"{sealed}\"}},\"codes\":[\"{sealed}\",null,\"x\"]}}"),
        format!(" [[1,\"{sealed}\"],{{\"key\":\"rsk1.data.abc\"}}]"),
        format!(
            "{{\"codes\":[\"\\u0072{}\"]}}",
            sealed.trim_start_matches('r')
        ),
        "{\"smtp\":\"not sealed\"}".into(),
        format!("{{\"codes\":[\"{sealed}\""),
    ]);
    let all = discovered(&world, Vec::new());
    let counted = all.iter().map(|it| {
        let found = it.found.values().sum::<u64>();
        (it.path.as_deref().unwrap(), it.values, it.key_like, found)
    });
    let expected = [
        ("$.codes[*]", 3, 0, 2),
        ("$.smtp['the pass']", 1, 0, 1),
        ("$[*].key", 1, 1, 0),
        ("$[*][*]", 1, 0, 1),
    ];
    assert_eq!(counted.collect::<Vec<_>>(), expected);
    let (kind, _) = all[0].found.first_key_value().unwrap();
    assert_eq!(kind.codec, "reseal");
    let mut named = all.iter().filter_map(|it| it.path.as_deref());
    assert!(named.all(|path| JsonPath::parse(path).is_some()));
    let report = world.run(World::job_of(Work::Discover, Vec::new(), |_| {}));
    assert!(report.to_json().contains("\"path\":\"$.codes[*]\""));
}

#[test]
fn paths_of_a_manifest_are_known_and_others_of_their_column_are_not() {
    let sealed = World::new("").seal("x");
    let world = world(&[format!(
        "{{\"a\":[\"{sealed}\",\"{sealed}\"],\"b\":[\"{sealed}\",\"{sealed}\"]}}"
    )]);
    let target = |path: &str| {
        format!(
            "[[columns]]\ntable = 'settings'\ncolumn = 'body'\nrow_id = ['id']\n\
             context = {{ table = 'settings' }}\ntype = 'json'\npath = '{path}'\nwrite = 'app'\n"
        )
    };
    let columns = format!("{}{}", target("$.a[*]"), target("$.b[1]"));
    let targets = Target::keyless(&manifest(&columns)).unwrap();
    let all = discovered(&world, targets);
    let counted = all.iter().map(|it| (it.path.as_deref(), it.values));
    assert_eq!(counted.collect::<Vec<_>>(), [(Some("$.b[*]"), 1)]);
}

#[test]
fn a_document_that_is_a_format_itself_is_not_entered_and_a_string_is_one_in_a_json_column() {
    let sealed = World::new("").seal("x");
    let row = "{\"algorithm\":\"aes-256-gcm\",\"keyId\":\"v1\",\"iv\":\"3NjaH/K38V5r9HZj\",\
               \"ciphertext\":\"r8HBK0K+479FR1sOmno68AuePjhxMReB\",\"authTag\":\"XauqsP6q5LgvCyYLk1pOgQ==\"}";
    let both = world(&[row.into(), format!("\"{sealed}\"")]);
    let all = discovered(&both, Vec::new());
    assert_eq!(paths(&both), [None, Some("$".into())]);
    let (kind, values) = all[0].found.first_key_value().unwrap();
    assert_eq!((kind.codec.as_str(), *values), ("freeboard", 1));

    let text = World::new("CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT, bytes BLOB)");
    let insert = "INSERT INTO notes (note, bytes) VALUES (?, ?)";
    let document = format!("{{\"a\":\"{sealed}\"}}");
    let values = [&format!("\"{sealed}\""), &document];
    text.db
        .execute(insert, rusqlite::params![values[0], values[1].as_bytes()])
        .unwrap();
    assert_eq!(paths(&text), []);
}

#[test]
fn depth_strings_and_paths_have_bounds_and_names_that_no_path_spells_end_it() {
    let sealed = World::new("").seal("x");
    let deep = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!("{open}\"{sealed}\"{close}")
    };
    let every = |levels: usize| Some(format!("${}", "[*]".repeat(levels)));
    assert_eq!(paths(&world(&[deep(32), deep(33)])), [every(32)]);

    let many = |before: usize| {
        let fill = "\"\",".repeat(before);
        format!("{{\"a\":[{fill}\"{sealed}\"]}}")
    };
    assert_eq!(paths(&world(&[many(999)])), [Some("$.a[*]".into())]);
    assert_eq!(paths(&world(&[many(1000)])), []);

    let names = (0..300).map(|at| format!("{{\"n{at}\":\"rsk1.\"}}"));
    assert_eq!(paths(&world(&names.collect::<Vec<_>>()[..200])).len(), 200);
    let names = (0..30).map(|row| {
        let members = (0..10).map(|at| format!("\"n{}\":\"rsk1.\"", row * 10 + at));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    });
    assert_eq!(paths(&world(&names.collect::<Vec<_>>())).len(), 200);

    let odd = format!("{{\"o\":{{\"it's\":{{\"deep\":\"{sealed}\"}}}},\"\":\"{sealed}\"}}");
    assert_eq!(
        paths(&world(&[odd])),
        [Some("$".into()), Some("$.o".into())]
    );
}

#[test]
fn what_only_may_be_a_format_counts_where_all_strings_of_a_path_fit() {
    let legacy =
        "ttCPpQ92by4mOXOJBbhRE28T4c9WN02MBnHrnucZZ69tLceopuoUpgAy/eB2fAyqWZaFHPsuEaXGCdFwQKY9rA==";
    let document = format!("{{\"all\":\"{legacy}\",\"some\":[\"{legacy}\",\"text\"]}}");
    let world = world(&vec![document; 3]);
    assert_eq!(paths(&world), [Some("$.all".into())]);
}

#[test]
fn what_the_user_may_not_read_is_named_and_the_rest_is_looked_at() {
    let sealed = World::new("").seal("x");
    let world = world(&[format!("[\"{sealed}\"]")]);
    let other = "CREATE TABLE audits (id INTEGER PRIMARY KEY, body TEXT)";
    world.db.execute_batch(other).unwrap();
    let job = World::job_of(Work::Discover, Vec::new(), |_| {});
    let report = world.drive(job, &mut |_, step| match step {
        Step::Query(statement) if statement.sql.contains("FROM \"audits\"") => Some(failed("23")),
        _ => None,
    });
    let report = report.unwrap();
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    assert_eq!(report.unread, ["audits.id", "audits.body"]);
    assert_eq!(report.discovered.len(), 1);
    let unread = "\"unread\":[\"audits.id\",\"audits.body\"]";
    assert!(report.to_json().contains(unread));
}
