//! Members of JSON documents, each sealed by itself.

use crate::support::{World, assert_adds_up, context, manifest};
use reseal::{
    Context,
    job::{Counts, End, Event, Report, Step, Target, Work},
};

const CODES: &str = "[[columns]]
table = 'users'
column = 'settings'
row_id = ['id']
context = { table = 'users', column = 'ssn' }
type = 'json'
path = '$.codes[*]'
write = 'app'
read = ['plain']
";

/// A table `users` with these documents, counted from 1.
fn world(documents: &[&str]) -> World {
    let world = World::new("CREATE TABLE users (id INTEGER PRIMARY KEY, settings TEXT)");
    for document in documents {
        let insert = "INSERT INTO users (settings) VALUES (?)";
        world.db.execute(insert, [document]).unwrap();
    }
    world
}

fn document(world: &World, id: usize) -> String {
    let select = format!("SELECT settings FROM users WHERE id = {id}");
    world.text(&select).unwrap()
}

/// The document with its envelopes opened: all that is not sealed is seen as it stands.
fn opened(world: &World, id: usize) -> String {
    let document = document(world, id);
    let mut parts = document.split('"');
    let mut opened: Vec<String> = Vec::new();
    for part in &mut parts {
        let is_sealed = part.starts_with("rs1.") && part.len() > 80;
        opened.push(if is_sealed {
            world.open(part)
        } else {
            part.into()
        });
    }
    opened.join("\"")
}

#[test]
fn members_are_sealed_and_all_else_stays_byte_by_byte() {
    let odd = " {\"a\" : 1.50e+1 ,\n\t\"codes\":[ \"one\" , null,\"\\u0074wo\" ],\"b\":\"\\u00e9\\/\", \
               \"codes\":[\"three\"]} ";
    let world = world(&[
        odd,
        "{\"codes\":[]}",
        "{\"codes\":\"no list\"}",
        "[1]",
        "{}",
    ]);
    let report = world.run(world.job(CODES, |options| options.verify_one_in = 1));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let first = &report.columns[0].passes[0];
    assert_adds_up(first);
    assert_eq!((first.scanned, first.resealed(), first.null), (4, 3, 1));
    assert_eq!(first.verified, 1);
    assert_eq!(report.columns[0].path.as_deref(), Some("$.codes[*]"));
    assert!(!document(&world, 1).contains("three"));
    assert_eq!(opened(&world, 1), odd.replace("\\u0074", "t"));
    for (id, same) in [
        (2, "{\"codes\":[]}"),
        (3, "{\"codes\":\"no list\"}"),
        (4, "[1]"),
    ] {
        assert_eq!(document(&world, id), same);
    }
    let again = world.run(world.job(CODES, |_| {}));
    let again = &again.columns[0].passes[0];
    assert_eq!((again.current, again.null, again.resealed()), (3, 1, 0));
}

#[test]
fn a_member_that_is_refused_stays_and_keeps_no_other_back() {
    let broken = "rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg";
    let mixed = format!("{{\"codes\":[\"one\",\"{broken}\",7,{{\"x\":\"y\"}},\"two\"]}}");
    let world = world(&[&mixed, "no document", "{\"codes\":[\"\\ud800\"]}"]);
    let report = world.run(world.job(CODES, |options| options.verify_one_in = 1));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let first = &report.columns[0].passes[0];
    assert_adds_up(first);
    assert_eq!((first.resealed(), first.refused["malformed"]), (2, 1));
    // A number, an object, what is no document, and what is no text.
    assert_eq!((first.refused["value-invalid"], first.verified), (4, 1));
    assert_eq!(opened(&world, 1), mixed);
    assert_eq!(document(&world, 2), "no document");
    let told = world.told.borrow();
    let rows = told.iter().filter_map(|event| match event {
        Event::Refused {
            row_id,
            path,
            pass: 1,
            ..
        } => Some((row_id[0].as_str(), path.as_deref())),
        _ => None,
    });
    let expected = [
        ("1", Some("$.codes[1]")),
        ("1", Some("$.codes[2]")),
        ("1", Some("$.codes[3]")),
        // The document itself is none.
        ("2", None),
        ("3", Some("$.codes[0]")),
    ];
    assert_eq!(rows.collect::<Vec<_>>(), expected);
}

#[test]
fn a_refused_member_is_named_by_its_place_in_every_list() {
    let broken = "rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg";
    let document = format!(
        "{{\"a b\":[[\"x\",\"y\"],[],[{{\"k\":[\"z\",\"{broken}\"]}},{{\"k\":[\"{broken}\"]}}]]}}"
    );
    let world = world(&[&document]);
    let columns = CODES.replace("'$.codes[*]'", "\"$['a b'][*][*].k[*]\"");
    world.run(world.job(&columns, |_| {}));
    let told = world.told.borrow();
    let paths = told.iter().filter_map(|event| match event {
        Event::Refused { path, pass: 1, .. } => path.as_deref(),
        _ => None,
    });
    let expected = ["$['a b'][2][0].k[1]", "$['a b'][2][1].k[0]"];
    assert_eq!(paths.collect::<Vec<_>>(), expected);
}

