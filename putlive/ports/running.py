"""Time, processes and systemd, as the services see them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Protocol

from putlive.domain.process import ProcessSpec


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


class ServiceManager(Protocol):
    """systemd, as the daemon sees it (sd_notify)."""

    def ready(self, status: str) -> None: ...

    def alive(self) -> None: ...

    def status(self, text: str) -> None: ...

    def stopping(self) -> None: ...
