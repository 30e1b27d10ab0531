"""The table of inputs that were let in, and what was last seen of each; no I/O, no decisions."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from putlive.domain.events import Event, StreamEnded, StreamStarted
from putlive.domain.media import Publisher
from putlive.domain.streams import Claim
from putlive.ports import Clock

CLAIM_SECONDS = 10.0  # let in, but never listed by the engine: it never came
REMEMBERED = 256


@dataclass
class _Row:
    claim: Claim
    since: float
    bytes_in: int = -1
    moved_at: float = 0.0
    video_at: float = 0.0  # when a video codec was first listed


class Inputs:
    """One row per channel. The engine's own list is the truth; this is what we make of it."""

    def __init__(self, clock: Clock, stall_seconds: float) -> None:
        self._clock = clock
        self._stall_seconds = stall_seconds
        self._rows: dict[str, _Row] = {}
        self._ended: deque[str] = deque(maxlen=REMEMBERED)

    def claims(self) -> Mapping[str, Claim]:
        """Every claim as it is this moment, by channel."""
        return {name: self._judged(row) for name, row in self._rows.items()}

    def claim(self, channel: str) -> Claim | None:
        """The channel's claim as it is this moment."""
        row = self._rows.get(channel)
        return self._judged(row) if row else None

    def has_ended(self, client_id: str) -> bool:
        """Whether this client has published before and is gone."""
        return client_id in self._ended

    def forget_ended(self) -> None:
        """The engine was started anew and counts its clients from the beginning."""
        self._ended.clear()

    def put(self, claim: Claim) -> None:
        """Let `claim` stand for its channel from now on."""
        now = self._clock.monotonic()
        self._rows[claim.channel] = _Row(claim, now, moved_at=now)

    def saw(self, publisher: Publisher) -> Event | None:
        """Note what the engine lists; the first time, that is the start of the stream."""
        row, now = self._rows[publisher.name], self._clock.monotonic()
        if publisher.bytes_in > row.bytes_in:
            row.bytes_in, row.moved_at = publisher.bytes_in, now
        if publisher.video_codec and not row.video_at:
            row.video_at = now
        if row.claim.confirmed:
            return None
        row.claim = claim = replace(row.claim, confirmed=True)
        return StreamStarted(
            claim.channel, claim.client_id, claim.key_id, claim.address, claim.since
        )

    def videoless_seconds(self, channel: str) -> float:
        """How long the input has been listed without any video."""
        row = self._rows[channel]
        return 0.0 if row.video_at else self._clock.monotonic() - row.since

    def is_gone(self, channel: str, listed: Publisher | None) -> bool:
        """Whether the claim has ended without a word, or never came at all."""
        row = self._rows[channel]
        if listed is not None and listed.client_id == row.claim.client_id:
            return False
        waited = self._clock.monotonic() - row.since
        return row.claim.confirmed or waited > CLAIM_SECONDS

    def end(self, channel: str, reason: str) -> Event | None:
        """Take the claim off the table; an event when the stream had really begun."""
        claim = self._rows.pop(channel).claim
        self._ended.append(claim.client_id)
        if not claim.confirmed:
            return None
        now = self._clock.now()
        return StreamEnded(channel, claim.client_id, reason, _seconds(claim.since, now), now)

    def _judged(self, row: _Row) -> Claim:
        silent = self._clock.monotonic() - row.moved_at
        return replace(row.claim, stalled=silent > self._stall_seconds)


def _seconds(since: datetime, now: datetime) -> float:
    return round(max(0.0, (now - since).total_seconds()), 1)
