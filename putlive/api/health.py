"""Routes: how the station is, for people, load balancers and service managers."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from putlive.api.deps import Ctx
from putlive.api.models_channels import Named
from putlive.api.models_station import (
    AliveOut,
    EventOut,
    HealthDetailOut,
    HealthOut,
    HistoryOut,
    LogOut,
    PointOut,
)
from putlive.api.routing import Route
from putlive.api.shapes import health_out
from putlive.domain.health import DOWN, StationHealth


async def health(ctx: Ctx) -> HealthOut:
    """Whether the station is well. Always 200: this is the API's own answer."""
    found = ctx.statuses.station()
    return HealthOut(
        status=found.status, version=found.version, uptime_seconds=found.uptime_seconds
    )


async def health_detailed(ctx: Ctx, response: Response) -> HealthDetailOut:
    """Every component with its figures; 503 when the station is down."""
    found = ctx.statuses.station()
    response.status_code = 503 if found.status == DOWN else 200
    return health_out(found, ctx.clock.now())


async def healthz(ctx: Ctx) -> AliveOut:
    """Whether the daemon lives: 200 with each component in one word."""
    return _alive(ctx.statuses.station())


async def readyz(ctx: Ctx, response: Response) -> AliveOut:
    """Whether an input could go on air: 503 when engine or database is down."""
    found = ctx.statuses.station()
    response.status_code = 200 if found.ready else 503
    return _alive(found)


def _alive(found: StationHealth) -> AliveOut:
    return AliveOut(
        status=found.status, components={n: c.status for n, c in found.components.items()}
    )


async def history(
    ctx: Ctx,
    channel: Named = "",
    minutes: Annotated[int, Query(ge=1, le=1440, description="How far back.")] = 60,
) -> HistoryOut:
    """Viewers and bit rate over time: steps of ten seconds up to an hour, else of five minutes."""
    name = channel or next((c.name for c in ctx.channels.all()), "")
    points = ctx.history.points(ctx.channels.get(name).name, ctx.clock.now(), minutes)
    return HistoryOut(points=[PointOut.model_validate(p) for p in points])


async def event_log(
    ctx: Ctx,
    count: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 50,
) -> LogOut:
    """What happened lately, newest first."""
    rows = await ctx.events.latest(count)
    return LogOut(events=[EventOut(id=r.id, kind=r.kind, at=r.at, body=dict(r.body)) for r in rows])


ROUTES = (
    Route("GET", "/api/health", health, "public", "Whether the station is well", HealthOut),
    Route(
        "GET",
        "/api/health/detailed",
        health_detailed,
        "viewer",
        "Every component",
        HealthDetailOut,
        same_model=(503,),
    ),
    Route("GET", "/healthz", healthz, "public", "Whether the daemon lives", AliveOut),
    Route(
        "GET",
        "/readyz",
        readyz,
        "public",
        "Whether an input could go on air",
        AliveOut,
        same_model=(503,),
    ),
    Route(
        "GET",
        "/api/history",
        history,
        "viewer",
        "Viewers and bit rate over time",
        HistoryOut,
        errors=(404, 422),
    ),
    Route("GET", "/api/log", event_log, "viewer", "What happened lately", LogOut, errors=(422,)),
)
