"""How long it takes from `up` to a picture, and from an encoder's start to its first segment."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from bench.effort import Task
from bench.media import first_segment, make_clip, publishing, require_decodable
from bench.rows import Row, Sheet
from bench.station import checkout_command, running


def measure(task: Task) -> list[Row]:
    """Second starts with `--demo`, then publishes to a station that was idle before."""
    with running(task.folder / "demo", task.engine, demo=True, command=checkout_command()):
        pass  # the first start makes keys, database and first user
    with running(task.folder / "own", task.engine):
        pass
    clip = make_clip(task.folder / "clip.flv")
    starts = [_second_start(task) for _ in range(task.effort.start_runs)]
    publishes = [_publish(task, clip) for _ in range(task.effort.start_runs)]
    sheet = Sheet("start", task.engine)
    return [
        *_both(sheet, "ready", [ready for ready, _ in starts], "from `up` to live"),
        *_both(
            sheet, "picture", [picture for _, picture in starts], "from `up` to the first segment"
        ),
        *_both(sheet, "first_segment", publishes, "from the encoder's start to the first segment"),
    ]


def _both(sheet: Sheet, name: str, seconds: Sequence[float], note: str) -> list[Row]:
    return [
        sheet.row(f"{name}_seconds", statistics.median(seconds), "s", f"{note}, median"),
        sheet.row(f"{name}_max_seconds", max(seconds), "s", f"of {len(seconds)}"),
    ]


def _second_start(task: Task) -> tuple[float, float]:
    """Seconds from the command to its word that it is live, and to a whole first segment."""
    state, command = task.folder / "demo", checkout_command()
    with running(state, task.engine, demo=True, command=command, wait=False) as station:
        hls = f"{station.url}/live/demo.m3u8"
        picture = first_segment(hls)
        station.wait_ready()
        require_decodable(hls)
        return station.ready_at - station.started_at, picture - station.started_at


def _publish(task: Task, clip: Path) -> float:
    """Seconds from the encoder's start; the station has been up for a moment."""
    with running(task.folder / "own", task.engine) as station:
        time.sleep(3.0)
        with publishing(clip, station.input_url) as started:
            seconds = first_segment(station.ready["hls_url"]) - started
            require_decodable(station.ready["hls_url"])
            return seconds
