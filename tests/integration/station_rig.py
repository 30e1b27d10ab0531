"""The stage for a whole station: `putlive up` as people start it, encoders, players, an API client.

Nothing of PutLive runs in the test's own process: what is seen here is what a user sees.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import yaml

from putlive.adapters.engines.engine_config import find_nginx, find_srs
from putlive.adapters.host.orphans import marked
from putlive.adapters.host.state_folder import station_id
from putlive.errors import MissingProgram
from putlive.settings import Settings

T = TypeVar("T")

PUTLIVE = (sys.executable, "-m", "putlive")
READY_KEYS = {
    *("public_url", "hls_url", "rtmp_url", "stream_key"),
    *("admin_user", "admin_password", "engine", "pid"),
}
PASSWORD = "correct-horse-battery-9"
START_SECONDS = 25.0  # with the demo on air, on a busy machine
STOP_SECONDS = 20.0
# A test asks more often than people do, and from one address only.
ROOMY = {"security": {"rate_limit": {"requests_per_minute": 600_000, "burst": 5_000}}}
# One second segments and a single small rung: on air sooner, and cheap.
QUICK = {
    "hls": {"segment_duration": "1s", "playlist_window": "6s"},
    "qualities": [
        {"name": "144p", "resolution": "256x144", "bitrate": "200k", "audio_bitrate": "32k"}
        | {"fps": 15}
    ],
}


def is_here(engine: str) -> bool:
    """Whether this machine has the engine."""
    with suppress(MissingProgram):
        if engine == "srs":
            return find_srs(Settings(), os.environ) is not None
        return bool(find_nginx(os.environ))
    return False


ENGINES = [
    pytest.param(
        name, marks=[*marks, pytest.mark.skipif(not is_here(name), reason=f"there is no {name}")]
    )
    for name, marks in (("srs", [pytest.mark.srs]), ("nginx-rtmp", []))
]


def until(what: Callable[[], T], seconds: float, why: str = "", every: float = 0.05) -> T:
    """Wait for `what` to be true and return it; fails when it never is."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not so within {seconds} s: {why or what}; last: {answer!r}")
        time.sleep(every)
    return answer


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 nobody listens on, all different."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@contextmanager
def state_folder(**config: Any) -> Iterator[Path]:
    """A new state folder with a short path (sockets have a limit) and the wanted settings."""
    with tempfile.TemporaryDirectory(prefix="pl-", dir="/tmp") as name:
        if config:
            (Path(name) / "config.yaml").write_text(yaml.safe_dump(config))
        yield Path(name)


