//! The context of a column: fixed facts, and those that each row has.

use super::{ColumnSpec, checked_identifier};
use crate::{
    context::{Context, ContextValue, check_name},
    error::{Error, ErrorCode, Result},
    manifest::read::{Table, Value},
};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

const ROW: &str = "row";

/// A fact that is bound to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The same for every row.
    Text(String),
    /// What the row has in another column.
    Column(String),
}

impl ColumnSpec {
    /// The facts that are the same for every row.
    #[must_use]
    pub fn fixed_context(&self) -> Context {
        let mut context = Context::new();
        for (name, fact) in &self.context {
            if let Fact::Text(text) = fact {
                // Each pair was inserted before, when the manifest was checked.
                let _inserted = context.insert(name, text);
            }
        }
        context
    }

    /// The pairs of each of [`Self::earlier_contexts`].
    pub fn earlier_facts(&self) -> impl Iterator<Item = Vec<(&str, &str)>> {
        fn text(bytes: &[u8]) -> &str {
            // The manifest is text.
            core::str::from_utf8(bytes).unwrap_or_default()
        }
        let contexts = self.earlier_contexts.iter().map(Context::fields);
        contexts.map(|pairs| {
            pairs
                .map(|(name, value)| (text(name), text(value)))
                .collect()
        })
    }

    /// What its rows are found by, and its values bound to: the member that says so, and the column.
    pub(super) fn needed(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let ids = self.row_id.iter().map(|column| ("row_id", column.as_str()));
        let facts = self.row_facts().map(|(_, column)| ("context", column));
        ids.chain(facts)
    }

    /// Each fact that a row has itself, and the column of the table that holds it.
    pub fn row_facts(&self) -> impl Iterator<Item = (&str, &str)> {
        let bound = self.row_id.first().filter(|_| self.bind_row);
        let bound = bound.map(|column| (ROW, column.as_str()));
        let others = self.context.iter().filter_map(|(name, fact)| match fact {
            Fact::Column(column) => Some((name.as_str(), column.as_str())),
            Fact::Text(_) => None,
        });
        others.chain(bound)
    }

    /// The facts of one row, for [`crate::Column::open`] and its like. `value` is what the row has
    /// in a column.
    ///
    /// # Example
    /// ```
    /// use reseal::{Context, manifest::Manifest};
    /// let manifest = Manifest::parse(
    ///     "version = 1
    ///     [[columns]]
    ///     table = 'users'
    ///     column = 'ssn'
    ///     row_id = ['id']
    ///     bind_row = true
    ///     context = { table = 'users', tenant = { column = 'tenant_id' } }
    ///     write = 'plain'",
    /// )?;
    /// let column = &manifest.columns()[0];
    /// let facts = column.facts(|name| Some(if name == "id" { 42 } else { 7 }.into()))?;
    /// assert_eq!(facts, Context::new().with("row", 42)?.with("tenant", 7)?);
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// `context-invalid` where the row has no value, or one that is too large.
    pub fn facts<'v>(&self, value: impl Fn(&str) -> Option<ContextValue<'v>>) -> Result<Context> {
        let mut facts = Context::new();
        for (name, column) in self.row_facts() {
            let value = value(column).ok_or_else(|| {
                Error::new(
                    ErrorCode::ContextInvalid,
                    format!("the row has nothing in {column}, which is bound as {name}"),
                )
            })?;
            facts.insert(name, value)?;
        }
        Ok(facts)
    }
}

pub(super) fn context(table: &mut Table<'_, '_>, bind_row: bool) -> Vec<(String, Fact)> {
    let Some(members) = table.value("context") else {
        return Vec::new();
    };
    let Some(members) = members.table("a context") else {
        return Vec::new();
    };
    let place = members.place.clone();
    let (at, log) = (members.at, members.log);
    let facts: Vec<(String, Fact)> = members
        .all()
        .filter_map(|(name, value)| Some((name.to_owned(), fact(name, &value)?)))
        .collect();
    // How many pairs there may be, and which names.
    let names = facts.iter().map(|(name, _)| name.as_str());
    let mut probe = Context::new();
    for name in names.chain(bind_row.then_some(ROW)) {
        if let Err(error) = probe.insert(name, "") {
            log.wrong(&place, at, error.message().to_string());
            break;
        }
    }
    facts
}

fn fact(name: &str, value: &Value<'_, '_>) -> Option<Fact> {
    if let Err(error) = check_name(name) {
        value.wrong(error.message());
        return None;
    }
    if !value.is_table() {
        return fixed(name, value).map(Fact::Text);
    }
    let mut table = value.table("a fact of the row")?;
    let column = table.required("column", "\"tenant_id\"");
    table.finish();
    let column = column?;
    let text = column.text()?;
    checked_identifier(&column, text).map(Fact::Column)
}

fn fixed(name: &str, value: &Value<'_, '_>) -> Option<String> {
    let text = value.text()?;
    if let Err(error) = Context::new().insert(name, text) {
        value.wrong(error.message());
        return None;
    }
    Some(text.to_owned())
}

pub(super) fn earlier(table: &mut Table<'_, '_>) -> Vec<Context> {
    let Some(list) = table.value("earlier_contexts") else {
        return Vec::new();
    };
    let items = list.list().unwrap_or_default().into_iter();
    items.filter_map(|item| earlier_one(&item)).collect()
}

fn earlier_one(item: &Value<'_, '_>) -> Option<Context> {
    let mut context = Context::new();
    for (name, value) in item.table("an earlier context")?.all() {
        if value.is_table() {
            value.wrong(
                "an earlier context has fixed text alone: the facts of the row are added to it",
            );
        } else if let Some(text) = value.text()
            && let Err(error) = context.insert(name, text)
        {
            value.wrong(error.message());
        }
    }
    Some(context)
}
