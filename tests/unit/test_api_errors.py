"""Bad requests: each gets its exact status in the one error shape."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt
import pytest

from putlive.adapters.vault.tokens import key_id
from putlive.api.middleware import MAX_BODY_BYTES
from putlive.domain.access import Role
from tests.fake_station import SECRET, START, Station, make_station

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def station() -> Station:
    return await make_station(allowed_origins=("https://good.example",))


@pytest.fixture
async def client(station: Station) -> AsyncIterator[httpx.AsyncClient]:
    async with station.client() as made:
        yield made


def error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The error of an answer that has to be exactly this one."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    body = answer.json()
    assert list(body) == ["error"]
    assert set(body["error"]) == {"code", "message", "hint", "fields"}
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    return dict(body["error"])


@pytest.mark.parametrize(
    "path", ["/nope", "/api/nope", "/api/channels/", "/api", "/docs", "/api/x/../../y"]
)
async def test_an_unknown_address_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    error(await client.get(path), 404, "not_found")


async def test_a_wrong_method_is_told_the_right_one(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/api/channels")
    error(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    "body",
    [b"{", b"", b"nonsense", b'{"username": "a",}', b"\xff\xfe", b"[" * 100_000, b'{"a":\x00}'],
)
async def test_a_body_that_is_not_json_is_malformed_or_missing(
    client: httpx.AsyncClient, body: bytes
) -> None:
    answer = await client.post("/api/auth/login", content=body, headers=JSON)
    if body:
        error(answer, 400, "malformed")
    else:
        error(answer, 422, "invalid")


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "null",
        '"x"',
        "7",
        "{}",
        '{"username": 7, "password": []}',
        '{"username": "\\ud800", "password": "x"}',
    ],
)
async def test_json_of_another_shape_names_its_fields(client: httpx.AsyncClient, body: str) -> None:
    found = error(await client.post("/api/auth/login", content=body, headers=JSON), 422, "invalid")
    assert found["fields"]


async def test_unknown_fields_are_errors_and_no_value_is_repeated(
    client: httpx.AsyncClient,
) -> None:
    body = {"username": "a", "password": "secret word", "admin": "secret word"}
    answer = await client.post("/api/auth/login", json=body)
    assert list(error(answer, 422, "invalid")["fields"]) == ["admin"]
    assert "secret word" not in answer.text


async def test_numbers_that_are_none_do_no_harm(client: httpx.AsyncClient) -> None:
    for body in ('{"username": NaN, "password": 1e999}', '{"username": ' + "9" * 5000 + "}"):
        answer = await client.post("/api/auth/login", content=body, headers=JSON)
        assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"]
)
async def test_another_content_type_is_refused(client: httpx.AsyncClient, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = await client.post("/api/auth/login", content=b"{}", headers=headers)
    error(answer, 415, "unsupported_media_type")


async def test_a_charset_does_not_matter(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    answer = await client.post("/api/auth/login", content=b"{}", headers=headers)
    error(answer, 422, "invalid")


async def test_a_body_of_more_than_a_mebibyte_is_refused(client: httpx.AsyncClient) -> None:
    large = b'"' + b"x" * MAX_BODY_BYTES + b'"'
    error(await client.post("/api/auth/login", content=large, headers=JSON), 413, "too_large")


async def test_a_body_without_a_length_is_cut_off_at_the_limit(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100:
            sent += 1
            yield b"x" * 65_536

    answer = await client.post("/api/auth/login", content=endless(), headers=JSON)
    error(answer, 413, "too_large")
    assert sent <= 18


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "Bearer " + "x" * 5000, "bearer\tx"],
)
async def test_no_other_authorization_is_taken(client: httpx.AsyncClient, header: str) -> None:
    answer = await client.get("/api/channels", headers={"Authorization": header})
    error(answer, 401, "not_authenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_forged_expired_and_unsigned_tokens_are_refused(
    station: Station, client: httpx.AsyncClient
) -> None:
    login = await station.login(Role.ADMIN)
    good = jwt.decode(login.token, options={"verify_signature": False})
    head = {"kid": key_id(SECRET)}
    past = {**good, "exp": int(START.timestamp()) - 1}
    tokens = [
        jwt.encode(good, b"f" * 32, algorithm="HS256", headers=head),
        jwt.encode(past, SECRET, algorithm="HS256", headers=head),
        jwt.encode(good, None, algorithm="none", headers=head),
        jwt.encode({**good, "sid": "other"}, SECRET, algorithm="HS256", headers=head),
        jwt.encode({**good, "sub": "2"}, SECRET, algorithm="HS256", headers=head),
    ]
    for token in tokens:
        answer = await client.get("/api/channels", headers={"Authorization": f"Bearer {token}"})
        error(answer, 401, "not_authenticated")


@pytest.mark.parametrize(
    "name",
    ["..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a%00b", "%ff", "A", "x" * 300, "demo%0a", "d emo"],
)
async def test_tricks_in_channel_names_find_nothing(
    station: Station, client: httpx.AsyncClient, name: str
) -> None:
    headers = await station.bearer(Role.ADMIN)
    for path in (
        f"/api/channels/{name}",
        f"/api/channels/{name}/preview.jpg",
        f"/api/public/{name}",
    ):
        answer = await client.get(path, headers=headers)
        error(answer, 404, "not_found")
    assert station.previews.asked == []


@pytest.mark.parametrize("name", ["../x", "A", "x" * 41, "", "a/b", "demo\n", "ä", "-a"])
async def test_a_channel_cannot_be_given_a_dangerous_name(
    station: Station, client: httpx.AsyncClient, name: str
) -> None:
    headers = await station.bearer(Role.ADMIN)
    answer = await client.post("/api/channels", json={"name": name, "title": ""}, headers=headers)
    assert "name" in error(answer, 422, "invalid")["fields"]


async def test_a_fault_of_ours_is_a_500_without_details(
    station: Station, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("a secret detail")

    station.statuses.station = broken  # type: ignore[method-assign, assignment]
    id = "abcdefgh-1234"
    answer = await client.get("/api/health", headers={"X-Correlation-ID": id})
    found = error(answer, 500, "internal")
    assert id in found["hint"]
    assert answer.headers["x-correlation-id"] == id
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "a b c d e f", "abc\tdefgh", "äääääääää"])
async def test_an_odd_correlation_id_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/api/health", headers={"X-Correlation-ID": given.encode()})
    assert answer.headers["x-correlation-id"] != given
    assert len(answer.headers["x-correlation-id"]) == 32


async def test_pages_of_listed_origins_may_call_and_no_others(client: httpx.AsyncClient) -> None:
    ask = {"Origin": "https://good.example", "Access-Control-Request-Method": "PATCH"}
    answer = await client.options("/api/users/1", headers=ask)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://good.example"
    assert "access-control-allow-credentials" not in answer.headers
    for origin in ("https://evil.example", "null", "https://good.example.evil.example"):
        answer = await client.options("/api/users/1", headers={**ask, "Origin": origin})
        assert answer.status_code == 405
        assert "access-control-allow-origin" not in answer.headers
    answer = await client.get("/api/nope", headers={"Origin": "https://good.example"})
    assert answer.headers["access-control-allow-origin"] == "https://good.example"
    assert answer.headers["vary"] == "Origin"


async def test_every_change_leaves_one_audit_line(
    station: Station, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    headers = await station.bearer(Role.ADMIN)
    with caplog.at_level(logging.INFO, "putlive.audit"):
        await client.post("/api/users", json={"username": "bob", "role": "viewer"}, headers=headers)
        await client.post("/api/stream/stop", json={"channel": "nope"}, headers=headers)
        await client.delete("/api/keys/a%0Ab")
        await client.get("/api/users", headers=headers)
    lines = [r.getMessage() for r in caplog.records if r.name == "putlive.audit"]
    assert lines == [
        "POST /api/users by=admin address=203.0.113.5 status=201 user=bob role=viewer",
        "POST /api/stream/stop by=admin address=203.0.113.5 status=404 ",
        "DELETE /api/keys/a%0Ab by=- address=203.0.113.5 status=401 ",
    ]


async def test_nothing_but_public_answers_may_be_cached(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/health")).headers["cache-control"] == "no-store"
    assert (await client.get("/api/channels")).headers["cache-control"] == "no-store"
    assert (await client.get("/api/public")).headers["cache-control"] == "public, max-age=2"
    assert (await client.get("/api/public/nope")).headers["cache-control"] == "no-store"


async def test_the_description_is_openapi_3_1_with_an_example_for_every_body(
    client: httpx.AsyncClient,
) -> None:
    described = json.loads((await client.get("/api/openapi.json")).text)
    assert described["openapi"] == "3.1.0"
    schemas = described["components"]["schemas"]
    assert "HTTPValidationError" not in schemas
    for name, model in schemas.items():
        for field, schema in model.get("properties", {}).items():
            known = "examples" in schema or "$ref" in json.dumps(schema)
            assert known, f"{name}.{field} has no example"
