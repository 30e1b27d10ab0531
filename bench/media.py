"""A sample clip, an encoder that publishes it without using the processor, and a look at HLS."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

from bench.effort import BenchError

_QUIET = ("ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y")
POLL_SECONDS = 0.02


def make_clip(path: Path, seconds: int = 20) -> Path:
    """854x480 at 30 fps, 1200k, a keyframe every 2 s, stereo AAC: what the demo publishes."""
    subprocess.run(
        [
            *(*_QUIET, "-f", "lavfi", "-i", "testsrc2=s=854x480:r=30"),
            *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"),
            *("-t", str(seconds), "-c:v", "libx264", "-preset", "superfast", "-profile:v", "main"),
            *("-b:v", "1200k", "-maxrate", "1300k", "-bufsize", "1200k", "-pix_fmt", "yuv420p"),
            *("-g", "60", "-sc_threshold", "0", "-c:a", "aac", "-b:a", "96k", "-ac", "2"),
            *("-f", "flv", str(path)),
        ],
        check=True,
        timeout=120,
    )
    return path


@contextmanager
def publishing(clip: Path, url: str) -> Iterator[float]:
    """An encoder on the air; the value is when it was started (`time.perf_counter`)."""
    argv = [*_QUIET, "-re", "-stream_loop", "-1", "-i", str(clip), "-c", "copy", "-f", "flv", url]
    started = time.perf_counter()
    encoder = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield started
    finally:
        encoder.terminate()
        try:
            encoder.wait(5)
        except subprocess.TimeoutExpired:
            encoder.kill()
            encoder.wait()


def fetch(url: str, seconds: float = 5.0) -> bytes | None:
    """The body; None for an error status or when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:
            body: bytes = answer.read()
            return body
    except (urllib.error.URLError, OSError):
        return None


def addresses(playlist: bytes | None) -> list[str]:
    """The lines of a playlist that are addresses."""
    lines = (playlist or b"").decode(errors="replace").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def first_segment(hls_url: str, limit_seconds: float = 30.0) -> float:
    """When the whole first segment had come through multivariant and media playlist."""
    deadline = time.perf_counter() + limit_seconds
    while time.perf_counter() < deadline:
        for variant in addresses(fetch(hls_url))[:1]:
            media = urljoin(hls_url, variant)
            for segment in addresses(fetch(media))[:1]:
                if fetch(urljoin(media, segment)):
                    return time.perf_counter()
        time.sleep(POLL_SECONDS)
    raise BenchError(f"no segment at {hls_url} within {limit_seconds:g} s")


def require_decodable(hls_url: str) -> None:
    """Decode the first picture and sound from the real playlist, or raise `BenchError`."""
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", hls_url, "-frames:v", "1"]
    argv += ["-frames:a", "1", "-map", "0:v:0", "-map", "0:a:0", "-f", "null", "-"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    if done.returncode:
        raise BenchError(f"{hls_url} does not decode: {done.stderr.strip()[-500:]}")
