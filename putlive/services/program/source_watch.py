"""Watches one channel's source playlist: is it fresh, and what do its newest segments hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from putlive.domain.ladder import SOURCE
from putlive.domain.measuring import Measure, measured
from putlive.domain.media import SegmentFacts
from putlive.domain.mpegts import read_segment
from putlive.domain.playlists import MediaPlaylist, Segment, parse_media
from putlive.domain.streams import Claim
from putlive.ports import Clock, HlsFiles

FRESH_SEGMENTS = 3  # a playlist older than so many segments has stopped
# The first segment of a publish is a second younger than the publish at least.
_SETTLED_SECONDS = 0.3
_AT_ONCE = 3  # segments measured per look: a look comes every 2 s, a segment may be 1 s
_REMEMBERED = 30


def is_fresh(age_seconds: float | None, playlist: MediaPlaylist, segment_seconds: float) -> bool:
    """Whether a playlist of that age is still being written."""
    limit = FRESH_SEGMENTS * max(playlist.target_seconds, segment_seconds)
    return age_seconds is not None and age_seconds <= limit


@dataclass
class SourceWatch:
    """The source of one channel. Figures outlive a publish until the next one is measured."""

    channel: str
    files: HlsFiles
    clock: Clock
    segment_seconds: float
    claim: Claim | None = None
    measure: Measure | None = None
    foreign: bool = False  # the newest segment of the present publish holds another codec
    starts: dict[int, float] = field(default_factory=dict)  # first time stamp, by number
    _newest: int = -1

    @property
    def facts(self) -> SegmentFacts | None:
        """Of the newest segment that could be measured."""
        return self.measure.newest if self.measure else None

    def playlist(self) -> MediaPlaylist | None:
        """The source's playlist as it is now; None before the first segment."""
        playlist = parse_media(self.files.playlist(SOURCE, self.channel))
        return playlist if playlist and playlist.segments else None

    def age_seconds(self) -> float | None:
        """Seconds since the engine wrote the playlist."""
        return self.files.playlist_age_seconds(SOURCE, self.channel)

    def claim_seconds(self) -> float:
        """How long the present publish has lasted."""
        return (self.clock.now() - self.claim.since).total_seconds() if self.claim else 0.0

    def has_begun(self) -> bool:
        """Whether the present publish has written a segment already."""
        age = self.age_seconds()
        return age is not None and age < self.claim_seconds() - _SETTLED_SECONDS

    def is_playing(self) -> bool:
        """Whether players get fresh segments of the present publish."""
        playlist = self.playlist() if self.claim else None
        if playlist is None:
            return False
        fresh = is_fresh(self.age_seconds(), playlist, self.segment_seconds)
        return fresh and self.has_begun()

    def look(self, claim: Claim) -> None:
        """Take note of who publishes and measure the segments that are new."""
        if self.claim is None or self.claim.client_id != claim.client_id:
            self.starts.clear()
            self.foreign = False
        self.claim = claim
        begun = self.has_begun()  # asked first: what the playlist shows then is theirs
        playlist = self.playlist()
        if playlist is None:
            return
        if playlist.next_number <= self._newest:
            self._newest = -1  # the engine was started anew and counts from zero
        new = [segment for segment in playlist.segments if segment.sequence > self._newest]
        for segment in new[-_AT_ONCE:]:
            self._newest = segment.sequence
            self._measure(segment)
        self.foreign = self.foreign and begun

    def _measure(self, segment: Segment) -> None:
        data = self.files.segment(SOURCE, segment.uri)
        facts = read_segment(data) if data else None
        if facts is None:
            return
        self.starts[segment.sequence] = facts.first_pts
        self.foreign = facts.foreign
        # What is left when an input goes is short, and its last frames come unevenly.
        if self.measure is None or facts.seconds >= self.segment_seconds / 2:
            self.measure = measured(self.measure, facts)
        while len(self.starts) > _REMEMBERED:
            del self.starts[min(self.starts)]
