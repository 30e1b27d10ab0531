"""Logins: families of refresh tokens, of which only a hash is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from putlive.adapters.store.repos.columns import Row, Run, Value, read_time, time_text
from putlive.domain.access import Session
from putlive.errors import AlreadyExists, NotFound

_COLUMNS = "user_id, refresh_hash, created_at, expires_at, address, agent, revoked_at, id"


class SqliteSessions:
    """`SessionRepo`; sessions come in the order they were added."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def all(self) -> Sequence[Session]:
        rows = await self._run(
            f"select {_COLUMNS} from sessions where revoked_at is null order by rowid"
        )
        return [_session(row) for row in rows]

    async def add(self, session: Session) -> None:
        sql = (
            f"insert into sessions ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?)"
            " on conflict (id) do nothing returning id"
        )
        if not await self._write(sql, session):
            raise AlreadyExists("There is a session of that id already.")

    async def save(self, session: Session) -> None:
        sql = (
            "update sessions set user_id = ?, refresh_hash = ?, created_at = ?, expires_at = ?,"
            " address = ?, agent = ?, revoked_at = ? where id = ? returning id"
        )
        if not await self._write(sql, session):
            raise NotFound("There is no such session.")

    async def forget_before(self, when: datetime) -> int:
        rows = await self._run(
            "delete from sessions where expires_at < ? returning id", time_text(when)
        )
        return len(rows)

    async def _write(self, sql: str, session: Session) -> bool:
        try:
            return bool(await self._run(sql, *_values(session)))
        except sqlite3.IntegrityError as error:
            raise NotFound(f"There is no user number {session.user_id}.") from error


def _values(session: Session) -> tuple[Value, ...]:
    return (
        session.user_id,
        session.refresh_hash,
        time_text(session.created_at),
        time_text(session.expires_at),
        session.address,
        session.agent,
        time_text(session.revoked_at),
        session.id,
    )


def _session(row: Row) -> Session:
    user_id, refresh_hash, created, expires, address, agent, revoked, id = row
    return Session(
        id,
        user_id,
        refresh_hash,
        read_time(created),
        read_time(expires),
        address,
        agent,
        read_time(revoked),
    )
