//! The steps of a migration: from codecs that columns read to the one that they write.

use crate::console::shown;

use super::{Guide, Step, add, titled};

const GROUP: &str = "Migrate";

/// A codec that a column reads and does not write.
struct Left<'m> {
    /// For a sentence.
    column: String,
    codec: &'m str,
    /// What the column writes.
    written: &'m str,
}

impl Guide<'_> {
    pub(super) fn migration(&self) -> Vec<Step> {
        let left = self.left_behind();
        if left.is_empty() {
            return Vec::new();
        }
        let (codecs, columns) = (names(&left, |it| it.codec), names(&left, |it| &it.column));
        let written = names(&left, |it| it.written);
        let mut steps = vec![
            Step::new(
                &titled(GROUP, "introduce"),
                &format!(
                    "Every application has to read {written} before anything writes it. Until then \
                     each goes on writing what it writes.{}{}",
                    self.readers(),
                    self.exchanged(&written)
                ),
                [self.check()],
            ),
            Step::new(
                &titled(GROUP, "roll"),
                "Deploy that everywhere, and wait until no process of before is left.",
                [],
            ),
            Step::new(
                &titled(GROUP, "promote"),
                &format!(
                    "Let the applications write {written}, and go on reading {codecs}: from now on \
                     no new value is in another format. A program with such a copy gets the \
                     manifest itself."
                ),
                [self.check()],
            ),
            Step::new(
                &titled(GROUP, "roll"),
                "Deploy that everywhere: a process of before would go on writing old values.",
                [],
            ),
        ];
        steps.extend(self.applied(GROUP));
        steps.push(self.retired(&left));
        steps.push(Step::new(
            &titled(GROUP, "clean up"),
            &format!(
                "Take {codecs} out of read of {columns}, here and in the applications, and out of the \
                 codecs what no column has. Keep their keys for as long as backups need them."
            ),
            [self.check()],
        ));
        steps
    }

    /// The proof; a codec that another column writes is not asked about, since it stays.
    fn retired(&self, left: &[Left<'_>]) -> Step {
        let mut why =
            "Proves for each codec, by opening every value without it, that it may go.".to_owned();
        let (staying, going): (Vec<&Left<'_>>, _) =
            left.iter().partition(|it| self.is_written(it.codec));
        for it in &staying {
            let sentence = format!(
                "Other columns write {}, so that it stays: take it out of read of {} here, and reseal \
                 verify opens every value without it.",
                it.codec, it.column
            );
            add(&mut why, &sentence);
        }
        let mut commands: Vec<String> = Vec::new();
        for it in going {
            let command = self.command(&format!("retire {}", it.codec));
            if !commands.contains(&command) {
                commands.push(command);
            }
        }
        if !staying.is_empty() {
            commands.push(self.command("verify"));
        }
        Step::new(&titled(GROUP, "retire"), &why, commands)
    }

    /// Whether a column writes a codec, or has its terms from it.
    fn is_written(&self, codec: &str) -> bool {
        let mut columns = self.manifest.columns().iter();
        columns.any(|spec| {
            let makes_terms = !spec.indexes.is_empty() && spec.index_codec() == Some(codec);
            spec.write == codec || makes_terms
        })
    }

    pub(super) fn check(&self) -> String {
        format!("reseal manifest check {}", super::quoted(self.path))
    }

    /// The codecs that are read and not written, by column.
    fn left_behind(&self) -> Vec<Left<'_>> {
        let columns = self.manifest.columns().iter();
        let left = columns.flat_map(|spec| {
            let read = spec.read.iter().filter(|name| **name != spec.write);
            read.map(|name| Left {
                column: shown(&format!("{}.{}", spec.table, spec.column)),
                codec: name,
                written: &spec.write,
            })
        });
        left.collect()
    }

    /// What is in the manifest of a program that goes on writing what it writes, by column. What no codec
    /// can write no such program writes.
    fn exchanged(&self, written: &str) -> String {
        let mut parts = Vec::new();
        for spec in self.manifest.columns() {
            let left = || spec.read.iter().filter(|name| **name != spec.write);
            let writable = || left().filter(|name| self.can_write(name));
            // Plaintext is rather of before another one.
            let today = writable().find(|name| *name != "plain");
            let Some(today) = today.or_else(|| writable().next()) else {
                continue;
            };
            let mut read = format!("\"{}\"", spec.write);
            let mut if_so = String::new();
            for name in left().filter(|name| *name != today) {
                read = format!("{read}, \"{name}\"");
                if_so = format!(", if {today} is what it writes today,");
            }
            let column = shown(&format!("{}.{}", spec.table, spec.column));
            let part = format!("write = \"{today}\" and read = [{read}]{if_so} for {column}");
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        if parts.is_empty() {
            return String::new();
        }
        format!(
            " A program that takes its columns from the manifest would write {written} at once. Until \
             the step promote it gets a copy with write and read exchanged: {}.",
            parts.join("; ")
        )
    }

    fn can_write(&self, codec: &str) -> bool {
        let mut codecs = self.manifest.codecs();
        codecs.any(|it| it.name() == codec && it.can_write())
    }

    /// Other applications that read such a column, and whether they can.
    fn readers(&self) -> String {
        let mut text = String::new();
        for spec in self
            .manifest
            .columns()
            .iter()
            .filter(|it| it.read.iter().any(|name| *name != it.write))
        {
            let column = shown(&format!("{}.{}", spec.table, spec.column));
            let blind = spec.blind_readers();
            for (reader, _) in &spec.readers {
                let can = if blind.contains(&reader.as_str()) {
                    "and cannot read that yet: teach it first"
                } else {
                    "and can read that"
                };
                add(
                    &mut text,
                    &format!("{} reads {column}, {can}.", shown(reader)),
                );
            }
        }
        text
    }
}

/// Names for a sentence, each once.
fn names<'l>(left: &'l [Left<'_>], of: impl Fn(&'l Left<'_>) -> &'l str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in left.iter().map(of) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}
