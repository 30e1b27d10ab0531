"""Every edge of the life of a process, with a fake clock and fake children."""

from __future__ import annotations

import asyncio

import pytest

from putlive.domain.process import ProcessSpec, ProcessState, RestartPolicy
from putlive.services.running.supervisor import Supervisor
from tests.fakes import FakeClock, FakeSpawner

P = RestartPolicy(start_seconds=5, max_retries=2, base_delay=1, max_delay=60)


class Rig:
    def __init__(self) -> None:
        self.clock, self.spawner, self.events = FakeClock(), FakeSpawner(), []
        self.supervisor = Supervisor(self.spawner, self.clock, self.emit)

    async def emit(self, event) -> None:
        self.events.append(event)

    def state(self, name="news"):
        status = self.supervisor.status(name)
        return status.state if status else None


@pytest.fixture
async def rig():
    rig = Rig()
    yield rig
    await rig.supervisor.close()


def spec(**more) -> ProcessSpec:
    return ProcessSpec("news", ("ffmpeg",), policy=P, **more)


async def test_starting_becomes_running_after_its_start_seconds(rig) -> None:
    rig.supervisor.start(spec())
    await rig.clock.advance(4.9)
    assert rig.state() is ProcessState.STARTING
    await rig.clock.advance(0.2)
    assert rig.state() is ProcessState.RUNNING


async def test_a_process_that_dies_comes_back_after_a_pause(rig) -> None:
    rig.supervisor.start(spec())
    await rig.clock.advance(6)
    rig.spawner.children[0].words = "Connection refused"
    rig.spawner.children[0].exit(-9)
    await rig.clock.advance(0)
    assert rig.state() is ProcessState.BACKOFF
    assert rig.supervisor.status("news").reason == "Connection refused"
    await rig.clock.advance(1)
    assert len(rig.spawner.children) == 2
    assert [(e.exit_code, e.reason) for e in rig.events] == [(-9, "Connection refused")]
    assert rig.supervisor.status("news").restarts == 1


async def test_gives_up_after_its_retries_and_says_why(rig) -> None:
    rig.supervisor.start(ProcessSpec("bad", ("missing",), policy=P))
    await rig.clock.advance(120)
    assert rig.state("bad") is ProcessState.FATAL
    assert rig.supervisor.status("bad").reason.startswith("cannot be started")
    assert len(rig.events) == 3


async def test_a_process_that_was_given_up_can_be_started_again(rig) -> None:
    rig.supervisor.start(ProcessSpec("bad", ("missing",), policy=P))
    await rig.clock.advance(120)
    rig.supervisor.start(ProcessSpec("bad", ("ffmpeg",), policy=P))
    await rig.clock.advance(6)
    assert rig.state("bad") is ProcessState.RUNNING


async def test_stop_kills_what_does_not_obey(rig) -> None:
    rig.supervisor.start(spec(stop_seconds=5))
    await rig.clock.advance(6)
    rig.spawner.children[0].obeys = False
    stopping = asyncio.create_task(rig.supervisor.stop("news"))
    await rig.clock.advance(5)
    await stopping
    assert rig.spawner.children[0].signals[:2] == [15, 9]
    assert rig.state() is None and rig.supervisor.pids() == frozenset()


async def test_stop_during_the_pause_starts_nothing_more(rig) -> None:
    rig.supervisor.start(spec())
    await rig.clock.advance(6)
    rig.spawner.children[0].exit(1)
    await rig.clock.advance(0.5)
    await rig.supervisor.stop("news")
    await rig.clock.advance(60)
    assert len(rig.spawner.children) == 1


async def test_a_stalled_process_is_ended_and_started_again(rig) -> None:
    rig.supervisor.start(spec(stall_seconds=10))
    await rig.clock.advance(1)
    for second in range(8):
        rig.spawner.children[0].report(frame=str(second * 30), progress="continue")
        await rig.clock.advance(1)
    for _ in range(12):  # it goes on talking, but gets nowhere
        rig.spawner.children[0].report(frame="210", progress="continue")
        await rig.clock.advance(1)
    status = rig.supervisor.status("news")
    assert rig.spawner.children[0].signals[0] == 15
    assert (status.stalls, rig.events[0].reason) == (1, "stalled: no progress")
    await rig.clock.advance(2)
    assert len(rig.spawner.children) == 2


async def test_a_process_that_never_reports_is_stalled_too(rig) -> None:
    rig.supervisor.start(spec(stall_seconds=10))
    await rig.clock.advance(12)
    assert rig.spawner.children[0].signals[0] == 15


async def test_a_stopped_and_deaf_process_is_killed(rig) -> None:
    rig.supervisor.start(spec(stall_seconds=3, stop_seconds=2))
    await rig.clock.advance(1)
    rig.spawner.children[0].obeys = False
    await rig.clock.advance(10)
    assert rig.spawner.children[0].signals[:2] == [15, 9]


async def test_starting_twice_keeps_the_first(rig) -> None:
    rig.supervisor.start(spec())
    rig.supervisor.start(spec())
    await rig.clock.advance(1)
    assert len(rig.spawner.children) == 1
    assert [s.name for s in rig.supervisor.statuses()] == ["news"]
    assert rig.supervisor.pids() == {1000}


async def test_what_it_forked_is_killed_with_it(rig) -> None:
    rig.supervisor.start(spec())
    await rig.clock.advance(6)
    rig.spawner.children[0].exit(0)
    await rig.clock.advance(0)
    assert rig.spawner.children[0].signals == [9]  # to the group, after the leader is gone
