"""The stage for rungs: a real engine, a real publisher, and the real services in between."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from putlive.adapters.engines.engine_config import EngineName, prepare_engine
from putlive.adapters.host.clock import SystemClock
from putlive.adapters.host.spawn import LocalSpawner
from putlive.adapters.media import ffmpeg
from putlive.adapters.media.hls_files import PreviewPictures, TmpfsHls
from putlive.domain.alignment import cut_seconds
from putlive.domain.events import Event
from putlive.domain.ladder import Rung
from putlive.domain.media import SegmentFacts
from putlive.domain.mpegts import read_segment
from putlive.domain.playlists import parse_media
from putlive.domain.streams import Claim
from putlive.errors import EngineDown
from putlive.services.program.preview import PreviewService
from putlive.services.program.renditions import RenditionService
from putlive.services.running.supervisor import Supervisor
from putlive.settings import Layout, Ports, Settings
from tests.contract.engine_rig import KEY, SECRETS, HookServer, Script, connect, free_ports
from tests.fake_store import MemoryStore

CHANNEL = "main"


@dataclass
class Seen:
    """Everything one rendition's playlist ever showed."""

    first_numbers: list[int] = field(default_factory=list)
    next_numbers: list[int] = field(default_factory=list)
    uris: dict[str, int] = field(default_factory=dict)
    facts: dict[int, SegmentFacts] = field(default_factory=dict)
    numbers_of_reused_names: list[str] = field(default_factory=list)
    discontinuities: set[int] = field(default_factory=set)


