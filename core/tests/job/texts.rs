//! The statements for PostgreSQL and MySQL, as text: what a catalogue says goes in, what a job asks
//! comes out.

use crate::support::World;
use reseal::job::{Cell, Dialect, End, Job, JobOptions, Reply, Report, Statement, Step, Work};
use reseal::{OsEntropy, Timestamp};

const COLUMNS: &str = "[[columns]]
table = 'app.users'
column = 'ssn'
row_id = ['tenant', 'code']
where = \"kind = 'a'\"
indexes = [{ name = 'ssn_eq', column = 'ssn_bidx', normalizer = 'raw', bits = 64 }]
write = 'app'
read = ['plain']
";

/// A row of the catalogue: name, type, base type, length, nullable, follows updates, character set.
fn column(name: &str, of: &str, follows: i64, charset: Option<&str>) -> Vec<Cell> {
    let base = of.split('(').next().unwrap().split(' ').next().unwrap();
    let text = |text: Option<String>| text.map_or(Cell::Null, Cell::from);
    let collation = charset.map(|charset| format!("{charset}_general_ci"));
    vec![
        name.into(),
        of.into(),
        base.into(),
        Cell::Null,
        Cell::Int(0),
        Cell::Int(follows),
        text(charset.map(String::from)),
        text(collation),
    ]
}

/// Runs a job on a scripted database with one row, and gives what it asked for.
fn statements(dialect: Dialect, types: [&str; 2]) -> (Vec<Statement>, Report) {
    scripted(Work::Apply, dialect, types, 1)
}

fn scripted(
    work: Work,
    dialect: Dialect,
    types: [&str; 2],
    count: usize,
) -> (Vec<Statement>, Report) {
    let world = World::new("");
    let mut options = JobOptions::new(dialect);
    options.verify_one_in = 0;
    let now = Timestamp::from_unix(1_800_000_000).unwrap();
    let targets = world.targets(COLUMNS);
    let mut job = Job::new(work, targets, options, Box::new(OsEntropy), now).unwrap();
    let mut said = Vec::new();
    let mut reply = Reply::Start;
    loop {
        reply = match job.next(reply, 0) {
            Step::Finished(report) => return (said, report),
            Step::Query(statement) => {
                let rows = answer(&statement.sql, types, &said);
                let is_page = rows
                    .first()
                    .is_some_and(|row| row.len() == 3 && row[2] == "secret".into());
                let rows = if is_page {
                    vec![rows[0].clone(); count]
                } else {
                    rows
                };
                said.push(statement);
                Reply::Rows(rows)
            }
            Step::Execute(statement) => {
                said.push(statement);
                Reply::Count(1)
            }
            _ => Reply::Done,
        };
    }
}

fn answer(sql: &str, types: [&str; 2], said: &[Statement]) -> Vec<Vec<Cell>> {
    if sql.contains("pg_attribute a CROSS") || sql.contains("information_schema.COLUMNS") {
        return vec![
            column("tenant", types[0], 0, None),
            column("code", types[1], 0, Some("latin1")),
            column("ssn", "text", 0, Some("utf8mb4")),
            column("ssn_bidx", "text", 0, Some("utf8mb4")),
            column("changed", "datetime", 1, None),
        ];
    }
    if sql.contains("pg_index") || sql.contains("STATISTICS") {
        let part = |name: &str| vec!["PRIMARY".into(), name.into(), Cell::Null];
        return vec![part("tenant"), part("code")];
    }
    let is_first = !said.iter().any(|it| it.sql.contains("LIMIT"));
    if sql.contains("LIMIT") && is_first {
        return vec![vec!["7".into(), "x".into(), "secret".into()]];
    }
    Vec::new()
}

fn starting<'s>(said: &'s [Statement], with: &str) -> &'s Statement {
    let found = said.iter().find(|it| it.sql.starts_with(with));
    found.unwrap_or_else(|| panic!("nothing starts with {with}"))
}

