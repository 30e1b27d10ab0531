"""Routes: channels, their renditions and their preview picture."""

from __future__ import annotations

from pathlib import Path

from fastapi import Request, Response

from putlive.api.deps import Ctx, note
from putlive.api.models_channels import ChannelIn, ChannelOut, ChannelsOut, Switch
from putlive.api.routing import Route
from putlive.api.shapes import channel_out

MAX_PICTURE_BYTES = 1 << 20


async def channel_list(ctx: Ctx) -> ChannelsOut:
    """Every channel and how it is."""
    channels = [channel_out(status) for status in ctx.statuses.all()]
    return ChannelsOut(channels=channels, total=len(channels))


async def channel_create(body: ChannelIn, request: Request, ctx: Ctx) -> ChannelOut:
    """Make a channel. Its name is part of addresses and cannot be changed later."""
    channel = await ctx.channels.create(body.name, body.title)
    note(request, f"channel={channel.name}")
    return channel_out(ctx.statuses.channel(channel.name))


async def channel_get(name: str, ctx: Ctx) -> ChannelOut:
    """One channel and how it is."""
    return channel_out(ctx.statuses.channel(name))


async def rendition_set(
    name: str, rendition: str, body: Switch, request: Request, ctx: Ctx
) -> ChannelOut:
    """Switch a rendition on or off; works while the channel is on air."""
    ctx.channels.get(name)
    await ctx.renditions.set_enabled(name, rendition, body.enabled)
    note(request, f"enabled={body.enabled}")
    return channel_out(ctx.statuses.channel(name))


async def preview(name: str, ctx: Ctx) -> Response:
    """A small picture of what is on air. Pictures are made only while somebody asks for them."""
    path = await ctx.previews.ask(ctx.channels.get(name).name)
    picture = _read(path) if path is not None else None
    if picture is None:
        return Response(status_code=204)
    return Response(picture, media_type="image/jpeg")


def _read(path: Path) -> bytes | None:
    # On a memory disk, and the writer may just have removed it.
    try:
        with path.open("rb") as file:
            return file.read(MAX_PICTURE_BYTES) or None
    except OSError:
        return None


ROUTES = (
    Route("GET", "/api/channels", channel_list, "viewer", "List the channels", ChannelsOut),
    Route(
        "POST",
        "/api/channels",
        channel_create,
        "admin",
        "Make a channel",
        ChannelOut,
        status=201,
        errors=(409,),
        body=True,
    ),
    Route(
        "GET",
        "/api/channels/{name}",
        channel_get,
        "viewer",
        "Show a channel",
        ChannelOut,
        errors=(404,),
    ),
    Route(
        "PUT",
        "/api/channels/{name}/renditions/{rendition}",
        rendition_set,
        "operator",
        "Switch a rendition",
        ChannelOut,
        errors=(404,),
        body=True,
    ),
    Route(
        "GET",
        "/api/channels/{name}/preview.jpg",
        preview,
        "viewer",
        "A picture of what is on air",
        None,
        errors=(404,),
        media="image/jpeg",
        also={204: "There is no picture yet."},
    ),
)