class Station:
    """One channel on a real engine. `seen` is filled while the station runs."""

    def __init__(
        self, engine: EngineName, folder: Path, ladder: list[Rung], segment: float
    ) -> None:
        self.rtmp, hooks, api = free_ports(3)
        layout = Layout(folder / "state", folder / "hls")
        hls = {"segment_duration": f"{segment}s", "playlist_window": f"{6 * segment}s"}
        settings = Settings.model_validate({"streaming": {"rtmp_port": self.rtmp, "hls": hls}})
        ports = Ports(hooks=hooks, engine_api=api)
        self.hls = layout.hls
        self.clock = SystemClock()
        self.files = TmpfsHls(layout.hls, [rung.name for rung in ladder], self.clock)
        self.ladder = ladder
        self._hooks = HookServer(hooks, Script())
        self._spec = prepare_engine(engine, settings, layout, ports, SECRETS, os.environ)
        self.engine = connect(engine, self.rtmp, api, layout)
        self._log_path = layout.logs / "engine.log"
        self._engine_process: subprocess.Popen[bytes] | None = None
        self.programs = ffmpeg.find_programs()
        self.events: list[Event] = []
        self.supervisor = Supervisor(LocalSpawner("test", "test:1:1"), self.clock, self._emit)
        self.output = ffmpeg.RungOutput(
            layout.hls, cut_seconds(segment), 6, ffmpeg.TIMESTAMP_OFFSET[engine]
        )
        self.segment = segment
        self.store = MemoryStore()
        self.pictures = PreviewPictures(layout.previews, self.clock)
        self.renew_services()
        self.publisher: subprocess.Popen[bytes] | None = None
        self.claims: dict[str, Claim] = {}
        self.seen = {name: Seen() for name in ("source", *(r.name for r in ladder))}
        self._tasks: list[asyncio.Task[None]] = []

    def renew_services(self) -> None:
        """Forget all a daemon knew, as a restart does."""
        url = self.engine.play_url(CHANNEL)
        self.renditions = RenditionService(
            self.files,
            self.supervisor,
            self.clock,
            self.store.channels,
            self.ladder,
            partial(ffmpeg.rung_spec, self.programs, url, self.output),
            joins_at_last_keyframe=self.engine.joins_at_last_keyframe,
            segment_seconds=self.segment,
        )
        self.preview = PreviewService(
            self.pictures,
            self.supervisor,
            self.clock,
            lambda name: ffmpeg.preview_spec(self.programs, url, self.pictures.path(name), name),
        )

    async def _emit(self, event: Event) -> None:
        self.events.append(event)

    async def __aenter__(self) -> Station:
        self._hooks.start()
        with open(self._log_path, "ab") as log:
            self._engine_process = subprocess.Popen(
                self._spec.argv, stdout=log, stderr=log, start_new_session=True
            )
        await self.until(self._answers)
        if self.engine.needs_keeper:
            url = self.engine.play_url(CHANNEL)
            self.supervisor.start(ffmpeg.keeper_spec(self.programs, url, CHANNEL))
        self._tasks = [asyncio.create_task(self._pulse()), asyncio.create_task(self._record())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        failures = await asyncio.gather(*self._tasks, return_exceptions=True)
        self.unpublish()
        await self.supervisor.close()
        if self._engine_process is not None:
            os.killpg(self._engine_process.pid, signal.SIGTERM)
            self._engine_process.wait(10)
        await asyncio.to_thread(self._hooks.stop)
        for failure in failures:
            if not isinstance(failure, asyncio.CancelledError) and failure is not None:
                raise failure

    async def _answers(self) -> bool:
        try:
            await self.engine.health()
        except EngineDown:
            return False
        return True

    async def _pulse(self) -> None:
        while True:
            await self.renditions.reconcile(self.claims)
            await self.preview.reconcile(self.claims)
            await asyncio.sleep(min(2.0, self.segment))

    async def _record(self) -> None:
        while True:
            for name, seen in self.seen.items():
                self._note(name, seen)
            await asyncio.sleep(0.1)

    def _note(self, rendition: str, seen: Seen) -> None:
        playlist = parse_media(self.files.playlist(rendition, CHANNEL))
        if playlist is None:
            return
        seen.first_numbers.append(playlist.first_number)
        seen.next_numbers.append(playlist.next_number)
        for segment in playlist.segments:
            if segment.discontinuity:
                seen.discontinuities.add(segment.sequence)
            if seen.uris.setdefault(segment.uri, segment.sequence) != segment.sequence:
                seen.numbers_of_reused_names.append(segment.uri)
            data = self.files.segment(rendition, segment.uri)
            if segment.sequence not in seen.facts and data:
                facts = read_segment(data)
                if facts is not None:
                    seen.facts[segment.sequence] = facts

    def publish(self, *, size: str = "320x180", fps: str = "30", gop: int = 30) -> None:
        """Start an encoder and let it in, as the hook would."""
        self.publisher = subprocess.Popen(
            ["ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i"]
            + [f"testsrc2=s={size}:r={fps}", "-re", "-f", "lavfi", "-i", "sine=sample_rate=48000"]
            + ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "600k"]
            + ["-g", str(gop), "-sc_threshold", "0", "-c:a", "aac", "-b:a", "64k"]
            + ["-f", "flv", f"rtmp://127.0.0.1:{self.rtmp}/live/{CHANNEL}?key={KEY}"],
            stdin=subprocess.DEVNULL,
        )
        client = f"client-{self.publisher.pid}"
        self.claims = {CHANNEL: Claim(CHANNEL, client, "k", "127.0.0.1", self.clock.now())}

    def unpublish(self) -> None:
        """End the encoder; its claim goes with it."""
        self.claims = {}
        if self.publisher is not None:
            self.publisher.terminate()
            self.publisher.wait(10)
            self.publisher = None

    def kill(self, process: str) -> None:
        """End a supervised process without a warning."""
        status = self.supervisor.status(process)
        assert status is not None and status.pid
        os.kill(status.pid, signal.SIGKILL)

    async def until(self, what: Callable[[], object], seconds: float = 15.0) -> None:
        """Wait for something to be so; fails when it never is."""
        for _ in range(int(seconds / 0.05)):
            answer = what()
            if await answer if isinstance(answer, Awaitable) else answer:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"not so within {seconds} s; events: {self.events}")

    def aligned(self, rung: str, after: int = -1) -> list[float]:
        """How far apart segments of one number begin, in seconds, for numbers above `after`."""
        source, own = self.seen["source"].facts, self.seen[rung].facts
        return [
            own[number].first_pts - source[number].first_pts
            for number in sorted(own)
            if number > after and number in source
        ]


def pid_of(station: Station, process: str) -> int:
    """The pid of a supervised process, 0 when it does not run."""
    status = station.supervisor.status(process)
    return status.pid if status else 0


def cpu_seconds(pid: int) -> float:
    """User and system time a process has used (proc(5))."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0
