"""The bus: every event becomes a log line and a row, and reaches whoever listens."""

from __future__ import annotations

import logging
from collections.abc import Callable

from putlive.domain.events import Event, event_body, event_kind
from putlive.ports import EventLog

log = logging.getLogger("putlive.events")

Listener = Callable[[Event], None]


class Bus:
    """Events go out in the order in which they happen; a failing listener harms nobody else."""

    def __init__(self, events: EventLog) -> None:
        self._events = events
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for each event from now on; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def publish(self, event: Event) -> None:
        """Tell everybody; a database that cannot be written is logged, not raised."""
        body = event_body(event)
        log.info("%s", event_kind(event), extra={"event": event_kind(event), **_fields(body)})
        for listener in list(self._listeners):
            self._tell(listener, event)
        try:
            await self._events.append(event)
        except Exception:
            log.exception("event not stored: %s", event_kind(event))

    def _tell(self, listener: Listener, event: Event) -> None:
        try:
            listener(event)
        except Exception:
            log.exception("listener failed on %s", event_kind(event))


def _fields(body: dict[str, object]) -> dict[str, object]:
    # `process` is one of logging's own record attributes and may not be overwritten.
    return {("process_name" if k == "process" else k): v for k, v in body.items()}
