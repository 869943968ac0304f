//! A codec goes when every value opens without it.

use reseal::job::{Target, Work};
use reseal::{Error, ErrorCode};

use super::Retirement;
use super::report::{Ended, Part, Retired};
use crate::console::shown;
use crate::failure::Outcome;
use crate::manifest;

impl Retirement<'_, '_> {
    /// Proves that a codec may go.
    pub(super) async fn codec(&mut self, name: &str) -> Outcome<Retired> {
        self.check_unneeded(name)?;
        let mut retired = Retired::codec(name);
        let specs = self.manifest.columns().iter();
        let reads: Vec<bool> = specs
            .map(|spec| spec.read.iter().any(|it| it == name))
            .collect();
        if !reads.contains(&true) {
            retired.verdict = format!("no column reads {name}: it may go");
            retired.next = self.next_of_codec(name);
            return Ok(retired);
        }
        let dialect = self.connect().await?;
        let secrets =
            manifest::secrets(&self.manifest, self.console, self.database, dialect).await?;
        let targets = Target::of(&self.manifest, &secrets)?.into_iter().zip(reads);
        let targets = targets.filter_map(|(target, reads)| reads.then_some(target));
        let without = Some(name.to_owned());
        let verified = self.look(Work::Verify, targets.collect(), |it| it.without = without);
        let Some(report) = verified.await? else {
            return Ok(retired.stopped());
        };
        retired.keep(&report);
        for column in &report.columns {
            let refused = column.total().refused;
            if !refused.is_empty() {
                retired.note_history(column);
            }
            for (code, values) in refused {
                let values = Part::of(column, values);
                let code = Some(code);
                retired.left.push(Part { code, ..values });
            }
        }
        if retired.left.is_empty() {
            return self.codec_may_go(name, retired).await;
        }
        let still_in_use = Some(ErrorCode::StillInUse.as_str());
        let (needing, closed): (Vec<_>, Vec<_>) =
            { retired.left.iter() }.partition(|it| it.code.as_deref() == still_in_use);
        retired.verdict = if needing.is_empty() {
            format!("nothing is proved of {name}: some values do not open even with it")
        } else {
            format!("{name} is still needed")
        };
        if !needing.is_empty() {
            retired.next.push("reseal apply".to_owned());
        }
        retired.next.append(&mut retired.histories);
        if !closed.is_empty() {
            let verify = "reseal verify --refused refused.jsonl lists the values that do not open";
            retired.next.push(verify.to_owned());
        }
        retired.end = Ended::InUse;
        Ok(retired)
    }

    async fn codec_may_go(&mut self, name: &str, mut retired: Retired) -> Outcome<Retired> {
        let mut specs = self.manifest.columns().iter();
        if name != "plain" && specs.any(|spec| spec.read.iter().any(|it| it == "plain")) {
            let Some(report) = self.census().await? else {
                return Ok(retired.stopped());
            };
            self.note_plain(&report, &mut retired);
        }
        retired.verdict = format!("every value opens without {name}: it may go");
        retired.next = self.next_of_codec(name);
        Ok(retired)
    }

    /// That it is not written, and makes no terms.
    fn check_unneeded(&self, name: &str) -> Outcome {
        let specs = self.manifest.columns().iter();
        let needs = specs.filter_map(|spec| {
            let column = shown(&format!("{}.{}", spec.table, spec.column));
            if spec.write == name {
                return Some(format!("{column} writes it"));
            }
            let makes_terms = !spec.indexes.is_empty() && spec.index_codec() == Some(name);
            makes_terms.then(|| format!("it makes the blind indexes of {column}"))
        });
        let needs: Vec<String> = needs.collect();
        if needs.is_empty() {
            return Ok(());
        }
        let why = format!(
            "the codec {name} is still in use: {}; let another one do that first",
            needs.join("; ")
        );
        Err(Error::new(ErrorCode::StillInUse, why).into())
    }

    /// What is to be taken out of the manifest.
    fn next_of_codec(&self, name: &str) -> Vec<String> {
        let specs = self.manifest.columns().iter();
        let reading = specs.filter(|spec| spec.read.iter().any(|it| it == name));
        let columns = reading.map(|spec| shown(&format!("{}.{}", spec.table, spec.column)));
        let columns: Vec<String> = columns.collect();
        let mut next = Vec::new();
        if !columns.is_empty() {
            next.push(format!("take {name} out of read of {}", columns.join(", ")));
        }
        if name != "plain" {
            next.push(format!(
                "take [codecs.{name}] out of the manifest; keep its keys for as long as backups need them"
            ));
        }
        next
    }
}
