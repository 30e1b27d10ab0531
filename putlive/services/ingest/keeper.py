"""Keepers: one permanent player per channel, where the engine loses a channel without one (C13).

SRS 6 drops a channel's source some seconds after its last client and then starts the media
sequence anew; a player that stays attached prevents that. It also shows the fault in which an
input is listed as live while players get nothing: then the input is cut, so that it reconnects.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from putlive.domain.process import ProcessSpec
from putlive.domain.streams import Channel, Claim, DenyReason
from putlive.ports import Clock, MediaEngine
from putlive.services.running.supervisor import Supervisor

log = logging.getLogger(__name__)

DRY_SECONDS = 6.0  # live, but nothing arrives here: first the keeper itself is replaced
BROKEN_SECONDS = 14.0  # and if that did not help, the input is cut


@dataclass
class _Watch:
    """What was last seen to arrive at a channel's keeper."""

    client_id: str
    written: int
    moved_at: float
    replaced: bool = False


class KeeperService:
    """Keeps keepers, and reads from them whether players get anything."""

    def __init__(
        self,
        engine: MediaEngine,
        supervisor: Supervisor,
        build: Callable[[str], ProcessSpec],
        written_bytes: Callable[[int], int | None],
        cut: Callable[[str, DenyReason], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._supervisor = supervisor
        self._build = build
        self._written_bytes = written_bytes
        self._cut = cut
        self._clock = clock
        self._watches: dict[str, _Watch] = {}

    async def reconcile(self, channels: Iterable[Channel], claims: Mapping[str, Claim]) -> None:
        """One keeper per enabled channel; look whether the live ones get data."""
        if not self._engine.needs_keeper:
            return
        for channel in channels:
            if channel.enabled:
                self._supervisor.start(self._build(channel.name))
                await self._look(channel.name, claims.get(channel.name))
            else:
                await self._supervisor.stop(self._build(channel.name).name)

    async def _look(self, channel: str, claim: Claim | None) -> None:
        if claim is None or not claim.confirmed or claim.stalled:
            self._watches.pop(channel, None)
            return
        watch = self._seen(channel, claim)
        dry = self._clock.monotonic() - watch.moved_at
        if dry > BROKEN_SECONDS:
            log.warning("players get nothing: channel=%s, cutting its input", channel)
            self._watches.pop(channel, None)
            await self._cut(channel, DenyReason.BROKEN)
        elif dry > DRY_SECONDS and not watch.replaced:
            watch.replaced = True
            await self._supervisor.stop(self._build(channel).name)
            self._supervisor.start(self._build(channel))

    def _seen(self, channel: str, claim: Claim) -> _Watch:
        status = self._supervisor.status(self._build(channel).name)
        written = (self._written_bytes(status.pid) or 0) if status and status.pid else 0
        watch = self._watches.get(channel)
        now = self._clock.monotonic()
        if watch is None or watch.client_id != claim.client_id:
            watch = self._watches[channel] = _Watch(claim.client_id, written, now)
        elif written > watch.written:
            watch.moved_at, watch.replaced = now, False
        watch.written = written
        return watch
