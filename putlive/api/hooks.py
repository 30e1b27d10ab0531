"""The door the media engine knocks at: a bare ASGI app, since its answer may take milliseconds.

It decides nothing. Whatever is not a clear yes from the handler refuses the publish.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Union

from putlive.adapters.engines import hooks
from putlive.adapters.engines.hooks import HookError, HookReply, Ignored, Unpublished
from putlive.domain.streams import Allow, Deny, PublishRequest

log = logging.getLogger(__name__)

MAX_BODY = 16 << 10
LIMIT_SECONDS = 2.0

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]

OnPublish = Callable[[PublishRequest], Awaitable[Union[Allow, Deny]]]
OnUnpublish = Callable[[str, str], Awaitable[None]]
Report = Callable[[str, str], None]


class _Refused(Exception):
    """This request gets no further: a status, and the word it is reported by."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status = status
        self.word = word


def hooks_app(
    secret: str,
    on_publish: OnPublish,
    on_unpublish: OnUnpublish,
    report: Report,
    *,
    limit_seconds: float = LIMIT_SECONDS,
) -> AsgiApp:
    """POST `/hooks/<secret>/srs` and `/hooks/<secret>/nginx-rtmp`, from loopback only.

    `report(word, address)` hears of each request that never became a decision; the words are
    not_loopback, not_found, bad_secret, bad_method, too_big, malformed, slow and failed.
    """

    async def answer(scope: Message, receive: Receive) -> HookReply:
        engine = _door(scope, secret)
        try:
            body = await asyncio.wait_for(_body(scope, receive), limit_seconds)
            hook = hooks.PARSERS[engine](body)
            yes = await asyncio.wait_for(_ask(hook, on_publish, on_unpublish), limit_seconds)
        except asyncio.TimeoutError:
            raise _Refused(503, "slow") from None
        except HookError:
            raise _Refused(400, "malformed") from None
        return hooks.accept(engine) if yes else hooks.refuse(engine)

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            try:
                reply = await answer(scope, receive)
            except Exception as exc:
                refused = _refusal(exc)
                report(refused.word, _peer(scope))
                reply = HookReply(refused.status)
            await _send(send, reply)

    return app


async def _ask(
    hook: PublishRequest | Unpublished | Ignored, on_publish: OnPublish, on_unpublish: OnUnpublish
) -> bool:
    if isinstance(hook, PublishRequest):
        return isinstance(await on_publish(hook), Allow)
    if isinstance(hook, Unpublished):
        await on_unpublish(hook.name, hook.client_id)
    return True


def _door(scope: Message, secret: str) -> str:
    """The engine named in the path, once everything else about the request is right."""
    if not is_loopback(_peer(scope)):
        raise _Refused(403, "not_loopback")
    parts = str(scope["path"]).split("/")
    if len(parts) != 4 or parts[:2] != ["", "hooks"]:
        raise _Refused(404, "not_found")
    if not hmac.compare_digest(parts[2].encode("utf-8", "replace"), secret.encode()):
        raise _Refused(403, "bad_secret")
    if parts[3] not in hooks.PARSERS:
        raise _Refused(404, "not_found")
    if scope["method"] != "POST":
        raise _Refused(405, "bad_method")
    return parts[3]


def is_loopback(address: str) -> bool:
    """Whether this is an address of the machine itself, also as IPv4 inside IPv6."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return bool((mapped or ip).is_loopback)


def _peer(scope: Message) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


async def _body(scope: Message, receive: Receive) -> bytes:
    body, more = b"", True
    if _length(scope) > MAX_BODY:
        raise _Refused(413, "too_big")
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Refused(400, "malformed")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise _Refused(413, "too_big")
    return body


def _length(scope: Message) -> int:
    text: bytes = dict(scope.get("headers") or ()).get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0


def _refusal(exc: Exception) -> _Refused:
    if isinstance(exc, _Refused):
        return exc
    # The message of an unknown error might quote a key, so only where it happened is told.
    where = "".join(traceback.format_tb(exc.__traceback__))
    log.error("a hook failed with %s\n%s", type(exc).__name__, where)
    return _Refused(500, "failed")


async def _send(send: Send, reply: HookReply) -> None:
    headers = [(b"content-length", str(len(reply.body)).encode())] if reply.status != 204 else []
    if reply.body:
        headers.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
