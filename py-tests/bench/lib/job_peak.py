"""Runs a job on the database of a URL, and prints the peak of the memory of this process in KiB."""

from __future__ import annotations

import sys
from pathlib import Path

import reseal
from reseal import jobs

url, manifest, wanted = sys.argv[1:]
report = jobs.apply(url, manifest=reseal.Manifest.parse(manifest))
moved = sum(it["values"] for it in report["columns"][0]["total"]["resealed"])
if moved != int(wanted):
    raise SystemExit(f"the job resealed {moved} rows")
[peak] = [it for it in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in it]
print(peak.split()[1])
