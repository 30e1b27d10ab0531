"""Routes: a channel's stream in few numbers, start and stop, who is connected, and the server."""

from __future__ import annotations

import re

from fastapi import Request

from putlive.api.context import Context
from putlive.api.deps import Ctx, note
from putlive.api.models import MessageOut
from putlive.api.models_channels import (
    ChannelDone,
    ChannelNamed,
    ClientOut,
    ClientsOut,
    IngestOut,
    Named,
    StreamOut,
)
from putlive.api.routing import Route
from putlive.api.shapes import channel_out, stream_out
from putlive.domain.streams import PUBLISH_APP, Claim
from putlive.errors import NotFound

_HOST = re.compile(r"(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::[0-9]{1,5})?\Z")


async def stream_status(ctx: Ctx, channel: Named = "") -> StreamOut:
    """How a channel's stream is; without a name, the first channel's."""
    if channel:
        return stream_out(ctx.statuses.channel(channel))
    every = ctx.statuses.all()
    if not every:
        raise NotFound("There is no channel yet.", hint="Make one first.")
    return stream_out(every[0])


async def stream_start(body: ChannelNamed, request: Request, ctx: Ctx) -> ChannelDone:
    """Let inputs in on a channel again."""
    return await _switch(body.channel, True, request, ctx)


async def stream_stop(body: ChannelNamed, request: Request, ctx: Ctx) -> ChannelDone:
    """Take a channel off air: its input is cut and none is let in."""
    return await _switch(body.channel, False, request, ctx)


async def _switch(name: str, enabled: bool, request: Request, ctx: Context) -> ChannelDone:
    channel = await ctx.channels.set_enabled(name, enabled)
    note(request, f"channel={channel.name}")
    done = "The channel is started." if enabled else "The channel is stopped."
    return ChannelDone(message=done, channel=channel_out(ctx.statuses.channel(channel.name)))


async def clients(ctx: Ctx, channel: Named = "") -> ClientsOut:
    """Every input that was let in; with a name, that channel's."""
    claims = ctx.publishing.claims().values()
    return ClientsOut(clients=[_client(c) for c in claims if channel in ("", c.channel)])


async def client_kick(client_id: str, request: Request, ctx: Ctx) -> MessageOut:
    """Cut an input. Its stream key is blocked for a while, or until it is rotated."""
    claim = next((c for c in ctx.publishing.claims().values() if c.client_id == client_id), None)
    if claim is None:
        raise NotFound("No input of that id is connected.", hint="List the clients.")
    await ctx.publishing.kick(claim.channel)
    note(request, f"channel={claim.channel} key={claim.key_id}")
    return MessageOut(message="The input was cut.")


async def ingest(request: Request, ctx: Ctx) -> IngestOut:
    """What an encoder is given as server; the stream key comes on top."""
    host = ctx.site.domain or _host(request.headers.get("host", ""))
    return IngestOut(rtmp_url=f"rtmp://{host}:{ctx.site.rtmp_port}/{PUBLISH_APP}")


def _host(header: str) -> str:
    """The host name of a Host header without its port."""
    match = _HOST.match(header)
    return match.group(1) if match else "localhost"


def _client(claim: Claim) -> ClientOut:
    return ClientOut(
        client_id=claim.client_id,
        kind="input",
        address=claim.address,
        channel=claim.channel,
        since=claim.since,
        key_id=claim.key_id,
    )


ROUTES = (
    Route(
        "GET",
        "/api/stream/status",
        stream_status,
        "viewer",
        "How a stream is",
        StreamOut,
        errors=(404, 422),
    ),
    Route(
        "POST",
        "/api/stream/start",
        stream_start,
        "operator",
        "Start a channel",
        ChannelDone,
        errors=(404,),
        body=True,
    ),
    Route(
        "POST",
        "/api/stream/stop",
        stream_stop,
        "operator",
        "Stop a channel",
        ChannelDone,
        errors=(404,),
        body=True,
    ),
    Route(
        "GET",
        "/api/stream/clients",
        clients,
        "viewer",
        "List the inputs",
        ClientsOut,
        errors=(422,),
    ),
    Route(
        "DELETE",
        "/api/stream/clients/{client_id}",
        client_kick,
        "operator",
        "Cut an input",
        MessageOut,
        errors=(404, 503),
    ),
    Route("GET", "/api/ingest", ingest, "viewer", "The server for encoders", IngestOut),
)
