"""Memory and processor time of a whole station in its usual states, and what extras cost."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from bench.api import Api
from bench.effort import ROOT, BenchError, Task
from bench.media import fetch, first_segment, make_clip, publishing
from bench.procs import FOREGROUND, Use, roles, sample
from bench.rows import Row, Sheet
from bench.station import Station, running

CROWDS = (3, 50)
LADDER = ("144p", "480p")
ASK_SECONDS = 2.0  # as often as the dashboard asks for a picture
_SIZES = {"144p": ("256x144", "200k", 15), "480p": ("854x480", "1200k", 30)}
RUNGS_OFF = {
    "streaming": {
        "qualities": [
            {"name": name, "resolution": size, "bitrate": rate, "fps": fps, "enabled": False}
            for name, (size, rate, fps) in _SIZES.items()
        ]
    },
    "security": {"rate_limit": {"requests_per_minute": 100_000, "burst": 1000}},
}


def measure(task: Task) -> list[Row]:
    """One station from idle to fifty viewers, passthrough only; then preview and ladder."""
    clip = make_clip(task.folder / "clip.flv")
    state = task.folder / "state"
    with running(state, task.engine, settings=RUNGS_OFF):
        pass  # makes database and keys
    with running(state, task.engine, settings=RUNGS_OFF) as station:
        stage = _Stage(task, station)
        rows = stage.rows("idle")
        with publishing(clip, station.input_url):
            first_segment(station.ready["hls_url"])
            rows += stage.rows("streaming")
            for count in CROWDS:
                rows += _crowd(stage, count)
            api = Api(station)
            return [*rows, *_preview(stage, api), *_ladder(stage, api)]


class _Stage:
    """A station that is looked at in one state after the other."""

    def __init__(self, task: Task, station: Station) -> None:
        self._task = task
        self.station = station
        self.sheet = Sheet("memory", task.engine)

    def uses(self) -> dict[str, Use]:
        """By role, after the state has settled. A demo or other input is no part of the station."""
        time.sleep(self._task.effort.settle_seconds)
        pid, mark = self.station.process.pid, str(self.station.facts["id"])
        return sample(lambda: roles(pid, mark), self._task.effort.sample_seconds)

    def rows(self, state: str) -> list[Row]:
        """The whole stack without and with the foreground, then each part."""
        uses = self.uses()
        total = whole_mb(uses)
        unshared = sum(use.rss_mb for role, use in uses.items() if role != FOREGROUND)
        rows = [
            self.sheet.row(f"{state}_mb", total, "MB", "daemon, engine, front and keeper"),
            self.sheet.row(
                f"{state}_with_foreground_mb", total + uses[FOREGROUND].pss_mb, "MB", "and `up`"
            ),
            self.sheet.row(f"{state}_rss_mb", unshared, "MB", "as if nothing were shared"),
            self.sheet.row(f"{state}.daemon_rss_mb", uses["daemon"].rss_mb, "MB"),
        ]
        for role, use in sorted(uses.items()):
            rows.append(self.sheet.row(f"{state}.{role}_mb", use.pss_mb, "MB"))
        for role, use in sorted(uses.items()):
            cpu = use.cpu_seconds_per_minute
            rows.append(self.sheet.row(f"{state}.{role}_cpu", cpu, "s/min"))
        return rows


def whole_mb(uses: Mapping[str, Use]) -> float:
    """What an installed station has in memory: systemd does there what the foreground does here."""
    return sum(use.pss_mb for role, use in uses.items() if role != FOREGROUND)


def _crowd(stage: _Stage, count: int) -> list[Row]:
    name, channel = f"viewers{count}", str(stage.station.ready["stream_key"]).partition("?")[0]
    with _watching(stage.station.ready["hls_url"], count) as tally:
        rows = stage.rows(name)
        public = json.loads(fetch(f"{stage.station.url}/api/public/{channel}") or b"{}")
    if not tally["segments"]:
        raise BenchError(f"{count} viewers fetched no segment")
    return [
        *rows,
        stage.sheet.row(f"{name}.counted", public.get("viewers", 0), "", "by the station"),
        stage.sheet.row(f"{name}.failed_requests", tally["failed"], ""),
    ]


@contextmanager
def _watching(hls_url: str, count: int) -> Iterator[dict[str, Any]]:
    """Viewers in a process of their own; the value is filled when they have left."""
    argv = [sys.executable, "-m", "bench.viewers", hls_url, str(count)]
    crowd = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    tally: dict[str, Any] = {}
    try:
        yield tally
        out, _ = crowd.communicate(timeout=15)  # closes its input
        tally.update(json.loads(out))
    finally:
        crowd.kill()
        crowd.wait()


def _preview(stage: _Stage, api: Api) -> list[Row]:
    """The preview's own process while a dashboard asks for its picture."""
    channel, done = str(stage.station.ready["stream_key"]).partition("?")[0], threading.Event()

    def ask() -> None:
        while not done.wait(ASK_SECONDS):
            with suppress(BenchError, OSError):
                api.raw("GET", f"/api/channels/{channel}/preview.jpg")

    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    try:
        use = stage.uses().get("preview")
    finally:
        done.set()
        asker.join()
    if use is None:
        raise BenchError("no preview was made")
    percent = use.cpu_seconds_per_minute / 60 * 100
    return [
        stage.sheet.row("preview.mb", use.pss_mb, "MB", "while watched"),
        stage.sheet.row("preview.cpu_percent", percent, "%", "of a core"),
    ]


def _ladder(stage: _Stage, api: Api) -> list[Row]:
    """What each rung costs, switched on while live."""
    channel = str(stage.station.ready["stream_key"]).partition("?")[0]
    for name in LADDER:
        api.call("PUT", f"/api/channels/{channel}/renditions/{name}", {"enabled": True})
    time.sleep(5.0)  # they begin with the next keyframe
    uses, rows = stage.uses(), []
    for name in LADDER:
        use = uses.get(f"rung {name}")
        if use is None:
            raise BenchError(f"the rung {name} does not run")
        percent = use.cpu_seconds_per_minute / 60 * 100
        rows.append(stage.sheet.row(f"ladder.{name}_mb", use.pss_mb, "MB"))
        rows.append(stage.sheet.row(f"ladder.{name}_cpu_percent", percent, "%", "of a core"))
    rows.append(stage.sheet.row("ladder_mb", whole_mb(uses), "MB", "whole stack with the ladder"))
    return rows
