"""Login over HTTP: cookies, CSRF, refresh, the forced password change, and addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http.cookies import Morsel, SimpleCookie

import httpx
import pytest

from putlive.domain.access import Role
from tests.fake_station import PASSWORDS, Station, make_station

LOGIN = {"username": "operator", "password": PASSWORDS[Role.OPERATOR]}


@pytest.fixture
async def station() -> Station:
    return await make_station()


@pytest.fixture
async def client(station: Station) -> AsyncIterator[httpx.AsyncClient]:
    async with station.client() as made:
        yield made


def cookies(answer: httpx.Response) -> dict[str, Morsel[str]]:
    jar: SimpleCookie = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        jar.load(line)
    return dict(jar)


async def test_a_login_answers_tokens_and_who_it_is(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/auth/login", json=LOGIN)
    body = answer.json()
    assert set(body) == {"token", "expires_in", "refresh_token", "csrf_token", "user"}
    assert body["expires_in"] == 86400
    assert (body["user"]["username"], body["user"]["role"]) == ("operator", "operator")
    assert body["user"]["must_change_password"] is False


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_cookies_are_out_of_reach_of_scripts_and_other_sites(
    client: httpx.AsyncClient, scheme: str
) -> None:
    headers = {"X-Forwarded-Proto": scheme}
    found = cookies(await client.post("/api/auth/login", json=LOGIN, headers=headers))
    assert set(found) == {"putlive_session", "putlive_refresh"}
    assert found["putlive_session"]["path"] == "/"
    assert found["putlive_refresh"]["path"] == "/api/auth"
    for cookie in found.values():
        assert cookie["httponly"] is True
        assert cookie["samesite"].lower() == "strict"
        assert bool(cookie["secure"]) is (scheme == "https")
        assert int(cookie["max-age"]) > 0


async def test_a_browser_reads_with_its_cookie_and_changes_with_the_csrf_token(
    client: httpx.AsyncClient,
) -> None:
    csrf = (await client.post("/api/auth/login", json=LOGIN)).json()["csrf_token"]
    session = (await client.get("/api/auth/session")).json()
    assert session["csrf_token"] == csrf
    assert session["user"]["username"] == "operator"
    body = {"channel": "demo"}
    for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "x" * 40}):
        answer = await client.post("/api/stream/start", json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf")
    answer = await client.post("/api/stream/start", json=body, headers={"X-CSRF-Token": csrf})
    assert answer.status_code == 200


async def test_the_csrf_token_of_another_login_does_not_help(
    station: Station, client: httpx.AsyncClient
) -> None:
    await client.post("/api/auth/login", json=LOGIN)
    other = await station.login(Role.OPERATOR)
    headers = {"X-CSRF-Token": other.csrf_token}
    answer = await client.post("/api/stream/start", json={"channel": "demo"}, headers=headers)
    assert answer.status_code == 403


async def test_a_bearer_token_needs_no_csrf_token_and_goes_before_the_cookie(
    station: Station, client: httpx.AsyncClient
) -> None:
    await client.post("/api/auth/login", json=LOGIN)
    headers = await station.bearer(Role.VIEWER)
    answer = await client.post("/api/stream/start", json={"channel": "demo"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


async def test_a_browser_goes_on_by_its_refresh_cookie(client: httpx.AsyncClient) -> None:
    first = (await client.post("/api/auth/login", json=LOGIN)).json()
    answer = await client.post("/api/auth/refresh")
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] != first["refresh_token"]
    assert set(cookies(answer)) == {"putlive_session", "putlive_refresh"}
    stolen = {"refresh_token": first["refresh_token"]}
    assert (await client.post("/api/auth/refresh", json=stolen)).status_code == 401
    assert (await client.get("/api/auth/session")).status_code == 401


async def test_another_site_cannot_use_the_refresh_cookie(client: httpx.AsyncClient) -> None:
    await client.post("/api/auth/login", json=LOGIN)
    for path in ("/api/auth/refresh", "/api/auth/logout"):
        answer = await client.post(path, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
    assert (await client.get("/api/auth/session")).status_code == 200


async def test_a_logout_ends_the_login_and_takes_the_cookies(client: httpx.AsyncClient) -> None:
    login = (await client.post("/api/auth/login", json=LOGIN)).json()
    assert (await client.post("/api/auth/logout")).status_code == 403
    headers = {"X-CSRF-Token": login["csrf_token"]}
    answer = await client.post("/api/auth/logout", headers=headers)
    assert answer.json() == {"message": "You are logged out."}
    assert {int(c["max-age"]) for c in cookies(answer).values()} == {0}
    bearer = {"Authorization": f"Bearer {login['token']}"}
    assert (await client.get("/api/auth/session", headers=bearer)).status_code == 401


async def test_a_logout_by_the_refresh_cookie_alone_ends_the_login(
    client: httpx.AsyncClient,
) -> None:
    login = (await client.post("/api/auth/login", json=LOGIN)).json()
    client.cookies.delete("putlive_session")
    assert (await client.post("/api/auth/logout")).status_code == 200
    bearer = {"Authorization": f"Bearer {login['token']}"}
    assert (await client.get("/api/auth/session", headers=bearer)).status_code == 401


async def test_a_one_time_password_opens_nothing_but_its_own_change(
    station: Station, client: httpx.AsyncClient
) -> None:
    _, once = await station.accounts.users.create("fresh", Role.ADMIN, None)
    body = {"username": "fresh", "password": once}
    login = (await client.post("/api/auth/login", json=body)).json()
    assert login["user"]["must_change_password"] is True
    refused = await client.get("/api/channels")
    assert refused.json()["error"]["code"] == "password_change_required"
    change = {"current_password": once, "new_password": "a password of my own"}
    headers = {"X-CSRF-Token": login["csrf_token"]}
    answer = await client.post("/api/auth/password", json=change, headers=headers)
    assert answer.json()["user"]["must_change_password"] is False
    assert (await client.get("/api/channels")).status_code == 200


async def test_throttling_says_how_long_to_wait(client: httpx.AsyncClient) -> None:
    wrong = {**LOGIN, "password": "wrong password"}
    statuses = [(await client.post("/api/auth/login", json=wrong)).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    answer = await client.post("/api/auth/login", json=LOGIN)
    assert answer.headers["retry-after"] == "60"
    assert answer.json()["error"]["code"] == "too_many_attempts"
    elsewhere = {"X-Forwarded-For": "198.51.100.1"}
    assert (await client.post("/api/auth/login", json=LOGIN, headers=elsewhere)).status_code == 200


async def test_a_client_cannot_choose_its_own_address(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = {**LOGIN, "password": "wrong password"}
    for given in ("6.6.6.6, 203.0.113.8", "203.0.113.8"):
        headers = {"X-Forwarded-For": given}
        await client.post("/api/auth/login", json=wrong, headers=headers)
    failed = [m for m in caplog.messages if m.startswith("login failed")]
    assert failed == ["login failed: user=operator address=203.0.113.8"] * 2
    assert "6.6.6.6" not in caplog.text


async def test_a_password_that_is_too_long_is_told_so(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/auth/login", json={**LOGIN, "password": "x" * 73})
    assert answer.status_code == 422
    assert "72 bytes" in answer.json()["error"]["fields"]["password"]
