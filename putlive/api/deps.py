"""What routes are given: the services, the client's address, and who asks, checked by role."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import Depends, Request

from putlive.api.context import Context
from putlive.api.errors import CsrfRefused, PasswordChangeRequired
from putlive.domain.access import may
from putlive.errors import Forbidden, NotAuthenticated
from putlive.services.people.sessions import Identity

SESSION_COOKIE = "putlive_session"
REFRESH_COOKIE = "putlive_refresh"
CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# Who a route is for. `login`: anybody who is logged in, even with a one-time password.
Access = Literal["public", "login", "viewer", "operator", "admin"]
_RIGHT = {"viewer": "look", "operator": "operate", "admin": "administer"}


def context_of(request: Request) -> Context:
    """The services."""
    context: Context = request.app.state.context
    return context


async def _context(request: Request) -> Context:
    return context_of(request)


def client_address(request: Request) -> str:
    """The client's address as our nginx saw it; nobody else reaches the daemon's socket."""
    client = request.scope.get("client")
    peer = str(client[0]) if client else ""
    forwarded = request.headers.get("x-forwarded-for", "")
    if forwarded and (not peer or _is_loopback(peer)):
        return _address(forwarded.rpartition(",")[2].strip())
    return _address(peer) if peer else "local"


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return "unknown"


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


async def _client_address(request: Request) -> str:
    return client_address(request)


def authenticate(request: Request) -> Identity:
    """Who asks, by bearer token or session cookie.

    Raises `NotAuthenticated`, or `CsrfRefused` when a cookie alone would change something.
    """
    accounts = context_of(request).accounts
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise NotAuthenticated("Only bearer tokens are taken.", hint="Log in first.")
        who = accounts.identify(token.strip())
    else:
        who = accounts.identify(_cookie(request))
        check_csrf(request, accounts.csrf_token(who))
    request.scope["putlive.who"] = who.user.name
    return who


def _cookie(request: Request) -> str:
    token = request.cookies.get(SESSION_COOKIE, "")
    if not token:
        raise NotAuthenticated("You are not logged in.", hint="Log in first.")
    return token


def check_csrf(request: Request, expected: str) -> None:
    """Refuse a change that a foreign page could have made the browser ask for."""
    if request.method in SAFE_METHODS:
        return
    sent = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(sent.encode(), expected.encode()):
        raise CsrfRefused(
            "The CSRF token is missing or wrong.",
            hint="Send the csrf_token of GET /api/auth/session as X-CSRF-Token.",
        )


def guard(access: Access) -> Callable[[Request], Awaitable[None]]:
    """A check that lets in only those a route is for; what a handler is told is `Who`."""

    async def check(request: Request) -> None:
        if access == "public":
            return
        who = authenticate(request)
        request.scope["putlive.identity"] = who
        if access != "login":
            check_right(who, _RIGHT[access])

    return check


def check_right(who: Identity, right: str) -> None:
    """Refuse somebody without `right`, or with a one-time password."""
    if who.user.must_change_password:
        raise PasswordChangeRequired(
            "Choose a password of your own first.", hint="POST /api/auth/password."
        )
    if not may(who.user.role, right):
        raise Forbidden("Your role may not do this.", hint="Ask an admin.")


async def _who(request: Request) -> Identity:
    who: Identity = request.scope["putlive.identity"]
    return who


def note(request: Request, target: str) -> None:
    """Say in the audit line what was changed, e.g. `user=anna`; never a secret."""
    request.scope["putlive.target"] = target


Ctx = Annotated[Context, Depends(_context)]
Who = Annotated[Identity, Depends(_who)]
Address = Annotated[str, Depends(_client_address)]
