"""The database: a repository per table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from putlive.domain.access import Role, Session, User
from putlive.domain.events import Event
from putlive.domain.keys import StreamKey
from putlive.domain.streams import Channel


class ChannelRepo(Protocol):
    async def all(self) -> Sequence[Channel]: ...

    async def add(self, name: str, title: str) -> Channel:
        """Add a channel; raises `AlreadyExists` when the name is taken."""

    async def save(self, channel: Channel) -> None:
        """Store title, enabled and max_viewers of an existing channel, or raise `NotFound`."""

    async def renditions(self) -> Mapping[str, Mapping[str, bool]]:
        """Per channel name, the renditions that were switched on or off by hand."""

    async def set_rendition(self, channel: str, rendition: str, enabled: bool) -> None:
        """Keep a rendition switched on or off; raises `NotFound` for an unknown channel."""


class KeyRepo(Protocol):
    async def all(self) -> Sequence[StreamKey]: ...

    async def add(self, key: StreamKey) -> None:
        """Add a key; raises `AlreadyExists` when its id is taken.

        Raises `NotFound` when its channel or its user does not exist.
        """

    async def save(self, key: StreamKey) -> None:
        """Store every field of an existing key, or raise `NotFound`."""


class UserRepo(Protocol):
    async def all(self) -> Sequence[User]: ...

    async def add(self, name: str, role: Role, password_hash: str, *, must_change: bool) -> User:
        """Add a user; raises `AlreadyExists` when the name is taken (case does not matter)."""

    async def save(self, user: User) -> None:
        """Store role, password, active and must_change of an existing user, or raise `NotFound`."""


class SessionRepo(Protocol):
    async def all(self) -> Sequence[Session]:
        """Every session that is neither revoked nor forgotten; a store has no clock."""

    async def add(self, session: Session) -> None:
        """Add a session; raises `AlreadyExists` for its id, `NotFound` for its user."""

    async def save(self, session: Session) -> None:
        """Store every field of an existing session, or raise `NotFound`."""

    async def forget_before(self, when: datetime) -> int:
        """Delete sessions that expired before `when`; returns how many."""


@dataclass(frozen=True)
class EventRow:
    """One stored event, `body` as `domain.events.event_body` made it."""

    id: int
    kind: str
    at: datetime
    body: Mapping[str, Any]


class EventLog(Protocol):
    async def append(self, event: Event) -> None: ...

    async def latest(self, count: int, *, kinds: Sequence[str] = ()) -> Sequence[EventRow]:
        """The newest `count` events, newest first."""

    async def forget_before(self, when: datetime) -> int:
        """Delete events older than `when`; returns how many."""


class Store(Protocol):
    """The database. Refuses at opening what it cannot read; never repairs by guessing."""

    @property
    def channels(self) -> ChannelRepo: ...

    @property
    def keys(self) -> KeyRepo: ...

    @property
    def users(self) -> UserRepo: ...

    @property
    def sessions(self) -> SessionRepo: ...

    @property
    def events(self) -> EventLog: ...

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """One writer at a time; everything inside is kept or nothing is."""

    async def check(self) -> None:
        """A cheap read; raises when the database cannot be used."""
