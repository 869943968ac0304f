"""Where the tests come from: the source distribution of the Django that is installed."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

import django

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "model_fields"


def folder() -> Path:
    """The folder with the package of the tests. pip fetches it once, from wherever it has packages."""
    kept: Path = ROOT / "target" / "django-tests" / django.__version__
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as made:
            unpack(fetch(Path(made)), Path(made) / "tests")
            (Path(made) / "tests").rename(kept)
    return kept


def fetch(into: Path) -> Path:
    """The archive, which no wheel has the tests of."""
    wanted = f"Django=={django.__version__}"
    options = ["--quiet", "--no-deps", "--no-binary", "Django", "--dest", str(into)]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, wanted], check=True)
    [archive] = into.glob("*.tar.gz")
    return archive


def unpack(archive: Path, into: Path) -> None:
    """Write the files of the package, and nothing else."""
    with tarfile.open(archive) as files:
        for member in files:
            parts = PurePosixPath(member.name).parts
            if member.isfile() and parts[1:3] == ("tests", PACKAGE) and ".." not in parts:
                content = files.extractfile(member)
                assert content is not None
                target = into.joinpath(*parts[2:])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
