"""A real station for a measurement: `putlive up` in a folder of its own, and its end.

Imports little of PutLive: what this process and the daemon both map counts half for each.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.effort import ROOT, BenchError
from bench.procs import alive, descendants
from putlive.adapters.host.port_check import free_loopback_ports

READY_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass
class Station:
    """One `putlive up`; times are from `time.perf_counter`."""

    state: Path
    http_port: int
    rtmp_port: int
    log: Path
    process: subprocess.Popen[bytes]
    started_at: float
    ready_at: float = 0.0
    ready: dict[str, Any] = field(default_factory=dict)
    _heard: threading.Event = field(default_factory=threading.Event)

    @property
    def facts(self) -> dict[str, Any]:
        """What it tells its daemon: `id`, `hls`, `hooks`, `engine` …"""
        found: dict[str, Any] = json.loads((self.state / "run" / "station.json").read_text())
        return found

    @property
    def hls(self) -> Path:
        """The folder of playlists and segments."""
        return Path(self.facts["hls"])

    @property
    def url(self) -> str:
        """Where the front answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def input_url(self) -> str:
        """Where its first channel is published to; known once it is ready."""
        return f"{self.ready['rtmp_url']}/{self.ready['stream_key']}"

    def listen(self) -> None:
        """Take down when the station says it is ready (runs in a thread)."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.ready_at = time.perf_counter()
        if line:
            self.ready = json.loads(line)
        self._heard.set()

    def wait_ready(self) -> None:
        """Until it has said so; raises `BenchError` with its last words."""
        if not self._heard.wait(READY_SECONDS) or not self.ready:
            said = self.log.read_text(errors="replace")[-2000:]
            raise BenchError(f"`putlive up` did not become ready:\n{said}")

    def stop(self) -> None:
        """TERM, and a look whether anything is left."""
        pids = {self.process.pid, *descendants(self.process.pid)}
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        left = [pid for pid in pids if alive(pid)]
        if left:
            raise BenchError(f"`putlive up` left processes behind: {left}")
        if (self.state / "run" / "station.json").exists() and self.hls.exists():
            raise BenchError(f"`putlive up` left {self.hls} behind")


def checkout_command() -> list[str]:
    """How people start it: `./dev up` in its own environment, else `putlive up` of this one."""
    if Path(sys.prefix) == ROOT / ".venv":
        return [str(ROOT / "dev"), "up"]
    return [sys.executable, "-m", "putlive", "up"]


@contextmanager
def running(
    state: Path,
    engine: str,
    *,
    demo: bool = False,
    settings: Mapping[str, Any] | None = None,
    command: Sequence[str] = (sys.executable, "-m", "putlive", "up"),
    wait: bool = True,
) -> Iterator[Station]:
    """A station in `state` on free ports, with a configuration of `settings`; ended afterwards."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = state / "config.yaml"
    config.write_text(json.dumps(dict(settings or {})))  # JSON is YAML
    http_port, rtmp_port = free_loopback_ports(2)
    argv = [*command, "--state-dir", str(state), "--engine", engine, "--json"]
    argv += ["--http-port", str(http_port), "--rtmp-port", str(rtmp_port)]
    log = state.parent / f"{state.name}-up.log"
    with log.open("wb") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            argv + (["--demo"] if demo else []),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C is for the bench, which ends it in order
        )
    station = Station(state, http_port, rtmp_port, log, process, started)
    threading.Thread(target=station.listen, daemon=True).start()
    try:
        if wait:
            station.wait_ready()
        yield station
    finally:
        station.stop()
