"""What is in the archives that would be published: the papers, nothing that does not belong there, and no
file that only its maker could read.

scripts/archives.py ARCHIVE...
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path

BILL = "sbom.cdx.json"
PAPERS = ["LICENSE-APACHE", "LICENSE-MIT"]
# By how a name ends: what has to be inside, and what may not. Names are without the folder on top.
WHEEL = [*PAPERS, "THIRD-PARTY.txt", f"sboms/{BILL}", "METADATA", "py.typed", "_native.pyi"]
NPM = [*PAPERS, "README.md", "THIRD-PARTY.txt", BILL, "package.json", "reseal.wasm"]
SDIST = [*PAPERS, "README.md", "Cargo.lock", "PKG-INFO", "THIRD-PARTY.txt", BILL]
CRATE = [*PAPERS, "Cargo.lock", "src/lib.rs"]
KINDS = {".whl": WHEEL, ".tgz": NPM, ".tar.gz": SDIST, ".crate": CRATE}
READABLE = 0o444
JUNK = re.compile(r"(^|/)(target|node_modules|__pycache__|\.git|\.venv|fuzz)/|\.(pyc|rej)$|~$")


def main(archives: list[Path]) -> int:
    """Prints what is wrong, and gives the exit status."""
    failed = 0
    for archive in archives:
        wrong = check(archive)
        failed += bool(wrong)
        print(f"{archive.name}: {'; '.join(wrong) or 'complete'}")
    print(f"RESULT passed={len(archives) - failed} failed={failed}")
    return 1 if failed or not archives else 0


def check(archive: Path) -> list[str]:
    """What is missing in an archive, or too much."""
    modes, bills = listed(archive)
    names = list(modes)
    [wanted] = [wanted for end, wanted in KINDS.items() if archive.name.endswith(end)]
    wrong = [f"{want} is missing" for want in wanted if not any(n.endswith(want) for n in names)]
    wrong += [f"{name} does not belong there" for name in names if JUNK.search(name)]
    wrong += [f"{name} is not for everybody to read" for name in names if ~modes[name] & READABLE]
    for name, text in bills.items():
        bill = json.loads(text)
        if bill["specVersion"] != "1.6" or not bill["components"]:
            wrong.append(f"{name} is no bill of materials")
    return wrong


def listed(archive: Path) -> tuple[dict[str, int], dict[str, bytes]]:
    """The modes of its files by their names, and the bills of materials among them."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            modes = {info.filename: info.external_attr >> 16 for info in wheel.infolist()}
            return modes, {name: wheel.read(name) for name in modes if name.endswith(BILL)}
    bills = {}
    with tarfile.open(archive) as tar:
        files = [member for member in tar if member.isfile()]
        for member in files:
            if member.name.endswith(BILL) and (file := tar.extractfile(member)):
                bills[member.name] = file.read()
    return {member.name: member.mode for member in files}, bills


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
