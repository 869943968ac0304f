"""The events as metrics of OpenTelemetry: `pip install reseal[opentelemetry]`.

>>> from reseal.hooks import opentelemetry
>>> stop = opentelemetry.install()  # with the meter provider of the process
>>> stop()

- `reseal.events`: a counter with the attributes `reseal.event`, `reseal.table`, `reseal.column`,
  `reseal.codec`, `reseal.key` and `reseal.code`; an attribute that an event lacks is left out.
- `reseal.operation.duration`: a histogram in seconds with `reseal.action`, `reseal.table` and
  `reseal.column`.
"""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry.metrics import MeterProvider, get_meter

from reseal.hooks import Event, subscribe


def install(provider: MeterProvider | None = None) -> Callable[[], None]:
    """Record the events from now on, with the provider that is given or with that of the process.

    Returns what ends it.
    """
    meter = get_meter("reseal", meter_provider=provider)
    events = meter.create_counter(
        "reseal.events", unit="{value}", description="Values sealed, opened and refused."
    )
    seconds = meter.create_histogram(
        "reseal.operation.duration",
        unit="s",
        description="How long it took to seal or open a value.",
    )

    def hear(event: Event) -> None:
        place = {"reseal.table": event.table, "reseal.column": event.column}
        more = {"codec": event.codec, "key": event.key, "code": event.code}
        known = {f"reseal.{name}": value for name, value in more.items() if value is not None}
        events.add(1, {"reseal.event": event.name, **place, **known})
        if event.seconds is not None:
            seconds.record(event.seconds, {"reseal.action": event.action, **place})

    return subscribe(hear)
