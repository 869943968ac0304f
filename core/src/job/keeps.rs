//! Whether a column gives a value back as it was given: some types cut it, fill it up, or take text for a
//! number, and no database says so. Of what is encrypted that is true of all of them: it has no blanks at its
//! end, and looks like no number.

use super::{Cell, Dialect, catalog::Info};
use alloc::string::ToString;

/// What SQLite makes of text that looks like a number, by the type with which a column was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Affinity {
    /// It stays text.
    None,
    /// It becomes a number, of which integers are written as they are.
    Numeric,
    /// It becomes a number with a fraction.
    Real,
}

impl Info {
    /// Whether a new value comes back as it is.
    pub(super) fn keeps(&self, dialect: Dialect, new: &Cell) -> bool {
        match (dialect, self.base.as_str(), new) {
            // Blanks at the end are those that the type itself adds.
            (Dialect::Postgres, "bpchar", Cell::Text(text))
            | (Dialect::Mysql, "char", Cell::Text(text)) => !text.ends_with(' '),
            // It is filled up with zeros.
            (Dialect::Mysql, "binary", new) => self.max_chars.is_none_or(|max| new.bytes() == max),
            (Dialect::Sqlite, base, Cell::Text(text)) => match affinity(base) {
                Affinity::None => true,
                Affinity::Numeric => {
                    let integer = text.parse::<i64>();
                    !is_number(text) || integer.is_ok_and(|it| it.to_string() == **text)
                }
                Affinity::Real => !is_number(text),
            },
            _ => true,
        }
    }
}

/// Of a type in lower case, by the rules of SQLite in their order.
fn affinity(base: &str) -> Affinity {
    let has = |names: &[&str]| names.iter().any(|name| base.contains(name));
    if has(&["int"]) {
        Affinity::Numeric
    } else if has(&["char", "clob", "text", "blob"]) || base.is_empty() {
        Affinity::None
    } else if has(&["real", "floa", "doub"]) {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}

/// Whether SQLite takes a text for a number: digits, a fraction and an exponent, and blanks around them.
fn is_number(text: &str) -> bool {
    let is_blank = |char| matches!(char, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r');
    let text = text.trim_matches(is_blank);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (unsigned, None),
    };
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let has_exponent = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && are_digits(digits)
    });
    let is_empty = whole.is_empty() && fraction.is_empty();
    !is_empty && are_digits(whole) && are_digits(fraction) && has_exponent
}

#[cfg(test)]
mod tests {
    use super::{Affinity, affinity, is_number};

    #[test]
    fn what_looks_like_a_number() {
        for text in [
            "0", "01234", "-0", "+49", " 7\n", "1.", ".5", "1e5", "1E+5", "1.50", "-1.5e-3",
        ] {
            assert!(is_number(text), "{text}");
        }
        for text in [
            "", " ", ".", "+", "e5", "1e", "1e+", "1 2", "0x10", "1-2", "1.2.3", "Infinity", "nan",
            "rs1.7", "1_000", "\u{a0}1",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn types_of_sqlite() {
        for (base, wanted) in [
            ("text", Affinity::None),
            ("varchar(20)", Affinity::None),
            ("blob", Affinity::None),
            ("", Affinity::None),
            ("charint", Affinity::Numeric),
            ("bigint", Affinity::Numeric),
            ("string", Affinity::Numeric),
            ("decimal(10,2)", Affinity::Numeric),
            ("double", Affinity::Real),
        ] {
            assert_eq!(affinity(base), wanted, "{base}");
        }
    }
}
