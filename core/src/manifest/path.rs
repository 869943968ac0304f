//! Paths into a JSON document: which of its members are sealed.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

const MAX_STEPS: usize = 32;

/// Which members of a JSON document are sealed, each by itself.
///
/// `$` is the document, `.name` and `['any name']` are members, `[*]` is every item of a list and
/// `[0]` is one. There is nothing else.
///
/// # Example
/// ```
/// use reseal::manifest::{JsonPath, JsonStep};
/// let path = JsonPath::parse("$.mfaRecoveryCodes[*]").unwrap();
/// assert_eq!(path.steps(), [JsonStep::Member("mfaRecoveryCodes".into()), JsonStep::EveryItem]);
/// assert_eq!(path.to_string(), "$.mfaRecoveryCodes[*]");
/// assert!(JsonPath::parse("$..codes").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JsonPath(Vec<JsonStep>);

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JsonStep {
    /// The member of an object.
    Member(String),
    /// Every item of a list.
    EveryItem,
    /// The item of a list, counted from 0.
    Item(u32),
}

impl JsonPath {
    /// The path of a text; nothing where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, next) = step(rest)?;
            steps.push(step);
            rest = next;
        }
        (1..=MAX_STEPS)
            .contains(&steps.len())
            .then_some(Self(steps))
    }

    /// Its steps, from the document inwards; there is at least one.
    #[must_use]
    pub fn steps(&self) -> &[JsonStep] {
        &self.0
    }

    /// Whether a member that one of them names is, or is within, one that the other names.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let is_both = |steps: (&JsonStep, &JsonStep)| match steps {
            (JsonStep::EveryItem, JsonStep::Item(_)) | (JsonStep::Item(_), JsonStep::EveryItem) => {
                true
            }
            (one, other) => one == other,
        };
        self.0.iter().zip(&other.0).all(is_both)
    }

    /// The path that names a member with these steps and, of each list, every item in its place. It
    /// ends before a name that no path can spell.
    #[cfg(feature = "job")]
    pub(crate) fn over(steps: &[JsonStep]) -> Self {
        let spelled = steps.iter().map_while(|step| match step {
            JsonStep::Member(name) if !is_spelled(name) => None,
            JsonStep::Member(name) => Some(JsonStep::Member(name.clone())),
            JsonStep::EveryItem | JsonStep::Item(_) => Some(JsonStep::EveryItem),
        });
        Self(spelled.collect())
    }

    /// Whether it names the member with these steps.
    #[cfg(feature = "job")]
    pub(crate) fn names(&self, steps: &[JsonStep]) -> bool {
        let fits = |(own, step): (&JsonStep, &JsonStep)| {
            own == step || matches!((own, step), (JsonStep::EveryItem, JsonStep::Item(_)))
        };
        self.0.len() == steps.len() && self.0.iter().zip(steps).all(fits)
    }

    /// The path of one member among those that this one names, by its place in each list of which
    /// every item is named.
    #[cfg(feature = "job")]
    pub(crate) fn at(&self, items: &[u32]) -> Self {
        let mut items = items.iter();
        let steps = self.0.iter().map(|step| match step {
            JsonStep::EveryItem => items
                .next()
                .map_or(JsonStep::EveryItem, |item| JsonStep::Item(*item)),
            step => step.clone(),
        });
        Self(steps.collect())
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for step in &self.0 {
            match step {
                JsonStep::Member(name) if is_bare(name) => write!(f, ".{name}")?,
                JsonStep::Member(name) => write!(f, "['{name}']")?,
                JsonStep::EveryItem => f.write_str("[*]")?,
                JsonStep::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

fn step(text: &str) -> Option<(JsonStep, &str)> {
    if let Some(rest) = text.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, next) = rest.split_at_checked(end)?;
        return is_bare(name).then(|| (JsonStep::Member(name.to_owned()), next));
    }
    if let Some(rest) = text.strip_prefix("['") {
        let (name, next) = rest.split_once("']")?;
        return is_spelled(name).then(|| (JsonStep::Member(name.to_owned()), next));
    }
    let (index, next) = text.strip_prefix('[')?.split_once(']')?;
    if index == "*" {
        return Some((JsonStep::EveryItem, next));
    }
    let digits = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| index.parse().ok())
        .flatten()
        .map(|index| (JsonStep::Item(index), next))
}

/// Whether a path can have the name, between quotes.
fn is_spelled(name: &str) -> bool {
    !name.is_empty() && !name.contains(['\'', '\\'])
}

fn is_bare(name: &str) -> bool {
    let allowed = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-');
    !name.is_empty() && name.chars().all(allowed)
}
