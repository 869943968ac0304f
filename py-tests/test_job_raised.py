"""What a program raises in the middle of a job: its connection and the rows come back as they were."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import reseal
from cli_support import DATA, KEK
from job_support import HERE, KINDS, RING, Place, column, manifest
from reseal import jobs

ROWS = 60
MINUTES = 600_000
FOREIGN = reseal.Keyring(primary=reseal.Key.generate("data")).seal("foreign", HERE)
#: What a job changes for its session, and another value than that of the server.
SETTINGS = {
    "postgresql": (
        "SET statement_timeout = 12345",
        "SELECT current_setting('statement_timeout'),"
        " current_setting('idle_in_transaction_session_timeout')",
    ),
    "mysql": (
        "SET SESSION sql_mode = 'ANSI_QUOTES', max_statement_time = 1234, max_sort_length = 999,"
        " sql_select_limit = 9999",
        "SELECT @@sql_mode, @@max_statement_time, @@idle_transaction_timeout, @@max_sort_length,"
        " @@sql_select_limit",
    ),
    "sqlite": ("PRAGMA busy_timeout = 4321", "PRAGMA busy_timeout"),
}

of_programs = pytest.mark.parametrize(
    "place", [(kind, "python") for kind in KINDS], indirect=True, ids="-".join
)


class MineError(Exception):
    """What the program raises."""


@pytest.fixture
def called(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A program in the folder of a place; each fifth value is refused, which is an event."""
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    monkeypatch.chdir(place.folder)
    place.users([FOREIGN if n % 5 == 0 else f"Row {n}" for n in range(1, ROWS + 1)])
    place.describe(column(read=["plain"]))
    usual = signal.getsignal(signal.SIGALRM)
    yield place
    signal.signal(signal.SIGALRM, usual)


def is_sealed(place: Place) -> bool:
    return bool(place.do("SELECT 1 FROM users WHERE ssn LIKE 'rs1.%' AND id = 1"))


def on_event(_: Place, kind: type[BaseException]) -> dict[str, Any]:
    """Whoever is told of a refused value raises."""

    def told(event: jobs.Event) -> None:
        if event["event"] == "refused":
            raise kind("mine")

    return {"on_event": told}


def stop(place: Place, kind: type[BaseException]) -> dict[str, Any]:
    """Whoever is asked to stop raises, after the first batch."""

    def asked() -> bool:
        if is_sealed(place):
            raise kind("mine")
        return False

    return {"stop": asked}


def pause(place: Place, kind: type[BaseException]) -> dict[str, Any]:
    """A signal raises while the job waits."""

    def rings(*_: object) -> None:
        raise kind("mine")

    armed: list[bool] = []

    def asked() -> bool:
        if not armed and is_sealed(place):
            armed.append(True)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
        return False

    signal.signal(signal.SIGALRM, rings)
    return {"stop": asked, "pause_ms": MINUTES}


@pytest.mark.parametrize("share", [False, True], ids=["alone", "shared"])
@pytest.mark.parametrize("kind", [MineError, KeyboardInterrupt])
@pytest.mark.parametrize("where", [on_event, stop, pause])
@of_programs
def test_settings_and_ranges_are_given_back(
    called: Place,
    where: Callable[[Place, type[BaseException]], dict[str, Any]],
    kind: type[BaseException],
    share: bool,
) -> None:
    change, shown = SETTINGS[called.kind]
    connection = called.connection
    called.do(change)
    before = called.do(shown)
    options: dict[str, Any] = {"batch": 10, "statement_timeout_ms": 7_000}
    if share:
        options |= {"share": True, "worker_lease": 60}
    with pytest.raises(kind, match="mine"):
        jobs.apply(connection, **options, **where(called, kind))
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert called.do(shown) == before
    # Nobody waits for a lease.
    report = jobs.apply(connection, **options)
    assert (report["end"], report["milliseconds"] < 30_000) == ("complete", True)
    assert called.do(shown) == before
    opened = [RING.open_str(it, HERE) for it in called.stored() if it != FOREIGN]
    assert opened == [f"Row {n}" for n in range(1, ROWS + 1) if n % 5]


@pytest.mark.parametrize("job", [jobs.census, jobs.plan, jobs.verify])
@of_programs
def test_settings_of_what_only_reads_are_given_back(called: Place, job: Callable[..., Any]) -> None:
    change, shown = SETTINGS[called.kind]
    called.do(change)
    before = called.do(shown)

    def told(_: jobs.Event) -> None:
        raise MineError("mine")

    with pytest.raises(MineError, match="mine"):
        job(called.connection, statement_timeout_ms=7_000, on_event=told)
    assert called.do(shown) == before


# --- retire -------------------------------------------------------------------------------------


def kept_in(place: Place, where: str) -> tuple[Any, str]:
    """A keyset with a key that seals, in a file or in the database, and what a manifest calls it."""
    keyset = reseal.Keyset.create(kek=KEK, lease_seconds=0)
    keyset.rotate("data", label="first", early=True)
    if where == "file":
        store: Any = reseal.KeysetFile(place.folder / "ring.json", kek=KEK)
        path = "keyset:ring.json"
    else:
        store = reseal.SqlKeysetStore(place.url, kek=KEK, ring=keyset.ring_id)
        path = f"sql:{keyset.ring_id}"
    store.create(keyset)
    return store, path


@pytest.mark.parametrize("kind", [MineError, KeyboardInterrupt])
@pytest.mark.parametrize("at", ["disabled", "began"])
@pytest.mark.parametrize("where", ["file", "database"])
@of_programs
def test_a_key_does_not_stay_disabled_without_its_second_count(
    place: Place, monkeypatch: pytest.MonkeyPatch, where: str, at: str, kind: type[BaseException]
) -> None:
    monkeypatch.chdir(place.folder)
    (place.folder / "kek").write_text(KEK.export())
    (place.folder / "kek").chmod(0o600)
    store, path = kept_in(place, where)
    codec = {"kind": "reseal", "keyring": path, "kek": "file:kek"}
    described = manifest(column(read=["plain"]), codecs={"app": codec})
    (place.folder / "reseal.toml").write_text(described)
    place.users([f"Row {n}" for n in range(1, 4)])
    monkeypatch.setenv("RESEAL_DATABASE_URL", place.url)
    jobs.apply(place.url)
    [first] = store.load().keys()
    late = place.stored()[0]
    store.edit(lambda keyset: keyset.rotate("data", label="second", early=True))
    jobs.apply(place.url)
    told: list[str] = []

    def hear(event: jobs.Event) -> None:
        told.append(event["event"])
        if event["event"] == "disabled":
            place.do("UPDATE users SET ssn = %s WHERE id = 2", late)
        if at == event["event"] and "disabled" in told:
            raise kind("mine")

    with pytest.raises(kind, match="mine"):
        jobs.retire(first.id, place.url, on_event=hear)
    keys = store.load().keys()
    assert [key.state for key in keys if key.id == first.id] == ["decrypt_only"], told
