"""The ladder: which renditions are made of a source by transcoding."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from putlive.settings.values import BitsPerSecond, Section, Whole

_RESERVED = ("source", "preview", "full")  # folders beside the ladder's
_RUNG = re.compile(r"[a-z0-9]{1,16}")
_PICTURE = re.compile(r"[1-9][0-9]{1,3}x[1-9][0-9]{1,3}")


class Quality(Section):
    """One rung of the ladder: a rendition made by transcoding."""

    name: str = Field(description="Folder and label, such as `480p`: 1 to 16 of a-z and 0-9.")
    resolution: str = Field(description="Width x height in even numbers, such as `854x480`.")
    bitrate: BitsPerSecond = Field(ge=50_000, le=20_000_000, description="Video bit rate.")
    fps: Whole = Field(default=30, ge=5, le=60, description="Frames per second at most.")
    audio_bitrate: BitsPerSecond = Field(
        default=96_000, ge=16_000, le=320_000, description="AAC bit rate."
    )
    enabled: bool = Field(default=True, description="Made unless switched off on the dashboard.")

    @field_validator("name")
    @classmethod
    def _folder(cls, value: str) -> str:
        if not _RUNG.fullmatch(value):
            raise ValueError("has to be 1 to 16 of a-z and 0-9, such as 480p")
        if value in _RESERVED:
            raise ValueError("has to be another name: PutLive uses this one itself")
        return value

    @field_validator("resolution")
    @classmethod
    def _even(cls, value: str) -> str:
        if not _PICTURE.fullmatch(value) or any(int(side) % 2 for side in value.split("x")):
            raise ValueError("has to be width x height in even numbers, such as 854x480")
        return value

    @property
    def width(self) -> int:
        """Picture width in pixels."""
        return int(self.resolution.split("x")[0])

    @property
    def height(self) -> int:
        """Picture height in pixels."""
        return int(self.resolution.split("x")[1])


LADDER = (
    Quality(name="144p", resolution="256x144", bitrate=200_000, fps=15, audio_bitrate=32_000),
    Quality(name="480p", resolution="854x480", bitrate=1_200_000, fps=30, audio_bitrate=96_000),
    Quality(
        name="720p", resolution="1280x720", bitrate=2_500_000, audio_bitrate=128_000, enabled=False
    ),
)
