//! `cargo xtask licences`: that every dependency may be used, and the list that goes along.
//!
//! `THIRD-PARTY.txt` of a package says under which licence each crate in it is used. Where the package
//! carries their compiled code, it has the texts as well.

use core::fmt::Write as _;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use spdx::{Expression, LicenseReq, Licensee, ParseMode};

use crate::Result;
use crate::files::root;
use crate::products::{Extent, Id, PRODUCTS, Part, Product, write_or_check};

/// Where an author leaves the choice, the first of these is taken. What needs another one fails.
const ALLOWED: [&str; 6] = [
    "Apache-2.0",
    "MIT",
    "BSD-3-Clause",
    "Zlib",
    "Unicode-3.0",
    "Apache-2.0 WITH LLVM-exception",
];
/// A sentence that only its text has.
const MARKS: [(&str, &str); 5] = [
    ("Apache-2.0", "Apache License"),
    ("MIT", "Permission is hereby granted, free of charge"),
    ("BSD-3-Clause", "Neither the name of"),
    ("Zlib", "This software is provided 'as-is'"),
    ("Unicode-3.0", "UNICODE LICENSE V3"),
];

/// Writes the lists, or checks them.
pub(crate) fn run(check: bool) -> Result {
    for product in &PRODUCTS {
        // What only the build runs is not shipped; that it may be used is looked at all the same.
        for (id, part) in product.parts(Extent::Built)? {
            used_under(&id, &part)?;
        }
        let text = list(product)?;
        write_or_check(&product.file("THIRD-PARTY.txt"), &text, check)?;
    }
    Ok(())
}

fn list(product: &Product) -> Result<String> {
    let mut text = String::from(HEAD);
    let mut texts = BTreeMap::new();
    for (id, part) in product.parts(Extent::Shipped)? {
        // Our own have the licences of the package.
        if part.checksum.is_none() {
            continue;
        }
        let used = used_under(&id, &part)?;
        let (name, version) = &id;
        writeln!(text, "{name} {version}: {}", used.join(" and "))?;
        for licence in &used {
            if let Some(found) = text_of(&id, &part, licence)? {
                let users: &mut BTreeSet<String> = texts.entry(found).or_default();
                users.insert(format!("{name} {version}"));
            }
        }
        if let Some(notice) = find(&part.source, |name, _| name.starts_with("NOTICE"))? {
            texts.entry(notice).or_default().insert(name.clone());
        }
    }
    if product.compiled {
        writeln!(
            text,
            "\nThe standard library of Rust is linked in: Apache-2.0."
        )?;
        for (found, users) in texts {
            let users: Vec<_> = users.into_iter().collect();
            write!(text, "\n{RULE}\n{}\n{RULE}\n\n{found}\n", users.join(", "))?;
        }
        let apache = fs::read_to_string(root().join("LICENSE-APACHE"))?;
        write!(
            text,
            "\n{RULE}\nWhatever is used under Apache-2.0\n{RULE}\n\n{}\n",
            apache.trim_matches('\n')
        )?;
    }
    Ok(text)
}

const HEAD: &str = "\
The crates that this package is made of besides its own, and the licence under which each is used.
Written by `cargo xtask licences`; `sbom.cdx.json` has the same crates for programs.

";
const RULE: &str = "----------------------------------------------------------------------------";

/// The licences that are taken; more than one where the author asks for all of them.
fn used_under(id: &Id, part: &Part) -> Result<Vec<String>> {
    let refused = || {
        format!(
            "{} {} is under {:?}, and that is none of {ALLOWED:?}: do without it, or explain it in CONTRIBUTING",
            id.0, id.1, part.licence
        )
    };
    let expression =
        Expression::parse_mode(&part.licence, ParseMode::LAX).map_err(|_| refused())?;
    let allowed: Vec<_> = ALLOWED
        .iter()
        .map(|name| Licensee::parse(name))
        .collect::<core::result::Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let taken = expression
        .minimized_requirements(&allowed)
        .map_err(|_| refused())?;
    Ok(taken.iter().map(LicenseReq::to_string).collect())
}

/// The text of a licence as this crate has it; none for Apache-2.0, whose text is the same for all.
fn text_of(id: &Id, part: &Part, licence: &str) -> Result<Option<String>> {
    if licence == "Apache-2.0" {
        return Ok(None);
    }
    let mark = MARKS.iter().find(|(name, _)| *name == licence);
    let (_, mark) = mark.ok_or_else(|| format!("no mark for {licence}"))?;
    find(&part.source, |_, text| text.contains(mark))?
        .map(Some)
        .ok_or_else(|| format!("{} {} has no text of {licence}", id.0, id.1).into())
}

/// The first file with such a name and content among those that may be about licences.
fn find(folder: &Path, wanted: impl Fn(&str, &str) -> bool) -> Result<Option<String>> {
    let mut names: Vec<_> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<core::result::Result<_, _>>()?;
    names.sort();
    for name in names {
        let upper = name.to_uppercase();
        let papers = ["LICENSE", "LICENCE", "COPYING", "NOTICE"];
        if !papers.iter().any(|start| upper.starts_with(start)) || !folder.join(&name).is_file() {
            continue;
        }
        let text = fs::read_to_string(folder.join(&name))?.replace('\r', "");
        if wanted(&upper, &text) {
            return Ok(Some(text.trim_matches('\n').to_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(licence: &str) -> Result<Vec<String>> {
        let part = Part {
            licence: licence.to_owned(),
            repository: None,
            source: root(),
            checksum: None,
            needs: BTreeSet::new(),
        };
        used_under(&("some".to_owned(), "1.0.0".to_owned()), &part)
    }

    #[test]
    fn of_a_choice_the_first_that_is_allowed_is_taken() {
        assert_eq!(taken("MIT OR Apache-2.0").unwrap(), ["Apache-2.0"]);
        assert_eq!(taken("Unlicense/MIT").unwrap(), ["MIT"]);
        assert_eq!(
            taken("(MIT OR Apache-2.0) AND Unicode-3.0").unwrap(),
            ["Apache-2.0", "Unicode-3.0"]
        );
    }

    #[test]
    fn what_is_not_allowed_is_refused() {
        for licence in ["GPL-3.0-only", "MIT AND MPL-2.0", "my own", ""] {
            assert!(taken(licence).is_err(), "{licence}");
        }
    }

    #[test]
    fn a_text_that_is_not_there_is_an_error() {
        let id = ("some".to_owned(), "1.0.0".to_owned());
        let part = Part {
            licence: "Zlib".to_owned(),
            repository: None,
            source: root(),
            checksum: None,
            needs: BTreeSet::new(),
        };
        assert!(text_of(&id, &part, "Zlib").is_err());
        assert!(text_of(&id, &part, "MIT").unwrap().is_some());
    }
}