#[test]
fn a_document_that_changed_meanwhile_is_taken_again_as_a_whole() {
    let world = world(&["{\"codes\":[\"one\"]}", "{\"codes\":[\"one\",\"two\"]}"]);
    let other = world.other();
    let mut is_done = false;
    let report = world.drive(world.job(CODES, |_| {}), &mut |_, step| {
        if matches!(step, Step::Begin) && !is_done {
            other
                .execute_batch(
                    "UPDATE users SET settings = '{\"codes\":[\"one\",\"TWO\",\"x\"]}' WHERE id = 2",
                )
                .unwrap();
            is_done = true;
        }
        None
    });
    let first = &report.unwrap().columns[0].passes[0];
    assert_adds_up(first);
    assert_eq!((first.raced, first.left, first.resealed()), (1, 0, 4));
    assert_eq!(opened(&world, 2), "{\"codes\":[\"one\",\"TWO\",\"x\"]}");
}

#[test]
fn paths_name_members_and_items_and_two_paths_of_one_column_are_two_targets() {
    let text = "{\"smtp\":{\"the password\":\"p\",\"host\":\"h\"},\"keys\":[\"a\",\"b\"]}";
    let world = world(&[text]);
    let password = CODES.replace("'$.codes[*]'", "\"$.smtp['the password']\"");
    let columns = format!("{password}\n{}", CODES.replace("codes[*]", "keys[1]"));
    let report = world.run(world.job(&columns, |_| {}));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let resealed = report.columns.iter().map(|it| it.passes[0].resealed());
    assert_eq!(resealed.collect::<Vec<_>>(), [1, 1]);
    assert_eq!(opened(&world, 1), text);
    let there = document(&world, 1);
    assert!(
        there.contains("\"host\":\"h\"},\"keys\":[\"a\",\"rs1."),
        "{there}"
    );
}

#[test]
fn verify_and_census_take_members_as_well() {
    let world = world(&["{\"codes\":[\"one\",null,7]}"]);
    world.run(world.job(CODES, |_| {}));
    let report = world.run(World::job_of(Work::Verify, world.targets(CODES), |_| {}));
    let counts = &report.columns[0].passes[0];
    assert_adds_up(counts);
    assert_eq!((counts.found(), counts.null, counts.refused()), (1, 1, 1));
    let keyless = Target::keyless(&manifest(CODES)).unwrap();
    let report = world.run(World::job_of(Work::Census, keyless, |_| {}));
    let counts = &report.columns[0].passes[0];
    assert_adds_up(counts);
    assert_eq!((counts.found(), counts.null, counts.refused()), (1, 1, 1));
    let (kind, _) = counts.found.first_key_value().unwrap().0;
    assert_eq!(
        (kind.codec.as_str(), kind.scheme.as_str()),
        ("app", "random")
    );
}

#[test]
fn a_member_is_bound_to_the_facts_of_its_row() {
    let world = world(&["{\"codes\":[\"one\"]}"]);
    let columns = CODES.replace("write =", "bind_row = true\nwrite =");
    let report = world.run(world.job(&columns, |_| {}));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let stored = document(&world, 1);
    let sealed = stored.split('"').find(|part| part.starts_with("rs1."));
    let row = context().with("row", 1).unwrap();
    let open = |context: &Context| world.ring.open(sealed.unwrap(), context);
    assert_eq!(**open(&row).unwrap(), *b"one");
    assert!(open(&context()).is_err());
}

/// What was counted in the first pass.
fn counts(report: &Report) -> &Counts {
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let counts = &report.columns[0].passes[0];
    assert_adds_up(counts);
    counts
}

#[test]
fn what_is_sealed_as_a_whole_is_counted_and_refused() {
    let world = world(&["{\"codes\":[\"one\"]}", "{}", "\"no envelope\""]);
    // A text column has envelopes as they are, one of JSON as strings; SQLite takes bytes as well.
    let binary = reseal::to_binary(&world.seal("{}")).unwrap();
    let wholes = [world.seal("{}"), format!(" \"{}\" ", world.seal("{}"))];
    for whole in &wholes {
        let insert = "INSERT INTO users (settings) VALUES (?)";
        world.db.execute(insert, [whole]).unwrap();
    }
    let insert = "INSERT INTO users (settings) VALUES (?)";
    world.db.execute(insert, [binary]).unwrap();

    let keyless = Target::keyless(&manifest(CODES)).unwrap();
    let report = world.run(World::job_of(Work::Census, keyless, |_| {}));
    let census = counts(&report);
    let keys = census.found.iter().map(|((kind, _), amount)| {
        let key = kind.key.is_some();
        (kind.codec.as_str(), key, amount.values)
    });
    assert_eq!(
        keys.collect::<Vec<_>>(),
        [("app", true, 3), ("plain", false, 1)]
    );

    let report = world.run(world.job(CODES, |_| {}));
    let first = counts(&report);
    assert_eq!((first.resealed(), first.scanned), (1, 4));
    assert_eq!(first.refused["format-mismatch"], 3);
    let stay = [document(&world, 4), document(&world, 5)];
    assert_eq!(stay, wholes);
    let told = world.told.borrow().clone();
    let rows = told.into_iter().filter_map(|event| match event {
        Event::Refused {
            row_id,
            path,
            pass: 1,
            ..
        } => Some((row_id.concat(), path)),
        _ => None,
    });
    let expected = ["4", "5", "6"].map(|id| (String::from(id), None));
    assert_eq!(rows.collect::<Vec<_>>(), expected);

    // They open with the codec, and not by this path.
    for without in [None, Some("plain".into())] {
        let job = World::job_of(Work::Verify, world.targets(CODES), |options| {
            options.without = without;
        });
        let report = world.run(job);
        let verified = counts(&report);
        assert_eq!(verified.refused["format-mismatch"], 3);
        assert_eq!((verified.found(), verified.scanned), (1, 4));
    }
}
