"""Which rungs a source gets, and how large and fast each becomes; knows nothing of processes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from putlive.domain.measuring import nominal_fps
from putlive.domain.media import SegmentFacts

SOURCE = "source"  # the rendition that is the input itself


@dataclass(frozen=True)
class Rung:
    """One configured rung: the box its picture has to fit into, and its rates (bits/s, fps)."""

    name: str
    width: int
    height: int
    bits_per_second: int
    fps: float
    audio_bits_per_second: int
    enabled: bool = True


@dataclass(frozen=True)
class RungPlan:
    """A rung made for one source, from one of `every` so many frames; `fps` is what that makes."""

    rung: Rung
    width: int
    height: int
    fps: float
    every: int = 1

    def needs_restart(self, other: RungPlan) -> bool:
        """Whether an encoder running for `self` is wrong for `other`."""
        mine = (self.rung, self.width, self.height, self.every)
        return mine != (other.rung, other.width, other.height, other.every)


@dataclass(frozen=True)
class RungChoice:
    """What becomes of a rung: `wanted` with a plan, else `off`, `waiting` or `too_small`."""

    rung: Rung
    enabled: bool
    state: str
    plan: RungPlan | None = None
    reason: str = ""


def rungs(
    source: SegmentFacts | None, ladder: Sequence[Rung], switched: Mapping[str, bool]
) -> tuple[RungChoice, ...]:
    """Decide on every rung (ST4); `switched` holds those a person switched on or off."""
    return tuple(_choose(source, rung, switched.get(rung.name, rung.enabled)) for rung in ladder)


def _choose(source: SegmentFacts | None, rung: Rung, enabled: bool) -> RungChoice:
    if not enabled:
        return RungChoice(rung, False, "off")
    if source is None:
        return RungChoice(rung, True, "waiting", reason="The source has not been measured yet.")
    if not source.width:
        return RungChoice(rung, True, "waiting", reason="The source shows no picture.")
    size = fit(source.width, source.height, rung)
    if size is None:
        small = f"The source ({source.width}x{source.height}) is smaller than this rung."
        return RungChoice(rung, True, "too_small", reason=small)
    rate = nominal_fps(source.fps)
    # Whole steps keep motion even: 50 becomes 25 and not 30. 10 %: how far a measured rate is off.
    every = max(1, math.ceil(rate / (rung.fps * 1.1)))
    plan = RungPlan(rung, *size, fps=round(rate / every, 3), every=every)
    return RungChoice(rung, True, "wanted", plan)


def fit(width: int, height: int, rung: Rung) -> tuple[int, int] | None:
    """The size of a source's picture inside the rung's box, in even pixels (4:2:0 needs that).

    The aspect ratio is kept; an upright picture gets the box turned upright. None when the
    picture would have to grow.
    """
    box = (rung.width, rung.height)
    if (height > width) != (rung.height > rung.width):
        box = (rung.height, rung.width)
    scale = min(box[0] / width, box[1] / height)
    if scale > 1:
        return None
    return _even(width * scale, box[0]), _even(height * scale, box[1])


def _even(length: float, limit: int) -> int:
    return max(2, min(round(length / 2) * 2, limit // 2 * 2))
