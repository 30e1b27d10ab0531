"""Counts who watches each channel, and closes a full channel to newcomers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from putlive.domain.audience import Audience
from putlive.domain.status import ViewerStats
from putlive.domain.viewers import HlsRequest, Viewer
from putlive.ports import Clock, HlsFiles

SOURCE = "source"
LONGEST_TARGET_SECONDS = 30.0  # an encoder may send keyframes rarely, but not for ever
MAX_CHANNELS = 200  # far more than a station has; whatever is logged, memory stays bounded
_TARGET = re.compile(r"^#EXT-X-TARGETDURATION:([0-9]{1,4})", re.MULTILINE)


class ViewingService:
    """Viewers per channel, fed by the front's log. Kept in memory only.

    `max_viewers` says how many a channel may have, 0 for any number; it must know an answer for
    every name, also for a channel that was deleted while its playlists were still there.
    After a restart of the daemon, who is watching is known again within a playlist period; what
    was counted before is lost.
    """

    def __init__(
        self,
        clock: Clock,
        hls: HlsFiles,
        max_viewers: Callable[[str], int],
        fragment_seconds: float,
    ) -> None:
        self._clock = clock
        self._hls = hls
        self._max_viewers = max_viewers
        self._fragment_seconds = fragment_seconds
        self._audiences: dict[str, Audience] = {}
        self._targets: dict[str, float] = {}

    def saw(self, request: HlsRequest) -> None:
        """Take one request into account; cheap, and harmless whatever it holds."""
        if request.served and (
            request.channel in self._audiences or len(self._audiences) < MAX_CHANNELS
        ):
            audience = self._audiences.setdefault(request.channel, Audience())
            audience.saw(request, self._clock.monotonic(), self._target(request.channel))

    def stats(self, channel: str) -> ViewerStats:
        """The channel's numbers since its stream began; as of the last `reconcile` at worst."""
        audience = self._audiences.get(channel)
        return audience.stats() if audience else ViewerStats()

    def viewers(self, channel: str) -> Sequence[Viewer]:
        """Everybody who watches the channel now."""
        audience = self._audiences.get(channel)
        return audience.viewers() if audience else ()

    def reset(self, channel: str) -> None:
        """A new stream began: the numbers start anew, with those who are still there."""
        if channel in self._audiences:
            self._audiences[channel].begin_again()

    async def reconcile(self) -> None:
        """Let go of viewers who stopped asking, and set each channel's `full` flag."""
        for channel, audience in self._audiences.items():
            self._targets[channel] = self._measured_target(channel)
            audience.pass_time(self._clock.monotonic(), self._target(channel))
        for channel in {*self._audiences, *self._hls.channels()}:
            self._hls.set_full(channel, 0 < self._max_viewers(channel) <= self.stats(channel).now)

    def _target(self, channel: str) -> float:
        return self._targets.get(channel, self._fragment_seconds)

    def _measured_target(self, channel: str) -> float:
        """How long this channel's segments really are: the encoder's keyframes decide."""
        found = _TARGET.search(self._hls.playlist(SOURCE, channel) or "")
        measured = float(found.group(1)) if found else 0.0
        return min(max(measured, self._fragment_seconds), LONGEST_TARGET_SECONDS)
