"""A fleet over one keyset in its database: keys are rotated, applied and retired while all read and write."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
import reseal
from cli_support import ROOT, SECONDS, environment, run
from job_support import Place, column, on

PROCESSES: list[list[Any]] = [
    [sys.executable, ROOT / "py-tests/sql_fleet_worker.py"],
    ["node", ROOT / "js-tests/fixtures/sql-fleet-worker.mjs"],
] * 2
ROTATIONS = 3
ROWS = 500
LEASE_SECONDS = 3


def said(place: Place, *arguments: str) -> Any:
    """What a command prints as JSON."""
    return json.loads(place.run(*arguments, "--json").out)


def under(place: Place, key: str) -> int:
    """Rows under a key, by their public start, as anybody can count them."""
    rows = place.do("SELECT count(*) FROM people WHERE ssn LIKE %s", f"rs1.{key}.%")
    return int(rows[0][0])


@on("postgresql", is_soak=True)
def test_keys_are_rotated_and_retired_while_four_processes_read_and_write(place: Place) -> None:
    """Nothing ever fails to open, and a key that was retired is nowhere."""
    place.env |= {"RESEAL_KEYSET": "sql:", "RESEAL_KEK_FILE": "ring.kek"}
    del place.env["RESEAL_PRIMARY_KEY"]
    place.run("keys", "new", "--use", "kek", "--out", "ring.kek")
    made = said(place, "keyset", "init", "--keyset", "sql:", "--lease", str(LEASE_SECONDS))
    store = reseal.SqlKeysetStore(place.url, kek_file=place.folder / "ring.kek")
    ring = reseal.Keyring.from_keyset(store)
    codec = {"kind": "reseal", "keyring": f"sql:{made['ring']}", "kek": "file:ring.kek"}
    context = {"table": "people", "column": "ssn"}
    described = column("people", bind_row=True, context=context)
    place.describe(described, codecs={"app": codec})
    field = ring.field(context)
    place.do("CREATE TABLE people (id integer PRIMARY KEY, ssn text NOT NULL)")
    place.insert(
        "people", [{"id": n, "ssn": field.seal(f"{n}:0", row=n)} for n in range(1, ROWS + 1)]
    )
    place.do("CREATE TABLE orders (is_over boolean NOT NULL)")
    place.do("INSERT INTO orders VALUES (false)")
    processes = [
        subprocess.Popen(
            [*command, place.url],
            cwd=place.folder,
            env=environment(place.env),
            stdout=subprocess.PIPE,
            text=True,
        )
        for command in PROCESSES
    ]
    try:
        retired = [rotate(place, f"rotation {number}") for number in range(ROTATIONS)]
        generation = store.load().generation
        # Long enough for each process to look once more.
        time.sleep(LEASE_SECONDS)
        place.do("UPDATE orders SET is_over = true")
        ended = [json.loads(it.communicate(timeout=SECONDS)[0]) for it in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert {one.pop("generation") for one in ended} == {generation}
    for counts in ended:
        # Nothing failed to open, and there was enough that could have.
        assert set(counts) <= {"read", "written", "raced", "wrong", "waited"}, counts
        assert counts["read"] > 100
        # On a machine that is too busy a process may sleep for a lease; then it waits with writing.
        assert counts.get("waited", 0) < counts["read"] / 20
        assert not counts.get("wrong")
    last = reseal.Keyring.from_keyset(store)
    field = last.field(context)
    texts = [field.open_str(text, row=n).split(":") for n, text in enumerate(stored(place), 1)]
    assert [int(found) for found, _ in texts] == list(range(1, ROWS + 1))
    total: Counter[str] = sum(map(Counter, ended), Counter())
    assert sum(int(writes) for _, writes in texts) == total["written"]
    assert [under(place, key) for key in retired] == [0] * ROTATIONS
    keys = store.load().keys()
    states = Counter(key.state for key in keys if key.use == "data")
    assert states == {"disabled": ROTATIONS, "primary": 1}
    place.run("verify")


def stored(place: Place) -> list[str]:
    """The values by their rows."""
    return place.stored(table="people")


def rotate(place: Place, label: str) -> str:
    """As an operator does it; gives the key that was retired."""
    store = reseal.SqlKeysetStore(place.url, kek_file=place.folder / "ring.kek")
    before = reseal.Keyring.from_keyset(store).primary_id
    assert before
    key = said(place, "keyset", "introduce", "--label", label)["id"]
    # Before a lease has passed, not every process knows it.
    keyset = store.load()
    keys = keyset.keys()
    [created] = [
        datetime.strptime(one.created, "%Y-%m-%dT%H:%M:%S%z") for one in keys if one.id == key
    ]
    with pytest.raises(reseal.KeyringError) as refused:
        keyset.promote(key, now=created)
    assert refused.value.code == "keyset-transition"
    time.sleep(LEASE_SECONDS)
    place.run("keyset", "promote", key)
    assert under(place, before) > 0
    # Nothing is applied yet, and so the key stays.
    early = place.run("retire", before, code=1)
    assert "enabled again" not in early.out
    report = place.report("apply", "--jobs", "2")
    assert report["end"] == "complete"
    deadline = time.monotonic() + SECONDS
    while (ended := run(place.command, "retire", before, cwd=place.folder, env=place.env)).code:
        # A process that had not looked at the keyset yet has written meanwhile.
        assert ended.code == 1, ended
        assert time.monotonic() < deadline
        place.report("apply")
    assert under(place, before) == 0
    return before
