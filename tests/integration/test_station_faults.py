"""Parts of a running station die or hang at once: it heals by itself and harms nobody else."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import httpx
import pytest

from tests.integration.station_rig import (
    ENGINES,
    QUICK,
    Numbers,
    Player,
    Station,
    is_running,
    running,
    until,
)

DEMO, EXTRA, MAIN = "source/demo", "source/extra", "source/main"


@pytest.fixture(scope="module", params=ENGINES)
def station(request: pytest.FixtureRequest) -> Iterator[Station]:
    """The demo publishes for ever; the others are for inputs that stay away."""
    with running(request.param, demo=True, streaming=QUICK) as one:
        for name in ("extra", "ghost"):
            one.api.post("/api/channels", {"name": name, "title": name})
        yield one


class Hanging(NamedTuple):
    """Two stories that are mostly waiting, told by stations of their own beside the others."""

    rung: Future[None]
    daemon: Future[None]


@pytest.fixture(scope="module", autouse=True)
def hanging(station: Station) -> Iterator[Hanging]:
    with ThreadPoolExecutor(2) as pool:
        stories = hang_a_rung, hang_the_daemon
        yield Hanging(*(pool.submit(story, station.engine) for story in stories))


def hang_a_rung(engine: str) -> None:
    with running(engine, streaming=QUICK) as station:
        station.on_air()
        until(lambda: rung_state(station, "main") == "live", 15)
        rung = station.pid_of("rung:main:144p")
        kill(rung, signal.SIGSTOP)
        until(lambda: not is_running(rung), 24, "the hanging rung is ended")
        another(station, "rung:main:144p", rung)
        until(lambda: rung_state(station, "main") == "live", 12, "the rung is live again")


def hang_the_daemon(engine: str) -> None:
    with running(engine, streaming=QUICK) as station:
        station.on_air()
        since, daemon = station.channel()["input"]["since"], station.pid_of("daemon")
        kill(daemon, signal.SIGSTOP)
        with Numbers(station, (MAIN,), every=0.5) as numbers:
            began = time.monotonic()
            until(lambda: not is_running(daemon), 30, "the watchdog")
            another(station, "daemon", daemon)
            assert time.monotonic() - began < 30
            assert numbers.newest(MAIN) - numbers.next[MAIN][0] >= 15
            assert numbers.gone[MAIN] == 0
        assert "The daemon hung for 20 s; starting it again." in station.said()
        assert live_again(station, "main")["input"]["since"] == since


@pytest.fixture(autouse=True)
def a_stranger(station: Station) -> Iterator[None]:
    """An ffmpeg that is none of the station's, beside everything that happens here."""
    argv = ["ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=s=64x64:r=2"]
    other = subprocess.Popen([*argv, "-f", "null", "-"], stdin=subprocess.DEVNULL)
    try:
        yield
        assert other.poll() is None, "somebody else's ffmpeg was ended"
    finally:
        other.kill()
        other.wait()


def kill(pid: int, signum: int = signal.SIGKILL) -> None:
    assert pid, "it does not run"
    os.kill(pid, signum)


def another(station: Station, process: str, than: int) -> int:
    """The pid of a process once it runs anew."""

    def renewed() -> int:
        pid = station.pid_of(process)
        return pid if pid not in (0, than) and is_running(pid) else 0

    return until(renewed, 15, f"another {process}")


def answered(station: Station, channel: str) -> dict[str, Any] | None:
    """The channel, if the daemon answers."""
    answer = station.api.raw(f"/api/channels/{channel}")
    return answer.json() if answer.status_code == 200 else None


def live_again(station: Station, channel: str, seconds: float = 15) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = answered(station, channel)
        return found if found and found["state"] == "live" else None

    found = until(look, seconds, f"{channel} on air again")
    assert found is not None
    return found


