"""The event stream: first message, events, slow clients, limits, and the end of a login."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest

from putlive.api.events import QUEUE_MESSAGES
from putlive.domain.access import Role
from putlive.domain.events import EngineChanged
from putlive.services.people.sessions import Login
from tests.fake_station import START, Station, make_station
from tests.fakes import settle

Message = MutableMapping[str, Any]


class Listener:
    """An HTTP client that reads an endless answer; `reads` says how fast."""

    def __init__(self, station: Station, login: Login) -> None:
        self._gone = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "method": "GET",
            "path": "/api/events",
            "raw_path": b"/api/events",
            "query_string": b"",
            "headers": [(b"cookie", f"putlive_session={login.token}".encode())],
            "client": None,
            "scheme": "http",
            "root_path": "",
            "http_version": "1.1",
            "server": None,
        }
        self.task = asyncio.ensure_future(station.app(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        self.text += message.get("body", b"").decode()

    async def leave(self) -> None:
        self._gone.set()
        await asyncio.wait_for(self.task, 1)

    def messages(self, kind: str) -> list[Any]:
        blocks = [b.split("\n") for b in self.text.split("\n\n")]
        found = [b for b in blocks if f"event: {kind}" in b]
        return [json.loads(b[b.index(f"event: {kind}") + 1].removeprefix("data: ")) for b in found]


@pytest.fixture
async def station() -> Station:
    return await make_station(max_event_streams=2)


async def listen(station: Station, login: Login | None = None) -> Listener:
    listener = Listener(station, login or await station.login(Role.VIEWER))
    await settle()
    await settle()
    return listener


async def test_the_status_comes_at_once_and_every_two_seconds(station: Station) -> None:
    listener = await listen(station)
    assert listener.status == 200
    assert listener.headers["content-type"].startswith("text/event-stream")
    assert listener.headers["cache-control"] == "no-store"
    assert listener.headers["x-accel-buffering"] == "no"
    first = listener.messages("status")
    assert len(first) == 1
    assert first[0]["channels"][0]["name"] == "demo"
    assert first[0]["station"]["status"] == "ok"
    assert first[0]["station"]["machine"]["cpu_percent"] == 12.5
    for _ in range(3):
        await station.clock.advance(2)
    assert len(listener.messages("status")) == 4
    await listener.leave()


async def test_a_comment_keeps_the_connection_open(station: Station) -> None:
    listener = await listen(station)
    for _ in range(16):
        await station.clock.advance(2)
    assert listener.text.count(": ping\n\n") == 2
    await listener.leave()


async def test_an_event_comes_as_it_happens(station: Station) -> None:
    listener = await listen(station)
    await station.bus.publish(EngineChanged("srs", False, "two\nlines", START))
    await settle()
    assert listener.messages("event") == [
        {
            "kind": "engine_changed",
            "engine": "srs",
            "up": False,
            "detail": "two\nlines",
            "at": "2026-01-01T00:00:00+00:00",
        }
    ]
    await listener.leave()


@pytest.mark.parametrize("how", ["logout", "disable", "expiry"])
async def test_the_stream_ends_with_the_login(station: Station, how: str) -> None:
    login = await station.login(Role.VIEWER)
    await station.clock.advance(86_390)
    listener = await listen(station, login)
    if how == "logout":
        await station.accounts.logout(login.identity.session_id)
    elif how == "disable":
        await station.accounts.users.change(login.identity.user.id, active=False)
    else:
        await station.clock.advance(10)
    before = listener.text
    await station.bus.publish(EngineChanged("srs", True, "after the end", START))
    await station.clock.advance(2)
    await asyncio.wait_for(listener.task, 1)
    assert "after the end" not in listener.text.removeprefix(before)


async def test_only_so_many_streams_are_open_and_places_become_free(station: Station) -> None:
    first, second = await listen(station), await listen(station)
    third = await listen(station)
    assert third.status == 503
    assert json.loads(third.text)["error"]["code"] == "busy"
    await first.leave()
    fourth = await listen(station)
    assert fourth.status == 200
    for listener in (second, fourth):
        await listener.leave()
    assert len(station.bus._listeners) == 1, "only the metrics still listen"


async def test_a_client_that_does_not_read_is_let_go(station: Station) -> None:
    listener = await listen(station)
    listener.reads.clear()
    for i in range(QUEUE_MESSAGES + 3):
        await station.bus.publish(EngineChanged("srs", True, str(i), START))
        await settle()
    listener.reads.set()
    await asyncio.wait_for(listener.task, 1)
    assert len(listener.messages("event")) < QUEUE_MESSAGES
