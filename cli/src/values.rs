//! The values that a command works on: arguments, lines of standard input, or JSON lines.

use core::fmt::Display;

use clap::Args;
use reseal::{Context, Error, ErrorCode, Result, Zeroizing};
use serde::{Deserialize, Deserializer, Serialize};

use crate::console::Console;
use crate::context::Pairs;
use crate::failure::{Failure, Outcome, exit, is_of_a_value, usage};
use crate::host::Stream;
use crate::lines::{Line, Lines};

/// Where the values come from.
#[derive(Args, Debug)]
pub(crate) struct ValueArgs {
    /// The values; without any they are read from standard input, one per line
    #[arg(value_name = "VALUE")]
    values: Vec<String>,

    /// Read JSON lines from standard input: {"value": "…", "context": {…}, "id": …}
    #[arg(long, conflicts_with = "values")]
    jsonl: bool,
}

/// One value, and what came with it.
#[derive(Debug)]
pub(crate) struct Item {
    /// Nothing for NULL, which a JSON line can have.
    pub(crate) value: Option<Zeroizing<String>>,
    pairs: Pairs,
}

impl Item {
    /// The value.
    ///
    /// # Errors
    /// `invalid-argument` for NULL.
    pub(crate) fn text(&self) -> Result<&str> {
        let text = self.value.as_ref().map(|value| value.as_str());
        text.ok_or_else(|| invalid(NO_VALUE))
    }

    /// Where this value belongs: what all share, and what its line says.
    ///
    /// # Errors
    /// `context-invalid`.
    pub(crate) fn context(&self, shared: &Context) -> Result<Context> {
        self.pairs.added_to(shared)
    }
}

/// The mark of a JSON line, which its result carries as well.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
enum Id {
    Unsigned(u64),
    Signed(i64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonLine {
    #[serde(default, deserialize_with = "there")]
    value: Option<Nullable>,
    #[serde(default)]
    context: Pairs,
    id: Option<Id>,
}

/// What a line of another shape may have all the same.
#[derive(Deserialize)]
struct Marked {
    id: Option<Id>,
}

/// A text, or NULL.
#[derive(Deserialize)]
struct Nullable(Option<String>);

/// A member that is there, also as null.
fn there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Nullable>, D::Error> {
    Nullable::deserialize(deserializer).map(Some)
}

#[derive(Serialize)]
struct Done<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Id>,
    ok: bool,
    #[serde(flatten)]
    result: &'a T,
}

#[derive(Serialize)]
struct Refused<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Id>,
    ok: bool,
    code: &'static str,
    message: &'a str,
}

impl ValueArgs {
    /// Does the work for each value and reports each result, as text or as a JSON line.
    ///
    /// What concerns one value only is reported, leaves an empty line, and makes the exit code 1;
    /// what concerns all of them ends the command.
    pub(crate) fn each<T: Serialize + Display>(
        &self,
        console: &mut Console<'_>,
        mut work: impl FnMut(&Item) -> Result<T>,
    ) -> Outcome {
        let mut source = self.source(console)?;
        let mut number = 0;
        let mut refused = false;
        while let Some((id, item)) = source.next(console)? {
            number += 1;
            match item.and_then(|item| work(&item)) {
                Ok(result) if console.is_json() => {
                    let (ok, id) = (true, id.as_ref());
                    let result = &result;
                    console.json_line(&Done { id, ok, result })?;
                }
                Ok(result) => console.report(&result)?,
                Err(error) if is_of_a_value(&error) => {
                    refused = true;
                    report_refusal(console, number, id.as_ref(), &error)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        if refused {
            return Err(Failure::Exit(exit::REFUSED));
        }
        Ok(())
    }

    fn source<'a>(&'a self, console: &mut Console<'_>) -> Outcome<Source<'a>> {
        if let [_, ..] = self.values.as_slice() {
            return Ok(Source::Arguments(self.values.iter()));
        }
        if console.host.is_terminal(Stream::Input) {
            if self.jsonl {
                return usage("--jsonl reads standard input, which is a terminal: give it a file");
            }
            console.hint("reading values, one per line; ^D ends them")?;
        }
        let lines = Lines::default();
        Ok(if self.jsonl {
            Source::Json(lines)
        } else {
            Source::Lines(lines)
        })
    }
}

/// An empty line keeps the lines of the output paired with those of the input.
fn report_refusal(
    console: &mut Console<'_>,
    number: usize,
    id: Option<&Id>,
    error: &Error,
) -> Outcome {
    if !console.is_json() {
        console.text_line("")?;
        return console.refused(number, error);
    }
    console.json_line(&Refused {
        id,
        ok: false,
        code: error.code().as_str(),
        message: error.message(),
    })
}

/// The id of a value, and the value or why there is none.
type Next = (Option<Id>, Result<Item>);

enum Source<'a> {
    Arguments(core::slice::Iter<'a, String>),
    Lines(Lines),
    Json(Lines),
}

impl Source<'_> {
    fn next(&mut self, console: &mut Console<'_>) -> Outcome<Option<Next>> {
        Ok(match self {
            Self::Arguments(values) => values.next().map(|value| (None, Ok(plain(value)))),
            Self::Lines(lines) => lines.next(console)?.map(|line| (None, text_item(line))),
            Self::Json(lines) => lines.next(console)?.map(json_item),
        })
    }
}

fn plain(value: &str) -> Item {
    Item {
        value: Some(Zeroizing::new(value.to_owned())),
        pairs: Pairs::default(),
    }
}

fn text_item(line: Line) -> Result<Item> {
    let line = line?;
    let text = core::str::from_utf8(&line).map_err(|_| {
        Error::new(
            ErrorCode::InvalidText,
            "the line is no UTF-8: give bytes as base64 or hexadecimal",
        )
    })?;
    Ok(plain(text))
}

/// The errors of the JSON parser show what they found, and so are not passed on.
fn json_item(line: Line) -> Next {
    let line = match line {
        Err(error) => return (None, Err(error)),
        Ok(line) => line,
    };
    let Ok(parsed) = serde_json::from_slice::<JsonLine>(&line) else {
        let marked = serde_json::from_slice::<Marked>(&line);
        let id = marked.ok().and_then(|marked| marked.id);
        return (id, Err(invalid(BAD_LINE)));
    };
    let item = parsed.value.map(|Nullable(value)| Item {
        value: value.map(Zeroizing::new),
        pairs: parsed.context,
    });
    (parsed.id, item.ok_or_else(|| invalid(NO_VALUE)))
}

const BAD_LINE: &str = "the line is no JSON object with the member value, a text, and if need be context, an object, and id, a text or an integer";
const NO_VALUE: &str = "the line has no value: NULL stays NULL, and is not sealed";

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorCode::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::{Zeroizing, json_item};

    fn read(line: &str) -> Result<String, &'static str> {
        let (_, item) = json_item(Ok(Zeroizing::new(line.as_bytes().to_vec())));
        match item {
            Ok(item) => {
                let context = item.context(&reseal::Context::new());
                let read = context.and_then(|context| Ok((item.text()?, context.len())));
                read.map(|(text, pairs)| format!("{text} {pairs}"))
                    .map_err(|error| error.code().as_str())
            }
            Err(error) => {
                assert!(!error.message().contains("secret"), "{error}");
                Err(error.code().as_str())
            }
        }
    }

