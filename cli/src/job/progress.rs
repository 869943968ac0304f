//! How far a job is, as a person reads it.

use core::fmt::Write as _;

use crate::console::shown;

/// Characters of the bar.
const BAR_CHARS: u64 = 20;
/// A longer name of a table is cut.
const MAX_NAME_CHARS: usize = 20;

/// How far a job is.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    pub(super) pass: usize,
    pub(super) table: String,
    /// Rows that this run has read.
    pub(super) rows: u64,
    /// Those that an earlier run has read in this pass.
    pub(super) before: u64,
    /// About all rows of the first pass; nothing where the database does not tell.
    pub(super) total: Option<u64>,
    pub(super) resealed: u64,
    pub(super) elapsed_ms: u64,
}

impl Progress {
    /// Rows in a second.
    pub(super) fn rate(&self) -> u64 {
        let per_second = u128::from(self.rows) * 1000 / u128::from(self.elapsed_ms.max(1));
        u64::try_from(per_second).unwrap_or(u64::MAX)
    }

    /// Seconds that it takes yet. Only of the first pass it is known how many rows it has.
    pub(super) fn seconds_left(&self) -> Option<u64> {
        let (total, rate) = (self.total?, self.rate());
        let left = total.saturating_sub(self.done());
        (self.pass == 1 && rate > 0 && left > 0).then(|| left.div_ceil(rate))
    }

    fn done(&self) -> u64 {
        self.rows.saturating_add(self.before)
    }

    /// Hundredths that are done. Only the end is 100: the total is an estimate.
    fn percent(&self) -> Option<u64> {
        let total = self.total.filter(|total| *total > 0 && self.pass == 1)?;
        let percent = u128::from(self.done()) * 100 / u128::from(total);
        Some(u64::try_from(percent).unwrap_or(99).min(99))
    }

    /// One line for a terminal of 80 characters.
    pub(super) fn bar(&self) -> String {
        let mut line = String::new();
        if let Some(percent) = self.percent() {
            let full = percent * BAR_CHARS / 100;
            for place in 0..BAR_CHARS {
                line.push(if place < full { '█' } else { '░' });
            }
            // Writing into a string never fails.
            let _written = write!(line, " {percent:>2} % ");
        }
        line.push_str(&self.words(MAX_NAME_CHARS));
        line.chars().take(79).collect()
    }

    /// One line for a log.
    pub(super) fn line(&self) -> String {
        let percent = self.percent();
        let percent = percent.map_or_else(String::new, |percent| format!("{percent} % "));
        percent + &self.words(usize::MAX)
    }

    fn words(&self, name_chars: usize) -> String {
        let name = shown(&self.table);
        let name: String = name.chars().take(name_chars).collect();
        let pass = match self.pass {
            1 => String::new(),
            pass => format!(" pass {pass}"),
        };
        let left = self.seconds_left();
        let left = left.map_or_else(String::new, |left| format!(", {} left", duration(left)));
        let (rows, rate) = (grouped(self.rows), grouped(self.rate()));
        format!("{name}{pass}: {rows} rows, {rate}/s{left}")
    }
}

/// A number with commas between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Seconds as a person reads them.
pub(crate) fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{Progress, duration, grouped};

    #[test]
    fn numbers_and_times_can_be_read() {
        let read: Vec<_> = [0, 999, 1000, 1_234_567].map(grouped).into();
        assert_eq!(read, ["0", "999", "1,000", "1,234,567"]);
        let read: Vec<_> = [59, 61, 3599, 7260].map(duration).into();
        assert_eq!(read, ["59 s", "1 min 1 s", "59 min 59 s", "2 h 1 min"]);
    }

    #[test]
    fn a_bar_says_how_far_it_is_and_how_long_it_takes() {
        let mut progress = Progress {
            pass: 1,
            table: "users\u{1b}[2J".to_owned(),
            rows: 5_000,
            before: 2_000,
            total: Some(10_000),
            resealed: 1,
            elapsed_ms: 2_500,
        };
        let bar = progress.bar();
        let full = "██████████████░░░░░░ 70 % ";
        assert_eq!(
            bar,
            format!("{full}users\\u{{1b}}[2J: 5,000 rows, 2,000/s, 2 s left")
        );
        assert!(bar.chars().count() < 80);
        progress.rows = 50_000;
        assert!(
            progress.line().starts_with("99 % users"),
            "the total is an estimate"
        );
        progress.pass = 2;
        let line = "users\\u{1b}[2J pass 2: 50,000 rows, 20,000/s";
        assert_eq!(progress.line(), line);
        progress.pass = 1;
        progress.elapsed_ms = 0;
        progress.rows = u64::MAX;
        assert_eq!(progress.bar().chars().count(), 79);
    }
}
