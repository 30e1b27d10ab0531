"""History: viewers and bit rate of each channel over the last day, kept in a few kilobytes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

MAX_CHANNELS = 50
FINE_SECONDS, FINE_POINTS = 10, 360  # an hour
COARSE_SECONDS, COARSE_POINTS = 300, 288  # a day


@dataclass(frozen=True)
class HistoryPoint:
    """One step: most viewers at once, and the mean bit rate in kbit/s."""

    at: datetime
    viewers: int
    bitrate_kbps: int


class _Ring:
    """Steps of one length, the last one still open; a finished step is three numbers."""

    def __init__(self, step_seconds: int, most: int) -> None:
        self._step = step_seconds
        self._done: deque[tuple[int, int, int]] = deque(maxlen=most)
        self._start = 0
        self._viewers = 0
        self._kbps_sum = 0
        self._count = 0

    def record(self, second: int, viewers: int, kbps: int) -> None:
        start = second - second % self._step
        if start != self._start:
            self._close()
            self._start, self._viewers, self._kbps_sum, self._count = start, 0, 0, 0
        self._viewers = max(self._viewers, viewers)
        self._kbps_sum += kbps
        self._count += 1

    def rows(self) -> list[tuple[int, int, int]]:
        return [*self._done, self._open()] if self._count else list(self._done)

    def _open(self) -> tuple[int, int, int]:
        return self._start, self._viewers, round(self._kbps_sum / self._count)

    def _close(self) -> None:
        # A clock that was set back must not make the graph run backwards.
        if self._count and (not self._done or self._done[-1][0] < self._start):
            self._done.append(self._open())


class HistoryService:
    """Steps of ten seconds for the last hour and of five minutes for the last day."""

    def __init__(self) -> None:
        self._rings: dict[str, tuple[_Ring, _Ring]] = {}

    def record(self, channel: str, at: datetime, viewers: int, bitrate_kbps: int) -> None:
        """Note what is now; called by the pulse for every channel, on air or not."""
        rings = self._rings.get(channel)
        if rings is None:
            if len(self._rings) >= MAX_CHANNELS:
                return
            fine, coarse = _Ring(FINE_SECONDS, FINE_POINTS), _Ring(COARSE_SECONDS, COARSE_POINTS)
            rings = self._rings[channel] = (fine, coarse)
        for ring in rings:
            ring.record(int(at.timestamp()), viewers, bitrate_kbps)

    def points(self, channel: str, now: datetime, minutes: int) -> list[HistoryPoint]:
        """The last `minutes`, oldest first; up to an hour in fine steps, else in coarse ones."""
        rings = self._rings.get(channel)
        if rings is None:
            return []
        since = (now - timedelta(minutes=minutes)).timestamp()
        rows = rings[0 if minutes * 60 <= FINE_SECONDS * FINE_POINTS else 1].rows()
        return [
            HistoryPoint(datetime.fromtimestamp(at, timezone.utc), viewers, kbps)
            for at, viewers, kbps in rows
            if at >= since
        ]
