from __future__ import annotations

import asyncio

from putlive.services.running.pulse import Pulse, Stage
from tests.fakes import FakeClock


class Manager:
    def __init__(self) -> None:
        self.beats = 0

    def ready(self, status: str) -> None: ...

    def alive(self) -> None:
        self.beats += 1

    def status(self, text: str) -> None: ...

    def stopping(self) -> None: ...


async def hang() -> None:
    await asyncio.get_running_loop().create_future()


async def test_the_watchdog_is_fed_only_after_a_full_round() -> None:
    clock, manager, ran = FakeClock(), Manager(), []

    async def note() -> None:
        ran.append(clock.monotonic())

    pulse = Pulse([Stage("first", note), Stage("second", note)], clock, manager)
    assert await pulse.step()
    assert (manager.beats, len(ran)) == (1, 2)


async def test_a_hanging_stage_starves_the_watchdog_and_the_others_still_run() -> None:
    clock, manager, ran = FakeClock(), Manager(), []

    async def note() -> None:
        ran.append(1)

    pulse = Pulse([Stage("stuck", hang, limit_seconds=5), Stage("fine", note)], clock, manager)
    task = asyncio.create_task(pulse.step())
    await clock.advance(5)
    assert await task is False
    assert (manager.beats, ran) == (0, [1])
    assert pulse.failing() == {"stuck": "took more than 5 s"}


async def test_a_failing_stage_is_logged_once_and_does_not_end_the_round(caplog) -> None:
    clock, manager = FakeClock(), Manager()
    broken = [True]

    async def fail() -> None:
        if broken[0]:
            raise RuntimeError("engine said nonsense")

    pulse = Pulse([Stage("engine", fail)], clock, manager)
    for _ in range(3):
        assert await pulse.step()
    assert manager.beats == 3
    assert pulse.failing() == {"engine": "engine said nonsense"}
    assert caplog.text.count("pulse: engine failed") == 1
    broken[0] = False
    await pulse.step()
    assert pulse.failing() == {}


async def test_slow_stages_run_less_often() -> None:
    clock, manager, ran = FakeClock(), Manager(), []

    async def note() -> None:
        ran.append(clock.monotonic())

    pulse = Pulse([Stage("rare", note, every_seconds=10)], clock, manager)
    task = asyncio.create_task(pulse.run())
    await clock.advance(21)
    task.cancel()
    assert ran == [0, 10, 20]
    assert manager.beats >= 10


async def test_it_goes_round_faster_while_something_is_about_to_come_on_air() -> None:
    clock, manager, ran, begins = FakeClock(), Manager(), [], [True]

    async def note() -> None:
        ran.append(round(clock.monotonic(), 1))

    pulse = Pulse([Stage("look", note)], clock, manager, lambda: begins[0])
    task = asyncio.create_task(pulse.run())
    await clock.advance(1.3)
    assert ran == [0, 0.4, 0.8, 1.2]
    begins[0] = False
    await clock.advance(4)
    task.cancel()
    assert ran == [0, 0.4, 0.8, 1.2, 3.2, 5.2]


async def test_a_round_that_takes_too_long_is_followed_by_a_short_rest() -> None:
    clock, manager, ran = FakeClock(), Manager(), []

    async def slow() -> None:
        ran.append(round(clock.monotonic(), 1))
        await clock.sleep(3)

    task = asyncio.create_task(Pulse([Stage("slow", slow)], clock, manager).run())
    await clock.advance(7)
    task.cancel()
    assert ran == [0, 3.1, 6.2]
