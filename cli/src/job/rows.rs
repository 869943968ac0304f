//! Row ids as a person writes them.

use reseal::job::Cell;
use serde::Deserialize;

use crate::failure::{Outcome, usage};

/// A value of a row id.
#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Number(i64),
    Text(String),
    Bytes { hex: String },
}

/// The cells of a row id: the text itself, or those of a JSON list.
pub(super) fn parse(text: &str) -> Outcome<Vec<Cell>> {
    if !text.starts_with('[') {
        return Ok(vec![text.into()]);
    }
    let parts: Result<Vec<Part>, _> = serde_json::from_str(text);
    let cells = parts
        .ok()
        .and_then(|parts| parts.into_iter().map(cell).collect());
    match cells {
        Some(cells) => Ok(cells),
        None => usage(
            "a row id is a value, or a JSON list such as [\"acme\", 7]; bytes are {\"hex\": \"…\"} in it",
        ),
    }
}

fn cell(part: Part) -> Option<Cell> {
    Some(match part {
        Part::Number(number) => number.to_string().as_str().into(),
        Part::Text(text) => text.as_str().into(),
        Part::Bytes { hex } => {
            let bytes = data_encoding::HEXLOWER_PERMISSIVE
                .decode(hex.as_bytes())
                .ok()?;
            Cell::from(bytes)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_row_id_is_a_value_or_a_list() {
        for (text, shown) in [
            ("42", vec!["42"]),
            ("a[b", vec!["a[b"]),
            (
                r#"["acme", 7, {"hex": "00ff"}]"#,
                vec!["acme", "7", "\u{0}"],
            ),
        ] {
            let cells = parse(text).unwrap();
            assert_eq!(cells.len(), shown.len(), "{text}");
            assert_eq!(cells[0].as_text(), Some(shown[0]), "{text}");
        }
        for wrong in ["[", "[1.5]", "[null]", r#"[{"hex": "0"}]"#, "[[1]]"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
