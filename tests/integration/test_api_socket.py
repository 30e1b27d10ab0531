"""The API behind a real server on a unix socket, the way nginx reaches it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from putlive.adapters.web.uvicorn_server import serve, unix_listener
from putlive.domain.access import Role
from tests.fake_station import PASSWORDS, Station, make_station

LOGIN = {"username": "admin", "password": PASSWORDS[Role.ADMIN]}


@pytest.fixture
async def station() -> Station:
    return await make_station(max_event_streams=1)


@pytest.fixture
async def client(station: Station, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    path = tmp_path / "api.sock"
    serving = asyncio.create_task(serve(station.app, unix_listener(path)))
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://tv") as made:
            yield made
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def test_the_address_is_the_one_nginx_gives(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = {**LOGIN, "password": "wrong password"}
    headers = {"X-Forwarded-For": "203.0.113.77"}
    with caplog.at_level(logging.WARNING, "putlive.accounts"):
        answer = await client.post("/api/auth/login", json=wrong, headers=headers)
        await client.post("/api/auth/login", json=wrong)
    assert answer.status_code == 401
    assert caplog.messages == [
        "login failed: user=admin address=203.0.113.77",
        "login failed: user=admin address=local",
    ]


async def test_a_body_without_a_length_is_refused_while_it_comes(client: httpx.AsyncClient) -> None:
    async def large() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65_536

    headers = {"Content-Type": "application/json"}
    try:
        answer = await client.post("/api/auth/login", content=large(), headers=headers)
    except httpx.WriteError:
        return  # the server had answered and hung up before all was written
    assert answer.status_code == 413


async def test_a_listener_that_leaves_makes_room(
    station: Station, client: httpx.AsyncClient
) -> None:
    token = (await client.post("/api/auth/login", json=LOGIN)).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(2):
        async with client.stream("GET", "/api/events", headers=headers) as answer:
            assert answer.status_code == 200
            first = await anext(answer.aiter_text())
            assert "event: status\ndata: {" in first
            assert (await client.get("/api/events", headers=headers)).status_code == 503
        for _ in range(100):  # two seconds at most
            if station.app.state.event_streams._open == 0:
                break
            await asyncio.sleep(0.02)
