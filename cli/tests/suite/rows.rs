//! Keysets in a database: `sql:` wherever a path is.

use crate::database::Sqlite;
use crate::host::Memory;

fn empty() -> Memory {
    let mut memory = Memory::with_kek();
    memory.set("RESEAL_KEYSET", "sql:");
    memory.set("RESEAL_DATABASE_URL", "sqlite:///app.db");
    memory.database = Some(Sqlite::new(""));
    memory
}

fn text(memory: &Memory, sql: &str) -> String {
    memory.database.as_ref().unwrap().text(sql)
}

fn sql(memory: &Memory, sql: &str) {
    let database = memory.database.as_ref().unwrap();
    database.0.execute_batch(sql).unwrap();
}

#[test]
fn a_keyset_is_made_and_changed_in_its_row() {
    let mut memory = empty();
    let made = memory.ok("keyset init --label first --lease 60");
    let ring = text(&memory, "SELECT ring FROM reseal_keysets");
    assert!(made.starts_with(&format!("created sql:{ring} of the ring {ring}")));
    memory.ok("keyset introduce --label second");
    assert_eq!(text(&memory, "SELECT generation FROM reseal_keysets"), "2");
    memory.set("RESEAL_KEYSET", &format!("sql:{ring}"));
    let shown = memory.ok("keyset show");
    assert!(
        shown.contains("generation 2,") && shown.contains("second"),
        "{shown}"
    );
    let sealed = memory.ok("seal -c row=1 x");
    assert_eq!(
        memory.ok(&format!("open -c row=1 {}", sealed.trim())),
        "x\n"
    );
    let canary = memory.ok("canary make");
    memory.ok(&format!("canary check {}", canary.trim()));
    let found = memory.ok("doctor");
    assert!(found.contains("RESEAL_KEYSET sql:"), "{found}");
    assert!(
        !found.contains("RESEAL_DATABASE_URL is read by nothing"),
        "{found}"
    );
}

#[test]
fn whoever_was_slower_is_told() {
    let mut memory = empty();
    memory.ok("keyset init");
    // As if another one had saved after it was loaded.
    sql(&memory, "UPDATE reseal_keysets SET generation = 5");
    let refused = memory.fails(3, "keyset introduce");
    assert!(refused.ends_with("[keyset-conflict]\n"), "{refused}");
}

#[test]
fn what_is_missing_is_told() {
    let mut memory = empty();
    let refused = memory.fails(4, "keyset show");
    assert!(refused.contains("has no table reseal_keysets"), "{refused}");
    let refused = memory.fails(4, "seal x");
    assert!(refused.ends_with("[source-unreadable]\n"), "{refused}");
    memory.ok("keyset init");
    let refused = memory.fails(2, "keyset init");
    assert!(refused.contains("a keyset already"), "{refused}");
    memory.ok("keyset init --yes");
    let refused = memory.fails(3, "keyset show");
    assert!(refused.ends_with("[source-conflict]\n"), "{refused}");
    memory.fails(2, "keyset show --keyset sql:users");
    sql(&memory, "DELETE FROM reseal_keysets");
    let refused = memory.fails(4, "keyset show");
    assert!(refused.contains("is empty"), "{refused}");
    memory.variables.remove("RESEAL_DATABASE_URL");
    let refused = memory.fails(3, "keyset show");
    assert!(refused.contains("set RESEAL_DATABASE_URL"), "{refused}");
}