class Station:
    """One `putlive up`. `ready` is what its line of JSON said."""

    def __init__(self, folder: Path, engine: str, *, demo: bool = False) -> None:
        self.folder = folder
        self.engine = engine
        self.demo = demo
        self.http, self.rtmp = free_ports(2)
        self.ready: dict[str, Any] = {}
        self.start_seconds = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._encoders: list[Encoder] = []
        self._api: Api | None = None

    @property
    def argv(self) -> list[str]:
        """The command, without --json."""
        demo = ["--demo"] if self.demo else []
        ports = ["--http-port", str(self.http), "--rtmp-port", str(self.rtmp)]
        where = ["--state-dir", str(self.folder), "--engine", self.engine]
        return [*PUTLIVE, "up", *where, *ports, *demo]

    @property
    def hls(self) -> Path:
        """The folder of segments on the memory disk."""
        return Path("/dev/shm") / f"putlive-{station_id(self.folder)}"

    def start(self, *, as_json: bool = True) -> None:
        """Start it and wait until it says that it is ready."""
        argv = [*self.argv, "--json"] if as_json else self.argv
        began = time.monotonic()
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            self._process = subprocess.Popen(argv, stdout=out, stderr=err)
        if as_json:
            self.ready = json.loads(until(self._line, START_SECONDS, "the line of JSON"))
        else:
            until(lambda: "Ctrl-C stops it." in self.said(), START_SECONDS, "the text for people")
        self.start_seconds = time.monotonic() - began

    def _line(self) -> str:
        assert self._process is not None
        assert self._process.poll() is None, self.said()
        text = self._out.read_text()
        return text if text.endswith("\n") else ""

    @property
    def _out(self) -> Path:
        return self.folder / "up.out"

    @property
    def _err(self) -> Path:
        return self.folder / "up.err"

    def said(self) -> str:
        """What it wrote to standard error."""
        return self._err.read_text() if self._err.exists() else ""

    def printed(self) -> str:
        """What it wrote to standard output."""
        return self._out.read_text()

    @property
    def pid(self) -> int:
        """Process id of `up` itself."""
        assert self._process is not None
        return self._process.pid

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        assert self._process is not None
        return self._process.wait(STOP_SECONDS)

    def stop(self, signum: int = signal.SIGTERM) -> int:
        """End the encoders and then the station; returns its exit code."""
        self.hang_up()
        if self._api is not None:
            self._api.close()
            self._api = None
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signum)
        return self.wait()

    def close(self) -> None:
        """The end of a module: the station stops as it should and leaves nothing."""
        try:
            code = self.stop()
            assert (code, self.leftovers()) == (0, []), self.said()
        finally:
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)

    def leftovers(self) -> list[str]:
        """Processes and folders that are still there."""
        found = [f"{pid}: {command_line(pid)}" for pid in self.processes()]
        return [*found, *([str(self.hls)] if self.hls.exists() else [])]

    def processes(self) -> list[int]:
        """Everything that runs with the folder in its command line or the mark on it, but `up`."""
        named = [pid for pid in pids() if f"{self.folder}" in command_line(pid)]
        ours = {*named, *(p.pid for p in marked(station_id(self.folder)))}
        return sorted(ours - {os.getpid(), self._process.pid if self._process else 0})

    def pid_of(self, process: str) -> int:
        """A process by its name in the logs: daemon, engine, front, demo, rung:CHANNEL:RUNG …"""
        servers = {"front": "front.pid", "engine": "rtmp.pid"}
        path = self.folder / "run" / servers.get(process, "-")
        if process in servers and path.exists():
            return int(path.read_text())
        return next((p.pid for p in marked(station_id(self.folder)) if p.process == process), 0)

    def log(self) -> str:
        """The daemon's log."""
        return (self.folder / "logs" / "daemon.log").read_text()

    @property
    def api(self) -> Api:
        """The administrator, logged in once for as long as the station runs."""
        if self._api is None:
            self._api = Api(f"http://127.0.0.1:{self.http}")
            self._api.log_in(self.ready["admin_user"], self.ready["admin_password"])
        return self._api

    def channel(self, name: str = "main") -> dict[str, Any]:
        """A channel as the API shows it."""
        return self.api.get(f"/api/channels/{name}")

    def state(self, name: str = "main") -> str:
        """A channel's state in one word."""
        return str(self.channel(name)["state"])

    def new_key(self, channel: str = "main", **more: Any) -> dict[str, Any]:
        """Another stream key."""
        return self.api.post("/api/keys", {"channel": channel, "label": "test", **more})

    def publish(self, stream_key: str = "", **how: Any) -> Encoder:
        """An encoder that knocks with this stream key, or with the one `up` named."""
        url = f"{self.ready['rtmp_url']}/{stream_key or self.ready['stream_key']}"
        encoder = Encoder(url, **how)
        self._encoders.append(encoder)
        return encoder

    def on_air(self, channel: str = "main", stream_key: str = "", **how: Any) -> Encoder:
        """An encoder that is on air with its 144p rung."""
        encoder = self.publish(stream_key, **how)
        until(lambda: self.state(channel) == "live", 12, f"{channel} on air")
        return encoder

    def hang_up(self) -> None:
        """End every encoder of this station."""
        for encoder in self._encoders:
            encoder.stop()
        self._encoders.clear()

    def media(self, path: str) -> httpx.Response:
        """GET below /live/, as a player would."""
        return httpx.get(f"http://127.0.0.1:{self.http}/live/{path}", timeout=5)

    def newest_number(self, rendition: str = "source", channel: str = "main") -> int:
        """The number of the segment after the last one a player is offered, -1 without any."""
        return next_number(self.media(f"{rendition}/{channel}.m3u8"))

    def listed(self, channel: str = "main") -> list[str]:
        """The renditions in the multivariant playlist."""
        answer = self.media(f"{channel}.m3u8")
        return re.findall(r"^([a-z0-9]+)/", answer.text, re.M) if answer.status_code == 200 else []


