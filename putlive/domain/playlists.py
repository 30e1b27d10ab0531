"""Reads HLS media playlists and writes the multivariant playlist (RFC 8216, 4.3 and 4.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Segment:
    """One entry of a media playlist; `discontinuity`: time stamps or encoding change before it."""

    sequence: int
    uri: str
    seconds: float
    discontinuity: bool = False


@dataclass(frozen=True)
class MediaPlaylist:
    """A media playlist as players see it now. `first_number` is its media sequence."""

    first_number: int
    target_seconds: float
    segments: tuple[Segment, ...]

    @property
    def next_number(self) -> int:
        """The media sequence number the next segment will have."""
        return self.first_number + len(self.segments)

    @property
    def newest(self) -> Segment | None:
        """The last segment, if any."""
        return self.segments[-1] if self.segments else None

    @property
    def shows_discontinuity(self) -> bool:
        """Whether a discontinuity is still inside the window."""
        return any(segment.discontinuity for segment in self.segments)

    def numbered(self, sequence: int) -> Segment | None:
        """The segment with this media sequence number, while it is in the window."""
        at = sequence - self.first_number
        return self.segments[at] if 0 <= at < len(self.segments) else None


def parse_media(text: str | None) -> MediaPlaylist | None:
    """Read a media playlist; None when it is not one. What it does not know it passes over."""
    lines = [line.strip() for line in (text or "").splitlines()]
    if not lines or lines[0] != "#EXTM3U":
        return None
    first, target = 0, 0.0
    segments: list[Segment] = []
    seconds, broken = 0.0, False
    for line in lines[1:]:
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-MEDIA-SEQUENCE":
            first = int(_number(value))
        elif tag == "#EXT-X-TARGETDURATION":
            target = _number(value)
        elif tag == "#EXTINF":
            seconds = _number(value.partition(",")[0])
        elif tag == "#EXT-X-DISCONTINUITY":
            broken = True
        elif line and not line.startswith("#"):
            segments.append(Segment(len(segments), line, seconds, broken))
            seconds, broken = 0.0, False
    numbered = (Segment(first + s.sequence, s.uri, s.seconds, s.discontinuity) for s in segments)
    return MediaPlaylist(first, target, tuple(numbered))


def _number(text: str) -> float:
    """A number of a playlist; 0 for what is none (also `nan`, `inf` and negative ones)."""
    plain = text.strip()
    whole, _, fraction = plain.partition(".")
    digits = whole + fraction
    return float(plain) if digits.isascii() and digits.isdigit() and len(digits) < 20 else 0.0


@dataclass(frozen=True)
class Variant:
    """One entry of the multivariant playlist; bit rates in bits per second, container included."""

    uri: str
    bandwidth: int  # peak
    average_bandwidth: int
    width: int
    height: int
    fps: float
    codecs: str
    independent: bool = True  # every segment starts with a keyframe


def variant_uri(rendition: str, channel: str) -> str:
    """Where a media playlist is, seen from the multivariant playlist."""
    return f"{rendition}/{channel}.m3u8"


def multivariant(renditions: Sequence[Variant]) -> str:
    """The multivariant playlist: the first entry stays first, the others follow best first.

    Players that do not measure first take the first entry, so it has to be the source.
    """
    ordered = [*renditions[:1], *sorted(renditions[1:], key=lambda v: (-v.bandwidth, v.uri))]
    lines = ["#EXTM3U", "#EXT-X-VERSION:3"]
    if ordered and all(variant.independent for variant in ordered):
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    for variant in ordered:
        lines += [f"#EXT-X-STREAM-INF:{_attributes(variant)}", variant.uri]
    return "\n".join(lines) + "\n"


def _attributes(variant: Variant) -> str:
    parts = [
        f"BANDWIDTH={variant.bandwidth}",
        f"AVERAGE-BANDWIDTH={min(variant.average_bandwidth, variant.bandwidth)}",
    ]
    if variant.width and variant.height:
        parts.append(f"RESOLUTION={variant.width}x{variant.height}")
    if variant.fps > 0:
        parts.append(f"FRAME-RATE={variant.fps:.3f}")
    if variant.codecs:
        parts.append(f'CODECS="{variant.codecs}"')
    return ",".join(parts)
