//! Each check with its message.

mod codecs;
mod columns;
mod overlaps;
mod secrets;
mod text;
mod warnings;

use super::{column, documents, problems, told, with};
use reseal::manifest::Manifest;

/// The only problem of a manifest begins so.
fn one(text: &str, begin: &str) {
    let found = told(problems(text).list());
    assert!(
        found.len() == 1 && found[0].starts_with(begin),
        "{found:#?}\nand not {begin}\nin {text}"
    );
}

fn one_of_column(members: &str, begin: &str) {
    one(&with(&column(members)), &format!("columns[0].{begin}"));
}

fn one_of_codec(options: &str, begin: &str) {
    one(
        &with(&format!("[codecs.x]\n{options}")),
        &format!("codecs.x{begin}"),
    );
}

fn warned(text: &str) -> Vec<String> {
    told(Manifest::parse(text).unwrap().warnings())
}
