"""The demo picture, encoded and decoded by the real ffmpeg: both clocks are there and right."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from putlive.adapters.media.demo import demo_argv, find_font, read_clock


@pytest.fixture(scope="module", params=["with a font", "without a font"])
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of what the demo would publish."""
    path = tmp_path_factory.mktemp("demo") / "demo.flv"
    font = find_font() if request.param == "with a font" else None
    if font is None and request.param == "with a font":
        pytest.skip("there is no font here")
    argv = demo_argv("ffmpeg", str(path), font)
    # A file knows no network time limit.
    at = argv.index("-rw_timeout")
    subprocess.run([*argv[:at], *argv[at + 2 : -1], "-t", "2", argv[-1]], check=True, timeout=30)
    return path


@pytest.mark.parametrize("size", [(854, 480), (256, 144)])
def test_every_frame_tells_when_it_was_made(clip: Path, size: tuple[int, int]) -> None:
    width, height = size
    grey = subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-i", str(clip), "-vf", f"scale={width}:{height}"]
        + ["-f", "rawvideo", "-pix_fmt", "gray", "-"],
        check=True,
        capture_output=True,
        timeout=30,
    ).stdout
    area = width * height
    frames = [grey[at : at + area] for at in range(0, len(grey), area)]
    clocks = [read_clock(frame, width, height) for frame in frames]
    assert len(clocks) == pytest.approx(60, abs=2)
    told = [clock for clock in clocks if clock is not None]
    assert len(told) == len(clocks)
    assert told == sorted(told)
    assert told[-1] - told[0] == pytest.approx(1966, abs=150)
    written = clip.stat().st_mtime
    apart = (round(written * 1000) - told[-1]) % (1 << 32)
    assert apart < 1500, time.ctime(written)
