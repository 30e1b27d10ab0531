"""A whole station for the API: real accounts, channels and keys in memory, the rest faked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from putlive.adapters.vault.tokens import JwtTokens
from putlive.api.app import create_app
from putlive.api.context import Context, Site
from putlive.domain.access import Role
from putlive.domain.events import Event
from putlive.domain.health import Component, MachineFacts, StationHealth
from putlive.domain.process import ProcessState, ProcessStatus
from putlive.domain.status import (
    ChannelStatus,
    Input,
    OnAir,
    Refusal,
    RenditionStatus,
    ViewerStats,
)
from putlive.domain.streams import Channel, Claim, DenyReason
from putlive.errors import InvalidInput, NotFound
from putlive.ports import EventLog
from putlive.services.ingest.channels import ChannelService
from putlive.services.ingest.keys import KeyService
from putlive.services.people.accounts import AccountPolicy, AccountService
from putlive.services.people.sessions import Login
from putlive.services.program.history import HistoryService
from putlive.services.running.bus import Bus
from tests.fake_store import MemoryStore
from tests.fakes import FakeClock

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECRET = b"s" * 32
ADDRESS = "203.0.113.5"
PASSWORDS = {role: f"{role.value} and a long password" for role in Role}


class FakePasswords:
    """Fast, and counts what would have been slow."""

    decoy = "nobody's"

    def __init__(self) -> None:
        self.verified = 0
        self.before_verify: Callable[[], None] = lambda: None

    async def hash(self, password: str) -> str:
        return sha256(password.encode()).hexdigest()

    async def verify(self, password: str, hashed: str) -> bool:
        self.verified += 1
        self.before_verify()
        return await self.hash(password) == hashed


class FakePublishing:
    """One input on the channel `demo`."""

    def __init__(self) -> None:
        self.kicked: list[str] = []
        self.live = {"demo": Claim("demo", "client-1", "key-1", "203.0.113.7", START, True)}

    def claims(self) -> Mapping[str, Claim]:
        return self.live

    async def kick(self, channel: str) -> None:
        self.kicked.append(channel)


class FakeRenditions:
    """Two of them."""

    def __init__(self) -> None:
        self.switched: dict[tuple[str, str], bool] = {}

    async def set_enabled(self, channel: str, rendition: str, enabled: bool) -> None:
        if rendition == "source":
            raise InvalidInput("The source cannot be switched.", fields={"rendition": "Not it."})
        if rendition not in ("144p", "480p"):
            raise NotFound(f"There is no rendition {rendition}."[:80])
        self.switched[channel, rendition] = enabled


class FakePreviews:
    """No picture until a test gives a path."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.asked: list[str] = []

    async def ask(self, channel: str) -> Path | None:
        self.asked.append(channel)
        return self.path


class FakeStatuses:
    """`demo` is live, every other channel off air."""

    def __init__(self, channels: ChannelService) -> None:
        self._channels = channels
        self.parts = {
            "engine": Component("ok", "It answers.", {"version": "6.0"}),
            "database": Component("ok", "It can be read."),
        }
        self.facts: MachineFacts | None = MachineFacts(
            12.5, 2, 194_000_000, 1_000_000_000, {"/": 45.0}, {"/dev/shm": 12.0}
        )

    def channel(self, name: str) -> ChannelStatus:
        return _status(self._channels.get(name))

    def all(self) -> Sequence[ChannelStatus]:
        return [_status(c) for c in self._channels.all()]

    def station(self) -> StationHealth:
        return StationHealth(dict(self.parts), "0.1.0", 60.0)

    def machine(self) -> MachineFacts | None:
        return self.facts


def _status(channel: Channel) -> ChannelStatus:
    live = channel.name == "demo" and channel.enabled
    source = Input(
        "client-1", "key-1", "203.0.113.7", START, 1250, 30.0, 854, 480, "avc1.64001e,mp4a.40.2"
    )
    return ChannelStatus(
        channel=channel,
        state=OnAir.LIVE if live else OnAir.OFF_AIR,
        sentence="On air: live from 203.0.113.7." if live else "Off air.",
        advice="",
        input=source if live else None,
        uptime_seconds=60.0 if live else 0.0,
        viewers=ViewerStats(12, 20, 31, 5400.0, 456_789_012),
        renditions=[
            RenditionStatus("source", True, "live" if live else "waiting", "", 854, 480, 30.0, 1250)
        ],
        refusal=None if live else Refusal(DenyReason.WRONG_CHANNEL, "203.0.113.9", START),
    )


@dataclass
class Station:
    """The app, and every part a test wants to reach."""

    app: FastAPI
    context: Context
    store: MemoryStore
    clock: FakeClock
    passwords: FakePasswords
    accounts: AccountService
    bus: Bus
    publishing: FakePublishing
    renditions: FakeRenditions
    previews: FakePreviews
    statuses: FakeStatuses

    async def login(self, role: Role) -> Login:
        """A login of the user who has this role."""
        return await self.accounts.login(role.value, PASSWORDS[role], ADDRESS)

    async def bearer(self, role: Role) -> dict[str, str]:
        """Headers of an API client with this role."""
        return {"Authorization": f"Bearer {(await self.login(role)).token}"}

    @asynccontextmanager
    async def client(self, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client behind nginx: a unix socket, and the address in a header."""
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 0))
        given: dict[str, Any] = {"X-Forwarded-For": ADDRESS, **headers}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://tv.example.org", headers=given
        ) as client:
            yield client


def make_accounts(
    store: MemoryStore, clock: FakeClock, passwords: FakePasswords, events: EventLog | None = None
) -> AccountService:
    """Accounts with the default policy."""
    tokens = JwtTokens([SECRET], clock)
    return AccountService(
        store, clock, passwords, tokens, Bus(events or store.events), AccountPolicy()
    )


async def make_station(**site: Any) -> Station:
    """A station with the channel `demo`, and a user of each role called by its name."""
    store, clock, passwords = MemoryStore(), FakeClock(), FakePasswords()
    bus = Bus(store.events)
    tokens = JwtTokens([SECRET], clock)
    accounts = AccountService(store, clock, passwords, tokens, bus, AccountPolicy())
    await accounts.load()
    for role in Role:
        await accounts.users.create(role.value, role, PASSWORDS[role])
    channels, keys = ChannelService(store.channels), KeyService(store.keys, clock, SECRET)
    await channels.create("demo", "Demo")
    history = HistoryService()
    history.record("demo", clock.now(), 12, 1250)
    publishing, renditions, previews = FakePublishing(), FakeRenditions(), FakePreviews()
    statuses = FakeStatuses(channels)
    context = Context(
        accounts=accounts,
        channels=channels,
        keys=keys,
        publishing=publishing,
        renditions=renditions,
        previews=previews,
        statuses=statuses,
        history=history,
        bus=bus,
        events=store.events,
        processes=lambda: [
            ProcessStatus("keeper:demo", ProcessState.RUNNING, 10),
            ProcessStatus("rung:demo:480p", ProcessState.RUNNING, 11, 2, 1),
        ],
        zombies_reaped=lambda: 3,
        clock=clock,
        site=replace(Site(version="0.1.0"), **site),
    )
    return Station(
        create_app(context),
        context,
        store,
        clock,
        passwords,
        accounts,
        bus,
        publishing,
        renditions,
        previews,
        statuses,
    )


def failing(_: Event) -> None:
    """A listener that cannot listen."""
    raise RuntimeError("listener")
