"""What flows: inputs as the engine lists them, and what was measured of a rendition's segments."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Publisher:
    """One input the engine itself lists as publishing. Codecs are empty until it knows them."""

    app: str
    name: str
    client_id: str
    address: str
    bytes_in: int  # since this publish began; grows while anything arrives
    video_codec: str = ""  # as the engine spells it, upper case: H264, HEVC …
    audio_codec: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class EngineHealth:
    """The engine's own word on itself. `incarnation` changes when it was started anew."""

    name: str
    version: str
    pid: int
    incarnation: str


@dataclass(frozen=True)
class SegmentFacts:
    """What one MPEG-TS segment holds. Times in seconds, as in the segment (90 kHz clock)."""

    bytes: int
    seconds: float
    frames: int
    first_pts: float
    keyframe_first: bool
    width: int
    height: int
    codecs: str  # RFC 6381, e.g. "avc1.64001e,mp4a.40.2"
    has_audio: bool
    foreign: bool = False  # it carries another codec, too: the codecs above leave that out

    @property
    def fps(self) -> float:
        """Frames per second of this segment."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    @property
    def bits_per_second(self) -> int:
        """Bits per second of this segment, container included."""
        return round(self.bytes * 8 / self.seconds) if self.seconds > 0 else 0
