"""What the API needs of the services, as small protocols, so that tests can pass fakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from putlive.domain.events import Event
from putlive.domain.health import MachineFacts, StationHealth
from putlive.domain.keys import StreamKey
from putlive.domain.process import ProcessStatus
from putlive.domain.status import ChannelStatus
from putlive.domain.streams import Channel, Claim
from putlive.services.people.accounts import AccountService
from putlive.services.program.history import HistoryPoint


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class Channels(Protocol):
    """`ChannelService`."""

    def all(self) -> Sequence[Channel]: ...

    def get(self, name: str) -> Channel: ...

    async def create(self, name: str, title: str) -> Channel: ...

    async def set_enabled(self, name: str, enabled: bool) -> Channel: ...


class Keys(Protocol):
    """`KeyService`."""

    def all(self) -> Sequence[StreamKey]: ...

    def get(self, id: str) -> StreamKey: ...

    def text(self, key: StreamKey) -> str: ...

    async def create(
        self, user_id: int, channel: str, label: str, expires_at: datetime | None
    ) -> StreamKey: ...

    async def rotate(self, id: str) -> StreamKey: ...

    async def revoke(self, id: str) -> StreamKey: ...


class Publishing(Protocol):
    """`PublishService`."""

    def claims(self) -> Mapping[str, Claim]: ...

    async def kick(self, channel: str) -> None: ...


class Renditions(Protocol):
    """`RenditionService`."""

    async def set_enabled(self, channel: str, rendition: str, enabled: bool) -> None: ...


class Previews(Protocol):
    """`PreviewService`."""

    async def ask(self, channel: str) -> Path | None: ...


class Statuses(Protocol):
    """`StatusService`."""

    def channel(self, name: str) -> ChannelStatus: ...

    def all(self) -> Sequence[ChannelStatus]: ...

    def station(self) -> StationHealth: ...

    def machine(self) -> MachineFacts | None: ...


class History(Protocol):
    """`HistoryService`."""

    def points(self, channel: str, now: datetime, minutes: int) -> Sequence[HistoryPoint]: ...


class Bus(Protocol):
    """The bus, for those who listen."""

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]: ...


class StoredEvent(Protocol):
    """A row of the event log."""

    @property
    def id(self) -> int: ...

    @property
    def kind(self) -> str: ...

    @property
    def at(self) -> datetime: ...

    @property
    def body(self) -> Mapping[str, Any]: ...


class EventRows(Protocol):
    """The stored events."""

    async def latest(self, count: int, *, kinds: Sequence[str] = ()) -> Sequence[StoredEvent]: ...


@dataclass(frozen=True)
class Site:
    """Values of the settings. `domain` empty: the host name people used in their request."""

    version: str
    rtmp_port: int = 1935
    domain: str = ""
    allowed_origins: tuple[str, ...] = ()
    metrics_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    max_event_streams: int = 50


@dataclass(frozen=True)
class Context:
    """Everything the routes use. `processes` and `zombies_reaped` are read by the metrics."""

    accounts: AccountService
    channels: Channels
    keys: Keys
    publishing: Publishing
    renditions: Renditions
    previews: Previews
    statuses: Statuses
    history: History
    bus: Bus
    events: EventRows
    processes: Callable[[], Sequence[ProcessStatus]]
    zombies_reaped: Callable[[], int]
    clock: Clock
    site: Site
