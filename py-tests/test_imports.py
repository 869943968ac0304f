"""What an import costs, and that every public name is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import reseal

SLOW = ["dataclasses", "inspect", "json", "subprocess", "typing", "urllib.parse"]
PACKAGES = str(Path(reseal.__file__).parents[1])


def loaded(program: str) -> list[str]:
    """Which of the slow modules a program imports. Without `site`, which may import some itself."""
    start = f"import sys; sys.path.append({PACKAGES!r}); "
    end = f"; print(*[name for name in {SLOW} if name in sys.modules])"
    command = [sys.executable, "-S", "-c", start + program + end]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(
    "program",
    [
        "import reseal",
        "import reseal; ring = reseal.Keyring(primary=reseal.Key.generate());"
        " assert ring.open_str(ring.seal('a', {'row': 1}), {'row': 1}) == 'a'",
        "from reseal._cli import main; assert main(['keys', 'new']) == 0",
    ],
)
def test_what_is_short_imports_nothing_slow(program: str) -> None:
    assert loaded(program) == []


def test_all_public_names_are_there() -> None:
    assert [name for name in reseal.__all__ if not hasattr(reseal, name)] == []
    assert set(reseal.__all__) <= set(dir(reseal))
    anew = "from reseal import *; assert codecs.plain and KeysetFile.load and KekInfo.__slots__"
    assert loaded(anew) != []


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"^module 'reseal' has no attribute 'Vault'$"):
        _ = reseal.Vault  # type: ignore[attr-defined]
