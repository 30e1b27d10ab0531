"""Keepers: one per channel where the engine needs it, and the fault only they can see."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from putlive.domain.process import ProcessSpec
from putlive.domain.streams import Channel, Claim, DenyReason
from putlive.services.ingest.keeper import KeeperService
from putlive.services.running.supervisor import Supervisor
from tests.fake_engine import FakeEngine
from tests.fakes import FakeClock, FakeSpawner

MAIN = Channel(1, "main", "Main")
LIVE = Claim("main", "c1", "k", "", datetime(2026, 1, 1, tzinfo=timezone.utc), confirmed=True)


class Rig:
    def __init__(self) -> None:
        self.clock, self.spawner, self.engine = FakeClock(), FakeSpawner(), FakeEngine()
        self.supervisor = Supervisor(self.spawner, self.clock, self.nothing)
        self.written, self.cuts = {}, []
        self.keeper = KeeperService(
            self.engine,
            self.supervisor,
            lambda name: ProcessSpec(f"keeper:{name}", ("rtmpdump",)),
            lambda pid: self.written.get(pid),
            self.cut,
            self.clock,
        )

    async def nothing(self, _) -> None: ...

    async def cut(self, channel, reason) -> None:
        self.cuts.append((channel, reason))

    async def rounds(self, seconds, claim=LIVE, grows=False, channel=MAIN) -> None:
        for _ in range(seconds // 2):
            if grows:
                for child in self.spawner.children:
                    self.written[child.pid] = self.written.get(child.pid, 0) + 1000
            claims = {"main": claim} if claim else {}
            await self.keeper.reconcile([channel], claims)
            await self.clock.advance(2)


@pytest.fixture
async def rig():
    rig = Rig()
    yield rig
    await rig.supervisor.close()


async def test_every_enabled_channel_has_one_also_off_air(rig) -> None:
    await rig.rounds(4, claim=None)
    assert [c.spec.name for c in rig.spawner.running()] == ["keeper:main"]
    await rig.rounds(2, claim=None, channel=replace(MAIN, enabled=False))
    assert rig.spawner.running() == []


async def test_an_engine_that_needs_none_gets_none(rig) -> None:
    rig.engine.needs_keeper = False
    await rig.rounds(4)
    assert rig.spawner.children == []


async def test_while_data_arrives_nothing_is_cut(rig) -> None:
    await rig.rounds(60, grows=True)
    assert rig.cuts == [] and len(rig.spawner.children) == 1


async def test_live_without_data_first_replaces_the_keeper_then_cuts_the_input(rig) -> None:
    await rig.rounds(10)
    assert len(rig.spawner.children) == 2 and rig.cuts == []
    await rig.rounds(8)
    assert rig.cuts == [("main", DenyReason.BROKEN)]


async def test_a_replaced_keeper_that_gets_data_ends_the_matter(rig) -> None:
    await rig.rounds(10)
    await rig.rounds(30, grows=True)
    assert rig.cuts == [] and len(rig.spawner.children) == 2


async def test_a_stalled_or_unconfirmed_input_is_not_judged(rig) -> None:
    await rig.rounds(40, claim=replace(LIVE, stalled=True))
    await rig.rounds(40, claim=replace(LIVE, confirmed=False))
    assert rig.cuts == [] and len(rig.spawner.children) == 1
