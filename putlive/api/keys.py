"""Routes: stream keys."""

from __future__ import annotations

from fastapi import Request

from putlive.api.deps import Ctx, Who, note
from putlive.api.models_channels import KeyIn, KeyOut, KeysOut, Named
from putlive.api.routing import Route
from putlive.api.shapes import key_out


async def key_list(ctx: Ctx, who: Who, channel: Named = "") -> KeysOut:
    """Every stream key; with a name, that channel's. Viewers do not see their text."""
    keys = [k for k in ctx.keys.all() if channel in ("", k.channel)]
    return KeysOut(keys=[key_out(ctx, key, who) for key in keys])


async def key_create(body: KeyIn, request: Request, ctx: Ctx, who: Who) -> KeyOut:
    """Make a stream key of your own for a channel."""
    channel = ctx.channels.get(body.channel).name
    key = await ctx.keys.create(who.user.id, channel, body.label, body.expires_at)
    note(request, f"channel={channel} key={key.id}")
    return key_out(ctx, key, who)


async def key_rotate(id: str, request: Request, ctx: Ctx, who: Who) -> KeyOut:
    """Give a key a new text. The old one ends at once, with whoever publishes by it."""
    key = await ctx.keys.rotate(id)
    note(request, f"channel={key.channel} key={key.id}")
    return key_out(ctx, key, who)


async def key_revoke(id: str, request: Request, ctx: Ctx, who: Who) -> KeyOut:
    """End a key for good, with whoever publishes by it."""
    key = await ctx.keys.revoke(id)
    note(request, f"channel={key.channel} key={key.id}")
    return key_out(ctx, key, who)


ROUTES = (
    Route("GET", "/api/keys", key_list, "viewer", "List the stream keys", KeysOut, errors=(422,)),
    Route(
        "POST",
        "/api/keys",
        key_create,
        "operator",
        "Make a stream key",
        KeyOut,
        status=201,
        errors=(404, 409),
        body=True,
    ),
    Route(
        "POST",
        "/api/keys/{id}/rotate",
        key_rotate,
        "operator",
        "Rotate a stream key",
        KeyOut,
        errors=(404, 409),
    ),
    Route(
        "DELETE",
        "/api/keys/{id}",
        key_revoke,
        "operator",
        "Revoke a stream key",
        KeyOut,
        errors=(404,),
    ),
)
