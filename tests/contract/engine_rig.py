"""The stage for the engine contract: a fake, or a real engine with real hooks and encoders.

The real one is started from the configuration PutLive renders, on free ports, below one folder.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Union

import uvicorn

from putlive.adapters.engines.engine_config import EngineName, EngineSecrets, prepare_engine
from putlive.adapters.engines.loopback_http import BasicAuth, LoopbackHttp
from putlive.adapters.engines.nginx_rtmp import NginxRtmpEngine
from putlive.adapters.engines.srs import SrsEngine
from putlive.api.hooks import hooks_app
from putlive.domain.process import ProcessSpec
from putlive.domain.streams import Allow, Deny, DenyReason, PublishRequest
from putlive.errors import EngineDown
from putlive.ports import MediaEngine
from putlive.settings import Layout, Ports, Settings
from tests.fake_engine import FakeClient, FakeEngine

Answer = Union[Allow, Deny]
Decide = Callable[[PublishRequest], Awaitable[Answer]]
SECRETS = EngineSecrets(hook="hook-secret-for-tests", api="api-secret-for-tests")
KEY = "good-key"


async def by_key(request: PublishRequest) -> Answer:
    """The decision tests start with: one right key."""
    return Allow() if request.secret == KEY else Deny(DenyReason.UNKNOWN_KEY)


@dataclass
class Script:
    """What the hook handler answers, and all it was asked and told."""

    decide: Decide = by_key
    asked: list[PublishRequest] = field(default_factory=list)
    ended: list[tuple[str, str]] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)

    async def on_publish(self, request: PublishRequest) -> Answer:
        self.asked.append(request)
        return await self.decide(request)

    async def on_unpublish(self, name: str, client_id: str) -> None:
        self.ended.append((name, client_id))

    def report(self, word: str, address: str) -> None:
        self.reported.append(word)

    def clear(self) -> None:
        self.decide = by_key
        for seen in (self.asked, self.ended, self.reported):
            seen.clear()


class Encoder(Protocol):
    """Something that publishes."""

    def gone(self) -> bool:
        """Whether its connection was refused or has ended."""

    def vanish(self) -> None:
        """End without a goodbye."""

    def freeze(self) -> None:
        """Stay connected and send nothing."""

    def thaw(self) -> None: ...


class Rig(Protocol):
    engine: MediaEngine
    script: Script

    async def publish(self, path: str, key: str = KEY, *, app: str = "live") -> Encoder: ...

    def written(self) -> set[str]:
        """Every file below the rig's folder that an input's name could have made."""

    async def kill_engine(self) -> None:
        """Leave nothing of the engine, without a warning."""

    async def start_engine(self) -> None: ...

    async def stop_hooks(self) -> None: ...

    async def start_hooks(self) -> None: ...

    async def clear(self) -> None:
        """Between two tests: no encoder, nothing listed, an empty script."""

    def close(self) -> None: ...


async def until(what: Callable[[], Awaitable[bool]], seconds: float = 6.0) -> float:
    """Wait for something to be so; returns how long it took, fails when it never is."""
    began = time.monotonic()
    while not await what():
        assert time.monotonic() - began < seconds, f"not so within {seconds} s"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


class FakeRig:
    """The contract on the fake."""

    def __init__(self) -> None:
        self.script = Script()
        self.engine: MediaEngine = (fake := FakeEngine())
        self._fake = fake
        self._hear()

    def _hear(self) -> None:
        self._fake.hooks(self.script.on_publish, self.script.on_unpublish, limit_seconds=0.2)

    async def publish(self, path: str, key: str = KEY, *, app: str = "live") -> Encoder:
        return FakeEncoder(self._fake, self._fake.dial(path, key, app=app))

    def written(self) -> set[str]:
        return set()

    async def kill_engine(self) -> None:
        self._fake.die()

    async def start_engine(self) -> None:
        self._fake.start()

    async def stop_hooks(self) -> None:
        self._fake.no_hooks()

    async def start_hooks(self) -> None:
        self._hear()

    async def clear(self) -> None:
        await self._fake.hang_up_all()
        self.script.clear()

    def close(self) -> None: ...


@dataclass
class FakeEncoder:
    fake: FakeEngine
    client: FakeClient

    def gone(self) -> bool:
        return self.client.gone

    def vanish(self) -> None:
        self.fake.vanish(self.client)

    def freeze(self) -> None:
        self.client.sending = False

    def thaw(self) -> None:
        self.client.sending = True


class FfmpegEncoder:
    """ffmpeg sending a clip in a loop, in real time."""

    def __init__(self, clip: Path, url: str) -> None:
        self._process = subprocess.Popen(
            ["ffmpeg", "-v", "quiet", "-nostdin", "-stream_loop", "-1", "-re", "-i", str(clip)]
            + ["-c", "copy", "-f", "flv", url],
            stdin=subprocess.DEVNULL,
        )

    def gone(self) -> bool:
        return self._process.poll() is not None

    def vanish(self) -> None:
        self._process.kill()
        self._process.wait(5)

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


class RealRig:
    """The contract on a real engine."""

    def __init__(self, engine: EngineName, folder: Path, clip: Path) -> None:
        self.script = Script()
        self._clip = clip
        self._folder = folder
        self._encoders: list[FfmpegEncoder] = []
        self._rtmp, hooks, api = free_ports(3)
        self._hooks = HookServer(hooks, self.script)
        layout = Layout(folder / "state", folder / "hls")
        self._logs = layout.logs
        settings = Settings.model_validate(
            {"streaming": {"rtmp_port": self._rtmp, "hls": {"segment_duration": "1s"}}}
        )
        ports = Ports(hooks=hooks, engine_api=api)
        self._spec: ProcessSpec = prepare_engine(
            engine, settings, layout, ports, SECRETS, os.environ
        )
        self.engine = connect(engine, self._rtmp, api, layout)
        self._process: subprocess.Popen[bytes] | None = None
        self._hooks.start()
        asyncio.run(self.start_engine())

    async def publish(self, path: str, key: str = KEY, *, app: str = "live") -> Encoder:
        url = f"rtmp://127.0.0.1:{self._rtmp}/{app}/{path}?key={key}"
        self._encoders.append(encoder := FfmpegEncoder(self._clip, url))
        return encoder

    def written(self) -> set[str]:
        files = {str(p.relative_to(self._folder)) for p in self._folder.rglob("*") if p.is_file()}
        return {f for f in files if not f.startswith("state/")}

    async def kill_engine(self) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)  # the group, as the supervisor does
        self._process.wait(5)

    async def start_engine(self) -> None:
        with open(self._logs / "engine.log", "ab") as log:
            self._process = subprocess.Popen(
                self._spec.argv, stdout=log, stderr=log, start_new_session=True
            )
        await until(self._answers, 8)

    async def _answers(self) -> bool:
        try:
            await self.engine.health()
        except EngineDown:
            return False
        return True

    async def stop_hooks(self) -> None:
        await asyncio.to_thread(self._hooks.stop)

    async def start_hooks(self) -> None:
        await asyncio.to_thread(self._hooks.start)

    async def clear(self) -> None:
        for encoder in self._encoders:
            encoder.vanish()
        self._encoders.clear()
        await until(self._idle, 8)
        self.script.clear()

    async def _idle(self) -> bool:
        return not await self.engine.publishers()

    def close(self) -> None:
        for encoder in self._encoders:
            encoder.vanish()
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(10)
        self._hooks.stop()


def connect(engine: EngineName, rtmp: int, api: int, layout: Layout) -> MediaEngine:
    """The adapter of a running engine."""
    if engine == "srs":
        http = LoopbackHttp(api, "SRS", auth=BasicAuth("putlive", SECRETS.api))
        return SrsEngine(http, rtmp, layout.hls / "source")
    return NginxRtmpEngine(LoopbackHttp(api, "nginx-rtmp"), rtmp, SECRETS.api)


class HookServer:
    """The real hook app under uvicorn, in a thread with its own loop."""

    def __init__(self, port: int, script: Script) -> None:
        self._port = port
        self._app = hooks_app(SECRETS.hook, script.on_publish, script.on_unpublish, script.report)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        config = uvicorn.Config(
            self._app, "127.0.0.1", self._port, log_level="critical", lifespan="on", loop="asyncio"
        )
        self._server = server = uvicorn.Server(config)
        self._thread = threading.Thread(target=server.run, daemon=True)
        self._thread.start()
        while not server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(5)
            self._server = None


def free_ports(count: int) -> tuple[int, ...]:
    """Ports nobody listens on, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = tuple(one.getsockname()[1] for one in sockets)
    for one in sockets:
        one.close()
    return ports


def make_clip(folder: Path) -> Path:
    """Ten seconds of 854x480 H.264 with a keyframe each second, and AAC."""
    clip = folder / "clip.flv"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i"]
        + ["testsrc2=size=854x480:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=44100"]
        + ["-t", "10", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
        + ["-b:v", "800k", "-g", "30", "-c:a", "aac", "-f", "flv", str(clip)],
        check=True,
        timeout=60,
    )
    return clip
