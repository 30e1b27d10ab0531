"""The browser's two cookies: never readable by a script, never sent by a foreign page."""

from __future__ import annotations

from fastapi import Request, Response

from putlive.api.deps import REFRESH_COOKIE, SESSION_COOKIE
from putlive.services.people.sessions import Login

REFRESH_PATH = "/api/auth"


def set_cookies(request: Request, response: Response, login: Login) -> None:
    """Give the browser a login."""
    secure = is_https(request)
    for name, value, seconds, path in (
        (SESSION_COOKIE, login.token, login.token_seconds, "/"),
        (REFRESH_COOKIE, login.refresh_token, login.refresh_seconds, REFRESH_PATH),
    ):
        response.set_cookie(
            name, value, max_age=seconds, path=path, secure=secure, httponly=True, samesite="strict"
        )


def clear_cookies(request: Request, response: Response) -> None:
    """Take the login from the browser."""
    secure = is_https(request)
    for name, path in ((SESSION_COOKIE, "/"), (REFRESH_COOKIE, REFRESH_PATH)):
        response.delete_cookie(name, path=path, secure=secure, httponly=True, samesite="strict")


def is_https(request: Request) -> bool:
    """Whether the browser reached our nginx by https."""
    return request.headers.get("x-forwarded-proto", "").lower() == "https"
