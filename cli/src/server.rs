//! The database of a URL: where it is, without what is secret.

/// A server, as a URL names it, without the password.
pub(crate) struct Server {
    pub(crate) host: Option<String>,
    pub(crate) port: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) database: String,
}

/// A URL without its password and its options; nothing where it is none.
pub(crate) fn without_password(url: &str) -> Option<String> {
    let (scheme, rest) = url.trim().split_once("://")?;
    if scheme == "sqlite" {
        return Some(format!("sqlite://{rest}"));
    }
    let server = Server::of(rest)?;
    let user = server.user.map(|user| format!("{user}@"));
    let host = server.host.map(|host| {
        if host.contains(':') {
            format!("[{host}]")
        } else {
            host
        }
    });
    let port = server.port.map(|port| format!(":{port}"));
    let parts = [user, host, port].map(Option::unwrap_or_default).concat();
    Some(format!("{scheme}://{parts}/{}", server.database))
}

impl Server {
    /// Nothing where no connection would take it: any part of such a URL may be a part of the password.
    pub(crate) fn of(rest: &str) -> Option<Self> {
        let (authority, path) = rest.split_once('/')?;
        let (database, parameters) = path.split_once('?').unwrap_or((path, ""));
        let (login, place) = authority.split_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !place.ends_with(']') => (host, Some(port)),
            _ => (place, None),
        };
        let address = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let is_host = address.map_or_else(|| is_plain(host), is_address);
        let is_port = port.is_none_or(|port| {
            matches!(port.len(), 1..=5) && port.bytes().all(|it| it.is_ascii_digit())
        });
        let is_one = is_plain(user)
            && is_plain(password)
            && is_host
            && is_port
            && has_none(database, b"/#@")
            && has_none(parameters, b"?#@");
        let text = |text: &str| Some(decoded(text)).filter(|text| !text.is_empty());
        is_one.then_some(Self {
            host: text(address.unwrap_or(host)),
            port: port.and_then(text),
            user: text(user),
            database: text(database)?,
        })
    }

    /// As `pg_dump` and `mariadb-dump` take them.
    pub(crate) fn options(&self) -> Vec<String> {
        let host = self.host.iter().map(|it| format!("--host={it}"));
        host.chain(self.port.iter().map(|it| format!("--port={it}")))
            .collect()
    }
}

/// Whether no delimiter of a URL stands in a part of it.
fn is_plain(text: &str) -> bool {
    has_none(text, b":@/?#[]")
}

fn has_none(text: &str, delimiters: &[u8]) -> bool {
    text.bytes().all(|it| !delimiters.contains(&it))
}

/// Whether it may stand between square brackets.
fn is_address(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    !text.is_empty() && text.bytes().all(is_part)
}

/// What stands in a URL as `%2F`; what is no text stays as it is.
pub(crate) fn decoded(text: &str) -> String {
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
    use super::{Server, without_password};

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, expected) in [
            ("sqlite:///app.db", "sqlite:///app.db"),
            (
                "postgresql://ann:s3cret%40@db.example:5433/shop?password=s3cret",
                "postgresql://ann@db.example:5433/shop",
            ),
            ("mysql://root:s3cret@[::1]/shop", "mysql://root@[::1]/shop"),
            ("postgresql:///shop", "postgresql:///shop"),
        ] {
            assert_eq!(without_password(url).unwrap(), expected);
        }
        for url in ["s3cret", "postgresql://ann:s3cret@db", "mysql://s3cret/"] {
            assert_eq!(without_password(url), None, "{url}");
        }
    }

    /// No part of it is shown, since nobody knows which one is the password.
    #[test]
    fn a_url_that_no_connection_takes_is_none() {
        for rest in [
            "ann:s3cr/et@db.example:5432/shop",
            "ann:s3#c?r/et@db.example/shop",
            "ann:12/34@db.example/shop",
            "ann:12/34?cr@db.example/shop",
            "ann:12/34#cr@db.example/shop",
            "ann:s3@cret@db.example/shop",
            "ann:s3:cret@db.example/shop",
            "ann:[s3cret]@db.example/shop",
            "s3:cret/shop",
            "s3[cret/shop",
            "[s3cret]/shop",
            "db.example:123456/shop",
            "db.example/shop/s3cret",
            "db.example/shop?sslmode=require#s3cret",
        ] {
            assert!(Server::of(rest).is_none(), "{rest}");
        }
        let plain = Server::of("db.example/shop?sslrootcert=/etc/ca.pem").unwrap();
        assert_eq!(plain.options(), ["--host=db.example"]);
        let local = Server::of("[::1]:5433/my%20shop").unwrap();
        assert_eq!(local.options(), ["--host=::1", "--port=5433"]);
        assert_eq!(local.database, "my shop");
    }
}
