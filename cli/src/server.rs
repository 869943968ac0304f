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
    pub(crate) fn of(rest: &str) -> Option<Self> {
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

    /// As `pg_dump` and `mariadb-dump` take them.
    pub(crate) fn options(&self) -> Vec<String> {
        let host = self.host.iter().map(|it| format!("--host={it}"));
        host.chain(self.port.iter().map(|it| format!("--port={it}")))
            .collect()
    }
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
    use super::without_password;

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
}