def test_a_killed_engine_is_back_on_air_with_the_encoders_that_return(station: Station) -> None:
    station.on_air("ghost", station.new_key("ghost")["stream_key"])
    engine, before = station.pid_of("engine"), station.channel("demo")["input"]["client_id"]
    since = station.channel("demo")["input"]["since"]
    kill(engine)
    another(station, "engine", engine)
    until(lambda: fresh(station, since), 15, "the demo is back")
    shown = live_again(station, "demo")
    assert shown["input"]["since"] > since
    until(lambda: station.channel("ghost")["input"] is None, 6, "no ghost")
    clients = station.api.get("/api/stream/clients")["clients"]
    assert [c["channel"] for c in clients] == ["demo"]
    assert station.state("ghost") == "off_air"
    assert clients[0]["client_id"] != before or station.engine == "nginx-rtmp"
    newest = station.newest_number("source", "demo")
    until(lambda: station.newest_number("source", "demo") not in (-1, newest), 6, "new segments")


def fresh(station: Station, since: str) -> bool:
    shown = answered(station, "demo")
    return bool(shown and shown["input"] and shown["input"]["since"] != since)


def test_a_killed_daemon_is_replaced_and_adopts_what_is_on_air(station: Station) -> None:
    key = station.new_key("extra")
    encoder = station.on_air("extra", key["stream_key"])
    until(lambda: station.pid_of("rung:extra:144p"), 10, "its rung")
    player = Player(station, "extra", "a-viewer-in-extra")
    until(lambda: station.channel("extra")["viewers"]["now"] == 1, 10, "the viewer counts")
    before = station.channel("extra")["input"]
    daemon, rung = station.pid_of("daemon"), station.pid_of("rung:extra:144p")

    with Numbers(station, (DEMO, EXTRA)) as numbers:
        until(lambda: min(numbers.newest(DEMO), numbers.newest(EXTRA)) > 0, 5)
        kill(daemon)
        another(station, "daemon", daemon)
        for name in (DEMO, EXTRA):
            numbers.wait_for(name, 2)
        after = live_again(station, "extra")["input"]
    assert numbers.gone == {DEMO: 0, EXTRA: 0}
    same = ("client_id", "key_id", "since", "address")
    assert [after[k] for k in same] == [before[k] for k in same]
    until(lambda: not is_running(rung), 12, "the orphaned rung is ended")
    another(station, "rung:extra:144p", rung)
    until(lambda: station.channel("extra")["viewers"]["now"] == 1, 8, "the viewer counts again")
    assert not encoder.is_gone()
    station.api.post(f"/api/keys/{key['id']}/rotate")
    assert encoder.was_refused()
    player.stop()
    assert set(player.statuses) == {200}


def test_a_killed_front_is_back_within_three_seconds(station: Station) -> None:
    front = station.pid_of("front")
    kill(front)
    began = time.monotonic()
    until(lambda: is_up(station), 5, "the front answers")
    assert time.monotonic() - began < 3
    assert station.pid_of("front") != front
    assert station.media("demo.m3u8").status_code == 200


def is_up(station: Station) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{station.http}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_killed_rung_is_made_again(station: Station) -> None:
    until(lambda: "144p" in station.listed("demo"), 12, "the rung")
    rung = station.pid_of("rung:demo:144p")
    kill(rung)
    another(station, "rung:demo:144p", rung)
    until(lambda: rung_state(station, "demo") == "live", 15, "the rung is live again")
    assert station.state("demo") == "live"


def rung_state(station: Station, channel: str) -> str:
    return str(station.channel(channel)["renditions"][1]["state"])


def test_a_rung_that_hangs_is_made_again(hanging: Hanging) -> None:
    hanging.rung.result(60)


def test_a_daemon_that_hangs_is_replaced_while_the_stream_goes_on(hanging: Hanging) -> None:
    hanging.daemon.result(60)


def test_playlists_of_an_input_that_stays_away_are_not_served_for_ever(station: Station) -> None:
    """Half a minute, of which most has passed by now."""
    for path in ("ghost.m3u8", "source/ghost.m3u8", "144p/ghost.m3u8"):
        until(lambda: station.media(path).status_code == 404, 36, path)  # noqa: B023
    assert station.media("demo.m3u8").status_code == 200
