//! The blind indexes of a column.

use super::{NORMALIZERS, checked_identifier, twice};
use crate::{
    blind_index::{BlindIndex, Normalizer},
    manifest::read::{Table, Value},
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

/// A blind index beside a column.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IndexSpec {
    /// Its name, which is part of every term.
    pub name: String,
    /// The column that holds the terms.
    pub column: String,
    /// What two values must have in common to count as equal.
    pub normalizer: Normalizer,
    /// How many bits of the hash it keeps.
    pub bits: u16,
    /// For [`crate::Keyring::index_terms`].
    pub index: BlindIndex,
}

pub(super) fn parse(table: &mut Table<'_, '_>) -> Vec<IndexSpec> {
    let Some(list) = table.value("indexes") else {
        return Vec::new();
    };
    let items = list.list().unwrap_or_default().into_iter();
    let found: Vec<IndexSpec> = items.filter_map(|item| parse_one(&item)).collect();
    if let Some(name) = twice(found.iter().map(|index| index.name.as_str())) {
        list.wrong(format!("two indexes have the name {name}"));
    }
    if let Some(column) = twice(found.iter().map(|index| index.column.as_str())) {
        list.wrong(format!("two indexes have the column {column}"));
    }
    found
}

fn parse_one(item: &Value<'_, '_>) -> Option<IndexSpec> {
    let mut table = item.table("an index")?;
    let name = table.required("name", "\"ssn_eq\"");
    let name = name.and_then(|name| name.text());
    let column = table.required("column", "\"ssn_bidx\"");
    let column = column.and_then(|value| checked_identifier(&value, value.text()?));
    let normalizer = table.word("normalizer", "normalizer", &NORMALIZERS);
    let bits = table.required("bits", "64");
    let bits = bits.and_then(|bits| bits.number());
    table.finish();
    let (name, bits) = (name?, u16::try_from(bits?).unwrap_or(u16::MAX));
    let index = match BlindIndex::new(name, normalizer, bits) {
        Ok(index) => index,
        Err(error) => {
            item.wrong(error.message());
            return None;
        }
    };
    Some(IndexSpec {
        name: name.to_owned(),
        column: column?,
        normalizer,
        bits,
        index,
    })
}
