//! What a run comes to: its report.

use super::{ColumnReport, End, Report, apply::Run};
use alloc::string::ToString;

impl Run {
    pub(super) fn report(mut self, end: End) -> Report {
        let hand = self.hand.lock();
        for (target, length) in self.lengths.iter_mut() {
            length.needed = hand.needed.get(target).copied().unwrap_or_default();
            let finding = length.finding();
            self.findings
                .extend(finding.map(|finding| (*target, finding)));
        }
        drop(hand);
        let mut terms = self.terms;
        let columns = self.targets.iter().enumerate().map(|(place, target)| {
            let passes = self.progress.passes.iter();
            ColumnReport {
                table: target.spec.table.clone(),
                column: target.spec.column.clone(),
                path: target.spec.path.as_ref().map(ToString::to_string),
                passes: passes.filter_map(|pass| pass.get(place).cloned()).collect(),
                terms: terms.remove(&place).unwrap_or_default(),
                length: self.lengths.get(&place).copied(),
                findings: self
                    .findings
                    .iter()
                    .filter(|(target, _)| *target == place)
                    .map(|(_, finding)| finding.clone())
                    .collect(),
            }
        });
        Report {
            end,
            work: self.work,
            dry_run: self.options.dry_run,
            sample_one_in: self.options.sample_one_in,
            columns: columns.collect(),
            discovered: self.discovered,
            unread: self.unread,
        }
    }
}
