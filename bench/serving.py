"""Requests per second of the front against a bare nginx, on the same files at the same time."""

from __future__ import annotations

import os
import re
import secrets
import statistics
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.effort import BenchError, Effort, Task
from bench.media import fetch
from bench.procs import cpu_seconds, descendants, roles
from bench.rows import Row, Sheet
from bench.station import running
from putlive.adapters.engines.engine_config import find_nginx
from putlive.adapters.host.port_check import free_loopback_ports

SEGMENT_BYTES = 370_000  # 2 s at 1.5 Mbit/s
PLAYLIST = "/live/bench/bench.m3u8"
SEGMENT = "/live/bench/bench-1.ts"
SIDS_SCRIPT = """
local turn, requests = 0, {}
init = function()
  for i = 1, 50 do requests[i] = wrk.format("GET", wrk.path .. "?sid=benchviewer" .. i) end
end
request = function() turn = turn % 50 + 1; return requests[turn] end
"""
BARE = """
{user}
worker_processes 1;
pid "{folder}/bare.pid";
error_log "{folder}/bare.log" error;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path "{folder}/body"; proxy_temp_path "{folder}/proxy";
    fastcgi_temp_path "{folder}/fastcgi"; uwsgi_temp_path "{folder}/uwsgi";
    scgi_temp_path "{folder}/scgi";
    types {{ application/vnd.apple.mpegurl m3u8; video/mp2t ts; }}
    sendfile on; tcp_nopush on; keepalive_requests 100000;
    server {{ listen 127.0.0.1:{plain}; access_log off; location /live/ {{ alias "{hls}/"; }} }}
    server {{
        listen 127.0.0.1:{logging};
        access_log "{folder}/access.log" combined buffer=64k;
        location /live/ {{ alias "{hls}/"; }}
    }}
}}
"""


@dataclass(frozen=True)
class Rival:
    """A server under test: its address, and the processes whose time counts."""

    url: str
    pids: Callable[[], list[int]]


@dataclass(frozen=True)
class Load:
    """One round of wrk: requests per second, and the server's microseconds for each."""

    per_second: float
    cpu_us: float


def measure(task: Task) -> list[Row]:
    """Alternate between the rivals; the median of each round's ratio counts."""
    folder = task.folder
    script = folder / "sids.lua"
    script.write_text(SIDS_SCRIPT)
    with running(folder / "state", task.engine) as station:
        hls, mark = station.hls, str(station.facts["id"])
        _write_files(hls / "bench")
        front = Rival(station.url, lambda: roles(station.process.pid, mark)["front"])
        with _bare(folder, hls) as (plain, logging):
            rivals = (front, plain, logging)
            return [
                *_rows("playlist", rivals, PLAYLIST, task.effort),
                *_rows("segment", rivals, SEGMENT, task.effort),
                *_rows("playlist_sids", (front, plain), PLAYLIST, task.effort, script),
                *_rows("segment_sids", (front, plain), SEGMENT, task.effort, script),
            ]


def _write_files(folder: Path) -> None:
    """In a folder of no rendition, or the daemon would clear them away as left-overs."""
    folder.mkdir()
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-MEDIA-SEQUENCE:1", "#EXT-X-TARGETDURATION:2"]
    for number in range(1, 7):
        lines += ["#EXTINF:2.000, no desc", f"bench-{number}.ts"]
    (folder / "bench.m3u8").write_text("\n".join([*lines, ""]))
    (folder / "bench-1.ts").write_bytes(secrets.token_bytes(SEGMENT_BYTES))