@contextmanager
def running(engine: str, *, demo: bool = False, **config: Any) -> Iterator[Station]:
    """A station in a folder of its own for the length of a test or of a module."""
    with state_folder(**{**ROOMY, **config}) as folder:
        station = Station(folder, engine, demo=demo)
        try:
            station.start()
            yield station
        finally:
            station.close()


def refused(argv: Sequence[str], **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command that is expected to end soon and by itself."""
    return subprocess.run(
        argv, capture_output=True, text=True, timeout=20, env={**os.environ, **environ}
    )


def next_number(playlist: httpx.Response) -> int:
    """The number after the last segment of a media playlist, -1 when there is none."""
    first = re.search(r"^#EXT-X-MEDIA-SEQUENCE:([0-9]+)", playlist.text, re.M)
    if playlist.status_code != 200 or first is None:
        return -1
    return int(first.group(1)) + playlist.text.count("#EXTINF:")


def pids() -> list[int]:
    """Every process of this machine."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def command_line(pid: int) -> str:
    """How a process was started; empty for one that is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def is_running(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    with suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


class Encoder:
    """ffmpeg (or another program) that publishes; its words go to a file, for failures."""

    def __init__(self, url: str, *, argv: Sequence[str] = (), clip: Path | None = None) -> None:
        self.url = url
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        self._process = subprocess.Popen(
            [*argv] or clip_argv(clip or default_clip(), url),
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_gone(self) -> bool:
        """Whether it has ended by itself: refused, or cut."""
        return self._process.poll() is not None

    def was_refused(self, seconds: float = 5.0) -> bool:
        """Wait for its end; whether it ended as a failure."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds) != 0
        return False

    def said(self) -> str:
        """Everything it wrote."""
        self._said.seek(0)
        return self._said.read().decode(errors="replace")

    def stop(self) -> None:
        """End it, if it has not ended."""
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(10)
        self._said.close()


def clip_argv(clip: Path, url: str) -> list[str]:
    """Publish a clip in a loop and in real time, without encoding anything."""
    loop = ["-stream_loop", "-1", "-re", "-i", str(clip)]
    return ["ffmpeg", "-v", "error", "-nostdin", *loop, "-c", "copy", "-f", "flv", url]


def make_clip(path: Path, *options: str, size: str = "640x360", seconds: int = 8) -> Path:
    """A moving picture with a keyframe each second, and a tone."""
    usual = ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "600k", "-g", "30"]
    sound = ["-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "64k"]
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i"]
        + [f"testsrc2=s={size}:r=30", "-f", "lavfi", "-i", "sine=sample_rate=44100"]
        + ["-t", str(seconds), *(options or (*usual, *sound)), "-f", "flv", str(path)],
        check=True,
        timeout=60,
    )
    return path


_clip_lock = threading.Lock()


def default_clip() -> Path:
    """The clip every encoder sends that is given no other; made once per machine and day."""
    path = Path(tempfile.gettempdir()) / f"putlive-test-clip-{os.getuid()}-1.flv"
    with _clip_lock:
        if not path.exists():
            make_clip(path.with_suffix(f".{os.getpid()}")).replace(path)
    return path


