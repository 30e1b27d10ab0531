"""Turns the segments of one rendition into figures that hold still: bit rates, rate, codecs."""

from __future__ import annotations

from dataclasses import dataclass

from putlive.domain.media import SegmentFacts
from putlive.domain.playlists import Variant

_REMEMBERED = 30  # segments; a minute at 2 s
# Rates encoders use. Time stamps of RTMP are whole milliseconds, so a 2 s segment tells 29.97
# from 30 only just; the mean of several does.
_RATES = (10, 12, 12.5, 15, 20, 24000 / 1001, 24, 25, 30000 / 1001, 30, 48, 50, 60000 / 1001, 60)


@dataclass(frozen=True)
class Measure:
    """The last segments of one rendition of one publish, newest last; never empty."""

    facts: tuple[SegmentFacts, ...]

    @property
    def newest(self) -> SegmentFacts:
        """Facts of the segment measured last."""
        return self.facts[-1]

    @property
    def peak(self) -> int:
        """Bits per second of the heaviest segment (BANDWIDTH, RFC 8216 4.3.4.2)."""
        return max(facts.bits_per_second for facts in self.facts)

    @property
    def average(self) -> int:
        """Bits per second over all of them."""
        seconds = sum(facts.seconds for facts in self.facts)
        return round(sum(facts.bytes for facts in self.facts) * 8 / seconds) if seconds else 0

    @property
    def recent(self) -> int:
        """Bits per second over the last five: what a dashboard calls the bit rate."""
        return Measure(self.facts[-5:]).average

    @property
    def fps(self) -> float:
        """Frames per second over all of them, as the nominal rate where it is near one."""
        seconds = sum(facts.seconds for facts in self.facts)
        return nominal_fps(sum(facts.frames for facts in self.facts) / seconds) if seconds else 0.0


def measured(before: Measure | None, facts: SegmentFacts) -> Measure:
    """Add a segment; another picture size or codec starts afresh."""
    kept = before.facts if before and _same_encoding(before.newest, facts) else ()
    return Measure((*kept, facts)[-_REMEMBERED:])


def _same_encoding(one: SegmentFacts, other: SegmentFacts) -> bool:
    return (one.width, one.height, one.codecs) == (other.width, other.height, other.codecs)


def nominal_fps(measured: float) -> float:
    """The usual frame rate within 0.5 % of what was measured, else that, to 0.1."""
    nearest = min(_RATES, key=lambda rate: abs(rate - measured))
    if abs(nearest - measured) <= nearest * 0.005:
        return round(nearest, 3)
    return round(measured, 1)


def grid(bits_per_second: int) -> int:
    """Round up to a step of about 5 %, so that ordinary variation changes nothing."""
    step = 10_000
    while bits_per_second > step * 20:
        step *= 2
    return -(-bits_per_second // step) * step


def variant(measure: Measure, uri: str, before: Variant | None) -> Variant:
    """The entry for a rendition. Stays what it was `before` unless something really changed.

    A higher peak counts at once (players must not be promised too little); a lower one, or
    another average, only when it is off by more than a quarter.
    """
    newest = measure.newest
    peak, average = grid(measure.peak), grid(measure.average)
    fps = measure.fps
    if before and (before.width, before.height, before.codecs) == (
        newest.width,
        newest.height,
        newest.codecs,
    ):
        peak = before.bandwidth if before.bandwidth * 0.75 <= peak <= before.bandwidth else peak
        settled = abs(average - before.average_bandwidth) <= before.average_bandwidth * 0.25
        average = before.average_bandwidth if settled else average
        fps = before.fps if abs(fps - before.fps) <= before.fps * 0.02 else fps
    return Variant(
        uri=uri,
        bandwidth=peak,
        average_bandwidth=min(average, peak),
        width=newest.width,
        height=newest.height,
        fps=fps,
        codecs=newest.codecs,
        independent=all(facts.keyframe_first for facts in measure.facts),
    )
