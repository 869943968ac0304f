"""The types in `_native.pyi` are those of the compiled module, and the package says that it has
types."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import reseal

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "python/pyproject.toml"
# What it knows of other packages is kept: the first time takes long.
KEPT = {**os.environ, "MYPY_CACHE_DIR": str(ROOT / "target/mypy")}
ALLOWED = r"""
# Django's modules are not imported as stubs are: their settings are missing.
reseal\.django(\..*)?
# It takes a choice of words for a union of types.
reseal\.hooks\._bus\.(Action|EventName)
reseal\.sqlalchemy\.reporting\.OnError
"""


def checked(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=KEPT, capture_output=True, text=True, check=False
    )


def test_stubtest(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "allowed").write_text(ALLOWED)
    options = ["--mypy-config-file", str(CONFIG), "--allowlist", "allowed"]
    command = [sys.executable, "-m", "mypy.stubtest", "reseal", *options]
    done = checked(command, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_is_typed() -> None:
    assert files(reseal).joinpath("py.typed").is_file()
    assert files(reseal).joinpath("_native.pyi").is_file()


USER = """
import reseal
from uuid import UUID
ring = reseal.Keyring(primary="rsk1.data.x")
ctx = {"table": "users", "row": 42}
stored: str = ring.seal(b"x", ctx)
opened: bytes = ring.field({"row": UUID(int=1)}).open(stored, row=b"x")
live = reseal.LiveKeyring.from_keyset("x", kek_file="y", clock=lambda: 1.0)
follows: reseal.Keyring = live
if isinstance(follows, reseal.LiveKeyring):
    stale: bool = follows.status().stale
keyset = reseal.Keyset.load("{}", kek=["rsk1.kek.x"])
key_id: str = keyset.introduce("data", label="x", now=1)
states: list[str] = [key.state for key in keyset.keys()]
changed: str = reseal.KeysetFile("x", kek="y").edit(lambda keyset: keyset.rotate("data"))
from reseal import codecs
column = reseal.Column(codecs.reseal(live), read=[codecs.fernet(keys=["x"])], type="integer")
text_or_none: str | None = column.seal(7, row=42)
found = column.open("x", row=42)
if found is not None:
    key_used: str | None = found.key
match column.reseal("x"):
    case reseal.Resealed() as resealed:
        where: str = resealed.to.codec
    case reseal.Refused() as refused:
        why: str = refused.code
    case reseal.Null() | reseal.Current():
        pass
token: str = codecs.plain().seal("x")
binary: bytes = codecs.plain().seal(b"x", binary=True)
shown: list[str] = [kind for kind, _ in codecs.recognize("x")]
async def use(service: reseal.KekProvider) -> None:
    loaded: reseal.Keyset = await reseal.Keyset.load_async(b"{}", providers=[service])
    await loaded.add_provider_kek(reseal.MemoryKekProvider(), "keys/app")
from reseal import jobs
report: jobs.Report = jobs.apply("sqlite:///app.db", repair="unwrap", rows=[1, ["a", b"b"]])
counted: int = report["columns"][0]["total"]["found"][0]["values"]
def tell(event: jobs.Event) -> None:
    if event["event"] == "refused":
        row_id: list[str] = event["row_id"]
found_columns: list[jobs.Discovered] = jobs.discover(on_event=tell, stop=bool)["discovered"]
for item in ring.seal_many(["x", None], [ctx, {}]):
    if isinstance(item, reseal.ResealError):
        code: str = item.code
    else:
        text: str = item
"""

WRONG = {
    "ring.seal(None, {})": "arg-type",
    'ring.seal("x", {1: 2})': "dict-item",
    'ring.seal("x", {}, "fast")': "arg-type",
    'ring.seal("x")': "call-arg",
    'ring.open(b"x", {})': "arg-type",
    'ring.field({}).seal("x", row=None)': "arg-type",
    'reseal.Key.generate("kex")': "arg-type",
    "class Sub(reseal.Keyring): ...": "misc",
    'reseal.Keyring.from_keyset("x", kek=1)': "arg-type",
    'live.seal("x")': "call-arg",
    'keyset.introduce("kek")': "arg-type",
    "keyset.promote(live)": "arg-type",
    "reseal.KeysetFile()": "call-arg",
    'reseal.Column(write=codecs.plain(), type="float")': "arg-type",
    "reseal.Column(live)": "arg-type",
    'codecs.rails(primary_keys=["x"])': "call-arg",
    'codecs.n8n(expect="xml")': "arg-type",
    'jobs.apply(repair="mend")': "arg-type",
    "jobs.census(dry_run=True)": "call-arg",
    'report["colums"]': "typeddict-item",
    "jobs.verify(stop=True)": "arg-type",
}


def test_a_type_checker_helps_users(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "user.py").write_text(USER + "\n".join(WRONG) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "user.py"]
    done = checked(command, tmp_path)
    first = USER.count("\n") + 1
    found = [line for line in done.stdout.splitlines() if "error:" in line]
    for number, (line, code) in enumerate(WRONG.items(), first):
        assert any(f":{number}: error" in error and f"[{code}]" in error for error in found), line
    assert len(found) == len(WRONG), done.stdout + done.stderr
