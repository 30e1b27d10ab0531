"""The people watching one channel: a bounded account that is told the time and looks nothing up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from putlive.domain.status import ViewerStats
from putlive.domain.viewers import (
    HlsRequest,
    Origin,
    RequestKind,
    Viewer,
    came_back,
    is_away,
    is_gone,
    newcomer,
    went_on,
)

MAX_TRACKED = 5_000  # at once; further ones are unique and their bytes count, nothing more
MAX_REMEMBERED = 10_000  # of those who left; who was forgotten is unique again on return


class Audience:
    """Viewers of one channel since its stream began. Times are monotonic seconds.

    A visit with an id the front minted, from an address and user agent where an earlier such
    visit fell silent, is the same person. While it is open whether the earlier visit goes on, the
    new one is not counted; when it does go on, they are two people behind one address.
    """

    def __init__(self) -> None:
        self._viewers: dict[str, Viewer] = {}
        self._places: dict[Origin, dict[str, None]] = {}  # ids there, the last one seen at the end
        self._doubts: dict[str, str] = {}  # earlier visit: the new one that may be its person
        self._present: set[str] = set()  # ids of those who count
        self._left: dict[int, int] = {}  # hash of a person: how many such have left
        self._unique = 0
        self._peak = 0
        self._bytes = 0
        self._watched = 0.0  # seconds, by those who left

    def saw(self, request: HlsRequest, now: float, target_seconds: float) -> None:
        """Take one request into account; refusals and errors are not watching."""
        if not request.served:
            return
        self._bytes += request.bytes
        id = self._whose(request)
        if id in self._viewers:
            self._go_on(self._viewers[id], request, now)
        elif len(self._viewers) < MAX_TRACKED:
            self._arrive(newcomer(id, request, now), now, target_seconds)
        else:
            self._pass_by(newcomer(id, request, now))

    def pass_time(self, now: float, target_seconds: float) -> None:
        """Settle what has become clear and let go of those who are gone."""
        for before in list(self._doubts):
            if before in self._doubts and is_away(self._viewers[before], now, target_seconds):
                self._merge(before, self._doubts[before])
        for viewer in [v for v in self._viewers.values() if is_gone(v, now, target_seconds)]:
            self._leave(viewer)

    def viewers(self) -> Sequence[Viewer]:
        """Everybody who counts, in the order of their coming."""
        return [v for v in self._viewers.values() if v.id in self._present]

    def stats(self) -> ViewerStats:
        """The numbers since the stream began."""
        here = sum(v.watch_seconds for v in self._viewers.values())
        return ViewerStats(
            now=len(self._present),
            peak=self._peak,
            unique=self._unique,
            watch_seconds=self._watched + here,
            bytes_out=self._bytes,
        )

    def begin_again(self) -> None:
        """A new stream: all numbers start anew, with those who are still there."""
        self._viewers = {
            v.id: replace(v, born=v.seen, bytes=0, requests=0) for v in self._viewers.values()
        }
        self._left.clear()
        self._unique = self._peak = len(self._present)
        self._bytes = 0
        self._watched = 0.0

    def _whose(self, request: HlsRequest) -> str:
        """A segment's address carries no id: it goes to whoever was last seen in that place."""
        place = self._places.get(request.origin)
        if request.kind is RequestKind.SEGMENT and not request.sid and place:
            return next(reversed(place))
        return request.viewer_id

    def _arrive(self, viewer: Viewer, now: float, target_seconds: float) -> None:
        earlier = self._earlier_visit(viewer) if viewer.minted else None
        self._put(viewer)
        if earlier is not None:
            self._doubts[earlier.id] = viewer.id
            if is_away(earlier, now, target_seconds):
                self._merge(earlier.id, viewer.id)
        self._count(viewer.id)

    def _earlier_visit(self, viewer: Viewer) -> Viewer | None:
        """The visit from the same place that has been silent longest, if no other replaced it."""
        there = (self._viewers[id] for id in self._places.get(viewer.origin, ()))
        return next((v for v in there if v.minted and v.id not in self._doubts), None)

    def _go_on(self, viewer: Viewer, request: HlsRequest, now: float) -> None:
        self._unplace(viewer)
        self._put(went_on(viewer, request, now))
        other = self._doubts.pop(viewer.id, None)
        if other is not None:
            self._count(other)
        self._count(viewer.id)

    def _count(self, id: str) -> None:
        """Count the viewer once it is known to watch and to be nobody else."""
        viewer = self._viewers[id]
        if id in self._present or not viewer.counted or id in self._doubts.values():
            return
        self._present.add(id)
        self._peak = max(self._peak, len(self._present))
        if not self._recall(viewer):
            self._unique += 1

    def _merge(self, before: str, after: str) -> None:
        old = self._viewers.pop(before)
        self._unplace(old)
        del self._doubts[before]
        self._doubts = {k: after if v == before else v for k, v in self._doubts.items()}
        self._viewers[after] = came_back(old, self._viewers[after])
        if before in self._present:
            self._present.remove(before)
            self._present.add(after)
        self._count(after)

    def _leave(self, viewer: Viewer) -> None:
        del self._viewers[viewer.id]
        self._unplace(viewer)
        self._watched += viewer.watch_seconds
        if viewer.id in self._present:
            self._present.remove(viewer.id)
            self._remember(viewer)

    def _pass_by(self, viewer: Viewer) -> None:
        """Too many at once to follow: known again, but not counted as being there."""
        if not self._recall(viewer):
            self._unique += 1
        self._remember(viewer)

    def _remember(self, viewer: Viewer) -> None:
        key = hash(viewer.person)
        self._left[key] = self._left.pop(key, 0) + 1
        if len(self._left) > MAX_REMEMBERED:
            del self._left[next(iter(self._left))]

    def _recall(self, viewer: Viewer) -> bool:
        """Whether such a person had left; takes it off the list."""
        key = hash(viewer.person)
        count = self._left.pop(key, 0)
        if count > 1:
            self._left[key] = count - 1
        return count > 0

    def _put(self, viewer: Viewer) -> None:
        self._viewers[viewer.id] = viewer
        self._places.setdefault(viewer.origin, {})[viewer.id] = None

    def _unplace(self, viewer: Viewer) -> None:
        place = self._places[viewer.origin]
        del place[viewer.id]
        if not place:
            del self._places[viewer.origin]
