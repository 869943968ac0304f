//! The backup, with the tool of the database.

use reseal::manifest::Manifest;

use super::Step;
use super::shell::quoted;
use crate::console::shown;

/// A server, as a URL names it, without the password.
struct Server {
    host: Option<String>,
    port: Option<String>,
    user: Option<String>,
    database: String,
}

/// The backup of the tables that a manifest names.
pub(super) fn step(manifest: &Manifest, url: Option<&str>) -> Step {
    let mut tables: Vec<&str> = manifest
        .columns()
        .iter()
        .map(|it| it.table.as_str())
        .collect();
    tables.sort_unstable();
    tables.dedup();
    let command = url.and_then(|url| command(url, &tables));
    let names = shown(&tables.join(", "));
    let mut why = format!(
        "A copy of {names} from before, together with the keys of today: a backup needs the key \
         that sealed at the time, for as long as it may be restored."
    );
    if manifest.columns().iter().any(|spec| spec.bind_row) {
        why += " Values are bound to their row ids: restore rows with the ids that they had.";
    }
    if command.is_none() {
        why += " Which tool makes it depends on the database: set RESEAL_DATABASE_URL, and run \
                reseal guide again.";
    }
    Step::new("Back up", &why, command)
}

/// Nothing where the URL says nothing of use.
fn command(url: &str, tables: &[&str]) -> Option<String> {
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
            let names = tables.iter().map(|it| (*it).to_owned());
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

impl Server {
    fn of(rest: &str) -> Option<Self> {
        let (authority, path) = rest.split_once('/')?;
        let database = path.split(['?', '#']).next().unwrap_or_default();
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (user.split(':').next(), place),
            None => (None, authority),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|it| it.is_ascii_digit()) => (host, Some(port)),
            _ => (place, None),
        };
        let text = |text: &str| Some(decoded(text)).filter(|text| !text.is_empty());
        Some(Self {
            host: text(host.trim_matches(['[', ']'])),
            port: port.and_then(text),
            user: user.and_then(text),
            database: text(database)?,
        })
    }

    fn options(&self) -> Vec<String> {
        let host = self.host.iter().map(|it| format!("--host={it}"));
        host.chain(self.port.iter().map(|it| format!("--port={it}")))
            .collect()
    }
}

/// What stands in a URL as `%2F`; what is no text stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let byte = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        bytes.push(byte.unwrap_or(*first));
        rest = match (byte, after) {
            (Some(_), [_, _, after @ ..]) => after,
            _ => after,
        };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
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
            let tables = ["users", "app.My Notes"];
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
            assert_eq!(command(url, &["users"]), None, "{url}");
        }
    }
}
