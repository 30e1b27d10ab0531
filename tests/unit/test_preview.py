from __future__ import annotations

from datetime import datetime, timezone

from putlive.domain.process import ProcessSpec
from putlive.domain.streams import Claim
from putlive.services.program.preview import PreviewService
from tests.fake_hls import FakePictures
from tests.fakes import FakeClock
from tests.unit.test_renditions import FakeProcesses

LIVE = {"main": Claim("main", "c1", "k", "192.0.2.1", datetime(2026, 1, 1, tzinfo=timezone.utc))}


class Stage:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.pictures = FakePictures(self.clock)
        self.processes = FakeProcesses()
        self.service = PreviewService(
            self.pictures,
            self.processes,
            self.clock,
            lambda channel: ProcessSpec(f"preview:{channel}", ("ffmpeg",)),
        )


async def test_nothing_runs_while_nobody_looks() -> None:
    stage = Stage()
    await stage.service.reconcile(LIVE)
    assert stage.processes.starts == []


async def test_the_first_look_starts_it_and_has_no_picture_yet() -> None:
    stage = Stage()
    await stage.service.reconcile(LIVE)
    assert await stage.service.ask("main") is None
    assert stage.processes.starts == ["preview:main"]


async def test_a_fresh_picture_is_handed_out() -> None:
    stage = Stage()
    await stage.service.reconcile(LIVE)
    await stage.service.ask("main")
    stage.pictures.take("main")
    path = await stage.service.ask("main")
    assert path is not None and path.name == "main.jpg"


async def test_a_stale_picture_is_not_handed_out() -> None:
    stage = Stage()
    await stage.service.reconcile(LIVE)
    await stage.service.ask("main")
    stage.pictures.take("main")
    await stage.clock.advance(10.5)
    assert await stage.service.ask("main") is None


async def test_looking_on_keeps_one_process_running() -> None:
    stage = Stage()
    await stage.service.reconcile(LIVE)
    for _ in range(20):
        await stage.service.ask("main")
        await stage.clock.advance(2)
        await stage.service.reconcile(LIVE)
    assert stage.processes.starts == ["preview:main"]


async def test_ten_seconds_after_the_last_look_it_ends_and_the_picture_goes() -> None:
    stage = Stage()
    await stage.service.reconcile(LIVE)
    await stage.service.ask("main")
    stage.pictures.take("main")
    await stage.clock.advance(10)
    await stage.service.reconcile(LIVE)
    assert stage.processes.running
    await stage.clock.advance(1)
    await stage.service.reconcile(LIVE)
    assert not stage.processes.running
    assert stage.pictures.age_seconds("main") is None


async def test_off_air_it_ends_at_once() -> None:
    stage = Stage()
    await stage.service.reconcile(LIVE)
    await stage.service.ask("main")
    stage.pictures.take("main")
    await stage.service.reconcile({})
    assert not stage.processes.running
    assert await stage.service.ask("main") is None
    assert stage.processes.starts == ["preview:main"]


async def test_an_unknown_channel_starts_nothing() -> None:
    stage = Stage()
    await stage.service.reconcile(LIVE)
    assert await stage.service.ask("../etc/passwd") is None
    assert stage.processes.starts == []