#[test]
fn postgres_swaps_a_batch_by_arrays() {
    let (said, report) = statements(Dialect::Postgres, ["bigint", "varchar(9)"]);
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let swap = starting(&said, "UPDATE \"app\"");
    assert_eq!(
        swap.sql,
        "UPDATE \"app\".\"users\" SET \"ssn\" = reseal_v.reseal_n0, \
         \"ssn_bidx\" = reseal_v.reseal_t0_0 \
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) \
         AS reseal_v(reseal_k0, reseal_k1, reseal_o0, reseal_n0, reseal_t0_0) \
         WHERE (kind = 'a'\n) AND \"app\".\"users\".\"tenant\" = reseal_v.reseal_k0::bigint \
         AND \"app\".\"users\".\"code\" = reseal_v.reseal_k1::varchar(9) \
         AND \"app\".\"users\".\"ssn\"::text COLLATE \"C\" IS NOT DISTINCT FROM reseal_v.reseal_o0"
    );
    assert_eq!(swap.params[0], Cell::from(r#"{"7"}"#));
    assert_eq!(swap.params[2], Cell::from(r#"{"secret"}"#));
    let checkpoint = starting(&said, "INSERT");
    assert_eq!(
        checkpoint.sql,
        "INSERT INTO \"reseal_jobs\" (\"id\", \"state\", \"version\") VALUES ($1, $2, 1)"
    );
}

#[test]
fn mysql_swaps_a_batch_by_a_join_and_keeps_columns_that_follow_updates() {
    let (said, report) = statements(Dialect::Mysql, ["bigint unsigned", "varchar(9)"]);
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    assert!(
        starting(&said, "SET SESSION sql_mode")
            .sql
            .contains("STRICT_ALL_TABLES")
    );
    let swap = starting(&said, "UPDATE `app`");
    assert_eq!(
        swap.sql,
        "UPDATE `app`.`users` JOIN (SELECT CAST(? AS UNSIGNED) AS reseal_k0, \
         CONVERT(? USING latin1) COLLATE latin1_general_ci AS reseal_k1, \
         CAST(? AS BINARY) AS reseal_o0, CONVERT(? USING utf8mb4) AS reseal_n0, \
         CONVERT(? USING utf8mb4) AS reseal_t0_0) AS reseal_v \
         ON `app`.`users`.`tenant` = reseal_v.reseal_k0 \
         AND `app`.`users`.`code` = reseal_v.reseal_k1 \
         SET `app`.`users`.`ssn` = reseal_v.reseal_n0, \
         `app`.`users`.`ssn_bidx` = reseal_v.reseal_t0_0, \
         `app`.`users`.`changed` = `app`.`users`.`changed` \
         WHERE (kind = 'a'\n) \
         AND CAST(CONVERT(`app`.`users`.`ssn` USING utf8mb4) AS BINARY) <=> reseal_v.reseal_o0"
    );
    assert_eq!(swap.params[2], Cell::from(b"secret".to_vec()));
}

/// The statement that swaps values to which columns of these types are bound.
fn bound_swap(dialect: Dialect, types: [&str; 2]) -> Statement {
    let world = World::new("");
    let mut options = JobOptions::new(dialect);
    options.verify_one_in = 0;
    let columns = "[[columns]]
table = 'users'
column = 'ssn'
row_id = ['code']
bind_row = true
context = { tenant = { column = 'tenant' }, kind = { column = 'kind' } }
write = 'app'
read = ['plain']
";
    let now = Timestamp::from_unix(1_800_000_000).unwrap();
    let mut job = Job::new(
        Work::Apply,
        world.targets(columns),
        options,
        Box::new(OsEntropy),
        now,
    )
    .unwrap();
    let mut reply = Reply::Start;
    loop {
        reply = match job.next(reply, 0) {
            Step::Execute(it) if it.sql.starts_with("UPDATE") => return it,
            Step::Finished(report) => panic!("{}", report.to_json()),
            Step::Query(it) if it.sql.contains("pg_attribute a CROSS") => {
                Reply::Rows(bound_columns(types))
            }
            Step::Query(it) if it.sql.contains("information_schema.COLUMNS") => {
                Reply::Rows(bound_columns(types))
            }
            Step::Query(it) if it.sql.contains("pg_index") || it.sql.contains("STATISTICS") => {
                Reply::Rows(vec![vec!["PRIMARY".into(), "code".into(), Cell::Null]])
            }
            Step::Query(it) if it.sql.contains("LIMIT") => {
                let kind = Cell::Bytes(b"k".to_vec().into());
                let row = vec!["x".into(), kind, 7.into(), "x".into(), "secret".into()];
                Reply::Rows(vec![row])
            }
            Step::Query(_) => Reply::Rows(Vec::new()),
            Step::Execute(_) => Reply::Count(1),
            _ => Reply::Done,
        };
    }
}

fn bound_columns(types: [&str; 2]) -> Vec<Vec<Cell>> {
    vec![
        column("tenant", types[0], 0, None),
        column("kind", types[1], 0, None),
        column("code", "varchar(9)", 0, Some("latin1")),
        column("ssn", "text", 0, Some("utf8mb4")),
    ]
}

#[test]
fn what_is_bound_is_compared_with_what_was_read() {
    let swap = bound_swap(Dialect::Postgres, ["integer", "bytea"]);
    assert_eq!(
        swap.sql,
        "UPDATE \"users\" SET \"ssn\" = reseal_v.reseal_n0 \
         FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[]) \
         AS reseal_v(reseal_k0, reseal_f0, reseal_f1, reseal_f2, reseal_o0, reseal_n0) \
         WHERE 1 = 1 AND \"users\".\"code\" = reseal_v.reseal_k0::varchar(9) \
         AND \"users\".\"kind\" IS NOT DISTINCT FROM reseal_v.reseal_f0 \
         AND \"users\".\"tenant\"::text COLLATE \"C\" IS NOT DISTINCT FROM reseal_v.reseal_f1 \
         AND \"users\".\"code\"::text COLLATE \"C\" IS NOT DISTINCT FROM reseal_v.reseal_f2 \
         AND \"users\".\"ssn\"::text COLLATE \"C\" IS NOT DISTINCT FROM reseal_v.reseal_o0"
    );
    let bound = [r#"{"\\x6b"}"#, "{7}", r#"{"x"}"#].map(Cell::from);
    assert_eq!(swap.params[1..4], bound);
    let swap = bound_swap(Dialect::Mysql, ["int", "timestamp"]);
    assert_eq!(
        swap.sql,
        "UPDATE `users` JOIN (SELECT CONVERT(? USING latin1) COLLATE latin1_general_ci AS reseal_k0, \
         CAST(? AS BINARY) AS reseal_f0, CAST(? AS SIGNED) AS reseal_f1, \
         CAST(? AS BINARY) AS reseal_f2, CAST(? AS BINARY) AS reseal_o0, \
         CONVERT(? USING utf8mb4) AS reseal_n0) AS reseal_v \
         ON `users`.`code` = reseal_v.reseal_k0 SET `users`.`ssn` = reseal_v.reseal_n0 \
         WHERE 1 = 1 AND CAST(CAST(`users`.`kind` AS CHAR) AS BINARY) <=> reseal_v.reseal_f0 \
         AND `users`.`tenant` <=> reseal_v.reseal_f1 \
         AND CAST(CONVERT(`users`.`code` USING utf8mb4) AS BINARY) <=> reseal_v.reseal_f2 \
         AND CAST(CONVERT(`users`.`ssn` USING utf8mb4) AS BINARY) <=> reseal_v.reseal_o0"
    );
}

#[test]
fn a_page_goes_on_after_a_key_in_the_form_that_each_database_is_quick_with() {
    let pages = |dialect, types| {
        let (said, report) = scripted(Work::Census, dialect, types, 32);
        assert_eq!(report.end, End::Complete);
        let pages = said.into_iter().filter(|it| it.sql.contains("LIMIT"));
        let [first, second] = pages.collect::<Vec<_>>().try_into().unwrap();
        assert!(first.params.is_empty());
        (first.sql, second.sql)
    };
    let (first, second) = pages(Dialect::Postgres, ["bigint", "text"]);
    let start = "SELECT \"app\".\"users\".\"tenant\"::text, \"app\".\"users\".\"code\"::text, \
                 \"app\".\"users\".\"ssn\"::text FROM \"app\".\"users\" WHERE (kind = 'a'\n)";
    let order = "ORDER BY \"app\".\"users\".\"tenant\", \"app\".\"users\".\"code\" LIMIT";
    assert_eq!(first, format!("{start} {order} 32"));
    let after = "(\"app\".\"users\".\"tenant\", \"app\".\"users\".\"code\") \
                 > ($1::text::bigint, $2::text::text)";
    assert_eq!(second, format!("{start} AND {after} {order} 128"));

    let (first, second) = pages(Dialect::Mysql, ["int", "varchar(9)"]);
    let start = "SELECT `app`.`users`.`tenant`, `app`.`users`.`code`, `app`.`users`.`ssn` \
                 FROM `app`.`users` WHERE (kind = 'a'\n)";
    let order = "ORDER BY `app`.`users`.`tenant`, `app`.`users`.`code` LIMIT";
    assert_eq!(first, format!("{start} {order} 32"));
    let after = "((`app`.`users`.`tenant` > CAST(? AS SIGNED)) OR \
                 (`app`.`users`.`tenant` = CAST(? AS SIGNED) AND `app`.`users`.`code` > \
                 CONVERT(? USING latin1) COLLATE latin1_general_ci))";
    assert_eq!(second, format!("{start} AND {after} {order} 128"));
}

/// The statement of a census by keys alone that counts, and has these words.
fn counting(dialect: Dialect, words: &str) -> Statement {
    let world = World::new("");
    let mut options = JobOptions::new(dialect);
    options.keys_only = true;
    options.sample_one_in = Some(10);
    let now = Timestamp::from_unix(1_800_000_000).unwrap();
    let targets = world.targets(COLUMNS);
    let mut job = Job::new(Work::Census, targets, options, Box::new(OsEntropy), now).unwrap();
    let mut reply = Reply::Start;
    loop {
        reply = match job.next(reply, 0) {
            Step::Finished(report) => panic!("{}", report.to_json()),
            Step::Query(it) if it.sql.contains("GROUP BY") && it.sql.contains(words) => return it,
            Step::Query(it) => Reply::Rows(answer(&it.sql, ["bigint", "varchar(9)"], &[])),
            Step::Execute(_) => Reply::Count(0),
            _ => Reply::Done,
        };
    }
}

#[test]
fn terms_are_counted_by_their_key_and_all_else_is_one_group() {
    let count = |dialect| counting(dialect, "rx1");
    let (postgres, mysql) = (count(Dialect::Postgres), count(Dialect::Mysql));
    assert!(postgres.params.is_empty() && mysql.params.is_empty());
    assert_eq!(
        postgres.sql,
        "SELECT reseal_p, count(*) FROM (SELECT CASE WHEN \
         \"app\".\"users\".\"ssn_bidx\"::text COLLATE \"C\" ~ '^rx1[.][a-z2-7]{8}[.]' \
         THEN substr(\"app\".\"users\".\"ssn_bidx\"::text, 5, 8) COLLATE \"C\" \
         WHEN \"app\".\"users\".\"ssn_bidx\" IS NOT NULL THEN '' END AS reseal_p \
         FROM \"app\".\"users\" WHERE (kind = 'a'\n) AND random() * 10 < 1 OFFSET 0) AS reseal_g \
         WHERE reseal_p IS NOT NULL GROUP BY reseal_p"
    );
    assert_eq!(
        mysql.sql,
        "SELECT reseal_p, count(*) FROM (SELECT CASE WHEN \
         CONVERT(`app`.`users`.`ssn_bidx` USING utf8mb4) COLLATE utf8mb4_bin \
         REGEXP '^rx1[.][a-z2-7]{8}[.]' \
         THEN SUBSTRING(CONVERT(`app`.`users`.`ssn_bidx` USING utf8mb4) COLLATE utf8mb4_bin, 5, 8) \
         WHEN `app`.`users`.`ssn_bidx` IS NOT NULL THEN '' END AS reseal_p \
         FROM `app`.`users` WHERE (kind = 'a'\n) AND RAND() * 10 < 1) AS reseal_g \
         WHERE reseal_p IS NOT NULL GROUP BY reseal_p"
    );
}

#[test]
fn envelopes_are_counted_by_their_start_byte_by_byte() {
    let count = |dialect| counting(dialect, "reseal_l");
    let (postgres, mysql) = (count(Dialect::Postgres), count(Dialect::Mysql));
    assert!(postgres.params.is_empty() && mysql.params.is_empty());
    assert_eq!(
        postgres.sql,
        "SELECT reseal_p, count(*), sum(reseal_l) FROM (SELECT CASE WHEN \
         \"app\".\"users\".\"ssn\"::text COLLATE \"C\" LIKE 'rs_.%' \
         THEN left(\"app\".\"users\".\"ssn\"::text, 39) COLLATE \"C\" \
         WHEN \"app\".\"users\".\"ssn\" IS NOT NULL THEN '' END AS reseal_p, \
         octet_length(\"app\".\"users\".\"ssn\"::text) AS reseal_l FROM \"app\".\"users\" \
         WHERE (kind = 'a'\n) AND random() * 10 < 1 OFFSET 0) AS reseal_g GROUP BY reseal_p"
    );
    assert_eq!(
        mysql.sql,
        "SELECT reseal_p, count(*), sum(reseal_l) FROM (SELECT CASE WHEN \
         `app`.`users`.`ssn` LIKE 'rs_.%' \
         THEN CAST(LEFT(CONVERT(`app`.`users`.`ssn` USING utf8mb4), 39) AS BINARY) \
         WHEN `app`.`users`.`ssn` IS NOT NULL THEN x'' END AS reseal_p, \
         LENGTH(CONVERT(`app`.`users`.`ssn` USING utf8mb4)) AS reseal_l FROM `app`.`users` \
         WHERE (kind = 'a'\n) AND RAND() * 10 < 1) AS reseal_g GROUP BY reseal_p"
    );
}

#[test]
fn the_rows_of_a_table_are_estimated_from_the_catalogue() {
    let (said, _) = statements(Dialect::Postgres, ["bigint", "text"]);
    let rows = starting(&said, "WITH RECURSIVE");
    assert_eq!(rows.params, ["\"app\".\"users\"".into()]);
    assert!(rows.sql.contains("reltuples") && rows.sql.contains("to_regclass($1::text)"));
    let (said, _) = statements(Dialect::Mysql, ["bigint", "text"]);
    let rows = starting(&said, "SELECT TABLE_ROWS");
    assert_eq!(
        rows.sql,
        "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?"
    );
    assert_eq!(rows.params, ["app".into(), "users".into()]);
}

#[test]
fn terms_are_read_beside_their_values_where_they_are_looked_at() {
    let page = |dialect| {
        let world = World::new("");
        let mut options = JobOptions::new(dialect);
        options.reindex = true;
        let now = Timestamp::from_unix(1_800_000_000).unwrap();
        let targets = world.targets(COLUMNS);
        let mut job = Job::new(Work::Apply, targets, options, Box::new(OsEntropy), now).unwrap();
        let mut reply = Reply::Start;
        loop {
            reply = match job.next(reply, 0) {
                Step::Query(statement) if statement.sql.contains("LIMIT") => break statement.sql,
                Step::Query(statement) => {
                    Reply::Rows(answer(&statement.sql, ["bigint", "text"], &[]))
                }
                Step::Execute(_) => Reply::Count(1),
                Step::Finished(report) => panic!("{}", report.to_json()),
                _ => Reply::Done,
            };
        }
    };
    let sql = page(Dialect::Postgres);
    let select = "\"app\".\"users\".\"ssn\"::text, \"app\".\"users\".\"ssn_bidx\"::text FROM";
    assert!(sql.contains(select), "{sql}");
    let sql = page(Dialect::Mysql);
    let select = "`app`.`users`.`ssn`, `app`.`users`.`ssn_bidx` FROM";
    assert!(sql.contains(select), "{sql}");
}
