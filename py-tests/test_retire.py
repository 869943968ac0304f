"""May a key, or a codec, go? Both commands and the calls of programs, on real databases."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import reseal
from cli_support import COMMANDS, DATA, OLD, SECONDS, environment
from job_support import HERE, KINDS, Json, Place, column, each, of_sqlite, on, total
from job_writers import Running, transaction
from reseal import jobs

FERNET = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
TOKENS = reseal.codecs.fernet(keys=[FERNET])
KEK = reseal.Key.from_bytes("kek", bytes([9]) * 32)
CODECS: dict[str, Json] = {
    "app": {"kind": "reseal", "keyring": "keyset:ring.json", "kek": "file:kek"},
    "tokens": {"kind": "fernet", "keys": ["env:FERNET_KEY"]},
}
INDEX = {"name": "eq", "column": "ssn_eq", "normalizer": "digits", "bits": 64}
ROWS = 60
#: Long enough to come in between.
SLOWLY = ("--batch", "5", "--pause", "150")


class Ring:
    """The keyset of a place, as its operator changes it; the commands for that have tests of their own."""

    def __init__(self, place: Place, lease: int = 0) -> None:
        self.place = place
        (place.folder / "kek").write_text(KEK.export())
        (place.folder / "kek").chmod(0o600)
        self.file = reseal.KeysetFile(place.folder / "ring.json", kek=KEK)
        keyset = reseal.Keyset.create(kek=KEK, lease_seconds=lease)
        keyset.rotate("data", label="first", early=True)
        keyset.rotate("index", label="terms", early=True)
        self.file.create(keyset)

    def rotate(self, use: Literal["data", "index"], label: str) -> None:
        """A new key that seals."""
        self.file.edit(lambda keyset: keyset.rotate(use, label=label, early=True))

    def revert(self) -> None:
        """The key that sealed before seals again."""
        self.file.edit(lambda keyset: keyset.revert())

    def disable(self, label: str) -> None:
        """A key no longer opens."""
        self.file.edit(lambda keyset: keyset.disable(self.key(label).id))

    def key(self, label: str) -> reseal.KeysetKey:
        """A key by its label."""
        keys = self.file.load().keys()
        return next(key for key in keys if key.label == label)

    def bytes(self) -> bytes:
        return (self.place.folder / "ring.json").read_bytes()


def rotated(place: Place, lease: int = 0) -> Ring:
    """Two tables with values and terms under the first keys, and a second data key that seals."""
    place.env["FERNET_KEY"] = FERNET
    place.env.pop("RESEAL_PRIMARY_KEY")
    ring = Ring(place, lease)
    users = column(indexes=[INDEX], read=["tokens", "plain"])
    place.describe(users, column("notes", "body"), codecs=CODECS)
    text = place.type("text")
    place.do(f"CREATE TABLE users (id integer PRIMARY KEY, ssn {text}, ssn_eq varchar(99))")
    place.do(f"CREATE TABLE notes (id integer PRIMARY KEY, body {text})")
    ids = range(1, ROWS + 1)
    place.insert("users", [{"id": n, "ssn": f"secret {n}"} for n in ids])
    place.insert("users", [{"id": ROWS + 1, "ssn": None}])
    place.insert("notes", [{"id": n, "body": f"secret {n}"} for n in (1, 2, 3)])
    place.run("apply", by="python")
    ring.rotate("data", "second")
    return ring


def retire(place: Place, target: str, *options: str, code: int = 0) -> tuple[Json, list[Json]]:
    """The report, and what was told on the way."""
    ended = place.run("retire", target, *options, "--json", code=code)
    return json.loads(ended.out), [json.loads(line) for line in ended.err.splitlines()]


def events(told: list[Json]) -> list[str]:
    """The names of the events that are of a retirement alone."""
    names = [it["event"] for it in told if it.get("event") in {"waiting", "disabled", "enabled"}]
    return [name for place, name in enumerate(names) if names[place - 1 : place] != [name]]


def left(report: Json) -> dict[str, int]:
    """What still needs it, by column and index."""
    return {
        ".".join([it["table"], it["column"], *([it["index"]] if "index" in it else [])]): it[
            "values"
        ]
        for it in report["left"]
    }


def until_waiting(job: Running) -> bytes:
    """The line that tells that it waits for others."""
    assert job.process.stderr
    for line in job.process.stderr:
        if b"waiting" in line:
            return bytes(line)
    raise AssertionError("it ended before")


# --- keys ---------------------------------------------------------------------------------------


@each
def test_a_key_stays_until_nothing_of_any_column_is_under_it(place: Place) -> None:
    ring = rotated(place)
    first = ring.key("first")
    report, told = retire(place, first.id[:5], code=1)
    assert (report["end"], left(report)) == ("in-use", {"users.ssn": ROWS, "notes.body": 3})
    assert (report["target"], report["next"]) == (first.id, ["reseal apply"])
    assert events(told) == []

    place.run("apply", "--column", "users.ssn")
    refused = place.run("retire", first.id, code=1)
    assert refused.out == (
        f"notes.body: 3 values\nthe key {first.id} is still needed: 3 values under it\n"
    )
    place.run("apply")
    before = ring.bytes()
    done, told = retire(place, first.id)
    assert (done["end"], done["action"], done["state"]) == ("complete", "disabled", "disabled")
    assert events(told) == ["disabled"]
    assert ring.key("first").state == "disabled"
    assert ring.bytes() != before
    unused = [(it["table"], it["column"]) for it in done["plain_unused"]]
    assert unused == [("users", "ssn"), ("notes", "body")]
    # Values still open, and the key is only counted from now on.
    place.run("verify")
    again, told = retire(place, first.id)
    assert ("action" in again, again["state"], events(told)) == (False, "disabled", [])


@each
def test_a_key_stays_while_rows_outside_of_where_are_under_it(place: Place) -> None:
    """The manifest speaks of some rows alone, and a key goes for all of them."""
    place.env["RESEAL_DECRYPT_KEYS"] = OLD.export()
    text = place.type("text")
    place.do(f"CREATE TABLE users (id integer PRIMARY KEY, ssn {text}, kind integer)")
    old, new = reseal.Keyring(OLD), reseal.Keyring(DATA)
    rings = {1: new, 2: new, 3: old, None: old}
    rows = [
        {"id": n, "ssn": ring.seal("x", HERE), "kind": kind}
        for n, (kind, ring) in enumerate(rings.items())
    ]
    place.insert("users", [*rows, {"id": 9, "ssn": "of another kind", "kind": 4}])
    some = [column(where=f"kind = {kind} -- only those", read=["plain"]) for kind in (1, 2)]
    place.describe(*some)
    report, _ = retire(place, OLD.id, code=1)
    assert (report["end"], left(report)) == ("in-use", {"users.ssn": 2})
    assert [it["outside"] for it in report["left"]] == [True]
    said = place.run("retire", OLD.id, code=1)
    assert "users.ssn: 2 values, in rows that no where of the manifest takes" in said.out
    assert "reseal apply leaves them alone" in said.err
    # One that has all rows leaves none outside.
    place.describe(some[0], column())
    report, _ = retire(place, OLD.id, code=1)
    assert left(report) == {"users.ssn": 2}
    assert ["outside" in it for it in report["left"]] == [False]
    place.do("UPDATE users SET ssn = NULL WHERE kind = 3 OR kind IS NULL")
    place.describe(*some)
    report, _ = retire(place, OLD.id)
    assert (report["end"], report["left"]) == ("complete", [])


@each
def test_a_key_stays_while_a_whole_document_is_under_it(place: Place) -> None:
    """Documents were sealed as a whole before members of them were: a path finds nothing in those."""
    place.env["RESEAL_DECRYPT_KEYS"] = OLD.export()
    text, is_json = place.type("text"), place.kind == "postgresql"
    of = "jsonb" if is_json else text
    place.do(f"CREATE TABLE users (id integer PRIMARY KEY, ssn {of}, kept {text})")
    old, new = reseal.Keyring(OLD), reseal.Keyring(DATA)
    member = json.dumps({"pin": new.seal("1", HERE)})
    whole = old.seal('{"pin": "2"}', HERE)
    rows = [{"id": 1, "ssn": member, "kept": member}]
    rows += [{"id": 2, "ssn": json.dumps(whole) if is_json else whole, "kept": whole}]
    place.insert("users", rows)
    described = [
        column(type="json", path="$.pin", read=["plain"]),
        # One that reads no envelopes.
        column(name="kept", type="json", path="$.pin", write="plain", read=["plain"]),
    ]
    place.describe(*described)
    report, _ = retire(place, OLD.id, code=1)
    assert left(report) == {"users.ssn": 1, "users.kept": 1}
    applied = place.report("apply", "--yes", code=1)
    assert applied["columns"][0]["total"]["refused"] == {"format-mismatch": 1}
    # What the documentation says is to be done.
    both = [column(name=name, type="json", context=HERE) for name in ("ssn", "kept")]
    place.describe(*(it | {"write": "plain", "read": ["app"]} for it in both))
    assert total(place.report("apply", "--yes"))["resealed"] == 1
    assert json.loads(place.stored("kept")[1]) == {"pin": "2"}
    place.describe(*described)
    assert total(place.report("apply", "--column", "users.ssn"))["resealed"] == 1
    [_, document] = place.stored()
    document = document if isinstance(document, dict) else json.loads(document)
    assert new.open_str(document["pin"], HERE) == "2"
    report, _ = retire(place, OLD.id)
    assert (report["end"], report["left"]) == ("complete", [])


@each
def test_rows_without_an_id_that_where_leaves_out_are_counted_too(place: Place) -> None:
    """Envelopes are counted by their start, for which no row has to be found again."""
    place.env["RESEAL_DECRYPT_KEYS"] = OLD.export()
    text = place.type("text")
    place.do(f"CREATE TABLE users (number integer UNIQUE, ssn {text})")
    old, new = reseal.Keyring(OLD), reseal.Keyring(DATA)
    rings = {1: new, None: old}
    place.insert("users", [{"number": n, "ssn": it.seal("x", HERE)} for n, it in rings.items()])
    place.describe(column(row_id=["number"], where="number IS NOT NULL"))
    report, _ = retire(place, OLD.id, code=1)
    assert (report["end"], left(report)) == ("in-use", {"users.ssn": 1})
    place.do("UPDATE users SET ssn = NULL WHERE number IS NULL")
    assert retire(place, OLD.id)[0]["end"] == "complete"


@each
def test_a_key_stays_while_somebody_has_written_and_not_committed(place: Place) -> None:
    """A count does not see it, and whoever commits afterwards needs the key."""
    place.env["RESEAL_DECRYPT_KEYS"] = OLD.export()
    if place.kind == "sqlite":
        place.do("PRAGMA journal_mode = wal")
    place.users([reseal.Keyring(DATA).seal("x", HERE)] * 2)
    place.describe(column())
    old = reseal.Keyring(OLD).seal("x", HERE)
    with transaction(place) as application, contextlib.ExitStack() as stack:
        application.do("UPDATE users SET ssn = %s WHERE id = 1", old)
        job = stack.enter_context(Running(place, "retire", OLD.id))
        if place.kind == "sqlite":
            # For the lock of whoever writes, of which it tells nothing.
            job.until(job.waits_for_lock)
        else:
            assert b"waiting for transactions that have written" in until_waiting(job)
        application.do("COMMIT")
        ended = job.end(1)
        application.do("BEGIN")
    assert "users.ssn: 1 value\n" in ended.out
    if place.kind == "sqlite":
        return
    with transaction(place) as application:
        application.do("DELETE FROM users WHERE id = 2")
        with Running(place, "retire", OLD.id) as job:
            assert b"waiting for transactions that have written" in until_waiting(job)
            job.process.send_signal(signal.SIGINT)
            stopped = job.end(5)
        # Nobody waits early.
        place.run("retire", OLD.id, "--early", code=1)
    assert stopped.out == "stopped: nothing is changed; the same command begins anew\n"


@on("postgresql")
def test_transactions_of_other_databases_are_not_waited_for(place: Place) -> None:
    """They cannot write here, however long they last."""
    place.env["RESEAL_DECRYPT_KEYS"] = OLD.export()
    place.users([reseal.Keyring(DATA).seal("x", HERE)])
    place.describe(column())
    url = place.url.rpartition("/")[0] + "/postgres"
    elsewhere = Place(place.kind, url, place.folder, place.command)
    with contextlib.closing(elsewhere.connection):
        elsewhere.do("BEGIN")
        elsewhere.do("SELECT txid_current()")
        ended = place.run("retire", OLD.id)
    assert "waiting" not in ended.err


@on("mysql")
def test_a_server_that_takes_no_writes_proves_nothing(place: Place) -> None:
    """A copy may not have received yet what is under the key."""
    place.env["RESEAL_DECRYPT_KEYS"] = OLD.export()
    place.users([reseal.Keyring(DATA).seal("x", HERE)])
    place.describe(column())
    place.do("SET GLOBAL read_only = 1")
    try:
        ended = place.run("retire", OLD.id, code=4)
    finally:
        place.do("SET GLOBAL read_only = 0")
    assert "this server takes no writes" in ended.err
    place.run("retire", OLD.id)


@each
def test_an_index_key_stays_while_a_term_is_under_it(place: Place) -> None:
    ring = rotated(place)
    terms = ring.key("terms")
    sealing = place.run("retire", terms.id, code=1)
    assert sealing.err.endswith("[still-in-use]\n")
    ring.rotate("index", "more-terms")
    place.do("UPDATE users SET ssn_eq = 'no term' WHERE id = 1")
    place.do("UPDATE users SET ssn_eq = %s WHERE id = 2", "RX1.ABCDEFGH.AB")
    for option in [(), ("--keys-only",)]:
        census = place.report("census", *option)
        counted = {it["key"]: it["values"] for it in census["columns"][0]["terms"]}
        assert counted == {None: 2, terms.id[:8]: ROWS - 2}
        assert "terms" not in census["columns"][1]
    report, _ = retire(place, terms.id, code=1)
    assert left(report) == {"users.ssn.eq": ROWS - 2}
    assert report["next"] == ["reseal apply --reindex"]
    place.run("apply", "--reindex")
    report, _ = retire(place, terms.id)
    assert report["action"] == "disabled"
    ring.disable("first")
    place.run("verify")


@each
def test_an_index_key_goes_though_values_were_erased_without_their_terms(place: Place) -> None:
    """A statement knows nothing of terms: they would answer for what is gone."""
    ring = rotated(place)
    terms = ring.key("terms")
    ring.rotate("index", "more-terms")
    place.do("UPDATE users SET ssn = NULL WHERE id <= 5")
    report, _ = retire(place, terms.id, code=1)
    assert (left(report), report["next"]) == ({"users.ssn.eq": ROWS}, ["reseal apply --reindex"])
    counts = total(place.report("apply", "--reindex"))
    assert (counts["reindexed"], counts["resealed"], counts["null"]) == (5, ROWS - 5, 6)
    beside = "SELECT count(*) FROM users WHERE ssn IS NULL AND ssn_eq IS NOT NULL"
    assert place.do(beside) == [(0,)]
    report, _ = retire(place, terms.id)
    assert report["action"] == "disabled"


@of_sqlite
def test_no_key_goes_while_the_keys_of_another_codec_are_not_known(place: Place) -> None:
    """That one may have the key as well, and seal under it."""
    ring = rotated(place)
    place.run("apply")
    first = ring.key("first")
    place.env["RESEAL_DECRYPT_KEYS"] = OLD.export()
    place.env["RESEAL_PRIMARY_KEY"] = DATA.export()
    missing = {"kind": "reseal", "keyring": "keyset:missing.json", "kek": "file:kek"}
    codecs = {**CODECS, "mine": {"kind": "reseal", "keyring": "env"}, "other": missing}
    place.describe(column(read=["plain"]), column("notes", "body"), codecs=codecs)
    before = ring.bytes()
    for key in (first.id, OLD.id):
        report, _ = retire(place, key, code=1)
        assert (report["end"], report["left"], report["next"]) == ("in-use", [], [])
        assert "action" not in report
        said = place.run("retire", key, code=1)
        assert f"nothing is proved of the key {key}: nothing is under it" in said.out
        assert "the keys of other are not known here" in said.out
    assert ring.bytes() == before
    del codecs["other"]
    place.describe(column(read=["plain"]), column("notes", "body"), codecs=codecs)
    assert retire(place, first.id)[0]["action"] == "disabled"
    assert retire(place, OLD.id)[0]["end"] == "complete"


@each
def test_a_key_under_which_somebody_writes_meanwhile_is_enabled_again(place: Place) -> None:
    ring = rotated(place)
    first = ring.key("first")
    late = place.stored("body", "notes")[0]
    place.run("apply")
    with Running(place, "retire", first.id, "--json", *SLOWLY) as job:
        # The last row of all, which the second count comes to at its end.
        job.until(lambda: b'"disabled"' in ring.bytes())
        place.do("UPDATE users SET ssn = %s WHERE id = %s", late, ROWS)
        ended = job.end(1)
    report, told = json.loads(ended.out), [json.loads(line) for line in ended.err.splitlines()]
    assert events(told) == ["disabled", "enabled"]
    assert (report["end"], report["action"]) == ("in-use", "enabled-again")
    assert left(report) == {"users.ssn": 1}
    assert ring.key("first").state == "decrypt_only"


@each
def test_a_lease_passes_first(place: Place) -> None:
    ring = rotated(place, lease=4)
    first = ring.key("first")
    place.run("apply")
    # The lease begins now.
    ring.revert()
    ring.revert()
    report, told = retire(place, first.id)
    assert events(told) == ["waiting", "disabled"]
    seconds = [it["seconds_left"] for it in told if it.get("event") == "waiting"]
    assert seconds == sorted(seconds, reverse=True)
    assert 0 < seconds[0] <= 4
    assert (report["end"], report["action"]) == ("complete", "disabled")


@each
def test_nobody_waits_early(place: Place) -> None:
    ring = rotated(place, lease=3600)
    first = ring.key("first")
    report, told = retire(place, first.id, code=1)
    assert (report["end"], events(told)) == ("in-use", []), "nor for a key that stays"
    place.run("apply")
    _, told = retire(place, first.id, "--early")
    assert events(told) == ["disabled"]


@each
def test_whoever_stops_it_has_changed_nothing(place: Place) -> None:
    ring = rotated(place, lease=3600)
    first = ring.key("first")
    place.run("apply")
    before = ring.bytes()
    with Running(place, "retire", first.id) as job:
        err = job.process.stderr
        assert err is not None
        assert b"; to be disabled in ring.json" in err.readline()
        assert b"waiting until a lease has passed" in err.readline()
        job.process.send_signal(signal.SIGINT)
        ended = job.end(5)
    assert ended.out == "stopped: nothing is changed; the same command begins anew\n"
    assert ring.bytes() == before


@of_sqlite
def test_both_commands_tell_the_same(place: Place) -> None:
    ring = rotated(place)
    place.run("apply", "--column", "notes.body")
    for target in [ring.key("first").id, "tokens", "plain"]:
        code = 0 if target in ("tokens", "plain") else 1
        reports = []
        for command in COMMANDS:
            ended = place.run("retire", target, "--json", code=code, by=command)
            reports.append({**json.loads(ended.out), "milliseconds": 0})
        assert reports[0] == reports[1]
    first = ring.key("first").id
    said = [place.run("retire", first, code=1, by=command) for command in COMMANDS]
    assert said[0] == said[1]


# --- codecs -------------------------------------------------------------------------------------


@each
def test_a_codec_goes_once_every_value_opens_without_it(place: Place) -> None:
    rotated(place)
    tokens = [TOKENS.seal(f"secret {n}") for n in (1, 2)]
    for n, token in enumerate(tokens, 1):
        place.do("UPDATE users SET ssn = %s WHERE id = %s", token, n)
    written = place.run("retire", "app", code=1)
    assert "users.ssn writes it; notes.body writes it" in written.err
    # Without the codec a token would be plaintext: that is not what it holds.
    report, _ = retire(place, "tokens", code=1)
    assert (report["end"], left(report)) == ("in-use", {"users.ssn": 2})
    assert [it["code"] for it in report["left"]] == ["still-in-use"]
    assert not any("secret" in text or tokens[0] in text for text in report["next"])
    place.run("apply")
    report, _ = retire(place, "tokens")
    assert (report["end"], report["kind"]) == ("complete", "codec")
    assert [it["column"] for it in report["plain_unused"]] == ["ssn", "body"]
    place.do("UPDATE notes SET body = 'secret' WHERE id = 2")
    report, _ = retire(place, "tokens")
    assert [it["column"] for it in report["plain_unused"]] == ["ssn"]
    report, _ = retire(place, "plain", code=1)
    assert left(report) == {"notes.body": 1}


# --- programs -----------------------------------------------------------------------------------


@pytest.fixture
def called(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A program in the folder of a place."""
    for name in [name for name in os.environ if name.startswith("RESEAL")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FERNET_KEY", FERNET)
    monkeypatch.chdir(place.folder)
    return place


#: Programs in JavaScript are in js-tests.
of_programs = pytest.mark.parametrize(
    "place", [(kind, "python") for kind in KINDS], indirect=True, ids="-".join
)


@of_programs
def test_a_program_calls_it(called: Place) -> None:
    ring = rotated(called)
    first = ring.key("first").id
    late = called.stored("body", "notes")[0]
    called.run("apply")
    told: list[Any] = []

    def write(event: jobs.Event) -> None:
        told.append(event)
        if event["event"] == "disabled":
            called.do("UPDATE notes SET body = %s WHERE id = 3", late)

    report = jobs.retire(first, called.url, on_event=write)
    assert (report["end"], report["action"]) == ("in-use", "enabled-again")
    assert events(told) == ["disabled", "enabled"]
    assert ring.key("first").state == "decrypt_only"
    jobs.apply(called.connection)
    assert jobs.retire(first, called.connection)["action"] == "disabled"


@of_sqlite
def test_a_call_is_stopped_and_refused(called: Place) -> None:
    ring = rotated(called, lease=3600)
    first = ring.key("first").id
    called.run("apply")
    told: list[Any] = []

    def waits() -> bool:
        return any(event["event"] == "waiting" for event in told)

    before = ring.bytes()
    report = jobs.retire(first, called.url, on_event=told.append, stop=waits)
    assert (report["end"], ring.bytes() == before) == ("stopped", True)
    with pytest.raises(reseal.ResealError) as caught:
        jobs.retire(ring.key("second").id, called.url)
    assert caught.value.code == "still-in-use"
    wrong: list[tuple[Callable[[], object], str]] = [
        (lambda: jobs.retire(7, called.url), "target is text"),  # type: ignore[arg-type]
        (lambda: jobs.retire("app", called.url, early=1), "early is True or False"),  # type: ignore[arg-type]
        (lambda: jobs.retire("correct-horse", called.url), "there is no codec of this name"),
    ]
    for call, why in wrong:
        with pytest.raises(reseal.ResealError) as caught:
            call()
        assert caught.value.code == "invalid-argument"
        assert why in str(caught.value)
        assert "correct-horse" not in str(caught.value)


# --- the guide ----------------------------------------------------------------------------------


def shell(place: Place, commands: list[str], folder: Path, **more: str) -> str:
    """Run commands as they are printed, one after the other in one shell, at a terminal."""
    folder.mkdir(exist_ok=True)
    reseal_command = folder / "reseal"
    reseal_command.write_text(f'#!/bin/sh\nexec {shlex.join(COMMANDS[place.command])} "$@"\n')
    reseal_command.chmod(0o755)
    ours, theirs = pty.openpty()
    # What destroys a key asks first.
    os.write(ours, b"yes\n" * 4)
    done = subprocess.run(
        ["sh", "-euxc", "\n".join(commands)],
        check=False,
        cwd=place.folder,
        stdin=theirs,
        env=environment(place.env) | more | {"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        timeout=SECONDS,
        text=True,
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0, done.stderr
    return done.stdout


def guide(place: Place) -> list[str]:
    """All commands, of which a backup may be one of a program that is not here."""
    steps = json.loads(place.run("guide", "--json").out)
    text = place.run("guide").out
    assert all(f"## {n}. {step['title']}\n" in text for n, step in enumerate(steps, 1))
    commands = [command for step in steps for command in step["commands"]]
    assert all(f"\n    {command}" in text for command in commands)
    assert commands[0].startswith("sqlite3 ")
    return commands[0 if shutil.which("sqlite3") else 1 :]


@of_sqlite
def test_the_guide_rotates_the_keys_of_a_keyset(place: Place, tmp_path: Path) -> None:
    ring = rotated(place)
    place.describe(
        column(indexes=[INDEX], read=None), column("notes", "body", read=None), codecs=CODECS
    )
    second, terms = ring.key("second").id, ring.key("terms").id
    place.run("apply")
    ring.disable("first")
    said = shell(place, guide(place), tmp_path / "bin")
    assert "every value opens" in said
    keys = ring.file.load().keys()
    states = {key.id: key.state for key in keys}
    assert (states[second], states[terms]) == ("destroyed", "destroyed")
    assert sorted(states.values()).count("primary") == 2
    place.run("verify")


@of_sqlite
def test_the_guide_destroys_no_key_that_something_is_under(place: Place, tmp_path: Path) -> None:
    """A process that was not restarted, and has no live ring, goes on sealing under the old key."""
    ring = rotated(place)
    place.describe(column(read=None), column("notes", "body", read=None), codecs=CODECS)
    place.run("apply")
    second = ring.key("second").id
    overlooked = reseal.Keyring.from_keyset(place.folder / "ring.json", kek=KEK)
    steps = json.loads(place.run("guide", "--json").out)
    before = [command for step in steps[2:-1] for command in step["commands"]]
    shell(place, before, tmp_path / "bin")
    assert ring.key("second").state == "disabled"
    late = overlooked.seal("late", HERE)
    place.do("UPDATE users SET ssn = %s WHERE id = 1", late)
    clean_up = [it.replace("$OLD", second) for it in steps[-1]["commands"]]
    said = shell(place, [*clean_up, "true"], tmp_path / "bin")
    assert f"the key {second} is still needed: 1 value under it" in said
    assert ring.key("second").state == "disabled"


@of_sqlite
def test_the_guide_leaves_fernet(place: Place, tmp_path: Path) -> None:
    codecs = {"app": {"kind": "reseal", "keyring": "env"}, "tokens": CODECS["tokens"]}
    place.describe(column(read=["tokens"]), codecs=codecs)
    place.env["FERNET_KEY"] = FERNET
    place.users([TOKENS.seal(f"secret {n}") for n in range(ROWS)])
    before = reseal.Key.parse(place.env["RESEAL_PRIMARY_KEY"]).id
    said = shell(place, guide(place), tmp_path / "bin")
    assert "every value opens without tokens: it may go" in said
    assert f"nothing is under the key {before}: it may go" in said
    assert all(value.startswith("rs1.") and before not in value for value in place.stored())


@of_sqlite
def test_nobody_writes_what_another_process_cannot_read_in_a_migration(place: Place) -> None:
    """The copy of the manifest that the guide describes reads what comes, and writes what there is."""
    codecs = {"app": {"kind": "reseal", "keyring": "env"}, "tokens": CODECS["tokens"]}
    place.env["FERNET_KEY"] = FERNET

    def columns(**members: Any) -> reseal.Column:
        place.describe(column(**members), codecs=codecs)
        [built] = reseal.Manifest.load(place.folder / "reseal.toml").build(environ=place.env)
        return built

    before, after = columns(write="tokens", read=None), columns(read=["tokens"])
    steps = json.loads(place.run("guide", "--json").out)
    introduce = next(it for it in steps if it["title"] == "Migrate: introduce")
    said = re.search(r'write = "(\w+)" and read = (\[.*?\]) for users\.ssn', introduce["why"])
    assert said, introduce
    between = columns(write=said[1], read=json.loads(said[2]))

    def opened(writer: reseal.Column, reader: reseal.Column) -> object:
        it = reader.open(writer.seal("secret"))
        assert it
        return it.value

    for one, other in ((before, between), (between, after)):
        assert [opened(one, other), opened(other, one)] == ["secret", "secret"]
    with pytest.raises(reseal.ResealError):
        opened(after, before)


@of_sqlite
def test_a_rehearsal_of_the_guide_changes_nothing_of_production(
    place: Place, tmp_path: Path
) -> None:
    ring = rotated(place)
    place.describe(column(read=None), column("notes", "body", read=None), codecs=CODECS)
    place.run("apply")
    ring.disable("first")
    second = ring.key("second").id
    keys, rows = ring.bytes(), place.rows()
    staging = tmp_path / "staging.db"
    place.do("VACUUM INTO %s", str(staging))
    url = f"sqlite:///{staging}"

    rehearsal = json.loads(place.run("guide", "--json").out)[1]["commands"]
    shell(place, rehearsal, tmp_path / "bin", RESEAL_DATABASE_URL=url)
    of_copies = place.run("guide", "--manifest", "rehearsal-reseal.toml", "--json").out
    commands = [command for step in json.loads(of_copies)[2:] for command in step["commands"]]
    said = shell(place, commands, tmp_path / "bin", RESEAL_DATABASE_URL=url)
    assert f"nothing is under the key {second}: it is disabled now" in said
    assert (ring.bytes(), place.rows()) == (keys, rows)

    shell(place, guide(place), tmp_path / "bin")
    keys_now = ring.file.load().keys()
    assert {key.id: key.state for key in keys_now}[second] == "destroyed"
    place.run("verify")


@of_sqlite
def test_a_rehearsal_copies_the_directory_behind_a_link(place: Place, tmp_path: Path) -> None:
    """Releases and secrets are often a link to the directory of the day."""
    today = place.folder / "keys-v1"
    today.mkdir()
    index = reseal.Key.from_bytes("index", bytes([8]) * 32)
    for name, key in (("a.key", DATA), ("i.key", index)):
        (today / name).write_text(key.export())
        (today / name).chmod(0o600)
    (place.folder / "keys").symlink_to("keys-v1")
    place.env.pop("RESEAL_PRIMARY_KEY")
    app = {"kind": "reseal", "keyring": "dir:keys", "primary": "a.key", "index_primary": "i.key"}
    place.describe(column(indexes=[INDEX], read=["plain"]), codecs={"app": app})
    place.do(f"CREATE TABLE users (id integer PRIMARY KEY, ssn {place.type('text')}, ssn_eq text)")
    place.insert("users", [{"id": 1, "ssn": "secret"}])
    place.run("apply")
    place.describe(column(indexes=[INDEX], read=None), codecs={"app": app})
    kept = {file.name: file.read_bytes() for file in today.iterdir()}

    rehearsal = json.loads(place.run("guide", "--json").out)[1]["commands"]
    shell(place, rehearsal, tmp_path / "bin")
    copies = place.folder / "rehearsal-keys"
    assert {file.name for file in copies.iterdir()} == set(kept)
    assert copies.stat().st_mode & 0o777 == 0o700
    # A second one takes no stale copies.
    with pytest.raises(AssertionError, match="File exists"):
        shell(place, rehearsal[:1], tmp_path / "bin")

    steps = json.loads(place.run("guide", "--manifest", "rehearsal-reseal.toml", "--json").out)
    by_hand = [
        "DAY=$(date +%Y-%m-%d)",
        'sed -e "s|a.key|$DAY-data.key|; s|i.key|$DAY-index.key|" rehearsal-reseal.toml >new.toml',
        "mv new.toml rehearsal-reseal.toml",
    ]
    promote = next(it for it in steps if it["title"] == "Rotate: promote")
    promote["commands"] = by_hand
    commands = [command for step in steps[2:] for command in step["commands"]]
    said = shell(place, [*commands, "rm rehearsal-keys/a.key"], tmp_path / "bin")
    assert f"nothing is under the key {DATA.id}: it may go" in said
    assert f"nothing is under the key {index.id}: it may go" in said
    assert {file.name: file.read_bytes() for file in today.iterdir()} == kept


@of_sqlite
def test_the_guide_rotates_keys_in_files(place: Place, tmp_path: Path) -> None:
    (place.folder / "primary.key").write_text(place.env.pop("RESEAL_PRIMARY_KEY") + "\n")
    (place.folder / "former.key").write_text(OLD.export() + "\n")
    for name, file in (("PRIMARY_KEY", "primary.key"), ("DECRYPT_KEYS", "former.key")):
        (place.folder / file).chmod(0o600)
        place.env[f"RESEAL_{name}_FILE"] = file
    place.describe(column(read=None))
    place.users([reseal.Keyring(primary=DATA).seal("x", {"table": "users", "column": "ssn"})])
    said = shell(place, guide(place), tmp_path / "bin")
    assert f"nothing is under the key {DATA.id}: it may go" in said
    assert DATA.id not in place.stored()[0]


@of_sqlite
def test_the_guide_retires_a_key_of_sentry(place: Place, tmp_path: Path) -> None:
    (place.folder / "keys").mkdir()
    (place.folder / "keys/key_2024").write_text(FERNET)
    (place.folder / "keys/key_2024").chmod(0o600)
    fields = {"kind": "sentry", "key_dir": "keys", "primary": "key_2024"}
    place.describe(column(write="fields"), codecs={"fields": fields})
    place.users(["secret"])
    place.run("apply")
    place.describe(column(write="fields", read=None), codecs={"fields": fields})
    commands = guide(place)
    by_hand = [
        "reseal keys new --for fernet --out keys/key_2026",
        'sed -e \'s|"key_2024"|"key_2026"|\' reseal.toml >new.toml',
        "mv new.toml reseal.toml",
    ]
    at = commands.index("OLD_KEY_ID=key_2024") + 1
    said = shell(place, commands[:at] + by_hand + commands[at:], tmp_path / "bin")
    assert "nothing is under the key key_2024: it may go" in said
    assert place.stored()[0].startswith("enc:fernet:key_2026:")
    refused = place.run("retire", "key_2026", code=1)
    assert refused.err.endswith("[still-in-use]\n")
