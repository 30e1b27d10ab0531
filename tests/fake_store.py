"""The database in memory: the same behaviour as `SqliteStore`, for unit tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from putlive.domain.access import Role, Session, User
from putlive.domain.events import Event, event_body, event_kind
from putlive.domain.keys import StreamKey
from putlive.domain.streams import Channel
from putlive.errors import AlreadyExists, NotFound
from putlive.ports import EventRow

ADDED_AT = datetime(2026, 1, 1, tzinfo=timezone.utc)  # a store has no clock but its own


@dataclass
class Tables:
    """All rows. A transaction that fails puts an earlier copy back."""

    channels: dict[int, Channel] = field(default_factory=dict)
    renditions: dict[str, dict[str, bool]] = field(default_factory=dict)
    keys: dict[str, StreamKey] = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    events: list[EventRow] = field(default_factory=list)
    events_so_far: int = 0

    def channel(self, name: str) -> Channel:
        for channel in self.channels.values():
            if channel.name == name:
                return channel
        raise NotFound(f"There is no channel called {name}.")

    def user(self, id: int) -> User:
        if id not in self.users:
            raise NotFound(f"There is no user number {id}.")
        return self.users[id]


class MemoryStore:
    """`Store` without a file; one task at a time inside a transaction, as in the real one."""

    def __init__(self) -> None:
        self._tables = Tables()
        self._lock = asyncio.Lock()
        self._owner: asyncio.Task[object] | None = None
        self.channels = MemoryChannels(self)
        self.keys = MemoryKeys(self)
        self.users = MemoryUsers(self)
        self.sessions = MemorySessions(self)
        self.events = MemoryEvents(self)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        async with self.turn():
            before = deepcopy(self._tables)
            try:
                yield
            except BaseException:
                self._tables = before
                raise

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Tables]:
        """Wait until no other task is inside a transaction."""
        task = asyncio.current_task()
        if self._owner is not None and self._owner is task:
            yield self._tables
            return
        async with self._lock:
            self._owner = task
            try:
                yield self._tables
            finally:
                self._owner = None

    async def check(self) -> None:
        async with self.turn():
            pass


class MemoryChannels:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def all(self) -> Sequence[Channel]:
        async with self._store.turn() as tables:
            return list(tables.channels.values())

    async def add(self, name: str, title: str) -> Channel:
        async with self._store.turn() as tables:
            if any(c.name == name for c in tables.channels.values()):
                raise AlreadyExists(f"There is a channel called {name} already.")
            channel = Channel(len(tables.channels) + 1, name, title)
            tables.channels[channel.id] = channel
            return channel

    async def save(self, channel: Channel) -> None:
        async with self._store.turn() as tables:
            if channel.id not in tables.channels:
                raise NotFound(f"There is no channel number {channel.id}.")
            name = tables.channels[channel.id].name
            tables.channels[channel.id] = replace(channel, name=name)

    async def renditions(self) -> Mapping[str, Mapping[str, bool]]:
        async with self._store.turn() as tables:
            return deepcopy(tables.renditions)

    async def set_rendition(self, channel: str, rendition: str, enabled: bool) -> None:
        async with self._store.turn() as tables:
            tables.renditions.setdefault(tables.channel(channel).name, {})[rendition] = enabled


class MemoryKeys:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def all(self) -> Sequence[StreamKey]:
        async with self._store.turn() as tables:
            return list(tables.keys.values())

    async def add(self, key: StreamKey) -> None:
        async with self._store.turn() as tables:
            if key.id in tables.keys:
                raise AlreadyExists(f"There is a key {key.id} already.")
            self._put(tables, key)

    async def save(self, key: StreamKey) -> None:
        async with self._store.turn() as tables:
            if key.id not in tables.keys:
                raise NotFound(f"There is no key {key.id}.")
            self._put(tables, key)

    @staticmethod
    def _put(tables: Tables, key: StreamKey) -> None:
        tables.channel(key.channel)
        tables.user(key.user_id)
        tables.keys[key.id] = key


class MemoryUsers:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def all(self) -> Sequence[User]:
        async with self._store.turn() as tables:
            return list(tables.users.values())

    async def add(self, name: str, role: Role, password_hash: str, *, must_change: bool) -> User:
        async with self._store.turn() as tables:
            if any(u.name.casefold() == name.casefold() for u in tables.users.values()):
                raise AlreadyExists(f"There is a user called {name} already.")
            id = len(tables.users) + 1
            user = User(id, name, role, password_hash, True, must_change, ADDED_AT)
            tables.users[id] = user
            return user

    async def save(self, user: User) -> None:
        async with self._store.turn() as tables:
            old = tables.user(user.id)
            tables.users[user.id] = replace(user, name=old.name, created_at=old.created_at)


class MemorySessions:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def all(self) -> Sequence[Session]:
        async with self._store.turn() as tables:
            return [s for s in tables.sessions.values() if s.revoked_at is None]

    async def add(self, session: Session) -> None:
        async with self._store.turn() as tables:
            if session.id in tables.sessions:
                raise AlreadyExists("There is a session of that id already.")
            tables.user(session.user_id)
            tables.sessions[session.id] = session

    async def save(self, session: Session) -> None:
        async with self._store.turn() as tables:
            if session.id not in tables.sessions:
                raise NotFound("There is no such session.")
            tables.user(session.user_id)
            tables.sessions[session.id] = session

    async def forget_before(self, when: datetime) -> int:
        async with self._store.turn() as tables:
            old = [s.id for s in tables.sessions.values() if s.expires_at < when]
            for id in old:
                del tables.sessions[id]
            return len(old)


class MemoryEvents:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def append(self, event: Event) -> None:
        body = json.loads(json.dumps(event_body(event)))
        async with self._store.turn() as tables:
            tables.events_so_far += 1
            row = EventRow(tables.events_so_far, event_kind(event), event.at, body)
            tables.events.append(row)

    async def latest(self, count: int, *, kinds: Sequence[str] = ()) -> Sequence[EventRow]:
        async with self._store.turn() as tables:
            rows = [r for r in reversed(tables.events) if not kinds or r.kind in kinds]
            return rows[: max(0, count)]

    async def forget_before(self, when: datetime) -> int:
        async with self._store.turn() as tables:
            kept = [r for r in tables.events if r.at >= when]
            forgotten = len(tables.events) - len(kept)
            tables.events[:] = kept
            return forgotten
