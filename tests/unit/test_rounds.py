from __future__ import annotations

import pytest

from putlive.adapters.vault.tokens import JwtTokens
from putlive.domain.access import Role
from putlive.domain.events import StreamEnded
from putlive.domain.health import MachineFacts
from putlive.errors import DatabaseUnavailable
from putlive.services.ingest.channels import ChannelService
from putlive.services.ingest.keys import KeyService
from putlive.services.people.accounts import AccountService
from putlive.services.people.first_run import make_usable
from putlive.services.running.bus import Bus
from putlive.services.running.rounds import Looks, StationRound
from putlive.services.running.status import Probes
from tests.fake_station import FakePasswords
from tests.fake_store import MemoryStore
from tests.fakes import FakeClock

FACTS = MachineFacts(1.0, 2, 10, 100, {"/": 10.0}, {"/dev/shm": 1.0})


async def fine() -> str | None:
    return None


async def test_the_station_round_fills_the_probes(caplog) -> None:
    store, probes = MemoryStore(), Probes()
    looks = Looks(lambda: ["rung:main:480p"], lambda: 2, lambda: FACTS, fine)
    station = StationRound(looks, store, probes)
    await station.tidy()
    await station.check()
    assert (probes.orphans_ended, probes.zombies_reaped, probes.machine) == (1, 2, FACTS)
    assert (probes.front_error, probes.database_error) == (None, None)
    assert "ended an orphan: rung:main:480p" in caplog.text


async def test_a_database_that_cannot_be_used_is_a_fact_and_no_failure() -> None:
    store, probes = MemoryStore(), Probes()

    async def broken() -> None:
        raise DatabaseUnavailable("The disk is full.")

    store.check = broken
    await StationRound(Looks(list, lambda: 0, lambda: FACTS, fine), store, probes).check()
    assert probes.database_error == "The disk is full."


async def test_the_bus_tells_everybody_even_when_one_fails(caplog) -> None:
    store, heard = MemoryStore(), []
    bus = Bus(store.events)

    def fails(_) -> None:
        raise ValueError

    bus.listen(fails)
    stop = bus.listen(heard.append)
    event = StreamEnded("main", "c1", "ended", 3.0, FakeClock().now())
    await bus.publish(event)
    stop()
    await bus.publish(event)
    assert heard == [event]
    assert [row.kind for row in await store.events.latest(5)] == ["stream_ended"] * 2
    assert "listener failed" in caplog.text


async def test_an_event_that_cannot_be_stored_is_still_told(caplog) -> None:
    class Broken:
        async def append(self, _) -> None:
            raise DatabaseUnavailable("disk full")

    heard, bus = [], Bus(Broken())
    bus.listen(heard.append)
    await bus.publish(StreamEnded("main", "c1", "ended", 3.0, FakeClock().now()))
    assert len(heard) == 1 and "event not stored" in caplog.text


class Station:
    def __init__(self, store: MemoryStore, clock: FakeClock) -> None:
        bus = Bus(store.events)
        self.clock = clock
        self.accounts = AccountService(
            store, clock, FakePasswords(), JwtTokens([b"s" * 32], clock), bus
        )
        self.channels = ChannelService(store.channels)
        self.keys = KeyService(store.keys, clock, b"s")

    async def first_run(self, channel="main"):
        for part in (self.accounts, self.channels, self.keys):
            await part.load()
        return await make_usable(channel, self.accounts, self.channels, self.keys, self.clock)


@pytest.fixture
def store():
    return MemoryStore()


async def test_first_run_makes_channel_admin_and_key_once(store) -> None:
    clock = FakeClock()
    first = await Station(store, clock).first_run()
    again = await Station(store, clock).first_run()
    assert first.stream_key == again.stream_key and first.stream_key.startswith("main?key=")
    assert len(await store.users.all()) == len(await store.keys.all()) == 1
    # Only its hash was kept, and nobody has chosen another one: so there is a fresh one.
    assert first.admin_password and again.admin_password
    assert first.admin_password != again.admin_password


async def test_a_chosen_password_is_never_replaced(store) -> None:
    station = Station(store, FakeClock())
    await station.first_run()
    await station.accounts.users.set_password(1, "my own password")
    assert (await Station(store, FakeClock()).first_run()).admin_password is None


async def test_another_channel_gets_its_own_key(store) -> None:
    clock = FakeClock()
    await Station(store, clock).first_run()
    second = await Station(store, clock).first_run("demo")
    assert second.stream_key.startswith("demo?key=")
    assert [u.role for u in await store.users.all()] == [Role.ADMIN]


async def test_a_revoked_key_is_replaced(store) -> None:
    station = Station(store, FakeClock())
    first = await station.first_run()
    await station.keys.revoke(station.keys.all()[0].id)
    assert (await Station(store, FakeClock()).first_run()).stream_key != first.stream_key
