//! What a table of SQLite says of rows that break a constraint: only the text that made it tells that.

const CLAUSE: [&[u8]; 3] = [b"on", b"conflict", b"replace"];

/// Whether `ON CONFLICT REPLACE` stands in the text that made a table, outside of quotes and comments.
pub(super) fn replaces(sql: &str) -> bool {
    let mut rest = sql.as_bytes();
    let mut found = 0;
    while !rest.is_empty() && found < CLAUSE.len() {
        let word = rest.iter().take_while(|it| is_of_word(**it)).count();
        let (word, after) = rest.split_at(word);
        let is_at = |place: usize| {
            CLAUSE
                .get(place)
                .is_some_and(|it| word.eq_ignore_ascii_case(it))
        };
        if !word.is_empty() {
            found = if is_at(found) {
                found + 1
            } else {
                usize::from(is_at(0))
            };
            rest = after;
            continue;
        }
        let (start, end): (usize, &[u8]) = match rest {
            [b'-', b'-', ..] => (2, b"\n"),
            [b'/', b'*', ..] => (2, b"*/"),
            [b'[', ..] => (1, b"]"),
            [b'\'' | b'"' | b'`', ..] => (1, rest.get(..1).unwrap_or_default()),
            _ => (1, b""),
        };
        // Between the words may be comments and blanks.
        if start == 1 && !rest.first().is_some_and(u8::is_ascii_whitespace) {
            found = 0;
        }
        rest = after_end(rest.get(start..).unwrap_or_default(), end);
    }
    found == CLAUSE.len()
}

const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

/// What comes after the first end; nothing where there is none.
fn after_end<'t>(text: &'t [u8], end: &[u8]) -> &'t [u8] {
    let rests = (0..text.len()).filter_map(|at| text.get(at..));
    let mut after = rests.filter_map(|rest| rest.strip_prefix(end));
    after.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::replaces;
    use alloc::format;

    #[test]
    fn a_clause_is_found_where_it_is_one() {
        for clause in [
            "ON CONFLICT REPLACE",
            "on\n\tconflict replace",
            "UNIQUE(ssn)ON/* IGNORE */CONFLICT--\nREPLACE)",
            "ON DELETE CASCADE ON CONFLICT REPLACE",
            "DEFAULT 'it''s' ON CONFLICT REPLACE",
            "/*/ on conflict ignore */ ON CONFLICT REPLACE",
        ] {
            assert!(
                replaces(&format!("CREATE TABLE users (ssn TEXT {clause}")),
                "{clause}"
            );
        }
        for clause in [
            "",
            "ON CONFLICT IGNORE, replace_by TEXT",
            "ON CONFLICT FAIL, replace TEXT",
            "description TEXT, conflict TEXT, replace TEXT",
            "DEFAULT 'ON CONFLICT REPLACE'",
            "DEFAULT 'it''s ON CONFLICT REPLACE'",
            "\"on conflict replace\" TEXT, [on conflict replace] TEXT, `on conflict replace` TEXT",
            "-- ON CONFLICT REPLACE",
            "/* ON CONFLICT REPLACE */",
            "/* ON CONFLICT REPLACE",
            "ON_CONFLICT REPLACE",
            "ON é CONFLICT REPLACE",
            "ON CONFLICT (replace)",
            "'ON CONFLICT REPLACE",
        ] {
            assert!(
                !replaces(&format!("CREATE TABLE users (ssn TEXT {clause}")),
                "{clause}"
            );
        }
    }
}
