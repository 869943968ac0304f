"""What hooks say of the values of an adapter, and to whom."""

from __future__ import annotations

import dataclasses
import functools
import logging
import pickle

import pytest
import reseal
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry
from reseal import codecs, hooks
from reseal._adapters import BoundColumn, Codecs, Declaration, Index
from reseal.hooks import Event, opentelemetry, prometheus

OLD, NEW = reseal.Key.generate(), reseal.Key.generate()
BEFORE = reseal.Keyring(primary=OLD, index=reseal.Key.generate("index"))
NOW = reseal.Keyring(primary=NEW, decrypt_only=[OLD])
SECRET = "078-05-1120"


def column(ring: reseal.Keyring, **more: object) -> BoundColumn:
    declaration = Declaration("users", "ssn", {"table": "users"}, "app", **more)  # type: ignore[arg-type]
    return BoundColumn(declaration, Codecs({"app": codecs.reseal(ring, name="app")}), "clinic.User")


def test_each_value_is_told_with_codec_and_key() -> None:
    with hooks.Counters() as counters:
        stored = column(BEFORE).seal(SECRET, {})
        assert column(BEFORE).open(stored, {}) == SECRET
        assert column(NOW).open(stored, {}) == SECRET
    told = [(it.name, it.action, it.codec, it.key, it.values) for it in counters.counts()]
    assert told == [
        ("sealed", "seal", "app", OLD.id, 1),
        ("opened", "open", "app", OLD.id, 2),
        ("stale_opened", "open", "app", OLD.id, 1),
    ]


def test_another_codec_than_the_written_one_is_stale() -> None:
    declaration = Declaration("users", "ssn", {}, "app", read=("plain",))
    both = BoundColumn(declaration, Codecs({"app": codecs.reseal(NOW, name="app")}))
    with hooks.Counters() as counters:
        assert both.open("as it is", {}) == "as it is"
    assert counters.total("stale_opened", codec="plain") == 1


def test_a_refusal_is_told_with_its_code() -> None:
    events: list[Event] = []
    stop = hooks.subscribe(events.append)
    other = reseal.Keyring(primary=reseal.Key.generate())
    with pytest.raises(reseal.DecryptError):
        column(other).open(BEFORE.seal(SECRET, {"table": "users"}), {})
    with pytest.raises(reseal.ResealError):
        column(NOW).seal(7, {})
    indexed = column(NOW, indexes=(Index("ssn_eq", "ssn_index"),))
    with pytest.raises(reseal.KeyringError):
        indexed.term(SECRET, "ssn_eq", {})
    stop()
    told = [(it.name, it.action, it.code) for it in events]
    assert told == [
        ("refused", "open", "unknown-key"),
        ("refused", "seal", "invalid-argument"),
        ("refused", "index", "no-primary"),
    ]
    assert all(SECRET not in repr(it) for it in events)


def test_null_is_told_to_nobody() -> None:
    with hooks.Counters() as counters:
        assert column(NOW).seal(None, {}) is None
        assert column(NOW).open(None, {}) is None
        assert column(NOW).term(None, "ssn_eq", {}) is None
    assert counters.counts() == []


def test_nobody_hears_after_the_end() -> None:
    first: list[Event] = []
    second: list[Event] = []
    stop_first, stop_second = hooks.subscribe(first.append), hooks.subscribe(second.append)
    stop_first()
    stop_first()
    column(NOW).seal(SECRET, {})
    stop_second()
    column(NOW).seal(SECRET, {})
    assert (len(first), len(second)) == (0, 1)


def test_one_function_may_subscribe_twice() -> None:
    events: list[Event] = []
    once, again = hooks.subscribe(events.append), hooks.subscribe(events.append)
    once()
    column(NOW).seal(SECRET, {})
    again()
    assert len(events) == 1


def test_a_subscriber_that_fails_hurts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: Event) -> None:
        raise RuntimeError("no room")

    events: list[Event] = []
    stops = [hooks.subscribe(fails), hooks.subscribe(events.append)]
    with caplog.at_level(logging.ERROR, "reseal.hooks"):
        column(NOW).seal(SECRET, {})
    for stop in stops:
        stop()
    assert len(events) == 1
    assert "no room" in caplog.text
    assert SECRET not in caplog.text


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(reseal.ResealError) as caught:
        hooks.subscribe("a name")  # type: ignore[arg-type]
    assert caught.value.code == "invalid-argument"


def test_a_function_that_nobody_would_await_is_refused() -> None:
    async def tell(_: Event) -> None:
        raise AssertionError

    class Teller:
        async def __call__(self, _: Event) -> None:
            raise AssertionError

    for one in (tell, Teller(), functools.partial(tell)):
        with pytest.raises(reseal.ResealError, match="not awaited") as caught:
            hooks.subscribe(one)
        assert caught.value.code == "invalid-argument"
    assert column(NOW).seal(SECRET, {})


def test_an_event_is_a_value() -> None:
    event = Event("opened", "open", "users", "ssn", codec="app", key="k", seconds=1e-6)
    assert pickle.loads(pickle.dumps(event)) == event
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.codec = "other"  # type: ignore[misc]


def test_prometheus_has_the_counts() -> None:
    registry = CollectorRegistry()
    stop = prometheus.install(registry)
    stored = column(NOW).seal(SECRET, {})
    column(NOW).open(stored, {})
    column(NOW).open(stored, {})
    labels = {"event": "opened", "table": "users", "column": "ssn"}
    labels |= {"codec": "app", "key": NEW.id, "code": ""}
    assert registry.get_sample_value("reseal_events_total", labels) == 2
    timed = {"action": "open", "table": "users", "column": "ssn"}
    assert registry.get_sample_value("reseal_operation_seconds_count", timed) == 2
    stop()
    assert list(registry.collect()) == []
    prometheus.install(registry)()


def test_opentelemetry_has_the_counts() -> None:
    reader = InMemoryMetricReader()
    stop = opentelemetry.install(MeterProvider([reader]))
    stored = column(NOW).seal(SECRET, {})
    column(NOW).open(stored, {})
    stop()
    column(NOW).open(stored, {})
    data = reader.get_metrics_data()
    assert data is not None
    metrics = {it.name: it.data for it in data.resource_metrics[0].scope_metrics[0].metrics}
    points = {
        str((it.attributes or {})["reseal.event"]): (it.value, dict(it.attributes or {}))  # type: ignore[union-attr]
        for it in metrics["reseal.events"].data_points
    }
    assert {name: value for name, (value, _) in points.items()} == {"sealed": 1, "opened": 1}
    assert points["opened"][1]["reseal.key"] == NEW.id
    assert "reseal.code" not in points["opened"][1]
    assert len(metrics["reseal.operation.duration"].data_points) == 2
