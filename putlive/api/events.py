"""The event stream: the station's status every two seconds and every event as it happens (SSE).

Format: WHATWG HTML, "Server-sent events".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from putlive.api.context import Context
from putlive.api.deps import Ctx, Who
from putlive.api.errors import StationBusy
from putlive.api.models_station import MachineOut
from putlive.api.routing import Route
from putlive.api.shapes import channel_out, health_out
from putlive.domain.events import Event, event_body, event_kind
from putlive.services.people.sessions import Identity

STATUS_SECONDS = 2.0
PING_SECONDS = 15.0
QUEUE_MESSAGES = 64  # a client that is further behind is let go; it comes back by itself


class EventStreams:
    """All open streams of one app; the status is put together once for all of them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._open = 0
        self._status = ""
        self._status_at = float("-inf")

    def open(self, who: Identity) -> Response:
        """A new stream, or `StationBusy`. It ends when the login does."""
        most = self._context.site.max_event_streams
        if self._open >= most:
            raise StationBusy(
                f"{most} event streams are open already.", hint="Close another dashboard."
            )
        self._open += 1
        queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_MESSAGES)
        late = asyncio.Event()
        stop = self._context.bus.listen(lambda event: _put(queue, late, event))

        def close() -> None:
            self._open -= 1
            stop()

        return _Stream(self._messages(who, queue, late), close)

    async def _messages(
        self, who: Identity, queue: asyncio.Queue[str], late: asyncio.Event
    ) -> AsyncIterator[str]:
        clock, accounts = self._context.clock, self._context.accounts
        pinged = clock.monotonic()
        event = asyncio.ensure_future(queue.get())
        tick = asyncio.ensure_future(clock.sleep(STATUS_SECONDS))
        yield "retry: 2000\n\n" + self.status_message()
        try:
            while True:
                await asyncio.wait({event, tick}, return_when=asyncio.FIRST_COMPLETED)
                if late.is_set() or not accounts.is_current(who):
                    break
                if event.done():
                    yield event.result()
                    event = asyncio.ensure_future(queue.get())
                if tick.done():
                    tick = asyncio.ensure_future(clock.sleep(STATUS_SECONDS))
                    if clock.monotonic() - pinged >= PING_SECONDS:
                        pinged = clock.monotonic()
                        yield ": ping\n\n"
                    yield self.status_message()
        finally:
            event.cancel()
            tick.cancel()

    def status_message(self) -> str:
        """The newest `status` message, at most a second old."""
        now = self._context.clock.monotonic()
        if now - self._status_at >= 1.0:
            self._status, self._status_at = _status(self._context), now
        return self._status


class _Stream(StreamingResponse):
    """A streaming answer that gives its place free however it ends."""

    def __init__(self, content: AsyncIterator[str], close: Callable[[], None]) -> None:
        headers = {"X-Accel-Buffering": "no"}  # nginx shall pass each message on at once
        super().__init__(content, media_type="text/event-stream", headers=headers)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._close()


def _put(queue: asyncio.Queue[str], late: asyncio.Event, event: Event) -> None:
    try:
        queue.put_nowait(_message("event", {"kind": event_kind(event), **event_body(event)}))
    except asyncio.QueueFull:
        late.set()


def _status(context: Context) -> str:
    machine = context.statuses.machine()
    station = health_out(context.statuses.station(), context.clock.now()).model_dump(mode="json")
    station["machine"] = MachineOut.model_validate(machine).model_dump() if machine else None
    channels = [channel_out(s).model_dump(mode="json") for s in context.statuses.all()]
    return _message("status", {"channels": channels, "station": station})


def _message(kind: str, data: object) -> str:
    # JSON of this kind has no line break, so one data line is enough.
    return f"event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


async def event_stream(request: Request, ctx: Ctx, who: Who) -> Response:
    """`status` at once and every two seconds: {channels, station}; `event` when one happens.

    `event` carries {kind, at, ...}. The stream ends when the login does.
    """
    streams: EventStreams = request.app.state.event_streams
    return streams.open(who)


ROUTES = (
    Route(
        "GET",
        "/api/events",
        event_stream,
        "viewer",
        "Status and events as they come",
        None,
        errors=(503,),
        media="text/event-stream",
    ),
)
