"""Rungs beside a real engine: one timeline, one numbering, through kills and republishing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import m3u8
import pytest

from putlive.adapters.engines.engine_config import EngineName, find_nginx, find_srs
from putlive.domain.ladder import Rung
from putlive.errors import MissingProgram
from putlive.settings import Settings
from tests.integration.rung_rig import CHANNEL, Station, cpu_seconds, pid_of

RUNG = Rung("144p", 256, 144, 200_000, 15, 32_000)
PROCESS = f"rung:{CHANNEL}:144p"
ONE_FRAME = 1 / 30


def _is_here(engine: str) -> bool:
    with contextlib.suppress(MissingProgram):
        if engine == "srs":
            return find_srs(Settings(), os.environ) is not None
        return bool(find_nginx(os.environ))
    return False


ENGINES = [
    pytest.param(
        name, marks=[*marks, pytest.mark.skipif(not _is_here(name), reason=f"there is no {name}")]
    )
    for name, marks in (("srs", [pytest.mark.srs]), ("nginx-rtmp", []))
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder on a memory disk where there is one, as in production."""
    base = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=base if base.is_dir() else None) as name:
        yield Path(name)


def is_live(station: Station) -> bool:
    return station.renditions.statuses(CHANNEL)[1].state == "live"


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
async def test_a_rung_stays_in_step_with_the_source(engine: EngineName, folder: Path) -> None:
    async with Station(engine, folder, [RUNG], 1.0) as station:
        station.publish()
        await station.until(lambda: is_live(station))
        await asyncio.sleep(3)
        text = (station.hls / f"{CHANNEL}.m3u8").read_text()
        _is_a_strict_multivariant(text)
        assert station.aligned("144p")

        killed_at = station.seen["144p"].next_numbers[-1]
        station.kill(PROCESS)
        await station.until(lambda: len(station.aligned("144p", killed_at)) >= 2)

        station.unpublish()
        await asyncio.sleep(1.2)
        again_at = station.seen["source"].next_numbers[-1]
        station.publish(size="640x360")
        await station.until(lambda: len(station.aligned("144p", again_at)) >= 2)

        station.renew_services()
        await station.supervisor.stop(PROCESS)
        renewed_at = station.seen["source"].next_numbers[-1]
        await station.until(lambda: len(station.aligned("144p", renewed_at)) >= 2)
    _held_all_along(station)


def _is_a_strict_multivariant(text: str) -> None:
    playlist = m3u8.loads(text)
    assert [p.uri for p in playlist.playlists] == ["source/main.m3u8", "144p/main.m3u8"]
    source, rung = (p.stream_info for p in playlist.playlists)
    assert (source.resolution, rung.resolution) == ((320, 180), (256, 144))
    assert (source.frame_rate, rung.frame_rate) == (30.0, 15.0)
    assert rung.codecs.startswith("avc1.4d40") and rung.codecs.endswith("mp4a.40.2")
    assert source.bandwidth >= source.average_bandwidth > 100_000
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U"
    for info, uri in pairwise(lines):
        assert info.startswith("#EXT-X-STREAM-INF:") == (not uri.startswith("#"))
    assert len(lines) == len(set(lines))


def _held_all_along(station: Station) -> None:
    for name, seen in station.seen.items():
        assert all(a <= b for a, b in pairwise(seen.first_numbers)), f"{name} went back"
        assert all(a <= b for a, b in pairwise(seen.next_numbers)), f"{name} went back"
        assert seen.numbers_of_reused_names == []
        assert all(facts.keyframe_first for facts in seen.facts.values())
    apart = station.aligned("144p")
    assert max(abs(seconds) for seconds in apart) < ONE_FRAME, apart


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
async def test_a_preview_is_made_of_keyframes_and_costs_little(
    engine: EngineName, folder: Path
) -> None:
    async with Station(engine, folder, [], 1.0) as station:
        station.publish(size="854x480", gop=60)
        await station.until(lambda: station.renditions.playing(CHANNEL))
        assert await station.preview.ask(CHANNEL) is None
        await station.until(lambda: station.pictures.age_seconds(CHANNEL) is not None)
        path = await station.preview.ask(CHANNEL)
        assert path is not None and path.read_bytes().startswith(b"\xff\xd8")
        pid = pid_of(station, f"preview:{CHANNEL}")
        before = cpu_seconds(pid)
        await asyncio.sleep(4)
        assert (cpu_seconds(pid) - before) / 4 < 0.015
        assert (station.pictures.age_seconds(CHANNEL) or 0) < 3
