"""The one error shape: every failure of a request becomes `{"error": {...}}` here."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from putlive.errors import Forbidden, InvalidInput, PutLiveError, TooManyAttempts

MAX_FIELDS = 20


class PasswordChangeRequired(Forbidden):
    """Logged in with a one-time password; nothing but choosing another one is open."""

    code = "password_change_required"


class CsrfRefused(Forbidden):
    """A browser's request without proof that our own page made it."""

    code = "csrf"


class Malformed(PutLiveError):
    """The body is not JSON."""

    code = "malformed"


class BodyTooLarge(PutLiveError):
    """The body is larger than any request of this API needs."""

    code = "too_large"
    status = 413


class UnsupportedMedia(PutLiveError):
    """The body is said to be something else than JSON."""

    code = "unsupported_media_type"
    status = 415


class StationBusy(PutLiveError):
    """As many of these are open as the station allows."""

    code = "busy"
    status = 503


# Errors the framework itself raises: code, message, hint.
_BY_STATUS: Mapping[int, tuple[str, str, str]] = {
    400: ("malformed", "The body could not be read.", "Send JSON."),
    404: ("not_found", "There is nothing at this address.", "See /api/openapi.json."),
    405: ("method_not_allowed", "This address does not do that.", "See the Allow header."),
    413: ("too_large", "The body is too large.", "At most 1 MiB is taken."),
}


def error_response(error: PutLiveError) -> Response:
    """A PutLive error as people's programs get it."""
    headers = {}
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(error.retry_after_seconds)
    elif error.status == 503:
        headers["Retry-After"] = "5"
    elif error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"  # RFC 9110, 15.5.2: a 401 has to name a scheme
    fields = error.fields if isinstance(error, InvalidInput) else {}
    return _answer(error.status, error.code, str(error), error.hint, fields, headers)


def unexpected_response(correlation_id: str) -> Response:
    """A fault of ours: nothing about it but the id under which the log explains it."""
    return _answer(
        500,
        "internal",
        "Something went wrong inside PutLive.",
        f"Look for {correlation_id} in the log.",
        {},
        {},
    )


def install(app: FastAPI) -> None:
    """Let `app` answer every error in this shape."""
    app.add_exception_handler(PutLiveError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


async def _on_ours(_: Request, error: Exception) -> Response:
    assert isinstance(error, PutLiveError)
    return error_response(error)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = {"Allow": _methods(request)} if error.status_code == 405 else error.headers
    other = ("http", str(error.detail), "")
    code, message, hint = _BY_STATUS.get(error.status_code, other)
    return _answer(error.status_code, code, message, hint, {}, headers or {})


def _methods(request: Request) -> str:
    """Every method of this address (RFC 9110, 10.2.1); the framework knows one route's only."""
    found: set[str] = set()
    for route in request.app.routes:
        if route.path_regex.match(request.scope["path"]):
            found |= route.methods
    return ", ".join(sorted(found))


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = error.errors()
    if any(p["type"] == "json_invalid" for p in problems):
        return error_response(
            Malformed("The body is not JSON.", hint="Check it for a typing error.")
        )
    fields: dict[str, str] = {}
    for problem in problems[:MAX_FIELDS]:
        # The first part says body, query or path; what was sent is not repeated.
        where = ".".join(str(part)[:40] for part in problem["loc"][1:]) or str(problem["loc"][0])
        fields.setdefault(where, f"{problem['msg']}.")
    return error_response(InvalidInput("The request is not right.", fields=fields))


def _answer(
    status: int,
    code: str,
    message: str,
    hint: str,
    fields: Mapping[str, str],
    headers: Mapping[str, str],
) -> Response:
    error = {"code": code, "message": message, "hint": hint, "fields": dict(fields)}
    return JSONResponse({"error": error}, status, headers=dict(headers))
