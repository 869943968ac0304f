//! A report as a person reads it.

use reseal::job::{ColumnReport, Counts, Discovered, End, Kind, Report, Work};

use super::progress::grouped;
use crate::console::{counted, shown};
use crate::table::Table;

/// A report as a person reads it.
pub(super) fn of(report: &Report, elapsed_ms: u64) -> String {
    let mut text = match report.work {
        Work::Discover => discovered(report),
        Work::Census => census(report),
        _ => report
            .columns
            .iter()
            .map(|it| changes(it, report))
            .collect(),
    };
    for column in &report.columns {
        for finding in &column.findings {
            let (name, message) = (name(column), shown(&finding.message));
            add(&mut text, &format!("{name}: {message} [{}]", finding.code));
        }
    }
    add(&mut text, &last_line(report, elapsed_ms));
    text
}

/// What was done to a column, or would be.
fn changes(column: &ColumnReport, report: &Report) -> String {
    let total = column.total();
    let would = if writes(report) { "" } else { "to be " };
    let is_repair = matches!(report.work, Work::Unwrap | Work::Keep);
    let gone = if is_repair {
        "not found"
    } else {
        "gone meanwhile"
    };
    let mut parts = vec![counted_values(total.scanned)];
    for (values, what) in [
        (total.resealed(), format!("{would}resealed")),
        (total.reindexed, format!("{would}indexed")),
        (total.current, "current".to_owned()),
        (total.found(), "opened".to_owned()),
        (total.null, "null".to_owned()),
        (total.refused(), "refused".to_owned()),
        (total.gone, gone.to_owned()),
        (total.left, "left".to_owned()),
        (total.raced, "raced".to_owned()),
        (total.verified, "read back".to_owned()),
    ] {
        if values > 0 {
            parts.push(format!("{} {what}", grouped(values)));
        }
    }
    let mut text = format!("{}: {}\n", name(column), parts.join(", "));
    let mut lines = Vec::new();
    for (one, values) in &total.resealed {
        lines.push((*values, format!("{} -> {}", kind(&one.from), kind(&one.to))));
    }
    for ((one, _), amount) in &total.found {
        lines.push((amount.values, kind(one)));
    }
    for (code, values) in &total.refused {
        lines.push((*values, format!("refused: {code}")));
    }
    let width = lines.iter().map(|(values, _)| grouped(*values).len()).max();
    for (values, what) in lines {
        let width = width.unwrap_or_default();
        add(&mut text, &format!("  {:>width$}  {what}", grouped(values)));
    }
    if let Some(length) = &column.length {
        let bound = length.bound.map_or_else(String::new, |bound| {
            format!(", at most {}", grouped(bound as u64))
        });
        let allowed = length.allowed.map_or_else(
            || "any length".to_owned(),
            |allowed| grouped(allowed as u64),
        );
        let longest = grouped(length.longest as u64);
        let becomes = match length.needed {
            0 => String::new(),
            needed => format!(", becomes {}{bound}", grouped(needed as u64)),
        };
        let line =
            format!("  length: the longest has {longest}{becomes}; the column takes {allowed}");
        add(&mut text, &line);
    }
    text
}

/// How many values of each column are in what.
fn census(report: &Report) -> String {
    let names = [
        "COLUMN", "CODEC", "KEY", "SCHEME", "VALUES", "BYTES", "SURE",
    ];
    let mut table = Table::new(names);
    for column in &report.columns {
        let total = column.total();
        let mut row =
            |codec: &str, key: &str, scheme: &str, values: u64, bytes: Option<u64>, sure: &str| {
                let bytes = bytes.map_or_else(String::new, grouped);
                let texts = [codec, key, scheme].map(shown);
                let [codec, key, scheme] = texts;
                table.row([
                    name(column),
                    codec,
                    key,
                    scheme,
                    grouped(values),
                    bytes,
                    sure.to_owned(),
                ]);
            };
        for ((one, certainty), amount) in &total.found {
            let sure = if reseal::codec::Certainty::Yes == *certainty {
                "yes"
            } else {
                "maybe"
            };
            let key = one.key.as_deref().unwrap_or_default();
            row(
                &one.codec,
                key,
                &one.scheme,
                amount.values,
                Some(amount.bytes),
                sure,
            );
        }
        if total.null > 0 {
            row("null", "", "", total.null, None, "yes");
        }
        for term in &column.terms {
            let key = term.key.as_deref().unwrap_or_default();
            let sure = if term.key.is_some() { "yes" } else { "" };
            let codec = if term.key.is_some() { "index" } else { "none" };
            row(codec, key, &term.index, term.values, None, sure);
        }
        for (code, values) in &total.refused {
            row("none", "", code, *values, None, "");
        }
        if total.scanned == 0 {
            row("empty", "", "", 0, None, "");
        }
    }
    table.to_string()
}

