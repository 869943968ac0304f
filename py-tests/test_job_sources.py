"""Where a job has its keys, its database and its checkpoint from, and who calls it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Callable
from typing import Any

import foreign
from cli_support import SECONDS, environment
from job_support import CODECS, HERE, RING, Json, Place, balanced, column, findings, total
from reseal import codecs, jobs

INSTANCE = "instance key of n8n"


def test_keys_may_stand_in_a_table(base: Place) -> None:
    """Those of n8n: it seals under the active row, and reads values under the other."""
    keys = {identity: codecs.N8nDataKey.generate() for identity in ("o" * 16, "n" * 16)}
    rows = [
        {
            "id": identity,
            "type": "data_encryption",
            "value": key.wrap(INSTANCE),
            "algorithm": "aes-256-gcm",
            "status": "active" if identity[0] == "n" else "inactive",
        }
        for identity, key in keys.items()
    ]
    base.do(
        "CREATE TABLE deployment_key (id varchar(36) PRIMARY KEY, type varchar(60), value text, "
        "algorithm varchar(20), status varchar(20), created varchar(40))"
    )
    base.insert("deployment_key", rows)
    older = [dict(row, status="active" if row["id"][0] == "o" else "inactive") for row in rows]
    old = codecs.n8n(instance_keys=[INSTANCE], rows=older, write="prefixed")
    texts = [json.dumps({"password": f"é {n}"}) for n in range(12)]
    base.users([*map(old.seal, texts[:6]), *(RING.seal(it, HERE) for it in texts[6:])])
    n8n = {
        "kind": "n8n",
        "instance_keys": ["env:N8N_KEY"],
        "rows": "table:deployment_key",
        "write": "prefixed",
        "expect": "json",
    }
    described = column(write="credentials", read=["app"], type="json")
    base.describe(described, codecs=CODECS | {"credentials": n8n})
    # A census reads no table of keys; the others need it.
    base.do("ALTER TABLE deployment_key RENAME TO elsewhere")
    assert total(base.report("census"))["found"] == 12
    base.env["N8N_KEY"] = INSTANCE
    assert "the table deployment_key is not there" in base.run("apply", code=3).err
    base.do("ALTER TABLE elsewhere RENAME TO deployment_key")
    assert total(base.report("apply"))["resealed"] == 12
    for stored, text in zip(base.stored(), texts, strict=True):
        identity, _, body = stored.partition(":")
        assert identity == "n" * 16
        opened = foreign.open_n8n_gcm(body, bytes.fromhex(keys[identity].text))
        assert json.loads(opened) == json.loads(text)
    assert total(base.report("verify"))["found"] == 12
    secrets = [INSTANCE, *(key.text for key in keys.values()), *(row["value"] for row in rows)]
    ended = base.run("apply", "--json")
    assert not any(it in ended.out + ended.err for it in secrets)


def test_the_checkpoint_may_be_a_file_or_nothing(base: Place) -> None:
    base.users([f"it {n}" for n in range(30)])
    base.describe(column())
    report = base.report("apply", "--checkpoint", "state", "--batch", "7")
    assert total(report)["resealed"] == 30
    path = base.folder / "state"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not base.has("reseal_jobs")
    state = json.loads(path.read_text())
    assert set(state) == {"job", "progress"}
    # Neither does it hold a value, nor does another job take it for its own.
    assert "it 1" not in path.read_text()
    base.describe(column(where="id > 7"))
    ended = base.run("apply", "--checkpoint", "state", code=2)
    assert "[invalid-argument]" in ended.err
    base.describe(column())
    base.do("UPDATE users SET ssn = 'anew' WHERE id > 20")
    assert total(base.report("apply", "--checkpoint", "none"))["resealed"] == 10
    assert not base.has("reseal_jobs")
    assert total(base.report("apply"))["current"] == 30
    assert base.has("reseal_jobs")


def test_columns_and_databases_are_chosen(base: Place) -> None:
    base.users(["a", "b"])
    base.users(["c", "d"], "others")
    base.describe(column(), column("others"))
    assert "[" not in base.run("apply", "--column", "others.ssn").err
    assert base.stored() == ["a", "b"]
    assert [
        RING.open_str(it, {"table": "others", "column": "ssn"})
        for it in base.stored(table="others")
    ] == ["c", "d"]
    url = base.env.pop("RESEAL_DATABASE_URL")
    assert "RESEAL_DATABASE_URL" in base.run("census", code=2).err
    report = base.report("census", "--db", url, "--column", "users.ssn")
    assert [(it["table"], total(report)["scanned"]) for it in report["columns"]] == [("users", 2)]
    # What is given counts before what the environment says, and no password is shown.
    base.env["RESEAL_DATABASE_URL"] = "postgresql://u:hunter2@127.0.0.1:1/none"
    assert total(base.report("census", "--db", url, "--column", "users.ssn"))["scanned"] == 2
    ended = base.run("census", code=4)
    assert "[database-error]" in ended.err
    assert "hunter2" not in ended.err + ended.out
    ended = base.run("census", "--db", url, "--column", "users.name", code=2)
    assert "users.name" in ended.err


# --- from a program -----------------------------------------------------------------------------

CALLS: dict[str, Json] = {
    "census": {},
    "census --keys-only": {"keys_only": True},
    "plan --batch 7": {"batch": 7},
    "apply --dry-run": {"dry_run": True},
    "verify --refused refused.jsonl": {"refused": "refused.jsonl"},
    "discover": {},
}
SCRIPT = """
import * as jobs from "reseal/jobs";
const [task, options] = JSON.parse(process.argv[1]);
console.log(JSON.stringify(await jobs[task](undefined, options)));
"""


def called(base: Place, task: str, options: Json) -> Json:
    """The report of a call in the language of the command."""
    if base.command == "node":
        names = {
            name: "".join([first, *(it.title() for it in rest)])
            for name in options
            for first, *rest in [name.split("_")]
        }
        given = json.dumps([task, {names[name]: it for name, it in options.items()}])
        line = ["node", "--input-type=module", "-e", SCRIPT, given]
        done = subprocess.run(
            line,
            cwd=base.folder,
            env=environment(base.env),
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        report: Json = json.loads(done.stdout)
        return report
    call: Callable[..., Any] = getattr(jobs, task)
    before = dict(os.environ)
    os.environ.update(base.env)
    try:
        if task != "discover":
            options = options | {"manifest": str(base.folder / "reseal.toml")}
        if "refused" in options:
            options = options | {"refused": str(base.folder / "refused.jsonl")}
        return dict(call(**options))
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_a_call_gives_the_report_of_the_command(base: Place) -> None:
    base.users([*(f"it {n}" for n in range(20)), None, RING.seal("x", HERE)])
    base.users([RING.seal("y", {})], "others")
    base.describe(column())
    for line, options in CALLS.items():
        task = line.split()[0]
        if task == "discover" and base.command == "python":
            options = {"manifest": str(base.folder / "reseal.toml")}
        reports = base.report(*line.split()), called(base, task, options)
        for report in reports:
            assert report.pop("milliseconds") >= 0
        assert reports[0] == reports[1], line
    report = balanced(called(base, "apply", {"verify_one_in": 1}))
    assert (report["end"], total(report)["resealed"], total(report)["verified"]) == (
        "complete",
        20,
        20,
    )
    assert findings(report) == {}
