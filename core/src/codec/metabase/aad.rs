//! The associated data of a column, as a template over the context of a value.

use crate::{
    context::{Context, check_name},
    error::{Error, ErrorCode, Result, fixed},
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

/// Text with names in braces.
#[derive(Debug)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    Name(String),
}

impl Template {
    /// # Errors
    /// `invalid-argument`.
    pub(crate) fn parse(template: &str) -> Result<Self> {
        if template.is_empty() {
            return Err(invalid());
        }
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((text, after)) = rest.split_once('{') {
            let (name, next) = after.split_once('}').ok_or_else(invalid)?;
            check_name(name).map_err(|_| invalid())?;
            parts.push(literal(text)?);
            parts.push(Part::Name(name.to_owned()));
            rest = next;
        }
        parts.push(literal(rest)?);
        Ok(Self(parts))
    }

    /// The names in braces.
    #[cfg(feature = "manifest")]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// # Errors
    /// `context-invalid` where the context lacks a name, or all is empty.
    pub(super) fn fill(&self, context: &Context) -> Result<Vec<u8>> {
        let mut filled = Vec::new();
        for part in &self.0 {
            filled.extend_from_slice(match part {
                Part::Text(text) => text.as_bytes(),
                Part::Name(name) => context.get(name).ok_or_else(|| missing(name))?,
            });
        }
        if filled.is_empty() {
            return Err(fixed(
                ErrorCode::ContextInvalid,
                "the aad of this value is empty: its names have empty values in the context",
            ));
        }
        Ok(filled)
    }
}

fn literal(text: &str) -> Result<Part> {
    if text.contains('}') {
        return Err(invalid());
    }
    Ok(Part::Text(text.to_owned()))
}

fn missing(name: &str) -> Error {
    Error::new(
        ErrorCode::ContextInvalid,
        format!("the aad names {name}, which the context of this value lacks: add it"),
    )
}

fn invalid() -> Error {
    fixed(
        ErrorCode::InvalidArgument,
        "an aad is text with names of the context in braces, such as setting.{key}",
    )
}
