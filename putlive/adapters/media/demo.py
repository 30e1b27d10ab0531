"""The demo input: a moving test picture, a clock for people, a clock for tests, and a tone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from putlive.domain.process import ProcessSpec, RestartPolicy

FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
WIDTH, HEIGHT, FPS = 854, 480, 30
GOP_SECONDS = 2.0  # at most
# The clock for tests: a strip of cells along the lower edge. Two for reference (white, black),
# 32 bits of wall-clock milliseconds, lowest first, and 8 bits of that number modulo 251.
CELLS = 42
_CELL = 20  # pixels; still seven wide in the 144p rung
_BITS, _CHECK = 32, 251
_MILLISECONDS = rf"mod(round(T*1000)\,{1 << _BITS})"


def find_font(folders: Sequence[Path] = FONT_FOLDERS) -> Path | None:
    """Any TrueType font of this machine, a sans serif one if there is a choice; else None."""
    fonts = sorted(font for folder in folders for font in folder.rglob("*.ttf"))
    plain = [font for font in fonts if font.stem in ("DejaVuSans", "LiberationSans-Regular")]
    return next(iter([*plain, *fonts]), None)


def demo_spec(
    ffmpeg: str, url: str, font: Path | None, segment_seconds: float = 2.0
) -> ProcessSpec:
    """The demo publisher; comes back for ever, like an encoder that reconnects."""
    return ProcessSpec(
        name="demo",
        argv=demo_argv(ffmpeg, url, font, gop_seconds(segment_seconds)),
        policy=RestartPolicy(max_retries=None, base_delay=1.0, max_delay=4.0),
        stall_seconds=10.0,
        stop_seconds=3.0,
        nice=5,
    )


def gop_seconds(segment_seconds: float) -> float:
    """Between keyframes: 2 s or less, so that a segment can be cut exactly at its length."""
    return segment_seconds / math.ceil(segment_seconds / GOP_SECONDS)


def demo_argv(
    ffmpeg: str, url: str, font: Path | None, gop_seconds: float = GOP_SECONDS
) -> tuple[str, ...]:
    """Publish 854x480 at 30 fps, H.264 main at 1200k and AAC, to `url`.

    About 15 % of a core (measured). Without a font the picture still shows the time since its
    start, which testsrc2 draws with a font of its own.
    """
    return (
        *(ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error"),
        *("-progress", "pipe:1", "-stats_period", "1"),
        *("-re", "-f", "lavfi", "-i", f"testsrc2=s={WIDTH}x{HEIGHT}:r={FPS}"),
        *("-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"),
        *("-filter_complex_threads", "1", "-filter_complex", demo_filter(font)),
        *("-map", "[picture]", "-map", "1:a"),
        *("-c:v", "libx264", "-preset", "superfast", "-profile:v", "main", "-threads", "1"),
        *("-b:v", "1200k", "-maxrate", "1300k", "-bufsize", "1200k"),
        *("-g", str(round(FPS * gop_seconds)), "-sc_threshold", "0", "-c:a", "aac", "-b:a", "96k"),
        *("-rw_timeout", "10000000", "-flvflags", "no_duration_filesize", "-f", "flv", url),
    )


def demo_filter(font: Path | None) -> str:
    """The filter graph: stamps each frame with the wall clock, draws both clocks from it."""
    bits = rf"{_MILLISECONDS}/pow(2\,X-2)"
    check = rf"mod({_MILLISECONDS}\,{_CHECK})/pow(2\,X-{2 + _BITS})"
    cell = rf"if(lt(X\,2)\,1-X\,if(lt(X\,{2 + _BITS})\,{bits}\,{check}))"
    return (
        "[0:v]settb=1/1000,setpts=trunc(RTCTIME/1000),"
        f"{_human_clock(font)}split[scene][corner];"
        # Reckoned on a picture of one pixel per cell, then enlarged: costs next to nothing.
        f"[corner]crop={CELLS}:2:0:0,format=gray,geq=lum='255*mod(floor({cell})\\,2)',"
        f"scale={CELLS * _CELL}:{_CELL}:flags=neighbor[strip];"
        f"[scene][strip]overlay=0:H-h,settb=1/{FPS},setpts=N,format=yuv420p[picture]"
    )


def _human_clock(font: Path | None) -> str:
    if font is None:
        return ""
    return (
        f"drawtext=fontfile='{font}':text='%{{localtime\\:%T}}  %{{n}}':fontsize=48:"
        "fontcolor=white:box=1:boxcolor=black:x=(w-tw)/2:y=h-110,"
    )


def read_clock(gray: bytes, width: int, height: int) -> int | None:
    """The wall-clock milliseconds modulo 2**32 in a decoded frame of any size.

    `gray` is one byte of brightness per pixel, row by row. None when the strip is not there or
    its check number does not fit.
    """
    cell = _CELL * width / WIDTH
    row = height - 1 - int(_CELL * height / HEIGHT / 2)
    levels = [gray[row * width + int((index + 0.5) * cell)] for index in range(CELLS)]
    if levels[0] - levels[1] < 100:
        return None
    middle = (levels[0] + levels[1]) / 2
    ones = [int(level > middle) for level in levels[2:]]
    value = sum(bit << index for index, bit in enumerate(ones[:_BITS]))
    check = sum(bit << index for index, bit in enumerate(ones[_BITS:]))
    return value if value % _CHECK == check else None
