"""In a second interpreter of one process the import fails with a sentence, and nothing breaks."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import reseal

other = interpreters.create()
code = '''
try:
    import reseal
except ImportError as error:
    print("ImportError:", error, flush=True)
else:
    print("imported", flush=True)
'''
failed = interpreters.run_string(other, code)
assert not failed, failed
interpreters.destroy(other)
ring = reseal.Keyring(primary=reseal.Key.generate())
assert ring.open(ring.seal("x", {}), {}) == b"x"
print("still works")
"""


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="a matter of CPython")
def test_a_second_interpreter() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    assert first == "imported" or "subinterpreter" in first
    assert last == "still works"
