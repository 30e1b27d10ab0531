"""`putlive up` as a command: what it says, what it refuses, and what is left when it has ended."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from putlive.cli import up as command
from tests.integration.station_rig import (
    ENGINES,
    PUTLIVE,
    READY_KEYS,
    Station,
    command_line,
    free_ports,
    is_running,
    refused,
    running,
    state_folder,
    until,
)


@pytest.fixture
def folder() -> Iterator[Path]:
    with state_folder() as path:
        yield path


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    """One that runs while others are refused."""
    with running("nginx-rtmp") as one:
        yield one


def up(folder: Path, *options: str) -> list[str]:
    http, rtmp = (str(port) for port in free_ports(2))
    ports = ["--http-port", http, "--rtmp-port", rtmp]
    return [*PUTLIVE, "up", "--state-dir", str(folder), *ports, "--engine", "nginx-rtmp", *options]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_second_start_is_quick_and_keeps_everything(engine: str, folder: Path) -> None:
    station = Station(folder, engine, demo=True)
    station.start()
    first, (line,) = station.ready, station.printed().splitlines()
    assert set(first) == READY_KEYS
    assert (first["engine"], first["pid"]) == (engine, station.pid)
    assert first["hls_url"] == f"{first['public_url']}live/demo.m3u8"
    assert "#EXT-X-STREAM-INF" in httpx.get(first["hls_url"]).text
    assert httpx.get(first["public_url"]).status_code == 200
    assert line.startswith("{") and first["admin_password"]
    assert (station.stop(signal.SIGTERM), station.leftovers()) == (0, [])
    assert " ended (" not in station.said() and "Traceback" not in station.said()

    station.start()
    assert station.start_seconds < 8
    assert station.ready["stream_key"] == first["stream_key"]
    assert (station.stop(signal.SIGINT), station.leftovers()) == (0, [])


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_killed_up_leaves_is_ended_by_the_next_one(engine: str, folder: Path) -> None:
    station = Station(folder, engine)
    station.start()
    os.kill(station.pid, signal.SIGKILL)
    station.wait()
    orphans = station.processes()
    assert len(orphans) >= 3, "engine, front and daemon go on for themselves"

    station.start()
    assert [command_line(pid) for pid in orphans if is_running(pid)] == []
    assert httpx.get(f"http://127.0.0.1:{station.http}/healthz").status_code == 200
    assert (station.stop(), station.leftovers()) == (0, [])


def test_processes_of_others_are_left_alone_whatever_a_pid_file_says(folder: Path) -> None:
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        (folder / "run").mkdir()
        (folder / "run" / "front.pid").write_text(f"{other.pid}\n")
        (folder / "run" / "rtmp.pid").write_text("-1\n")
        assert refused(up(folder, "--config", "/nowhere.yaml")).returncode != 0
        station = Station(folder, "nginx-rtmp")
        station.start()
        assert (station.stop(), other.poll()) == (0, None)
    finally:
        other.kill()
        other.wait()


def test_people_are_told_where_everything_is(folder: Path) -> None:
    station = Station(folder, "nginx-rtmp")
    station.start(as_json=False)
    text = station.said()
    assert station.printed() == ""
    for word in (
        *(f"http://127.0.0.1:{station.http}/dashboard", "/live/main.m3u8", "main?key="),
        *(f"rtmp://127.0.0.1:{station.rtmp}/live", "Log in as        admin", "Password "),
    ):
        assert word in text
    assert (station.stop(), station.leftovers()) == (0, [])


def test_two_stations_run_side_by_side(station: Station, folder: Path) -> None:
    other = Station(folder, "nginx-rtmp")
    other.start()
    for each in (station, other):
        assert httpx.get(f"http://127.0.0.1:{each.http}/healthz").json()["status"] == "ok"
    assert other.ready["stream_key"] != station.ready["stream_key"]
    assert (other.stop(), other.leftovers()) == (0, [])
    assert station.pid_of("daemon") and station.pid_of("engine") and station.pid_of("front")


def test_the_same_folder_twice_is_refused(station: Station) -> None:
    again = refused(up(station.folder))
    assert again.returncode == 1
    assert f"A station runs in {station.folder} already." in again.stderr
    assert "--state-dir" in again.stderr and "Traceback" not in again.stderr
    assert httpx.get(f"http://127.0.0.1:{station.http}/healthz").json()["status"] == "ok"


@pytest.mark.parametrize(("option", "at"), [("--http-port", "http"), ("--rtmp-port", "rtmp")])
def test_a_port_of_another_station_names_its_process(
    station: Station, folder: Path, option: str, at: str
) -> None:
    taken = refused(up(folder, option, str(getattr(station, at))))
    assert taken.returncode == 3
    assert f"Port {getattr(station, at)} is taken by nginx (process " in taken.stderr
    assert option in taken.stderr


def test_a_port_of_any_program_names_its_process(folder: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = refused(up(folder, "--http-port", str(holder.getsockname()[1])))
    assert taken.returncode == 3
    assert f"(process {os.getpid()})" in taken.stderr
    assert not (folder / "putlive.db").exists()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["its folder is made", "its daemon was started"])
def test_a_stop_while_it_starts_leaves_nothing(
    folder: Path, moment: str, signum: signal.Signals
) -> None:
    station = Station(folder, "nginx-rtmp", demo=True)
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(station.argv, stdout=nowhere, stderr=nowhere)
    begun = {"its folder is made": station.hls.exists}.get(moment, lambda: station.pid_of("daemon"))
    until(begun, 10, moment, every=0.001)
    process.send_signal(signum)
    assert (process.wait(20), station.leftovers()) == (0, [])


def test_every_problem_of_a_config_is_told_with_line_and_remedy(folder: Path) -> None:
    (folder / "config.yaml").write_text(
        "server:\n  http_prt: 8000\nstreaming:\n  max_viewers: many\n  hls:\n"
        "    segment_duration: 90s\n"
    )
    told = refused([*PUTLIVE, "up", "--state-dir", str(folder)])
    assert told.returncode == 2
    for word in ("http_prt", "http_port", "2", "max_viewers", "4", "segment_duration", "6"):
        assert word in told.stderr
    assert "Traceback" not in told.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["config.yaml"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--http-port", "1935", "--rtmp-port", "1935"], "are both 1935"),
        (["--bind", "my host"], "server.bind: "),
    ],
)
def test_options_that_cannot_be_right_are_told_in_words(
    folder: Path, options: list[str], word: str
) -> None:
    told = refused(up(folder, *options))
    assert (told.returncode, word in told.stderr) == (2, True), told.stderr
    assert "Traceback" not in told.stderr


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma user_version = 9999")
        db.commit()


def make_corrupt(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:12288] = b"\xa5" * 8192
    path.write_bytes(data)


def test_a_database_that_cannot_be_right_is_refused_and_not_touched(folder: Path) -> None:
    station = Station(folder, "nginx-rtmp")
    station.start()
    assert station.stop() == 0
    whole = (folder / "putlive.db").read_bytes()
    for spoil, word in ((make_newer, "newer PutLive"), (make_corrupt, "damaged")):
        (folder / "putlive.db").write_bytes(whole)
        spoil(folder / "putlive.db")
        before = (folder / "putlive.db").read_bytes()
        told = refused(up(folder))
        assert (told.returncode, word in told.stderr) == (2, True), told.stderr
        assert "PutLive changed nothing in it." in told.stderr
        assert (folder / "putlive.db").read_bytes() == before
        assert station.leftovers() == []


def test_a_missing_program_is_named_with_its_package(folder: Path) -> None:
    told = refused(up(folder), PATH=str(folder))
    assert told.returncode != 0
    assert "ffmpeg was not found." in told.stderr and "apt-get install ffmpeg" in told.stderr
    told = refused([*up(folder)[:-1], "srs"], PUTLIVE_SRS="/nowhere/srs")
    assert told.returncode != 0
    assert "/nowhere/srs" in told.stderr and "PUTLIVE_SRS" in told.stderr


def test_missing_pages_are_named_with_how_to_build_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PAGES", folder / "nothing")
    told = CliRunner().invoke(command.up, up(folder)[len(PUTLIVE) + 1 :])
    assert told.exit_code != 0
    assert "The web pages have not been built." in told.output
    assert "./dev build" in told.output