@dataclass
class Api:
    """A browserless user of the API; every answer is checked for its status."""

    base: str
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.base, timeout=8, trust_env=False)

    def log_in(self, user: str, password: str) -> None:
        """Log in with the one-time password and choose another one, as people have to."""
        login = self._ask("POST", "/api/auth/login", {"username": user, "password": password})
        assert login["user"]["must_change_password"]
        self._use(login)
        wanted = {"current_password": password, "new_password": PASSWORD}
        self._use(self._ask("POST", "/api/auth/password", wanted))

    def _use(self, login: Mapping[str, Any]) -> None:
        self.http.cookies.clear()
        self.headers = {"Authorization": f"Bearer {login['token']}"}

    def get(self, path: str) -> Any:
        return self._ask("GET", path)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._ask("POST", path, body)

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._ask("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)

    def raw(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        """An answer whatever its status."""
        return self.http.request(method, path, headers=self.headers, **more)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self.http.request(method, path, json=body, headers=self.headers)
        assert answer.status_code in (200, 201), f"{method} {path}: {answer.text}"
        return answer.json()

    def close(self) -> None:
        self.http.close()


class Numbers:
    """Every number the media playlists of a station ever showed, looked at as players do."""

    def __init__(self, station: Station, names: Sequence[str], every: float = 0.2) -> None:
        self.first: dict[str, list[int]] = {name: [] for name in names}
        self.next: dict[str, list[int]] = {name: [] for name in names}
        self.breaks: dict[str, set[int]] = {name: set() for name in names}
        self.gone: dict[str, int] = dict.fromkeys(names, 0)
        self._base = f"http://127.0.0.1:{station.http}/live/"
        self._every = every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Numbers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(10)

    def _watch(self) -> None:
        with httpx.Client(base_url=self._base, timeout=5, trust_env=False) as http:
            while not self._done.wait(self._every):
                for name in self.first:
                    with suppress(httpx.TransportError):
                        self._note(name, http.get(f"{name}.m3u8"))

    def _note(self, name: str, answer: httpx.Response) -> None:
        if answer.status_code != 200:
            self.gone[name] += bool(self.first[name])
            return
        number = first = int(answer.text.partition("#EXT-X-MEDIA-SEQUENCE:")[2].split()[0])
        for line in answer.text.splitlines():
            if line == "#EXT-X-DISCONTINUITY":
                self.breaks[name].add(number)
            number += line.startswith("#EXTINF:")
        self.first[name].append(first)
        self.next[name].append(number)

    def newest(self, name: str) -> int:
        """The number after the last segment, as of the last look."""
        return self.next[name][-1] if self.next[name] else -1

    def wait_for(self, name: str, more: int, seconds: float = 12) -> None:
        """Wait until a rendition has so many further segments."""
        wanted = self.newest(name) + more
        until(lambda: self.newest(name) >= wanted, seconds, f"segment {wanted} of {name}")


class Player:
    """A viewer: reloads a media playlist each second and fetches the newest segment."""

    def __init__(self, station: Station, channel: str, sid: str = "", agent: str = "") -> None:
        self.statuses: list[int] = []
        self._url = f"http://127.0.0.1:{station.http}/live/{channel}.m3u8"
        self._sid = {"sid": sid} if sid else {}
        self._agent = agent or f"test player {sid}"
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leave without a word, as players do."""
        self._done.set()
        self._thread.join(10)

    def _watch(self) -> None:
        agent = {"User-Agent": self._agent}
        with httpx.Client(headers=agent, timeout=5, trust_env=False) as http:
            first = http.get(self._url, params=self._sid)
            self.statuses.append(first.status_code)
            uris = [line for line in first.text.splitlines() if not line.startswith("#")]
            while first.status_code == 200 and not self._done.wait(1.0):
                with suppress(httpx.TransportError):
                    self._reload(http, first.url.join(uris[0]))

    def _reload(self, http: httpx.Client, url: httpx.URL) -> None:
        playlist = http.get(url)
        self.statuses.append(playlist.status_code)
        newest = playlist.text.strip().splitlines()[-1]
        if playlist.status_code == 200 and newest.endswith(".ts"):
            self.statuses.append(http.get(url.join(newest)).status_code)