    #[test]
    fn a_json_line_has_a_value_and_a_context() {
        assert_eq!(read(r#"{"value":"a"}"#), Ok("a 0".into()));
        let full = r#"{"id":7,"context":{"table":"users","row":42},"value":"\u00e9"}"#;
        assert_eq!(read(full), Ok("é 2".into()));
        assert_eq!(read(r#" {"value":"a","id":"x"} "#), Ok("a 0".into()));
    }

    #[test]
    fn what_is_none_is_refused_without_showing_it() {
        for line in [
            "",
            "secret",
            r#""secret""#,
            r#"{"value":["secret"]}"#,
            r#"{"value":"secret","contxt":{}}"#,
            r#"{"value":"secret","value":"secret"}"#,
            r#"{"value":"secret","id":{}}"#,
            r#"{"value":"secret","context":"secret"}"#,
            r#"{"value":"secret"} secret"#,
            r#"{"value":null}"#,
            r#"{"id":1}"#,
            r#"{"value":"\ud800"}"#,
        ] {
            assert_eq!(read(line), Err("invalid-argument"), "{line}");
        }
        let refused_with_id = |line: &str| {
            let (id, item) = json_item(Ok(Zeroizing::new(line.as_bytes().to_vec())));
            assert!(item.is_err(), "{line}");
            id.map(|id| serde_json::to_string(&id).unwrap())
        };
        for (line, id) in [
            (r#"{"value":7,"id":1}"#, Some("1")),
            (
                r#"{"id":-1,"contxt":{"a":[]},"value":"secret"}"#,
                Some("-1"),
            ),
            (r#"{"id":"a","context":"secret"}"#, Some(r#""a""#)),
            (r#"{"id":"a","value":{"id":"b"}}"#, Some(r#""a""#)),
            (r#"{"id":1}"#, Some("1")),
            (r#"{"id":1,"id":1,"value":"secret"}"#, None),
            (r#"{"id":1,"value":"secret"} secret"#, None),
            (r#"{"id":1.5,"value":"secret"}"#, None),
            (r#"{"id":{},"value":"secret"}"#, None),
            (r#"{"id":null,"value":7}"#, None),
            (r#"[1,"secret"]"#, None),
            ("secret", None),
        ] {
            assert_eq!(refused_with_id(line).as_deref(), id, "{line}");
        }
        for context in [
            r#"{"a":1.5}"#,
            r#"{"a":true}"#,
            r#"{"a":null}"#,
            r#"{"a":"1","a":"2"}"#,
            r#"{"rs_a":"1"}"#,
        ] {
            let line = format!(r#"{{"value":"a","context":{context}}}"#);
            assert_eq!(read(&line), Err("context-invalid"), "{line}");
        }
    }
}
