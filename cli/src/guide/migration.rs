//! The steps of a migration: from codecs that columns read to the one that they write.

use crate::console::shown;

use super::{Guide, Step, add, titled};

const GROUP: &str = "Migrate";

impl Guide<'_> {
    pub(super) fn migration(&self) -> Vec<Step> {
        let left = self.left_behind();
        let written = self.written();
        let mut steps = vec![
            Step::new(
                &titled(GROUP, "introduce"),
                &format!(
                    "Every application has to read {written} before anything writes it. Until then \
                     each goes on writing what it writes.{}",
                    self.readers()
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
                    "Let the applications write {written}, and go on reading {}: from now on no new \
                     value is in another format.",
                    left.join(", ")
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
        steps.push(Step::new(
            &titled(GROUP, "retire"),
            "Proves for each codec, by opening every value without it, that it may go.",
            left.iter()
                .map(|name| self.command(&format!("retire {name}"))),
        ));
        steps.push(Step::new(
            &titled(GROUP, "clean up"),
            &format!(
                "Take {} out of read of {}, here and in the applications, and out of the codecs. \
                 Keep their keys for as long as backups need them.",
                left.join(", "),
                self.columns(|spec| !spec.read.is_empty())
            ),
            [self.check()],
        ));
        steps
    }

    pub(super) fn check(&self) -> String {
        format!("reseal manifest check {}", super::quoted(self.path))
    }

    /// The codecs that are read and not written, in the same column.
    fn left_behind(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.manifest.columns().iter().flat_map(|spec| &spec.read) {
            let columns = self.manifest.columns().iter();
            let is_written = columns.clone().any(|spec| spec.write == *name);
            if !is_written && !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// What those columns write.
    fn written(&self) -> String {
        let columns = self.manifest.columns().iter();
        let names = columns.filter(|spec| !spec.read.is_empty());
        let mut names: Vec<&str> = names.map(|spec| spec.write.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.join(", ")
    }

    /// Other applications that read such a column, and whether they can.
    fn readers(&self) -> String {
        let mut text = String::new();
        for spec in self
            .manifest
            .columns()
            .iter()
            .filter(|it| !it.read.is_empty())
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
