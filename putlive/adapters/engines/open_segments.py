"""How much arrives at SRS right now, seen by the segments it is writing.

SRS renews its byte counters every 3 s (measured on 6.0.157), too slowly to call an input stalled
after 3 s. The segment it writes, `<stream>-<milliseconds>.ts.tmp`, grows by 4 KiB at a time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from putlive.domain.media import Publisher

OPEN = ".ts.tmp"


@dataclass(frozen=True)
class OpenSegment:
    """A segment that is being written."""

    file: str
    bytes: int


def open_segments(folder: Path) -> Mapping[str, OpenSegment]:
    """The newest open segment per stream name; nothing when the folder is not there."""
    found: dict[str, OpenSegment] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                stream, _, stamp = entry.name.removesuffix(OPEN).rpartition("-")
                if entry.name.endswith(OPEN) and stamp.isdigit():
                    found[stream] = OpenSegment(entry.name, _size(entry))
    except OSError:
        return {}
    return found


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:  # finished and renamed meanwhile
        return 0


@dataclass
class _Seen:
    counted: int  # SRS's own counter
    extra: int  # bytes of segments since that counter moved
    segment: OpenSegment | None
    told: int


class Inflow:
    """Counters that move as soon as bytes do, and never go back while a client stays."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def sharpen(
        self, publishers: Sequence[Publisher], growing: Mapping[str, OpenSegment]
    ) -> list[Publisher]:
        """The publishers with `bytes_in` brought up to this moment."""
        before, self._seen = self._seen, {}
        return [
            replace(p, bytes_in=self._look(before.get(p.client_id), p, growing.get(p.name)))
            for p in publishers
        ]

    def _look(self, old: _Seen | None, publisher: Publisher, segment: OpenSegment | None) -> int:
        counted = publisher.bytes_in
        if old is None:
            seen = _Seen(counted, 0, segment, counted)
        elif counted != old.counted:
            seen = _Seen(counted, 0, segment, max(old.told, counted))
        else:
            extra = old.extra + _grown(old.segment, segment)
            seen = _Seen(counted, extra, segment or old.segment, max(old.told, counted + extra))
        self._seen[publisher.client_id] = seen
        return seen.told


def _grown(old: OpenSegment | None, new: OpenSegment | None) -> int:
    if new is None:
        return 0
    same = old is not None and old.file == new.file
    return max(0, new.bytes - old.bytes) if same and old is not None else new.bytes