@contextmanager
def _bare(folder: Path, hls: Path) -> Iterator[tuple[Rival, Rival]]:
    """The same nginx with as little configuration as serves the files: without and with a log."""
    plain, logging = free_loopback_ports(2)
    user = "user root;" if os.geteuid() == 0 else ""  # its workers have to reach the files too
    config = folder / "bare.conf"
    config.write_text(BARE.format(user=user, folder=folder, hls=hls, plain=plain, logging=logging))
    binary = str(find_nginx(os.environ).binary)
    argv = [binary, "-p", str(folder), "-c", str(config), "-g", "daemon off;"]
    server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def pids() -> list[int]:
        return [server.pid, *descendants(server.pid)]

    try:
        yield Rival(f"http://127.0.0.1:{plain}", pids), Rival(f"http://127.0.0.1:{logging}", pids)
    finally:
        server.terminate()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _rows(
    name: str, rivals: tuple[Rival, ...], path: str, effort: Effort, script: Path | None = None
) -> list[Row]:
    for rival in rivals:
        _require(rival.url + path)
        _load(rival, path, 1, script)  # warm
    rounds = [
        _round(rivals, turn, lambda rival: _load(rival, path, effort.http_seconds, script))
        for turn in range(effort.http_rounds)
    ]
    sheet = Sheet("http")
    ours, bare = (statistics.median(r[i].per_second for r in rounds) for i in (0, 1))
    spent = statistics.median(r[0].cpu_us for r in rounds)
    note = "50 viewers with an id each" if script else "against nginx without a log"
    rows = [
        sheet.row(f"{name}_ratio", _median_ratio(rounds, 1), "x", note),
        sheet.row(f"{name}_best_ratio", _best_ratio(rounds), "x", "best round of each"),
        sheet.row(f"{name}_per_second", ours, "/s", "our front"),
        sheet.row(f"{name}_bare_per_second", bare, "/s", "bare nginx"),
        sheet.row(f"{name}_cpu_us", spent, "µs", "processor time per request, our front"),
        sheet.row(f"{name}_cpu_ratio", _median_cpu_ratio(rounds), "x", "to bare nginx"),
    ]
    if len(rivals) > 2:
        ratio = _median_ratio(rounds, 2)
        rows.append(
            sheet.row(f"{name}_ratio_to_logging", ratio, "x", "to nginx with its usual log")
        )
    return rows


def _round(rivals: Sequence[Rival], turn: int, load: Callable[[Rival], Load]) -> list[Load]:
    """One load on each, in the order of `rivals`; another one begins in each turn."""
    order = [(turn + index) % len(rivals) for index in range(len(rivals))]
    found = {index: load(rivals[index]) for index in order}
    return [found[index] for index in range(len(rivals))]


def _median_ratio(rounds: list[list[Load]], other: int) -> float:
    return statistics.median(r[0].per_second / r[other].per_second for r in rounds)


def _best_ratio(rounds: list[list[Load]]) -> float:
    """What other programs on the machine disturb least."""
    return max(r[0].per_second for r in rounds) / max(r[1].per_second for r in rounds)


def _median_cpu_ratio(rounds: list[list[Load]]) -> float:
    return statistics.median(r[0].cpu_us / r[1].cpu_us for r in rounds)


def _require(url: str) -> None:
    for _ in range(50):
        if fetch(url, 0.2):
            return
    raise BenchError(f"{url} is not served")


def _load(rival: Rival, path: str, seconds: int, script: Path | None) -> Load:
    argv = ["wrk", "-t2", "-c50", f"-d{seconds}s", rival.url + path]
    pids = rival.pids()
    before = sum(map(cpu_seconds, pids))
    done = subprocess.run(
        argv + (["-s", str(script)] if script else []),
        capture_output=True,
        text=True,
        timeout=seconds + 20,
    )
    return parse_wrk(done.stdout, sum(map(cpu_seconds, pids)) - before)


def parse_wrk(text: str, cpu: float) -> Load:
    """wrk 4's report; answers other than 2xx and 3xx, or broken connections, are a `BenchError`."""
    bad = re.search(r"Non-2xx.*|Socket errors:.*", text)
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    count = re.search(r"([0-9]+) requests in", text)
    if bad or not rate or not count or not int(count[1]):
        raise BenchError(f"wrk: {bad[0] if bad else text[-300:]}")
    return Load(float(rate[1]), cpu * 1e6 / int(count[1]))
