//! The terms of blind indexes by their keys: the database counts them by the start that shows the
//! key, and no term leaves it.

use super::{
    Cell, Dialect, Statement, TermCount, apply::Run, batch::of_another_width, catalog::Info,
    dialect::Phrase, halt::Halt, walk::Walk,
};
use crate::ids::TERM_ID_CHARS;
use alloc::{format, string::String, vec::Vec};

/// The characters before the key.
const TERM_PREFIX_CHARS: usize = 4;

impl Walk {
    /// The statement whose rows are starts of terms, each with how many there are. What has no key
    /// where a term has one has an empty start, so that there are no more starts than keys.
    fn term_keys(&self, term: &Info) -> Statement {
        let mut phrase = Phrase::new(self.dialect, "SELECT reseal_p, count(*) FROM (SELECT ");
        let start = self.term_key(&self.name(&term.name));
        phrase.push(&format!("{start} AS reseal_p FROM "));
        phrase.push(&self.source());
        self.push_filter(&mut phrase);
        self.push_sample(&mut phrase);
        if self.dialect == Dialect::Postgres {
            // It would expect as many starts as there are terms, and sort them all on disk.
            phrase.push(" OFFSET 0");
        }
        phrase.push(") AS reseal_g WHERE reseal_p IS NOT NULL GROUP BY reseal_p");
        phrase.done()
    }

    fn term_key(&self, name: &str) -> String {
        let (chars, after) = (TERM_ID_CHARS, TERM_PREFIX_CHARS + 1);
        match self.dialect {
            Dialect::Postgres => format!(
                "CASE WHEN {name}::text COLLATE \"C\" ~ '^rx1[.][a-z2-7]{{{chars}}}[.]' \
                 THEN substr({name}::text, {after}, {chars}) COLLATE \"C\" \
                 WHEN {name} IS NOT NULL THEN '' END"
            ),
            Dialect::Mysql => {
                let text = format!("CONVERT({name} USING utf8mb4) COLLATE utf8mb4_bin");
                format!(
                    "CASE WHEN {text} REGEXP '^rx1[.][a-z2-7]{{{chars}}}[.]' \
                     THEN SUBSTRING({text}, {after}, {chars}) \
                     WHEN {name} IS NOT NULL THEN '' END"
                )
            }
            Dialect::Sqlite => {
                let (text, key) = (format!("CAST({name} AS TEXT)"), "[a-z2-7]".repeat(chars));
                format!(
                    "CASE WHEN {text} GLOB 'rx1.{key}.*' THEN substr({text}, {after}, {chars}) \
                     WHEN {name} IS NOT NULL THEN '' END"
                )
            }
        }
    }
}

impl Run {
    /// Counts the terms of a walk.
    pub(super) async fn count_terms(&mut self, walk: &Walk) -> Result<(), Halt> {
        for value in &walk.values {
            let Some(target) = self.targets.get(value.target) else {
                continue;
            };
            let mut counts = Vec::new();
            for (index, term) in target.spec.indexes.iter().zip(&value.terms) {
                let rows = self.line.query(walk.term_keys(term)).await?;
                for row in &rows {
                    let (key, values) = counted(row).ok_or_else(of_another_width)?;
                    counts.push(TermCount {
                        index: index.name.clone(),
                        column: index.column.clone(),
                        key: Some(key).filter(|key| !key.is_empty()),
                        values,
                    });
                }
            }
            counts.sort_by(|a, b| (&a.index, &a.key).cmp(&(&b.index, &b.key)));
            self.terms.insert(value.target, counts);
        }
        Ok(())
    }
}

fn counted(row: &[Cell]) -> Option<(String, u64)> {
    let [start, values] = row else { return None };
    let values = u64::try_from(values.as_int()?).ok()?;
    Some((start.as_text()?.into(), values))
}
