"""The stand-in for systemd, with small programs instead of a station."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from putlive import foreground as foreground_module
from putlive.adapters.host.orphans import marked
from putlive.domain.process import ProcessSpec, RestartPolicy
from putlive.foreground import Foreground
from putlive.plan import Plan, people_text, read_plan, write_plan

READY = (
    "import os,socket,sys,time\n"
    "s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\n"
    "s.connect(os.environ['NOTIFY_SOCKET'])\n"
    "s.send(b'READY=1\\nSTATUS=fine')\n"
    "while True:\n"
    "    time.sleep(0.1)\n"
    "    s.send(b'WATCHDOG=1')\n"
)
TOLD = {
    "public_url": "http://127.0.0.1:1/",
    "hls_url": "http://127.0.0.1:1/live/main.m3u8",
    "rtmp_url": "rtmp://127.0.0.1:2/live",
    "stream_key": "main?key=x",
    "admin_user": "admin",
    "admin_password": None,
    "engine": "nginx-rtmp",
}


def plan(folder: Path, daemon: str = READY, **more) -> Plan:
    policy = RestartPolicy(max_retries=1, base_delay=0.05)
    env = {"NOTIFY_SOCKET": str(folder / "n")}
    specs = (
        ProcessSpec(
            "daemon",
            (sys.executable, "-c", daemon),
            env,
            policy,
            stop_seconds=1,
            log_path=str(folder / "daemon.log"),
        ),
        ProcessSpec("engine", ("sleep", "60"), policy=policy, stop_seconds=1),
    )
    hls = folder / "hls"
    (hls / "source").mkdir(parents=True)
    (hls / "source" / "x.ts").write_bytes(b"x")
    values = {
        "station": f"test-{folder.name}-{os.getpid()}",
        "specs": specs,
        "demo": None,
        "notify_path": str(folder / "n"),
        "live_playlist": str(hls / "main.m3u8"),
        "hls": str(hls),
        "ready": TOLD,
        "as_json": False,
    }
    return Plan(**{**values, **more})


class Run:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.said = plan, []
        self.foreground = Foreground(plan, self.said.append)
        self.task = asyncio.create_task(self.foreground.run())

    async def until(self, text: str, seconds: float = 10) -> None:
        for _ in range(round(seconds / 0.02)):
            if any(text in line for line in self.said) or self.task.done():
                break
            await asyncio.sleep(0.02)
        assert any(text in line for line in self.said), self.said

    def pid(self, name: str) -> int:
        return next(p.pid for p in marked(self.plan.station) if p.process == name)

    async def stop(self) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        return await asyncio.wait_for(self.task, 15)


@pytest.fixture
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("f")


def test_a_plan_goes_over_in_anonymous_memory_and_comes_out_the_same(folder) -> None:
    made = plan(folder, demo=ProcessSpec("demo", ("true",), stall_seconds=3.0))
    assert read_plan(write_plan(made)) == made


def test_people_are_told_the_password_only_when_there_is_one() -> None:
    assert "Password" not in people_text(TOLD)
    assert "abc" in people_text({**TOLD, "admin_password": "abc"})


async def test_it_runs_until_it_is_told_to_stop_and_leaves_nothing(folder) -> None:
    run = Run(plan(folder))
    await run.until("OBS stream key   main?key=x")
    assert await run.stop() == 0
    assert list(marked(run.plan.station)) == [] and not Path(run.plan.hls).exists()
    assert not (folder / "n").exists()


async def test_what_dies_is_started_again_and_said(folder) -> None:
    run = Run(plan(folder))
    await run.until("Ctrl-C stops it.")
    first = run.pid("engine")
    os.kill(first, signal.SIGKILL)
    await run.until("engine ended (signal 9): backoff")
    await asyncio.sleep(0.3)
    assert run.pid("engine") != first
    assert await run.stop() == 0


async def test_what_cannot_be_kept_running_ends_it_with_the_end_of_its_log(folder) -> None:
    run = Run(plan(folder, daemon="import sys; sys.exit('no such database')"))
    assert await asyncio.wait_for(run.task, 15) == 1
    assert "no such database" in run.said[-1] and "daemon cannot be kept running" in run.said[-1]
    assert list(marked(run.plan.station)) == []


async def test_a_daemon_that_never_gets_ready_ends_it(folder, monkeypatch) -> None:
    monkeypatch.setattr(foreground_module, "READY_SECONDS", 0.5)
    run = Run(plan(folder, daemon="import time; time.sleep(60)"))
    assert await asyncio.wait_for(run.task, 15) == 1
    assert "did not become ready" in run.said[-1]


async def test_a_demo_that_never_comes_on_air_ends_it(folder, monkeypatch) -> None:
    monkeypatch.setattr(foreground_module, "LIVE_SECONDS", 0.5)
    run = Run(plan(folder, demo=ProcessSpec("demo", ("sleep", "60"), stop_seconds=1)))
    assert await asyncio.wait_for(run.task, 15) == 1
    assert "did not come on air" in run.said[-1]


async def test_a_demo_that_is_live_is_announced_as_json(folder, capsys) -> None:
    demo = ProcessSpec("demo", ("sleep", "60"), stop_seconds=1)
    run = Run(plan(folder, demo=demo, as_json=True))
    await run.until("Publishing the test picture")
    Path(run.plan.live_playlist).write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx\n")
    await asyncio.sleep(0.5)
    assert await run.stop() == 0
    assert f'"pid": {os.getpid()}' in capsys.readouterr().out


async def test_a_hung_daemon_is_killed_and_started_again(folder, monkeypatch) -> None:
    monkeypatch.setattr(foreground_module, "WATCHDOG_SECONDS", 1.0)
    run = Run(plan(folder))
    await run.until("Ctrl-C stops it.")
    first = run.pid("daemon")
    os.kill(first, signal.SIGSTOP)
    await run.until("The daemon hung for 1 s")
    await asyncio.sleep(0.6)
    assert run.pid("daemon") != first
    assert await run.stop() == 0
