"""Stream keys without their text, which is never stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from putlive.adapters.store.repos.columns import Row, Run, Value, read_time, time_text
from putlive.domain.keys import StreamKey
from putlive.errors import AlreadyExists, NotFound

_COLUMNS = (
    "channel, user_id, label, version, created_at, expires_at, revoked_at, blocked_until,"
    " last_used_at, id"
)


class SqliteKeys:
    """`KeyRepo`; keys come in the order they were added."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def all(self) -> Sequence[StreamKey]:
        rows = await self._run(f"select {_COLUMNS} from stream_keys order by rowid")
        return [_key(row) for row in rows]

    async def add(self, key: StreamKey) -> None:
        sql = (
            f"insert into stream_keys ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " on conflict (id) do nothing returning id"
        )
        if not await self._write(sql, key):
            raise AlreadyExists(f"There is a key {key.id} already.")

    async def save(self, key: StreamKey) -> None:
        sql = (
            "update stream_keys set channel = ?, user_id = ?, label = ?, version = ?,"
            " created_at = ?, expires_at = ?, revoked_at = ?, blocked_until = ?, last_used_at = ?"
            " where id = ? returning id"
        )
        if not await self._write(sql, key):
            raise NotFound(f"There is no key {key.id}.")

    async def _write(self, sql: str, key: StreamKey) -> bool:
        try:
            return bool(await self._run(sql, *_values(key)))
        except sqlite3.IntegrityError as error:
            raise NotFound(
                f"There is no channel called {key.channel} or no user number {key.user_id}."
            ) from error


def _values(key: StreamKey) -> tuple[Value, ...]:
    times = (key.expires_at, key.revoked_at, key.blocked_until, key.last_used_at)
    return (
        key.channel,
        key.user_id,
        key.label,
        key.version,
        time_text(key.created_at),
        *map(time_text, times),
        key.id,
    )


def _key(row: Row) -> StreamKey:
    channel, user_id, label, version, created, expires, revoked, blocked, used, id = row
    return StreamKey(
        id,
        channel,
        user_id,
        label,
        version,
        read_time(created),
        read_time(expires),
        read_time(revoked),
        read_time(blocked),
        read_time(used),
    )
