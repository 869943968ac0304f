//! Runs vector files in Rust: `vectors FILE…`, one line per file, exit 1 on a failure.

use reseal_testkit::vectors::run_file;
use std::{
    env,
    io::{Write, stdout},
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
        let written = match &report {
            Err(reason) => writeln!(out, "rust {file} run=0 passed=0 failed=1\n  {reason}"),
            Ok(report) => {
                let (run, passed, failed) = (report.run(), report.passed, &report.failed);
                let left_out: String = report
                    .left_out
                    .iter()
                    .map(|(cases, reason)| format!(" left_out={cases} ({reason})"))
                    .collect();
                let failures: String = failed.iter().map(|what| format!("\n  {what}")).collect();
                writeln!(
                    out,
                    "rust {file} run={run} passed={passed} failed={}{left_out}{failures}",
                    failed.len()
                )
            }
        };
        good &= written.is_ok() && report.is_ok_and(|report| report.failed.is_empty());
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
