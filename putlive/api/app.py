"""The HTTP API: every route, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.middleware import Middleware

from putlive.api import (
    auth,
    channels,
    errors,
    events,
    health,
    keys,
    metrics,
    public,
    routing,
    stream,
    users,
)
from putlive.api.context import Context
from putlive.api.events import EventStreams
from putlive.api.metrics import Metrics
from putlive.api.middleware import Bodies, Cors, Edge
from putlive.api.models import ErrorOut
from putlive.api.routing import Route


async def openapi_json(request: Request) -> Response:
    """The description of every route, OpenAPI 3.1."""
    # Made when asked for and not kept: it is large, and rarely read.
    return JSONResponse(openapi(request.app))


ROUTES: tuple[Route, ...] = (
    *auth.ROUTES,
    *stream.ROUTES,
    *channels.ROUTES,
    *keys.ROUTES,
    *users.ROUTES,
    *public.ROUTES,
    *events.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
    Route(
        "GET",
        "/api/openapi.json",
        openapi_json,
        "public",
        "This description",
        None,
        media="application/json",
    ),
)
# The framework's own tracing stays off: it costs time on every request.
_NO_TELEMETRY: dict[str, Any] = {
    "telemetry": dict.fromkeys(
        ("tracing", "metrics", "logs", "operation_spans", "auto_configure"), False
    )
}


def create_app(context: Context) -> FastAPI:
    """The ASGI app. It needs no lifespan; everything it holds ends with it."""
    figures = Metrics(context)
    edges = [
        Middleware(Edge, figures.requests.add, context.clock.monotonic),
        Middleware(Cors, context.site.allowed_origins),
        Middleware(Bodies),
    ]
    app = bare_app(context.site.version, edges)
    app.state.context = context
    app.state.metrics = figures
    app.state.event_streams = EventStreams(context)
    return app


def bare_app(version: str, edges: Sequence[Middleware] = ()) -> FastAPI:
    """Every route without services behind it: enough to be described."""
    app = FastAPI(
        title="PutLive",
        version=version,
        openapi_url=None,
        docs_url=None,  # the docs pages would need scripts from elsewhere, which the CSP forbids
        redoc_url=None,
        redirect_slashes=False,
        middleware=list(edges),
        **_NO_TELEMETRY,
    )
    errors.install(app)
    for route in ROUTES:
        routing.install(app, route)
    return app


def openapi(app: FastAPI) -> dict[str, Any]:
    """The description of every route, OpenAPI 3.1."""
    described = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        summary="One small host as a television station.",
        description="Every error has the shape {error: {code, message, hint, fields}}.",
        routes=app.routes,
    )
    error = ErrorOut.model_json_schema(ref_template="#/components/schemas/{model}")
    described["components"]["schemas"].update(error.pop("$defs"), **{routing.ERROR_MODEL: error})
    described["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "putlive_session"},
    }
    return described
