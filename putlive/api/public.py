"""Routes for anybody: which channels there are and whether they are on air."""

from __future__ import annotations

from fastapi import Response

from putlive.api.deps import Ctx
from putlive.api.models_station import PublicOut, PublicsOut
from putlive.api.routing import Route
from putlive.api.shapes import public_out

_CACHE = "public, max-age=2"  # nginx answers a crowd from this


async def public_list(ctx: Ctx, response: Response) -> PublicsOut:
    """Every channel."""
    response.headers["Cache-Control"] = _CACHE
    return PublicsOut(channels=[public_out(status) for status in ctx.statuses.all()])


async def public_channel(name: str, ctx: Ctx, response: Response) -> PublicOut:
    """One channel."""
    status = ctx.statuses.channel(name)
    response.headers["Cache-Control"] = _CACHE
    return public_out(status)


ROUTES = (
    Route("GET", "/api/public", public_list, "public", "What is on air", PublicsOut),
    Route(
        "GET",
        "/api/public/{name}",
        public_channel,
        "public",
        "Whether a channel is on air",
        PublicOut,
        errors=(404,),
    ),
)
