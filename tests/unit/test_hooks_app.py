"""The hook door, called as an ASGI app: every wrong request with its exact outcome."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from putlive.api.hooks import MAX_BODY, hooks_app, is_loopback
from putlive.domain.streams import Allow, Deny, DenyReason, PublishRequest
from tests.unit.test_hooks import NGINX, SRS

SECRET = "the-hook-secret-of-this-station"
SRS_BODY = json.dumps(SRS).encode()
SRS_PATH = f"/hooks/{SECRET}/srs"
NGINX_PATH = f"/hooks/{SECRET}/nginx-rtmp"
YES = b'{"code":0}'


@dataclass
class Door:
    """The app with a handler that says what the test wants."""

    answer: Callable[[PublishRequest], Awaitable[Any]]
    asked: list[PublishRequest] = field(default_factory=list)
    ended: list[tuple[str, str]] = field(default_factory=list)
    reported: list[tuple[str, str]] = field(default_factory=list)
    limit_seconds: float = 2.0

    async def on_publish(self, request: PublishRequest) -> Any:
        self.asked.append(request)
        return await self.answer(request)

    async def on_unpublish(self, name: str, client_id: str) -> None:
        self.ended.append((name, client_id))

    async def knock(
        self,
        body: bytes | list[bytes] = SRS_BODY,
        path: str = SRS_PATH,
        *,
        method: str = "POST",
        peer: str | None = "127.0.0.1",
        headers: list[tuple[bytes, bytes]] | None = None,
    ) -> tuple[int, bytes]:
        """Send one request; status and body of the answer."""
        chunks = [body] if isinstance(body, bytes) else body
        messages: list[MutableMapping[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": i < len(chunks) - 1}
            for i, chunk in enumerate(chunks)
        ]
        scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": headers or [],
            "client": (peer, 40000) if peer is not None else None,
        }
        return await self.call(scope, messages)

    async def call(
        self, scope: dict[str, Any], messages: list[MutableMapping[str, Any]]
    ) -> tuple[int, bytes]:
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return messages.pop(0) if messages else await asyncio.Future()

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        app = hooks_app(
            SECRET,
            self.on_publish,
            self.on_unpublish,
            lambda word, peer: self.reported.append((word, peer)),
            limit_seconds=self.limit_seconds,
        )
        await app(scope, receive, send)
        assert [m["type"] for m in sent] == ["http.response.start", "http.response.body"]
        return sent[0]["status"], sent[1]["body"]


async def allow(request: PublishRequest) -> Any:
    return Allow()


async def deny(request: PublishRequest) -> Any:
    return Deny(DenyReason.UNKNOWN_KEY)


async def never(request: PublishRequest) -> Any:
    await asyncio.Future()


async def fail(request: PublishRequest) -> Any:
    raise RuntimeError(f"no idea what to do with {request.secret}")


async def answer_nothing(request: PublishRequest) -> Any:
    return None


@pytest.mark.parametrize(
    "path,body,handler,expected",
    [
        (SRS_PATH, SRS_BODY, allow, (200, YES)),
        (SRS_PATH, SRS_BODY, deny, (403, b'{"code":1}')),
        (NGINX_PATH, NGINX.encode(), allow, (204, b"")),
        (NGINX_PATH, NGINX.encode(), deny, (403, b"")),
    ],
)
async def test_a_decision_is_told_in_the_engines_words(
    path: str, body: bytes, handler: Any, expected: tuple[int, bytes]
) -> None:
    door = Door(handler)
    assert await door.knock(body, path) == expected
    assert [r.name for r in door.asked] == ["main"] and door.reported == []


async def test_the_end_of_an_input_is_passed_on() -> None:
    door = Door(allow)
    ended = json.dumps({**SRS, "action": "on_unpublish"}).encode()
    assert await door.knock(ended) == (200, YES)
    assert door.ended == [("main", "91l7e03j")] and door.asked == []


async def test_an_unknown_action_is_accepted_and_ignored() -> None:
    door = Door(fail)
    assert await door.knock(b'{"action": "on_play"}') == (200, YES)
    assert (door.asked, door.ended, door.reported) == ([], [], [])


WRONG: list[tuple[str, dict[str, Any], int, str]] = [
    ("another host", {"peer": "192.0.2.9"}, 403, "not_loopback"),
    ("another host over IPv6", {"peer": "::ffff:192.0.2.9"}, 403, "not_loopback"),
    ("no address", {"peer": None}, 403, "not_loopback"),
    ("no secret", {"path": "/hooks/srs"}, 404, "not_found"),
    ("empty secret", {"path": "/hooks//srs"}, 403, "bad_secret"),
    ("wrong secret", {"path": "/hooks/guess/srs"}, 403, "bad_secret"),
    ("part of the secret", {"path": f"/hooks/{SECRET[:-1]}/srs"}, 403, "bad_secret"),
    ("a secret beyond ASCII", {"path": "/hooks/ge\u0301heim\ud800/srs"}, 403, "bad_secret"),
    ("no such engine", {"path": f"/hooks/{SECRET}/ome"}, 404, "not_found"),
    ("another path", {"path": "/api/health"}, 404, "not_found"),
    ("wrong method", {"method": "GET"}, 405, "bad_method"),
    ("a huge body", {"body": b"x" * (MAX_BODY + 1)}, 413, "too_big"),
    ("a huge body in pieces", {"body": [b"x" * 9000] * 3}, 413, "too_big"),
    ("a huge promise", {"headers": [(b"content-length", b"999999999")]}, 413, "too_big"),
    ("no JSON", {"body": b"key=value"}, 400, "malformed"),
    ("an empty body", {"body": b""}, 400, "malformed"),
    ("the other engine's body", {"path": NGINX_PATH}, 400, "malformed"),
]


@pytest.mark.parametrize(
    "request_,status,word", [w[1:] for w in WRONG], ids=[w[0].replace(" ", "_") for w in WRONG]
)
async def test_a_wrong_request_never_reaches_the_handler(
    request_: dict[str, Any], status: int, word: str
) -> None:
    door = Door(allow)
    assert await door.knock(**request_) == (status, b"")
    assert [w for w, _ in door.reported] == [word]
    assert door.asked == [] and door.ended == []


async def test_a_body_in_pieces_is_put_together() -> None:
    assert await Door(allow).knock([SRS_BODY[:50], SRS_BODY[50:]]) == (200, YES)


async def test_a_failing_handler_refuses_and_its_message_stays_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    door = Door(fail)
    with caplog.at_level(logging.DEBUG):
        assert await door.knock() == (500, b"")
    assert door.reported == [("failed", "127.0.0.1")]
    assert "RuntimeError" in caplog.text and "s3cret" not in caplog.text


async def test_a_slow_handler_refuses_after_the_limit() -> None:
    door = Door(never, limit_seconds=0.01)
    assert await door.knock() == (503, b"")
    assert door.reported == [("slow", "127.0.0.1")]


async def test_a_body_that_never_comes_is_refused_after_the_limit() -> None:
    door = Door(allow, limit_seconds=0.01)
    assert await door.knock([]) == (503, b"")
    assert door.asked == []


async def test_a_caller_that_hangs_up_is_refused() -> None:
    door = Door(allow)
    scope = {"type": "http", "method": "POST", "path": SRS_PATH, "client": ("127.0.0.1", 1)}
    assert await door.call(scope, [{"type": "http.disconnect"}]) == (400, b"")


async def test_a_handler_that_does_not_say_yes_refuses() -> None:
    assert (await Door(answer_nothing).knock())[0] == 403


async def test_the_lifespan_is_answered_and_ends() -> None:
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> MutableMapping[str, Any]:
        return messages.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    door = Door(allow)
    app = hooks_app(SECRET, door.on_publish, door.on_unpublish, lambda word, peer: None)
    await app({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize(
    "address,expected",
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_only_the_machine_itself_is_loopback(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected
