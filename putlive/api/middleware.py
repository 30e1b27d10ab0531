"""Around every request: correlation id, limits on the body, CORS, audit line, counts, last resort.

Plain ASGI: each class wraps the next app and touches nothing it does not need.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from putlive.api.deps import SAFE_METHODS, client_address
from putlive.api.errors import BodyTooLarge, UnsupportedMedia, error_response, unexpected_response
from putlive.log import correlation

MAX_BODY_BYTES = 1 << 20
KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")

log = logging.getLogger("putlive.api")
audit = logging.getLogger("putlive.audit")

Count = Callable[[str, str, int, float], None]  # method, endpoint, status, seconds


class Edge:
    """Outermost: names the request, answers what nobody else did, notes what came of it."""

    def __init__(self, app: ASGIApp, count: Count, monotonic: Callable[[], float]) -> None:
        self._app = app
        self._count = count
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._monotonic()
        id = _correlation_id(Headers(scope=scope))
        token = correlation.set(id)
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Correlation-ID"] = id
                headers.setdefault("Cache-Control", "no-store")
                self._note(scope, status, self._monotonic() - began)
            await send(message)

        try:
            await self._app(scope, receive, named)
        except Exception:
            log.exception("request failed: %s %s", scope["method"], _path(scope))
            if not status:
                await unexpected_response(id)(scope, receive, named)
        finally:
            correlation.reset(token)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in KNOWN_METHODS else "OTHER"
        endpoint = str(getattr(scope.get("route"), "path", "unmatched"))
        self._count(method, endpoint, status, seconds)
        if method not in SAFE_METHODS and endpoint != "unmatched":
            audit.info(
                "%s %s by=%s address=%s status=%d %s",
                method,
                _path(scope),
                scope.get("putlive.who", "-"),
                client_address(Request(scope)),
                status,
                scope.get("putlive.target", ""),
            )


class Bodies:
    """Refuses bodies that are too large, or not said to be JSON, before anything reads them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        problem = _body_problem(headers)
        if problem is not None:
            await error_response(problem)(scope, receive, send)
            return
        await self._app(scope, _limited(receive), send)


class Cors:
    """Lets pages of the listed origins call the API with a bearer token, never with cookies."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin", "") if scope["type"] == "http" else ""
        if origin not in self._origins:
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("access-control-request-method")
        if scope["method"] == "OPTIONS" and asked:
            start = {"type": "http.response.start", "status": 204, "headers": []}
            _allow(MutableHeaders(scope=start), origin, preflight=True)
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return

        async def allowing(message: Message) -> None:
            if message["type"] == "http.response.start":
                _allow(MutableHeaders(scope=message), origin, preflight=False)
            await send(message)

        await self._app(scope, receive, allowing)


def _allow(headers: MutableHeaders, origin: str, *, preflight: bool) -> None:
    headers["Access-Control-Allow-Origin"] = origin
    headers.add_vary_header("Origin")
    if preflight:
        headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE"
        headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, X-Correlation-ID"
        headers["Access-Control-Max-Age"] = "600"
    else:
        headers["Access-Control-Expose-Headers"] = "X-Correlation-ID, Retry-After"


def _body_problem(headers: Headers) -> BodyTooLarge | UnsupportedMedia | None:
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_BODY_BYTES:
        return BodyTooLarge("The body is too large.", hint="At most 1 MiB is taken.")
    has_body = "transfer-encoding" in headers or length not in ("", "0")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if (has_body or kind) and kind != "application/json":
        return UnsupportedMedia("Only JSON is taken.", hint="Send Content-Type: application/json.")
    return None


def _limited(receive: Receive) -> Receive:
    """`receive` that stops at the limit, for bodies that come without a length."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY_BYTES:
            # The one kind of error the framework lets through while it reads a body.
            raise HTTPException(413)
        return message

    return limited


def _correlation_id(headers: Headers) -> str:
    given = headers.get("x-correlation-id", "")
    return given if _ID.match(given) else uuid.uuid4().hex


def _path(scope: Scope) -> str:
    return quote(str(scope["path"])[:200], safe="/", errors="replace")
