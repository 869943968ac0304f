//! What writes nothing: the census by keys, samples, plans and discovery.

use crate::support::{USERS, World, assert_adds_up, manifest};
use reseal::{
    Mode, OsEntropy,
    codec::{Codec, Fernet, FernetKey, Form, Fresh, Place, Plain, Reseal},
    job::{End, Step, Target, Work},
};
use std::sync::Arc;

/// A table `users` with values of all kinds: envelopes of each mode and form, plaintexts, damage.
fn mixed() -> World {
    let world = World::users(40);
    let seal = |mode| {
        let context = crate::support::context();
        let text = world.ring.seal(b"secret", &context, mode, &mut OsEntropy);
        let bytes = world
            .ring
            .seal_binary(b"secret", &context, mode, &mut OsEntropy);
        (text.unwrap(), bytes.unwrap())
    };
    let set = |id: i64, value: &dyn rusqlite::ToSql| {
        let update = "UPDATE users SET ssn = ? WHERE id = ?";
        world
            .db
            .execute(update, rusqlite::params![value, id])
            .unwrap();
    };
    for (place, mode) in [Mode::Random, Mode::Deterministic, Mode::Padded]
        .into_iter()
        .enumerate()
    {
        let at = i64::try_from(place).unwrap() * 5;
        for more in 1..=3 {
            set(at + more, &seal(mode).0);
        }
        set(at + 4, &seal(mode).1);
        set(at + 5, &seal(mode).0.into_bytes());
    }
    set(20, &"rs1.short");
    set(21, &"rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.A");
    set(22, &"rs9.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg");
    set(23, &"RS1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg");
    set(24, &rusqlite::types::Null);
    set(25, &1.5);
    set(26, &"");
    set(27, &b"\xc1\x5e\x52\x53\x01".to_vec());
    set(28, &"höhö");
    world
}

fn keyless() -> Vec<Target> {
    Target::keyless(&manifest(USERS)).unwrap()
}

#[test]
fn a_census_by_keys_alone_counts_as_one_of_all_values_does_and_reads_none() {
    let world = mixed();
    let all = world.run(World::job_of(Work::Census, keyless(), |_| {}));
    let job = World::job_of(Work::Census, keyless(), |options| options.keys_only = true);
    let mut reads = Vec::new();
    let report = world.drive(job, &mut |_, step| {
        if let Step::Query(statement) = step {
            reads.push(statement.sql.clone());
        }
        None
    });
    let report = report.unwrap();
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    assert!(
        !reads.iter().any(|sql| sql.contains("LIMIT 32")),
        "{reads:?}"
    );
    let (all, keys) = (&all.columns[0].passes[0], &report.columns[0].passes[0]);
    assert_adds_up(keys);
    assert_eq!(keys, all);
    assert!(all.found.len() > 4, "{all:?}");

    let findings = &report.columns[0].findings;
    assert_eq!(findings[0].code, "key-index");
    let index = findings[0].message.split("table, WHERE ").nth(1).unwrap();
    let (condition, create) = index.split_once(": ").unwrap();
    world.db.execute_batch(create).unwrap();
    let sql = format!("SELECT count(*) FROM users WHERE {condition}");
    let statement = reseal::job::Statement {
        sql,
        params: Vec::new(),
    };
    assert!(
        world.plan(&statement).contains("users USING"),
        "{}",
        world.plan(&statement)
    );
    let primary = world.ring.primary_id().unwrap().to_string();
    let sql = statement.sql.replace("<key id>", &primary);
    assert_eq!(world.number(&sql), 9);
}

#[test]
fn a_column_with_other_codecs_is_read_in_any_case() {
    let world = World::users(10);
    let columns = USERS.replace("read = ['plain']", "read = ['plain', 'tokens']");
    let tokens = "[codecs.tokens]\nkind = 'fernet'\nkeys = ['env:FERNET_KEY']\n";
    let targets = Target::keyless(&manifest(&format!("{tokens}{columns}"))).unwrap();
    let job = World::job_of(Work::Census, targets, |options| options.keys_only = true);
    let report = world.run(job);
    assert_eq!(report.columns[0].passes[0].found(), 10);
    assert!(report.columns[0].findings.is_empty());
}

#[test]
fn a_sample_reads_some_rows_and_says_so() {
    let world = World::users(2000);
    let mut scanned = Vec::new();
    for keys_only in [false, true] {
        let job = World::job_of(Work::Census, keyless(), |options| {
            options.sample_one_in = Some(4);
            options.keys_only = keys_only;
        });
        let report = world.run(job);
        assert_eq!((report.end, report.sample_one_in), (End::Complete, Some(4)));
        let counts = &report.columns[0].passes[0];
        assert_adds_up(counts);
        scanned.push(counts.scanned);
    }
    // 500 each; the chance to leave these bounds is below one in 10^20.
    assert!(
        scanned.iter().all(|it| (300..700).contains(it)),
        "{scanned:?}"
    );
    let error = reseal::job::Job::new(
        Work::Apply,
        world.targets(USERS),
        {
            let mut options = reseal::job::JobOptions::new(reseal::job::Dialect::Sqlite);
            options.sample_one_in = Some(4);
            options
        },
        Box::new(OsEntropy),
        reseal::Timestamp::from_unix(0).unwrap(),
    );
    assert_eq!(error.unwrap_err().code().as_str(), "invalid-argument");
}

