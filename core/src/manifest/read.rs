//! Tables and values of TOML, each with its place; what is wrong goes to the log.

use super::problem::{Log, Problem, no_such, shown, unknown};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Texts of one list.
const MAX_TEXTS: usize = 64;

/// A table, and the members that were asked for.
pub(super) struct Table<'r, 't> {
    /// What it is, with an article: `a column`.
    noun: &'static str,
    pub(super) place: String,
    pub(super) at: usize,
    pub(super) log: &'r Log<'t>,
    members: &'r DeTable<'t>,
    asked: Vec<&'static str>,
}

/// A value, and its place.
pub(super) struct Value<'r, 't> {
    pub(super) place: String,
    pub(super) at: usize,
    pub(super) log: &'r Log<'t>,
    item: &'r DeValue<'t>,
}

impl<'r, 't> Table<'r, 't> {
    /// The whole text.
    pub(super) const fn root(members: &'r DeTable<'t>, log: &'r Log<'t>) -> Self {
        Self {
            noun: "the manifest",
            place: String::new(),
            at: 0,
            log,
            members,
            asked: Vec::new(),
        }
    }

    /// A member that may be there.
    pub(super) fn value(&mut self, name: &'static str) -> Option<Value<'r, 't>> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        let item = self.members.get(name)?;
        Some(self.member(name, item))
    }

    /// A member that must be there; `example` is how it is written.
    pub(super) fn required(&mut self, name: &'static str, example: &str) -> Option<Value<'r, 't>> {
        let value = self.value(name);
        if value.is_none() {
            self.wrong(name, format!("it is missing: write {name} = {example}"));
        }
        value
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.value(name)?.flag()
    }

    /// A word of a list, or the one that counts where nothing is said.
    pub(super) fn word<T: Copy + Default>(
        &mut self,
        name: &'static str,
        noun: &str,
        words: &[(&str, T)],
    ) -> T {
        let value = self.value(name);
        let word = value.and_then(|value| value.word(noun, words));
        word.unwrap_or_default()
    }

    /// A problem of a member, whether it is there or not.
    pub(super) fn wrong(&self, name: &str, message: impl Into<String>) {
        let (place, at) = self.spot(name);
        self.log.wrong(&place, at, message);
    }

    pub(super) fn warn(&self, name: &str, message: impl Into<String>) {
        let (place, at) = self.spot(name);
        self.log.warn(&place, at, message);
    }

    /// A problem that counts later, if at all.
    pub(super) fn problem(&self, name: &str, message: String) -> Problem {
        let (place, at) = self.spot(name);
        self.log.problem(&place, at, message)
    }

    fn spot(&self, name: &str) -> (String, usize) {
        let item = self.members.get(name);
        let at = item.map_or(self.at, |item| item.span().start);
        (self.place_of(name), at)
    }

    /// Whether a member that was asked for, or will be, is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Every member, for tables whose names are free.
    pub(super) fn all(self) -> impl Iterator<Item = (&'r str, Value<'r, 't>)> {
        self.members.iter().map(move |(name, item)| {
            let name: &str = name.get_ref();
            (name, self.member(name, item))
        })
    }

    /// Refuses what was not asked for.
    pub(super) fn finish(self) {
        for name in self.members.keys() {
            if self.log.is_full() {
                break;
            }
            let word: &str = name.get_ref();
            if !self.asked.contains(&word) {
                let head = format!("there is no member {} of {}", shown(word), self.noun);
                let message = unknown(head, word, &self.asked);
                self.log
                    .wrong(&self.place_of(word), name.span().start, message);
            }
        }
    }

    /// The same, where the table turned out to be something special.
    pub(super) fn finish_as(mut self, noun: &'static str) {
        self.noun = noun;
        self.finish();
    }

    fn place_of(&self, name: &str) -> String {
        match self.place.as_str() {
            "" => key(name),
            place => format!("{place}.{}", key(name)),
        }
    }

    fn member(&self, name: &str, item: &'r Spanned<DeValue<'t>>) -> Value<'r, 't> {
        Value {
            place: self.place_of(name),
            at: item.span().start,
            log: self.log,
            item: item.get_ref(),
        }
    }
}

impl<'r, 't> Value<'r, 't> {
    pub(super) fn text(&self) -> Option<&'r str> {
        let text = match self.item {
            DeValue::String(text) => Some(text.as_ref()),
            _ => None,
        };
        self.expected(text, "text in quotes")
    }

    pub(super) fn flag(&self) -> Option<bool> {
        self.expected(self.item.as_bool(), "true or false")
    }

    /// A whole number that is not negative.
    pub(super) fn number(&self) -> Option<u64> {
        let number = self.item.as_integer().and_then(|integer| {
            let digits = integer.as_str();
            u64::from_str_radix(digits.strip_prefix('+').unwrap_or(digits), integer.radix()).ok()
        });
        self.expected(number, "a whole number")
    }

    pub(super) fn list(&self) -> Option<Vec<Self>> {
        let items = match self.item {
            DeValue::Array(items) => Some(items),
            _ => None,
        };
        let items = self.expected(items, "a list in brackets")?;
        let value = |(index, item): (usize, &'r Spanned<DeValue<'t>>)| Value {
            place: format!("{}[{index}]", self.place),
            at: item.span().start,
            log: self.log,
            item: item.get_ref(),
        };
        Some(items.iter().enumerate().map(value).collect())
    }

    pub(super) fn table(&self, noun: &'static str) -> Option<Table<'r, 't>> {
        let members = match self.item {
            DeValue::Table(members) => Some(members),
            _ => None,
        };
        Some(Table {
            noun,
            place: self.place.clone(),
            at: self.at,
            log: self.log,
            members: self.expected(members, "a table")?,
            asked: Vec::new(),
        })
    }

    pub(super) const fn is_table(&self) -> bool {
        matches!(self.item, DeValue::Table(_))
    }

    pub(super) fn word<T: Copy>(&self, noun: &str, words: &[(&str, T)]) -> Option<T> {
        let word = self.text()?;
        let found = words.iter().find(|(known, _)| *known == word);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
            self.wrong(no_such(noun, word, &known));
        }
        found.map(|(_, meant)| *meant)
    }

    /// A list of texts, with at least one.
    pub(super) fn texts(&self) -> Vec<(Self, &'r str)> {
        let items = self.list();
        match items.as_ref().map_or(1, Vec::len) {
            0 => self.wrong("the list is empty"),
            1..=MAX_TEXTS => {}
            _ => self.wrong(format!("the list has more than {MAX_TEXTS} items")),
        }
        let items = items.unwrap_or_default().into_iter();
        items
            .take(MAX_TEXTS)
            .filter_map(|item| item.text().map(|text| (item, text)))
            .collect()
    }

    pub(super) fn wrong(&self, message: impl Into<String>) {
        self.log.wrong(&self.place, self.at, message);
    }

    /// Never shows the value: it may be a secret.
    fn expected<T>(&self, found: Option<T>, what: &str) -> Option<T> {
        if found.is_none() {
            self.wrong(format!("expected {what}"));
        }
        found
    }
}

/// A key as TOML writes it.
pub(super) fn key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.len() > 64 || name.contains("rsk1.") {
        "(a long name)".to_string()
    } else if !name.is_empty() && name.bytes().all(bare) {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}
