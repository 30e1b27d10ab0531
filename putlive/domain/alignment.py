"""How a rung's segments get the same numbers as the source's: where an encoder starts counting.

Players find their place in another rendition by media sequence number (the engines write no
EXT-X-PROGRAM-DATE-TIME), so segment N of a rung should show what segment N of the source shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from putlive.domain.ladder import RungPlan
from putlive.domain.playlists import MediaPlaylist

# From starting an encoder to its first packet (0.1 to 0.3 s measured), and the doubt about it.
CONNECT_SECONDS = 0.25
_DOUBT_SECONDS = 0.2
SAME_SECONDS = 0.1  # segments that start this close together are the same one


@dataclass(frozen=True)
class RungLaunch:
    """All a rung's encoder has to be told.

    `token` makes its segment names unlike any before; `append` goes on in the playlist that is
    there, which adds a discontinuity by itself; `discontinuity` marks the first segment of a
    new playlist.
    """

    channel: str
    plan: RungPlan
    first_number: int
    token: int
    append: bool = False
    discontinuity: bool = False


def moment(age_seconds: float, segment_seconds: float) -> tuple[bool, float]:
    """Whether an encoder started now still meets the segment the source is making.

    `age_seconds`: since the source's playlist was written. The second value is how long to wait
    first, when it cannot be told on which side of the next cut it would connect.
    """
    left = segment_seconds - age_seconds - CONNECT_SECONDS
    if abs(left) < _DOUBT_SECONDS:
        return False, left + _DOUBT_SECONDS + CONNECT_SECONDS
    return left > 0, 0.0


def first_number(
    source: MediaPlaylist, former: MediaPlaylist | None, *, meets: bool, joins_at_last: bool
) -> tuple[int, bool]:
    """The number of the rung's first segment, and whether it may append to its `former` playlist.

    The source is making segment `next_number`. An engine that hands out the last keyframe lets
    the rung begin with that one, others with the one after. Numbers never go back.
    """
    number = source.next_number + (0 if meets else 1) + (0 if joins_at_last else 1)
    if former is None or not former.segments:
        return number, False
    return max(number, former.next_number), former.next_number >= number


def offset(source_starts: Mapping[int, float], number: int, starts_at: float) -> int | None:
    """How many too low a rung's segment `number` is, going by what the source shows then.

    `source_starts` has the first time stamp of the source's segments by number. None when none
    of them starts with the rung's segment.
    """
    same = [n for n, start in source_starts.items() if abs(start - starts_at) < SAME_SECONDS]
    return None if not same else min((n - number for n in same), key=abs)


def cut_seconds(segment_seconds: float) -> float:
    """The length from which engine and rungs cut at the next keyframe, the same for both.

    A little under the wanted length: OBS turns 2 s at 29.97 fps into 59 frames, 1.97 s, and
    with a limit of 2 s every segment would become twice as long (measured on both engines).
    """
    return round(segment_seconds * 0.95, 3)