#[test]
fn a_plan_tells_what_apply_would_do_and_how_long_values_become() {
    let world = World::users(30);
    let long = "é".repeat(50);
    world
        .db
        .execute("UPDATE users SET ssn = ? WHERE id = 4", [&long])
        .unwrap();
    let before = world.number("SELECT total_changes()");
    let missing = USERS.replace("'ssn'", "'none'");
    let columns = format!("{USERS}\n{missing}");
    let report = world.run(World::job_of(Work::Plan, world.targets(&columns), |_| {}));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    assert_eq!(world.number("SELECT total_changes()"), before);
    let counts = &report.columns[0].passes[0];
    assert_adds_up(counts);
    assert_eq!(counts.resealed(), 30);
    let length = report.columns[0].length.unwrap();
    let sealed = world.seal(&long).len();
    // What it holds is bytes; what the column holds is characters.
    assert_eq!(
        (length.longest, length.needed, length.bound),
        (50, sealed, Some(sealed))
    );
    let finding = &report.columns[1].findings[0];
    assert_eq!(
        (finding.code, finding.message.as_str()),
        (
            "column-unsuitable",
            "the table users: it has no column none"
        )
    );
    assert!(report.to_json().contains("it has no column none"));
}

#[test]
fn discovery_finds_columns_that_no_manifest_names() {
    let world = World::users(5);
    let sealed = world.seal("x");
    world
        .db
        .execute_batch(
            "CREATE TABLE \"od\"\"d\" (id INTEGER PRIMARY KEY, note TEXT, \"the \"\"secret\" BLOB, key TEXT);
             INSERT INTO \"od\"\"d\" (note, key) VALUES ('plain', 'rsk1.data.abc'), ('text', NULL)",
        )
        .unwrap();
    let insert = "INSERT INTO \"od\"\"d\" (\"the \"\"secret\") VALUES (?)";
    world.db.execute(insert, [sealed.as_bytes()]).unwrap();
    world
        .db
        .execute("UPDATE users SET ssn = ?", [&sealed])
        .unwrap();

    let report = world.run(World::job_of(Work::Discover, Vec::new(), |_| {}));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let names = |report: &reseal::job::Report| {
        let found = report.discovered.iter();
        let names = found.map(|it| format!("{} {}", it.table, it.column));
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        names(&report),
        ["od\"d the \"secret", "od\"d key", "users ssn"]
    );
    assert_eq!(
        (report.discovered[1].key_like, report.discovered[1].values),
        (1, 1)
    );
    let (kind, values) = report.discovered[2].found.first_key_value().unwrap();
    assert_eq!((kind.codec.as_str(), *values), ("reseal", 5));
    assert_eq!(kind.key, Some(world.ring.primary_id().unwrap().to_string()));

    let report = world.run(World::job_of(Work::Discover, keyless(), |_| {}));
    assert_eq!(names(&report), ["od\"d the \"secret", "od\"d key"]);
}

#[test]
fn the_length_of_a_value_is_known_before_it_is_sealed() {
    let keys = vec![FernetKey::parse("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").unwrap()];
    let codecs: [Box<dyn Codec>; 3] = [
        Box::new(Plain),
        Box::new(Reseal::new(Arc::clone(&World::new("").ring))),
        Box::new(Fernet::new(keys).unwrap()),
    ];
    let context = crate::support::context();
    let now = reseal::Timestamp::from_unix(1_800_000_000).unwrap();
    for codec in &codecs {
        for mode in [Mode::Random, Mode::Deterministic, Mode::Padded] {
            for (form, len) in [Form::Text, Form::Binary]
                .into_iter()
                .flat_map(|form| (0..70).chain([1000, 4095]).map(move |len| (form, len)))
            {
                let place = Place {
                    context: &context,
                    mode,
                    form,
                };
                let mut fresh = Fresh {
                    entropy: &mut OsEntropy,
                    now,
                };
                let sealed = codec.seal(&vec![b'x'; len], &place, &mut fresh).unwrap();
                let sealed = sealed.as_stored().as_bytes().len();
                assert_eq!(
                    codec.sealed_len(len, mode, form),
                    Some(sealed),
                    "{codec:?} {len}"
                );
            }
        }
    }
}
