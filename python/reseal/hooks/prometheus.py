"""The events as metrics of `prometheus_client`: `pip install reseal[prometheus]`.

>>> from prometheus_client import CollectorRegistry
>>> from reseal.hooks import prometheus
>>> registry = CollectorRegistry()
>>> stop = prometheus.install(registry)
>>> registry.get_sample_value("reseal_operation_seconds_count", {"action": "open"}) is None
True
>>> stop()

- `reseal_events_total`: a counter with the labels `event`, `table`, `column`, `codec`, `key` and `code`;
  a label that an event lacks is empty.
- `reseal_operation_seconds`: a histogram with the labels `action`, `table` and `column`.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from reseal.hooks import Event, subscribe

#: A value takes microseconds, not the milliseconds of a request.
BUCKETS = (1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0)


def install(registry: CollectorRegistry = REGISTRY) -> Callable[[], None]:
    """Register both metrics and keep them up to date. Returns what ends it and takes them away again.

    Errors: `ValueError` of the client where they are registered already.
    """
    events = Counter(
        "reseal_events",
        "Values sealed, opened and refused.",
        ("event", "table", "column", "codec", "key", "code"),
        registry=registry,
    )
    seconds = Histogram(
        "reseal_operation_seconds",
        "How long it took to seal or open a value.",
        ("action", "table", "column"),
        buckets=BUCKETS,
        registry=registry,
    )

    def hear(event: Event) -> None:
        labels = (event.codec or "", event.key or "", event.code or "")
        events.labels(event.name, event.table, event.column, *labels).inc()
        if event.seconds is not None:
            seconds.labels(event.action, event.table, event.column).observe(event.seconds)

    stop_hearing = subscribe(hear)

    def stop() -> None:
        stop_hearing()
        registry.unregister(events)
        registry.unregister(seconds)

    return stop
