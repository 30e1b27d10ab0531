"""What happened, as one row of JSON per event."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from putlive.adapters.store.repos.columns import Run, read_time, time_text
from putlive.domain.events import Event, event_body, event_kind
from putlive.ports import EventRow

# In bites: a year of events must neither fill the memory nor keep a publish hook waiting.
_FORGET_SOME = (
    "delete from events where id in (select id from events where at < ? limit 1000) returning id"
)


class SqliteEvents:
    """`EventLog`; events are numbered in the order they were appended."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def append(self, event: Event) -> None:
        await self._run(
            "insert into events (kind, at, body) values (?, ?, ?)",
            event_kind(event),
            time_text(event.at),
            json.dumps(event_body(event)),
        )

    async def latest(self, count: int, *, kinds: Sequence[str] = ()) -> Sequence[EventRow]:
        chosen = f"where kind in ({', '.join('?' * len(kinds))})" if kinds else ""
        rows = await self._run(
            f"select id, kind, at, body from events {chosen} order by id desc limit ?",
            *kinds,
            max(0, count),
        )
        return [EventRow(id, kind, read_time(at), json.loads(body)) for id, kind, at, body in rows]

    async def forget_before(self, when: datetime) -> int:
        forgotten = 0
        while rows := await self._run(_FORGET_SOME, time_text(when)):
            forgotten += len(rows)
        return forgotten
