"""What the services need from the outside world; adapters and test fakes implement these."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from putlive.domain.access import Role, Session, User
from putlive.domain.events import Event
from putlive.domain.keys import StreamKey
from putlive.domain.media import EngineHealth, Publisher
from putlive.domain.process import ProcessSpec
from putlive.domain.streams import Channel


class Clock(Protocol):
    """The one source of time."""

    def now(self) -> datetime:
        """Wall-clock time, aware, UTC: for what people read and what is stored."""

    def monotonic(self) -> float:
        """Seconds that never go back: for durations, delays and limits."""

    async def sleep(self, seconds: float) -> None: ...


class Child(Protocol):
    """A running process and everything it forked, as one process group."""

    @property
    def pid(self) -> int: ...

    def progress(self) -> AsyncIterator[Mapping[str, str]]:
        """Blocks of ffmpeg's `-progress pipe:1`, until the process closes its output."""

    def last_words(self) -> str:
        """The last line it wrote to standard error, without control characters."""

    async def wait(self) -> int:
        """Wait for the exit and reap it; a death by signal N is returned as -N."""

    def signal_group(self, signum: int) -> None:
        """Signal the whole group; does nothing if it is already gone."""


class Spawner(Protocol):
    """Starts processes that carry this station's mark."""

    async def spawn(self, spec: ProcessSpec) -> Child:
        """Start it in its own process group; raises `OSError` when it cannot be started."""


class MediaEngine(Protocol):
    """SRS or nginx-rtmp, as PutLive sees it. Every call has a limit of a few seconds.

    Raises `EngineDown` when the engine does not answer or answers nonsense.
    """

    @property
    def name(self) -> str:
        """`srs` or `nginx-rtmp`."""

    @property
    def needs_keeper(self) -> bool:
        """Whether a player has to stay attached to keep a channel's source over gaps (C13)."""

    @property
    def joins_at_last_keyframe(self) -> bool:
        """A new player gets the last keyframe at once; else it waits for the next one."""

    async def health(self) -> EngineHealth: ...

    async def publishers(self) -> Sequence[Publisher]:
        """Every input that is publishing now, whichever app and name it took."""

    async def kick(self, publisher: Publisher) -> bool:
        """Cut this input's connection; False when it was gone already."""

    def play_url(self, channel: str) -> str:
        """Where a local process plays the channel's program stream."""


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


class HlsFiles(Protocol):
    """The tmpfs folder nginx serves. A rendition is a folder; its playlists are per channel.

    `source` is written by the engine, the rungs by ffmpeg, the multivariant playlist and the
    `full` flags by PutLive. Every method is a short, synchronous look or act on a memory disk.
    """

    def playlist(self, rendition: str, channel: str) -> str | None:
        """The text of a media playlist, or None when there is none."""

    def playlist_path(self, rendition: str, channel: str) -> Path: ...

    def segment(self, rendition: str, uri: str) -> bytes | None:
        """The bytes of a segment a playlist names; None when gone or not a plain file name."""

    def write_multivariant(self, channel: str, text: str) -> None:
        """Write the channel's multivariant playlist whole, or not at all if it is the same."""

    def write_playlist(self, rendition: str, channel: str, text: str) -> None: ...

    def set_full(self, channel: str, full: bool) -> None:
        """Raise or lower the flag that makes nginx answer new viewers with 503."""

    def playlist_age_seconds(self, rendition: str, channel: str) -> float | None:
        """Seconds since the media playlist was last written, by the file's own time stamp."""

    def forget(self, rendition: str, channel: str) -> int:
        """Delete the channel's playlist and segments in this folder; returns how many files."""

    def forget_multivariant(self, channel: str) -> None: ...

    def sweep(
        self, rendition: str, channel: str, keep: Collection[str], older_than_seconds: float
    ) -> int:
        """Delete the channel's segments of that age that are not in `keep`; returns how many."""

    def channels(self) -> Sequence[str]:
        """Every channel name that has any playlist here."""

    def usage(self) -> tuple[int, int]:
        """Used and total bytes of the file system."""


class Passwords(Protocol):
    """Slow hashing of passwords. Both calls run beside the event loop."""

    async def hash(self, password: str) -> str:
        """A salted hash; raises `InvalidInput` for more than 72 bytes (C11), never cuts."""

    async def verify(self, password: str, hashed: str) -> bool:
        """Whether it is the password; takes as long for a wrong one as for the right one."""


@dataclass(frozen=True)
class TokenClaims:
    """What an access token says: who, which login, from when until when (whole seconds)."""

    user_id: int
    session_id: str
    issued_at: datetime
    expires_at: datetime


class Tokens(Protocol):
    """Signed access tokens."""

    def sign(self, claims: TokenClaims) -> str: ...

    def verify(self, token: str) -> TokenClaims:
        """What a good token says; raises `NotAuthenticated` for any other text."""


class ServiceManager(Protocol):
    """systemd, as the daemon sees it (sd_notify)."""

    def ready(self, status: str) -> None: ...

    def alive(self) -> None: ...

    def status(self, text: str) -> None: ...

    def stopping(self) -> None: ...
