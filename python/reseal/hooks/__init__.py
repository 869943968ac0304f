"""Hooks: what the adapters seal and open, as events for metrics and alarms; never a value.

>>> from reseal import hooks
>>> seen = []
>>> stop = hooks.subscribe(seen.append)
>>> stop()  # and no more

The adapters `reseal.django` and `reseal.sqlalchemy` report each value that they seal or open. Nothing is
measured, and nothing is made, while nobody listens. `hooks.Counters` counts, `reseal.hooks.prometheus` and
`reseal.hooks.opentelemetry` hand the same on.

Spec: `spec/hooks.md` of the project has the names, which are the same in every language.
"""

from __future__ import annotations

from reseal.hooks._bus import Action, Event, EventName, Subscriber, subscribe
from reseal.hooks._counters import Count, Counters

__all__ = ["Action", "Count", "Counters", "Event", "EventName", "Subscriber", "subscribe"]
