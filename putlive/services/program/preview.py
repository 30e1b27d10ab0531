"""The preview picture of a channel: made only while somebody looks at it (ST5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from putlive.domain.process import ProcessSpec
from putlive.domain.streams import Claim
from putlive.ports import Clock
from putlive.services.program.rungs import Processes

IDLE_SECONDS = 10.0  # after the last ask the process ends
STALE_SECONDS = 10.0  # an older picture is not the present


class Pictures(Protocol):
    """Preview pictures, one file per channel, written by ffmpeg and read by the API."""

    def path(self, channel: str) -> Path: ...

    def age_seconds(self, channel: str) -> float | None:
        """Seconds since the picture was written; None when there is none."""

    def forget(self, channel: str) -> None: ...


@dataclass
class _Look:
    """Somebody looks at a channel."""

    process: str
    asked_at: float


class PreviewService:
    """Starts a picture maker at the first ask, ends it when nobody asks any more."""

    def __init__(
        self,
        pictures: Pictures,
        processes: Processes,
        clock: Clock,
        build: Callable[[str], ProcessSpec],
    ) -> None:
        self._pictures = pictures
        self._processes = processes
        self._clock = clock
        self._build = build
        self._live: frozenset[str] = frozenset()
        self._looks: dict[str, _Look] = {}

    async def ask(self, channel: str) -> Path | None:
        """The picture's file, or None while there is no fresh one; keeps it coming for 10 s."""
        if channel not in self._live:
            return None
        spec = self._build(channel)
        self._looks[channel] = _Look(spec.name, self._clock.monotonic())
        self._processes.start(spec)
        age = self._pictures.age_seconds(channel)
        return self._pictures.path(channel) if age is not None and age <= STALE_SECONDS else None

    async def reconcile(self, live: Mapping[str, Claim]) -> None:
        """End what nobody looks at and what is off air; old pictures go with it."""
        self._live = frozenset(live)
        now = self._clock.monotonic()
        for channel, look in list(self._looks.items()):
            if channel not in live or now - look.asked_at > IDLE_SECONDS:
                del self._looks[channel]
                await self._processes.stop(look.process)
                self._pictures.forget(channel)
