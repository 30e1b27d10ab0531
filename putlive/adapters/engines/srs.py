"""SRS 6 behind the port `MediaEngine`, through its HTTP API on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from putlive.adapters.engines.hooks import plain_address
from putlive.adapters.engines.loopback_http import LoopbackHttp
from putlive.adapters.engines.open_segments import Inflow, open_segments
from putlive.domain.media import EngineHealth, Publisher
from putlive.domain.streams import PUBLISH_APP
from putlive.errors import EngineDown

ALL = "?start=0&count=1000"  # lists default to 10 entries
NO_SUCH_CLIENT = 2049
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class SrsEngine:
    """SRS. Every answer is HTTP 200; `code` tells whether it is an error.

    `segments` is the folder SRS writes its HLS into: its byte counters move only every 3 s, so
    the segment it is writing tells sooner that something arrives.
    """

    name = "srs"
    needs_keeper = True
    joins_at_last_keyframe = True  # gop_cache
    client_ids_return = False  # random

    def __init__(self, http: LoopbackHttp, rtmp_port: int, segments: Path) -> None:
        self._http = http
        self._rtmp_port = rtmp_port
        self._segments = segments
        self._inflow = Inflow()

    async def health(self) -> EngineHealth:
        """SRS's version, pid and service id; the latter is new at each start."""
        answer = await self._get("/api/v1/versions")
        try:
            version = str(answer["data"]["version"])
            return EngineHealth(self.name, version, int(answer["pid"]), str(answer["service"]))
        except (KeyError, TypeError, ValueError):
            raise _nonsense("its version") from None

    async def publishers(self) -> Sequence[Publisher]:
        """Streams joined with their publishing clients."""
        streams = await self._list("streams")
        clients = {str(c.get("id")): c for c in await self._list("clients")}
        growing = open_segments(self._segments)
        try:
            found = [_publisher(s, clients) for s in streams]
            listed = [p for p in found if p is not None]
            return self._inflow.sharpen(listed, growing)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _nonsense("its streams") from None

    async def kick(self, publisher: Publisher) -> bool:
        """Close the client's connection; it may come back at once, kicking bans nobody."""
        if not _CLIENT_ID.fullmatch(publisher.client_id):
            return False
        path = f"/api/v1/clients/{publisher.client_id}"
        code = (await self._ask("DELETE", path)).get("code")
        if code not in (0, NO_SUCH_CLIENT):
            raise EngineDown(f"SRS refused to cut an input (code {code}).")
        return bool(code == 0)

    def play_url(self, channel: str) -> str:
        """Where a local process plays the channel's program stream."""
        return f"rtmp://127.0.0.1:{self._rtmp_port}/{PUBLISH_APP}/{channel}"

    async def _list(self, what: str) -> list[dict[str, Any]]:
        found = (await self._get(f"/api/v1/{what}/{ALL}")).get(what)
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise _nonsense(f"its {what}")
        return found

    async def _get(self, path: str) -> dict[str, Any]:
        answer = await self._ask("GET", path)
        if answer.get("code") != 0:
            raise EngineDown(f"SRS refused a question (code {answer.get('code')}).")
        return answer

    async def _ask(self, method: str, path: str) -> dict[str, Any]:
        reply = await self._http.request(method, path)
        if reply.status != 200:
            raise EngineDown(f"SRS's API answers with status {reply.status}.")
        try:
            # Names are a stranger's: not always UTF-8, and control characters are not escaped.
            answer = json.loads(reply.body.decode("utf-8", "replace"), strict=False)
        except ValueError:
            raise _nonsense("no JSON") from None
        if not isinstance(answer, dict):
            raise _nonsense("no JSON object")
        return answer


def _publisher(
    stream: Mapping[str, Any], clients: Mapping[str, Mapping[str, Any]]
) -> Publisher | None:
    """The stream's publisher. A client is listed before its hook is answered, so the stream
    says who publishes; one that has just left is in only one of the two lists."""
    client_id = str(stream["publish"].get("cid", ""))
    client = clients.get(client_id)
    if not stream["publish"]["active"] or client is None:
        return None
    video, audio = stream.get("video") or {}, stream.get("audio") or {}
    return Publisher(
        app=str(stream["app"]),
        name=str(stream["name"]),
        client_id=client_id,
        address=plain_address(str(client["ip"])),
        bytes_in=int(client["recv_bytes"]),
        video_codec=str(video.get("codec", "")).upper(),
        audio_codec=str(audio.get("codec", "")).upper(),
        width=int(video.get("width", 0)),
        height=int(video.get("height", 0)),
    )


def _nonsense(what: str) -> EngineDown:
    return EngineDown(f"SRS answers nonsense ({what}).", hint="Is another program on its port?")
