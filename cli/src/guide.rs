//! `guide`: what an operator does, step by step, for one manifest.

mod backup;
mod migration;
mod rehearsal;
mod rings;
mod rotation;
mod shell;
mod systems;

use core::fmt;

use reseal::manifest::{ColumnSpec, Manifest};
use serde::Serialize;

use crate::console::shown;
use crate::manifest::DEFAULT_PATH;
use shell::quoted;

/// The characters of a line.
const LINE_CHARS: usize = 78;

/// All steps, in their order.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Steps(Vec<Step>);

/// One step.
#[derive(Debug, Serialize)]
struct Step {
    title: String,
    why: String,
    commands: Vec<String>,
}

/// What the commands have in common.
struct Guide<'m> {
    manifest: &'m Manifest,
    /// The option that names it, after a space, where it is not where commands look for it.
    named: String,
    path: &'m str,
    /// Those of [`PATHS`] that are set.
    paths: &'m [&'static str],
}

/// The variables that say that the keys of a ring are elsewhere than in variables.
pub(crate) const PATHS: [&str; 6] = [
    "RESEAL_PRIMARY_KEY_FILE",
    "RESEAL_INDEX_KEY_FILE",
    "RESEAL_DECRYPT_KEYS_FILE",
    "RESEAL_INTRODUCED_KEYS_FILE",
    "RESEAL_KEY_DIR",
    "RESEAL_KEYSET",
];

/// The steps for a manifest; `url` is that of its database, if that is known, and `paths` are those of
/// [`PATHS`] that are set.
pub(crate) fn steps(
    manifest: &Manifest,
    path: &str,
    url: Option<&str>,
    paths: &[&'static str],
) -> Steps {
    let named = if path == DEFAULT_PATH {
        String::new()
    } else {
        naming(path)
    };
    let guide = Guide {
        manifest,
        named,
        path,
        paths,
    };
    let mut steps = vec![backup::step(manifest, url), guide.rehearsal()];
    steps.extend(guide.migration());
    steps.extend(guide.rotation());
    Steps(steps)
}

impl Guide<'_> {
    /// Values to the codec and the key that seal, and the proof that they are there.
    fn applied(&self, group: &str) -> [Step; 2] {
        let columns = self.columns(|spec| !spec.indexes.is_empty());
        let (apply, terms) = if columns.is_empty() {
            (self.command("apply"), String::new())
        } else {
            let why = format!(
                " --reindex brings the blind indexes of {columns} to the index key as well: queries \
                 by them ask for the terms under both keys until that is done, and UNIQUE on such \
                 a column does not hold across the two."
            );
            (self.command("apply --reindex"), why)
        };
        [
            Step::new(
                &titled(group, "apply"),
                &format!(
                    "Look first, then bring every value to what its column writes. It can be \
                     stopped at any time and goes on from there; nobody's change is overwritten.{terms}"
                ),
                [self.command("plan"), apply],
            ),
            Step::new(
                &titled(group, "verify"),
                "Opens every value. What does not open is listed by row in refused.jsonl; mend that \
                 before anything is taken away.",
                [self.command("verify --refused refused.jsonl")],
            ),
        ]
    }

    fn command(&self, words: &str) -> String {
        format!("reseal {words}{}", self.named)
    }

    /// The names of some columns, for a sentence; empty where there are none.
    fn columns(&self, takes: impl Fn(&ColumnSpec) -> bool) -> String {
        let columns = self.manifest.columns().iter().filter(|spec| takes(spec));
        let names = columns.map(|spec| shown(&format!("{}.{}", spec.table, spec.column)));
        let mut names: Vec<String> = names.collect();
        names.dedup();
        names.join(", ")
    }
}

/// The option that names a manifest, after a space.
fn naming(path: &str) -> String {
    format!(" --manifest {}", quoted(path))
}

impl Step {
    fn new(title: &str, why: &str, commands: impl IntoIterator<Item = String>) -> Self {
        Self {
            title: title.to_owned(),
            why: why.to_owned(),
            commands: commands.into_iter().collect(),
        }
    }
}

/// One more sentence; none where it is empty.
fn add(text: &mut String, sentence: &str) {
    if !sentence.is_empty() {
        text.push(' ');
        text.push_str(sentence);
    }
}

/// The title of a step within a group of steps.
fn titled(group: &str, title: &str) -> String {
    format!("{group}: {title}")
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            let before = if place > 0 { "\n\n" } else { "" };
            writeln!(f, "{before}## {}. {}\n", place + 1, step.title)?;
            f.write_str(&wrapped(&step.why))?;
            if !step.commands.is_empty() {
                f.write_str("\n")?;
            }
            for command in &step.commands {
                write!(f, "\n    {command}")?;
            }
        }
        Ok(())
    }
}

/// Text in lines of a terminal.
fn wrapped(text: &str) -> String {
    let mut lines = String::with_capacity(text.len());
    let mut chars = 0;
    for word in text.split_whitespace() {
        let more = word.chars().count();
        if chars > 0 && chars + 1 + more > LINE_CHARS {
            lines.push('\n');
            chars = 0;
        } else if chars > 0 {
            lines.push(' ');
            chars += 1;
        }
        lines.push_str(word);
        chars += more;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_fit_a_terminal() {
        let text = wrapped(&"word ".repeat(40));
        assert!(text.lines().all(|line| line.len() <= 78), "{text}");
        assert_eq!(text.split_whitespace().count(), 40);
        assert_eq!(text.lines().count(), 3);
    }
}
