//! What is wrong with a manifest: places, and messages that show no secret.

use crate::error::{Error, ErrorCode};
use alloc::{format, string::String, vec::Vec};
use core::{cell::RefCell, fmt};

/// Problems that are told at once, and warnings.
const MAX_TOLD: usize = 20;
/// Characters of a word that is shown; a longer one may be a secret in a wrong place.
const MAX_SHOWN_CHARS: usize = 24;

/// Something that is wrong with a manifest, or that its author should know.
///
/// # Example
/// ```
/// use reseal::manifest::Manifest;
/// let problems = Manifest::check("version = 1\ncolums = []").unwrap_err();
/// assert_eq!(
///     problems.list()[0].to_string(),
///     r#"colums: there is no member "colums" of the manifest; did you mean "columns"? (line 2)"#,
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The member, such as `columns[1].write`, where lists count from 0; empty where the text is no
    /// TOML.
    pub place: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// What is wrong, and how to mend it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            line,
            column,
            message,
        } = self;
        if place.is_empty() {
            return write!(f, "line {line}, column {column}: {message}");
        }
        write!(f, "{place}: {message} (line {line})")
    }
}

/// Why a manifest was refused: up to 20 problems, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    code: ErrorCode,
    list: Vec<Problem>,
    more: bool,
}

impl Problems {
    pub(super) fn one(code: ErrorCode, message: impl Into<String>) -> Self {
        let problem = Problem {
            place: String::new(),
            line: 1,
            column: 1,
            message: message.into(),
        };
        Self {
            code,
            list: Vec::from([problem]),
            more: false,
        }
    }

    /// `manifest-invalid`, or `unsupported-version`.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The problems.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// Whether there are more than 20.
    #[must_use]
    pub const fn has_more(&self) -> bool {
        self.more
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.list.as_slice() {
            return write!(f, "the manifest is not valid: {only}");
        }
        f.write_str("the manifest is not valid:")?;
        for problem in &self.list {
            write!(f, "\n- {problem}")?;
        }
        if self.more {
            f.write_str("\n- and more")?;
        }
        Ok(())
    }
}

impl core::error::Error for Problems {}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::new(problems.code, format!("{problems}"))
    }
}

/// Where problems are collected.
pub(super) struct Log<'t> {
    text: &'t str,
    code: RefCell<ErrorCode>,
    wrong: RefCell<Entries>,
    warned: RefCell<Entries>,
}

#[derive(Default)]
struct Entries {
    /// In the order of the text.
    list: Vec<(usize, Problem)>,
    more: bool,
}

impl Entries {
    fn add(&mut self, at: usize, problem: Problem) {
        let place = self.list.partition_point(|(there, _)| *there <= at);
        self.list.insert(place, (at, problem));
    }

    fn problems(self) -> Vec<Problem> {
        self.list.into_iter().map(|(_, problem)| problem).collect()
    }
}

impl<'t> Log<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            code: RefCell::new(ErrorCode::ManifestInvalid),
            wrong: RefCell::default(),
            warned: RefCell::default(),
        }
    }

    /// A problem at a byte of the text.
    pub(super) fn wrong(&self, place: &str, at: usize, message: impl Into<String>) {
        self.note(&self.wrong, place, at, message.into());
    }

    pub(super) fn warn(&self, place: &str, at: usize, message: impl Into<String>) {
        self.note(&self.warned, place, at, message.into());
    }

    // A call at each of its many places, and not a copy.
    #[inline(never)]
    fn note(&self, entries: &RefCell<Entries>, place: &str, at: usize, message: String) {
        let mut entries = entries.borrow_mut();
        if entries.list.len() >= MAX_TOLD {
            entries.more = true;
            return;
        }
        entries.add(at, self.problem(place, at, message));
    }

    /// The code of the error, where it is another one than `manifest-invalid`.
    pub(super) fn code(&self, code: ErrorCode) {
        self.code.replace(code);
    }

    /// Whether one problem more would not be told.
    pub(super) fn is_full(&self) -> bool {
        self.wrong.borrow().more
    }

    pub(super) fn is_clean(&self) -> bool {
        self.wrong.borrow().list.is_empty()
    }

    /// The warnings of a text without problems.
    pub(super) fn finish(self) -> Result<Vec<Problem>, Problems> {
        let wrong = self.wrong.into_inner();
        if wrong.list.is_empty() {
            return Ok(self.warned.into_inner().problems());
        }
        Err(Problems {
            code: self.code.into_inner(),
            more: wrong.more,
            list: wrong.problems(),
        })
    }

    pub(super) fn problem(&self, place: &str, at: usize, message: String) -> Problem {
        let before = self.text.get(..at).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |line_end| line_end + 1);
        let in_line = before.get(start..).unwrap_or_default();
        Problem {
            place: place.into(),
            line: before.matches('\n').count() + 1,
            column: in_line.chars().count() + 1,
            message,
        }
    }
}

/// A word in a message: quoted, or nothing where it may be a secret in a wrong place.
pub(super) fn shown(word: &str) -> String {
    if word.chars().count() > MAX_SHOWN_CHARS || word.contains("rsk1.") {
        return "of this name (too long to be shown)".into();
    }
    format!("{word:?}")
}

/// `there is no mode "rnd"; did you mean "random"?`, or the list of all.
pub(super) fn no_such(noun: &str, word: &str, known: &[&str]) -> String {
    unknown(format!("there is no {noun} {}", shown(word)), word, known)
}

/// The same, with a beginning of its own.
pub(super) fn unknown(head: String, word: &str, known: &[&str]) -> String {
    if let Some(near) = nearest(word, known) {
        return format!("{head}; did you mean {near:?}?");
    }
    match known {
        [] => head,
        [only] => format!("{head}: there is only {only}"),
        _ => format!("{head}: it is one of {}", known.join(", ")),
    }
}

/// The known word that differs least, where that is little.
fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    if word.chars().count() > MAX_SHOWN_CHARS {
        return None;
    }
    let distances = known.iter().map(|known| (distance(word, known), *known));
    let (distance, near) = distances.min_by_key(|(distance, _)| *distance)?;
    let allowed = (near.chars().count().max(word.chars().count()) / 3).max(1);
    (distance <= allowed && distance < near.chars().count()).then_some(near)
}

/// Characters to insert, take away or replace (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (above, from) in left.chars().enumerate() {
        let mut diagonal = above;
        let mut before = above + 1;
        for (slot, to) in row.iter_mut().skip(1).zip(right.chars()) {
            let replaced = diagonal + usize::from(from != to);
            diagonal = *slot;
            before = replaced.min(*slot + 1).min(before + 1);
            *slot = before;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
