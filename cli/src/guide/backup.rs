//! The backup, with the tool of the database.

use reseal::job::KeysetRow;
use reseal::manifest::{KeyringSource, Manifest, WantKind};

use super::shell::quoted;
use super::{Step, add};
use crate::console::shown;
use crate::server::{Server, decoded};

/// Where a database keeps keysets.
const KEYSETS: &str = "reseal_keysets";

/// The backup of the tables that a manifest names.
pub(super) fn step(manifest: &Manifest, url: Option<&str>) -> Step {
    let columns = manifest.columns().iter();
    let mut tables: Vec<String> = columns.map(|it| it.table.clone()).collect();
    let keys = tables_of_keys(manifest);
    tables.extend(keys.iter().cloned());
    tables.sort_unstable();
    tables.dedup();
    let command = url.and_then(|url| command(url, &tables));
    let names = shown(&tables.join(", "));
    let mut why = format!(
        "A copy of {names} from before, together with the keys of today: a backup needs the key \
         that sealed at the time, for as long as it may be restored."
    );
    if !keys.is_empty() {
        let keys = shown(&keys.join(", "));
        let sentence = format!(
            "In it are keys as well, those of {keys}: keep what opens them, such as the \
             key-encrypting key, somewhere else."
        );
        add(&mut why, &sentence);
    }
    if manifest.columns().iter().any(|spec| spec.bind_row) {
        why += " Values are bound to their row ids: restore rows with the ids that they had.";
    }
    if command.is_none() {
        why += " Which tool makes it depends on the database: set RESEAL_DATABASE_URL, and run \
                reseal guide again.";
    }
    Step::new("Back up", &why, command)
}

/// The tables without which no value of the others opens.
fn tables_of_keys(manifest: &Manifest) -> Vec<String> {
    let wants = manifest.wants().into_iter();
    let wants = wants.filter(|want| matches!(want.kind, WantKind::Table(_)));
    let mut tables: Vec<String> = wants.map(|want| want.name).collect();
    let has_keyset = manifest.rings().into_iter().any(|ring| {
        matches!(ring.source, KeyringSource::Keyset { path, .. } if KeysetRow::ring_in(&path).is_some())
    });
    if has_keyset {
        tables.push(KEYSETS.to_owned());
    }
    tables
}

/// Nothing where the URL says nothing of use.
fn command(url: &str, tables: &[String]) -> Option<String> {
    let (scheme, rest) = url.trim().split_once("://")?;
    match scheme {
        "sqlite" => {
            let path = decoded(rest.strip_prefix('/')?);
            let copy = quoted(".backup before-reseal.db");
            Some(format!("sqlite3 {} {copy}", quoted(&path)))
        }
        "postgresql" | "postgres" => {
            let server = Server::of(rest)?;
            let user = server.user.as_ref().map(|it| format!("--username={it}"));
            let tables = tables.iter().map(|it| format!("--table={}", pattern(it)));
            let options = server.options().into_iter().chain(user).chain(tables);
            let file = "--file=before-reseal.sql".to_owned();
            Some(line(
                "pg_dump",
                options.chain([file, server.database.clone()]),
            ))
        }
        "mysql" | "mariadb" => {
            let server = Server::of(rest)?;
            let user = server.user.as_ref().map(|it| format!("--user={it}"));
            let more = ["--password", "--single-transaction"].map(str::to_owned);
            let more = more
                .into_iter()
                .chain(["--result-file=before-reseal.sql".to_owned()]);
            let options = server.options().into_iter().chain(user).chain(more);
            let names = tables.iter().cloned();
            Some(line(
                "mariadb-dump",
                options.chain([server.database.clone()]).chain(names),
            ))
        }
        _ => None,
    }
}

fn line(program: &str, words: impl Iterator<Item = String>) -> String {
    let words = words.map(|word| match word.split_once('=') {
        Some((option, value)) if option.starts_with("--") => format!("{option}={}", quoted(value)),
        _ if word.starts_with("--") => word,
        _ => quoted(&word),
    });
    let words: Vec<String> = words.collect();
    format!("{program} {}", words.join(" "))
}

/// A table as `pg_dump` takes it: what is not in lower case has to be quoted.
fn pattern(table: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c);
    if table.chars().all(is_plain) {
        return table.to_owned();
    }
    let parts = table
        .splitn(2, '.')
        .map(|part| format!("\"{}\"", part.replace('"', "\"\"")));
    parts.collect::<Vec<String>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn the_tool_of_the_database_makes_it_and_no_password_is_shown() {
        for (url, expected) in [
            (
                "sqlite:///app.db",
                "sqlite3 app.db '.backup before-reseal.db'",
            ),
            (
                "sqlite:////srv/my%20app.db",
                "sqlite3 '/srv/my app.db' '.backup before-reseal.db'",
            ),
            (
                "postgresql://ann:s3cret%40@db.example:5433/shop?sslmode=require",
                "pg_dump --host=db.example --port=5433 --username=ann --table=users --table='app.\"My Notes\"' --file=before-reseal.sql shop",
            ),
            (
                "mysql://root:s3cret@[::1]/shop",
                "mariadb-dump --host=::1 --user=root --password --single-transaction --result-file=before-reseal.sql shop users 'app.My Notes'",
            ),
        ] {
            let tables = ["users", "app.My Notes"].map(str::to_owned);
            let found = command(url, &tables).unwrap();
            assert_eq!(found.replace("\"app\".", "app."), expected);
            assert!(!found.contains("s3cret"), "{found}");
        }
        for url in [
            "oracle://x/y",
            "users",
            "postgresql://host",
            "mysql://host/",
        ] {
            assert_eq!(command(url, &["users".to_owned()]), None, "{url}");
        }
    }
}
