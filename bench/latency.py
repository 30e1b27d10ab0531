"""From the clock in the picture to a real browser's screen, through our own public page."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.effort import BenchError, Task
from bench.rows import Row, Sheet, percentile
from bench.station import Station, running
from putlive.adapters.media.demo import read_clock

FRAGMENTS = (2, 1)  # seconds
PLAYING_SECONDS = 30.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
EVERY_MS = 200
MOST_MS = 120_000  # an age beyond this is a misread clock

_IS_PLAYING = "() => window.putlivePlayer && window.putlivePlayer.video.currentTime > 0.2"
_STALLS = "() => window.putlivePlayer.stalls()"
# One row of the picture, through the middle of the strip of cells, at the moment it was on screen.
_SAMPLES = """
async ([seconds, everyMs]) => {
  const player = window.putlivePlayer, video = player.video;
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const samples = [], end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const w = canvas.width = video.videoWidth, h = canvas.height = video.videoHeight;
    const now = Date.now();
    pen.drawImage(video, 0, 0, w, h);
    const rgba = pen.getImageData(0, h - 1 - Math.floor(h / 48), w, 1).data;
    const row = [];
    for (let i = 1; i < rgba.length; i += 4) row.push(rgba[i]);
    samples.push({ now, row, behind: player.latency() });
    await new Promise((done) => setTimeout(done, everyMs));
  }
  return samples;
}
"""


@dataclass(frozen=True)
class Seen:
    """One look at the screen: the age of its picture, and how far behind the playlist's end."""

    age_seconds: float
    behind_seconds: float


def measure(task: Task) -> list[Row]:
    """The demo, watched by Chromium, at each length of fragments."""
    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser is None:
        raise BenchError("there is no Chromium here: apt-get install chromium")
    rows = []
    for fragment in FRAGMENTS:
        settings = {"streaming": {"hls": {"segment_duration": f"{fragment}s"}}}
        state = task.folder / f"state{fragment}"
        with running(state, task.engine, demo=True, settings=settings) as station:
            rows += _watch(task, station, browser, f"{fragment}s")
    return rows


def _watch(task: Task, station: Station, browser: str, name: str) -> list[Row]:
    time.sleep(task.effort.settle_seconds)  # a viewer comes when the stream has been up
    with sync_playwright() as playwright:
        window = playwright.chromium.launch(
            executable_path=browser,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"],
        )
        try:
            page = window.new_page()
            page.goto(f"{station.url}/?channel=demo", timeout=PLAYING_SECONDS * 1000)
            page.wait_for_function(_IS_PLAYING, timeout=PLAYING_SECONDS * 1000)
            return _rows(Sheet("latency", task.engine), name, page, task)
        finally:
            window.close()


def _rows(sheet: Sheet, name: str, page: Page, task: Task) -> list[Row]:
    early = _ages(page, task.effort.settle_seconds)  # players first find their place
    before: Mapping[str, Any] = page.evaluate(_STALLS)
    seen = _ages(page, task.effort.latency_seconds)
    after: Mapping[str, Any] = page.evaluate(_STALLS)
    ages = [each.age_seconds for each in seen]
    first = statistics.median(each.age_seconds for each in early)
    behind = statistics.median(each.behind_seconds for each in seen)
    stalls = after["count"] - before["count"]
    return [
        sheet.row(f"{name}_seconds", statistics.median(ages), "s", "glass to player, median"),
        sheet.row(f"{name}_p95_seconds", percentile(ages, 95), "s", f"of {len(ages)} looks"),
        sheet.row(f"{name}_early_seconds", first, "s", "while finding its place, median"),
        sheet.row(f"{name}_behind_seconds", behind, "s", "of it behind the playlist's end"),
        sheet.row(f"{name}_stalls", stalls, "", f"in {task.effort.latency_seconds:g} s"),
        sheet.row(f"{name}_early_stalls", before["count"], "", "while finding its place"),
    ]


def _ages(page: Page, seconds: float) -> list[Seen]:
    raw = page.evaluate(_SAMPLES, [seconds, EVERY_MS])
    seen = readings(raw)
    if len(seen) < len(raw) / 2:
        raise BenchError(f"only {len(seen)} of {len(raw)} pictures showed a readable clock")
    return seen


def readings(raw: Sequence[Mapping[str, Any]]) -> list[Seen]:
    """The looks in which the clock could be read; one row of pixels is a picture of height one."""
    seen = []
    for look in raw:
        row = bytes(look["row"])
        shown = read_clock(row, len(row), 1) if row else None
        age = (int(look["now"]) - shown) % (1 << 32) if shown is not None else MOST_MS
        if age < MOST_MS:
            seen.append(Seen(age / 1000, float(look["behind"])))
    return seen
