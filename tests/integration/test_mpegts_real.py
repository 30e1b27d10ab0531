"""Our figures of a segment against ffprobe's, over what encoders really send."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from putlive.domain.mpegts import read_segment

ENCODES: dict[str, tuple[str, str, Sequence[str]]] = {
    "baseline 15": ("256x144", "15", ("-profile:v", "baseline")),
    "main 25": ("854x480", "25", ("-profile:v", "main", "-bf", "0")),
    "main 29.97 B-frames": ("640x360", "30000/1001", ("-profile:v", "main", "-bf", "3")),
    "high 30 B-frames": ("1280x720", "30", ("-profile:v", "high", "-bf", "2")),
    "high 60": ("640x362", "60", ("-profile:v", "high")),
    "upright": ("1080x1920", "30", ("-profile:v", "high")),
    "4:4:4": ("322x242", "24", ("-profile:v", "high444", "-pix_fmt", "yuv444p")),
    "interlaced": ("720x576", "25", ("-profile:v", "main", "-flags", "+ildct+ilme")),
    "no sound": ("320x180", "30", ("-profile:v", "main", "-an")),
    "open GOP": ("320x180", "30", ("-profile:v", "high", "-bf", "3", "-x264-params", "open-gop=1")),
}
PROFILES = {
    "Constrained Baseline": "42c0",
    "Main": "4d40",
    "High": "6400",
    "High 4:4:4 Predictive": "f400",
}


def make(folder: Path, size: str, fps: str, options: Sequence[str]) -> Path:
    path = folder / "s.ts"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", f"testsrc2=s={size}:r={fps}"]
        + ["-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", "2", "-c:v", "libx264"]
        + ["-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", *options]
        + ["-f", "mpegts", str(path)],
        check=True,
        timeout=60,
    )
    return path


def probe(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    said = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-show_packets", "-of", "json", str(path)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    answer = json.loads(said.stdout)
    video = next(s for s in answer["streams"] if s["codec_type"] == "video")
    return video, [p for p in answer["packets"] if p["codec_type"] == "video"]


@pytest.mark.parametrize("name", ENCODES)
def test_a_segment_measures_as_ffprobe_says(name: str, tmp_path: Path) -> None:
    path = make(tmp_path, *ENCODES[name])
    video, packets = probe(path)
    facts = read_segment(path.read_bytes())
    assert facts is not None
    assert (facts.width, facts.height) == (video["width"], video["height"])
    assert facts.frames == len(packets)
    stamps = [float(p["pts_time"]) for p in packets]
    frame = 1 / eval_rate(video["r_frame_rate"])
    assert facts.first_pts == pytest.approx(stamps[0], abs=1e-3)
    assert facts.seconds == pytest.approx(max(stamps) - min(stamps) + frame, abs=2e-3)
    assert facts.fps == pytest.approx(1 / frame, rel=2e-3)
    assert facts.keyframe_first
    assert facts.codecs.startswith(f"avc1.{PROFILES[video['profile']]}")
    assert facts.codecs[9:11] == f"{video['level']:02x}"
    assert facts.has_audio == ("-an" not in ENCODES[name][2])
    assert facts.codecs.endswith("mp4a.40.2") == facts.has_audio


def eval_rate(text: str) -> float:
    over, _, under = text.partition("/")
    return int(over) / int(under or 1)
