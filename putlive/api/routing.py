"""One route as data: who it is for, what it answers and how it may fail; and how to install it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from putlive.api.deps import SAFE_METHODS, Access, guard

# By name and not by model: a model would be prepared anew for each of 150 answers, for a megabyte.
ERROR_MODEL = "ErrorOut"
_ERROR = {"application/json": {"schema": {"$ref": f"#/components/schemas/{ERROR_MODEL}"}}}
_WHEN: Mapping[int, str] = {
    400: "The body is not JSON.",
    401: "Not logged in, or the login is over.",
    403: "The role may not do this, the CSRF token is wrong, or the password must be changed.",
    404: "There is no such thing.",
    409: "It is there already, or not possible in this state.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not application/json.",
    422: "A field is not right; `fields` says which and why.",
    429: "Too many attempts; `Retry-After` says how many seconds to wait.",
    503: "Not now: a part of the station is down or busy.",
}


@dataclass(frozen=True)
class Route:
    """A method and a path. `answer` is the model of a success, or None with `media` types."""

    method: str
    path: str
    handler: Callable[..., Any]
    access: Access
    summary: str
    answer: type[BaseModel] | None
    status: int = 200
    errors: tuple[int, ...] = ()
    body: bool = False
    media: str = ""
    also: Mapping[int, str] = field(default_factory=dict)  # further answers without a body
    same_model: tuple[int, ...] = ()  # statuses that are answered like a success


def install(app: FastAPI, route: Route) -> None:
    """Add `route` to `app` with its check and every answer it can give."""
    app.add_api_route(
        route.path,
        route.handler,
        methods=[route.method],
        status_code=route.status,
        response_model=route.answer,
        response_class=Response if route.media else JSONResponse,
        dependencies=[] if route.access == "public" else [Depends(guard(route.access))],
        summary=route.summary,
        response_description="Done.",
        responses=_responses(route),
        openapi_extra=_extra(route),
        operation_id=route.handler.__name__.strip("_"),
        tags=[route.path.split("/")[2] if route.path.startswith("/api/") else "station"],
    )


def failures(route: Route) -> tuple[int, ...]:
    """Every status of an error that `route` can answer with."""
    changes = route.method not in SAFE_METHODS
    statuses = set(route.errors)
    if route.access != "public":
        statuses.add(401)
        if changes or route.access != "login":
            statuses.add(403)
    if changes:
        statuses |= {413, 415}
    if route.body:
        statuses |= {400, 422}
    if "{" in route.path:
        statuses.add(422)
    return tuple(sorted(statuses))


def _responses(route: Route) -> dict[int | str, dict[str, Any]]:
    answers: dict[int | str, dict[str, Any]] = {
        status: {"description": _WHEN[status], "content": _ERROR} for status in failures(route)
    }
    for status in route.same_model:
        answers[status] = {"model": route.answer, "description": _WHEN[status]}
    answers.update({status: {"description": text} for status, text in route.also.items()})
    if route.media:
        answers[route.status] = {"content": {route.media: {"schema": _schema(route.media)}}}
    return answers


def _schema(media: str) -> dict[str, str]:
    if media == "application/json":
        return {"type": "object"}
    return {"type": "string", "format": "binary"} if "image" in media else {"type": "string"}


def _extra(route: Route) -> dict[str, Any]:
    extra: dict[str, Any] = {"x-access": route.access}
    if route.access != "public":
        extra["security"] = [{"bearer": []}, {"cookie": []}]
    return extra
