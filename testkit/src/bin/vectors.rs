//! Runs vector files in Rust: `vectors FILE…`, one line per file, exit 1 on a failure.

use core::fmt::{self, Write as _};
use reseal_testkit::vectors::{Report, run_file};
use std::{
    env,
    io::{Write as _, stdout},
    path::Path,
    process::ExitCode,
};

fn main() -> ExitCode {
    let iterations = if env::var_os("RESEAL_ASSURE").is_some() {
        u32::MAX
    } else {
        10_000
    };
    let mut out = stdout().lock();
    let mut good = true;
    for file in env::args().skip(1) {
        let report = run_file(Path::new(&file), iterations);
        let mut lines = String::new();
        let printed = print(&mut lines, &file, &report).is_ok();
        good &= printed && out.write_all(lines.as_bytes()).is_ok();
        good &= report.is_ok_and(|report| report.failed.is_empty());
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn print(lines: &mut String, file: &str, report: &Result<Report, String>) -> fmt::Result {
    let report = match report {
        Ok(report) => report,
        Err(reason) => {
            return writeln!(lines, "rust {file} run=0 passed=0 failed=1\n  {reason}");
        }
    };
    let (run, passed, failed) = (report.run(), report.passed, report.failed.len());
    write!(
        lines,
        "rust {file} run={run} passed={passed} failed={failed}"
    )?;
    for (cases, reason) in &report.left_out {
        write!(lines, " left_out={cases} ({reason})")?;
    }
    for failure in &report.failed {
        write!(lines, "\n  {failure}")?;
    }
    writeln!(lines)
}
