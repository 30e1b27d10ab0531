"""Real processes: groups are killed whole, no zombie stays, orphans end, others are not touched."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys

import pytest

from putlive.adapters.host.clock import SystemClock
from putlive.adapters.host.machine import proportional_kb, written_bytes
from putlive.adapters.host.orphans import Marked, OrphanReaper, is_orphan, marked
from putlive.adapters.host.spawn import LocalSpawner, owner_mark, start_ticks
from putlive.domain.process import ProcessSpec, RestartPolicy
from putlive.services.running.supervisor import Supervisor

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


class Rig:
    def __init__(self, station: str) -> None:
        self.station, self.events = station, []
        self.me = owner_mark("daemon")
        self.supervisor = Supervisor(LocalSpawner(station, self.me), SystemClock(), self.emit)

    async def emit(self, event) -> None:
        self.events.append(event)


@pytest.fixture
async def rig(tmp_path):
    rig = Rig(f"test-{tmp_path.name}-{os.getpid()}")
    yield rig
    await rig.supervisor.close()
    assert list(marked(rig.station)) == []


async def until(is_so, seconds: float = 5.0):
    for _ in range(round(seconds / 0.01)):
        if value := is_so():
            return value
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true in time")


def alive(pid: int) -> bool:
    return start_ticks(pid) > 0


async def test_stop_takes_the_grandchild_along(rig, tmp_path) -> None:
    pidfile = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {pidfile}; trap '' TERM; wait; wait"
    rig.supervisor.start(ProcessSpec("wrapper", ("sh", "-c", script), stop_seconds=0.2))
    await until(lambda: pidfile.exists() and pidfile.read_text().strip())
    grandchild = int(pidfile.read_text())
    await rig.supervisor.stop("wrapper")
    await until(lambda: not alive(grandchild))


async def test_a_killed_process_comes_back(rig) -> None:
    policy = RestartPolicy(start_seconds=60, base_delay=0.01)
    rig.supervisor.start(ProcessSpec("sleeper", ("sleep", "60"), policy=policy))
    [first] = await until(rig.supervisor.pids)
    os.kill(first, 9)
    await until(lambda: rig.supervisor.pids() - {first})
    assert rig.events[0].exit_code == -9


async def test_a_stopped_process_is_seen_as_stalled_and_replaced(rig) -> None:
    talk = "i=0; while :; do i=$((i+1)); echo frame=$i; echo progress=continue; sleep 0.05; done"
    policy = RestartPolicy(start_seconds=60, base_delay=0.01)
    spec = ProcessSpec("talker", ("sh", "-c", talk), policy=policy, stop_seconds=0.2)
    rig.supervisor.start(ProcessSpec(**{**vars(spec), "stall_seconds": 0.6}))
    await until(lambda: int(rig.supervisor.status("talker").progress.get("frame", 0)) > 3)
    [first] = rig.supervisor.pids()
    os.kill(first, 19)  # STOP
    await until(lambda: rig.supervisor.pids() - {first})
    assert rig.supervisor.status("talker").stalls == 1 and not alive(first)


async def test_the_last_words_become_the_reason_and_hide_keys(rig) -> None:
    say = "echo 'rtmp://h/live/main?key=abcd2345-s3cret: refused' >&2; exit 3"
    policy = RestartPolicy(restart=False)
    rig.supervisor.start(ProcessSpec("loser", ("sh", "-c", say), policy=policy))
    await until(lambda: rig.events)
    assert (rig.events[0].exit_code, rig.events[0].reason) == (
        3,
        "rtmp://h/live/main?key=…: refused",
    )


async def test_a_program_that_is_not_there_is_said_so(rig) -> None:
    rig.supervisor.start(ProcessSpec("nobody", ("/no/such/program",), policy=RestartPolicy(False)))
    await until(lambda: rig.events)
    assert rig.events[0].reason == "cannot be started: No such file or directory"


async def test_its_own_log_and_niceness(rig, tmp_path) -> None:
    path = tmp_path / "log"
    spec = ProcessSpec(
        "writer", ("sh", "-c", "nice; sleep 60"), nice=7, log_path=str(path), stop_seconds=1
    )
    rig.supervisor.start(spec)
    await until(lambda: path.exists() and path.read_text())
    assert path.read_text() == "7\n"


async def test_orphans_of_a_dead_daemon_end_and_nothing_else_does(rig) -> None:
    child = (
        "import os,sys; os.environ.update(PUTLIVE_STATION=sys.argv[1], PUTLIVE_PROCESS='rung:x',"
        " PUTLIVE_OWNER='daemon:999999:1'); os.execvp('sleep', ['sleep', '60'])"
    )
    orphan = await asyncio.create_subprocess_exec(sys.executable, "-c", child, rig.station)
    other = await asyncio.create_subprocess_exec("sleep", "60")
    rig.supervisor.start(ProcessSpec("mine", ("sleep", "60")))
    await until(rig.supervisor.pids)
    await until(lambda: any(p.pid == orphan.pid for p in marked(rig.station)))
    try:
        reaper = OrphanReaper(rig.station, "daemon", rig.me)
        assert reaper.sweep() == ["rung:x"]
        assert await asyncio.wait_for(orphan.wait(), 5) == -15
        assert reaper.sweep() == []
        assert other.returncode is None and len(rig.supervisor.pids()) == 1
    finally:
        other.kill()
        await other.wait()


def test_an_owner_is_known_by_role_pid_and_start() -> None:
    me = owner_mark("daemon")
    mine, reused = Marked(1, me, "x"), Marked(1, f"daemon:{os.getpid()}:1", "x")
    assert not is_orphan(mine, "daemon", me)
    assert not is_orphan(mine, "daemon", "daemon:1:1")  # another supervisor that is alive
    assert is_orphan(reused, "daemon", me)
    assert not is_orphan(reused, "up", me)


async def test_zombies_left_to_us_are_reaped_and_exit_codes_stay_right(rig) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(SUBREAPER, 1, 0, 0, 0) == 0
    try:
        reaper, codes, reaped = OrphanReaper(rig.station, "daemon", rig.me), [], 0
        for _ in range(10):
            # The shell leaves a background child behind, which then comes to us.
            proc = await asyncio.create_subprocess_exec("sh", "-c", "sleep 0.05 & exit 7")
            reaped += reaper.reap(frozenset({proc.pid}))
            codes.append(await proc.wait())
        await asyncio.sleep(0.2)
        reaped += reaper.reap(frozenset()) + reaper.reap(frozenset())
        assert (codes, reaped) == ([7] * 10, 10)
    finally:
        libc.prctl(SUBREAPER, 0, 0, 0, 0)


def test_figures_of_a_process() -> None:
    before = written_bytes(os.getpid())
    with open(os.devnull, "wb", buffering=0) as file:
        file.write(b"x" * 4096)
    assert written_bytes(os.getpid()) >= before + 4096
    assert proportional_kb(os.getpid()) > 1000
    assert written_bytes(999_999) is None and proportional_kb(999_999) == 0
    assert start_ticks(999_999) == 0