fn discovered(report: &Report) -> String {
    let mut text = found_in(&report.discovered);
    for name in &report.unread {
        let line = format!(
            "{}: not looked at, as this user may not read it",
            shown(name)
        );
        add(&mut text, &line);
    }
    text
}

fn found_in(all: &[Discovered]) -> String {
    if all.is_empty() {
        return "no column beside those of the manifest holds what looks encrypted\n".to_owned();
    }
    let mut table = Table::new(["COLUMN", "LOOKS LIKE", "VALUES", "OF"]);
    for found in all {
        let path = found.path.as_deref().map(|path| format!(" {path}"));
        let name = format!(
            "{}.{}{}",
            found.table,
            found.column,
            path.unwrap_or_default()
        );
        let name = shown(&name);
        let mut row = |what: String, values: u64| {
            table.row([name.clone(), what, grouped(values), grouped(found.values)]);
        };
        for (one, values) in &found.found {
            row(kind(one), *values);
        }
        if found.key_like > 0 {
            row("a key that should be no value".to_owned(), found.key_like);
        }
    }
    table.to_string()
}

fn last_line(report: &Report, elapsed_ms: u64) -> String {
    let columns = counted(report.columns.len(), "column");
    let passes = report.columns.iter().map(|it| it.passes.len()).max();
    let seconds = elapsed_ms / 1000;
    let tenths = elapsed_ms / 100 % 10;
    let sum =
        |of: fn(&Counts) -> u64| -> u64 { report.columns.iter().map(|it| of(&it.total())).sum() };
    let (resealed, refused) = (sum(Counts::resealed), sum(Counts::refused));
    let reindexed = sum(|counts| counts.reindexed);
    let is_complete = report.end == End::Complete;
    let what = match report.work {
        Work::Census | Work::Discover => return format!("{columns} in {seconds}.{tenths} s"),
        Work::Verify if refused == 1 => "1 value does not open".to_owned(),
        Work::Verify if refused > 0 => format!("{} do not open", counted_values(refused)),
        Work::Verify if is_complete => "every value opens".to_owned(),
        Work::Verify => "not every value was opened".to_owned(),
        _ if is_complete && resealed + reindexed + refused + missed(report) == 0 => {
            "nothing is left to do".to_owned()
        }
        _ => {
            let (would, end) = if writes(report) {
                ("", "")
            } else {
                ("to be ", "; nothing was written")
            };
            let terms = match reindexed {
                0 => String::new(),
                terms => format!(", {} {would}indexed", grouped(terms)),
            };
            format!("{} {would}resealed{terms}{end}", counted_values(resealed))
        }
    };
    let passes = counted(passes.unwrap_or_default(), "pass").replace("passs", "passes");
    format!("{columns}: {what} ({passes}, {seconds}.{tenths} s)")
}

fn writes(report: &Report) -> bool {
    report.work.writes() && !report.dry_run
}

/// Rows that were named for a repair, and are not there.
pub(super) fn missed(report: &Report) -> u64 {
    match report.work {
        Work::Unwrap | Work::Keep => report.columns.iter().map(|it| it.total().gone).sum(),
        _ => 0,
    }
}

/// What is in the way of a column, for [`Work::Plan`].
pub(super) fn is_in_the_way(report: &Report) -> bool {
    let mut findings = report.columns.iter().flat_map(|it| &it.findings);
    findings.any(|it| {
        matches!(
            it.code,
            "column-unsuitable" | "column-too-short" | "reader-unable"
        )
    })
}

fn counted_values(values: u64) -> String {
    let end = if values == 1 { "" } else { "s" };
    format!("{} value{end}", grouped(values))
}

fn kind(kind: &Kind) -> String {
    let key = kind.key.as_deref().map(|key| format!(" {key}"));
    let scheme = match kind.scheme.as_str() {
        "" => String::new(),
        scheme if scheme == kind.codec => String::new(),
        scheme => format!(" ({scheme})"),
    };
    shown(&format!(
        "{}{}{scheme}",
        kind.codec,
        key.unwrap_or_default()
    ))
}

fn name(column: &ColumnReport) -> String {
    let path = column.path.as_deref().map(|path| format!(" {path}"));
    shown(&format!(
        "{}.{}{}",
        column.table,
        column.column,
        path.unwrap_or_default()
    ))
}

fn add(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
