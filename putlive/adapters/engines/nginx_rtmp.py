"""nginx with the RTMP module behind the port `MediaEngine`, through its statistics and control."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from xml.etree import ElementTree

from putlive.adapters.engines.hooks import plain_address
from putlive.adapters.engines.loopback_http import LoopbackHttp
from putlive.adapters.host.spawn import start_ticks
from putlive.domain.media import EngineHealth, Publisher
from putlive.domain.streams import PUBLISH_APP
from putlive.errors import EngineDown

# XML 1.0 knows no other characters below space, but nginx-rtmp writes what a name held.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class _Count:
    """Where the count of a stream stood when its publisher came, and where it stands."""

    client_id: str
    base: int
    total: int


class NginxRtmpEngine:
    """nginx-rtmp (1.1.4 and later). `secret` is the first part of its control paths.

    Client ids are nginx's connection numbers: they begin at 1 again with each start.
    """

    name = "nginx-rtmp"
    needs_keeper = False  # hls_continuous keeps the media sequence
    joins_at_last_keyframe = False  # wait_key: the next one
    client_ids_return = True  # they count connections

    def __init__(self, http: LoopbackHttp, rtmp_port: int, secret: str) -> None:
        self._http = http
        self._rtmp_port = rtmp_port
        self._secret = secret
        self._counts: dict[tuple[str, str], _Count] = {}

    async def health(self) -> EngineHealth:
        """Versions and the worker's pid; pid and start time make the incarnation."""
        root = await self._stat()
        try:
            pid = int(_word(root, "pid"))
        except ValueError:
            raise _nonsense() from None
        version = f"{_word(root, 'nginx_version')} (rtmp {_word(root, 'nginx_rtmp_version')})"
        return EngineHealth(self.name, version, pid, f"{pid}-{start_ticks(pid)}")

    async def publishers(self) -> Sequence[Publisher]:
        """Every client that is marked as publishing."""
        root = await self._stat()
        before, self._counts = self._counts, {}
        try:
            found = [p for app in root.iter("application") for p in _publishers(app)]
            for app in root.iter("application"):
                self._count(app, before, {(p.app, p.name): p.client_id for p in found})
        except ValueError:
            raise _nonsense() from None
        return [self._alone(p) for p in found]

    async def kick(self, publisher: Publisher) -> bool:
        """Close the client's connection. By its number alone: names are a stranger's words."""
        if not publisher.client_id.isascii() or not publisher.client_id.isdigit():
            return False
        path = f"/{self._secret}/control/drop/client?clientid={publisher.client_id}"
        reply = await self._http.get(path)
        if reply.status != 200:
            raise EngineDown(f"nginx-rtmp refused to cut an input (status {reply.status}).")
        return reply.body.strip() not in (b"", b"0")

    def play_url(self, channel: str) -> str:
        """Where a local process plays the channel's program stream."""
        return f"rtmp://127.0.0.1:{self._rtmp_port}/{PUBLISH_APP}/{channel}"

    def _count(
        self,
        app: ElementTree.Element,
        before: Mapping[tuple[str, str], _Count],
        publishing: Mapping[tuple[str, str], str],
    ) -> None:
        for stream in app.iter("stream"):
            place = (_word(app, "name"), _word(stream, "name"))
            total = int(_word(stream, "bytes_in") or 0)
            old = before.get(place)
            if old is None or total < old.total:  # a stream that was not there before
                old = _Count("", 0, 0)
            client_id = publishing.get(place) or old.client_id
            base = old.base if client_id == old.client_id else old.total
            self._counts[place] = _Count(client_id, base, total)

    def _alone(self, publisher: Publisher) -> Publisher:
        """Bytes of this publish alone: while players stay, nginx-rtmp counts on for the next."""
        base = self._counts[(publisher.app, publisher.name)].base
        return replace(publisher, bytes_in=max(0, publisher.bytes_in - base))

    async def _stat(self) -> ElementTree.Element:
        reply = await self._http.get(f"/{self._secret}/stat")
        if reply.status != 200:
            raise EngineDown(f"nginx-rtmp's statistics answer with status {reply.status}.")
        try:
            text = _NOT_XML.sub("\ufffd", reply.body.decode("utf-8", "replace"))
            return ElementTree.fromstring(text)
        except ElementTree.ParseError:
            raise _nonsense() from None


def _publishers(app: ElementTree.Element) -> Iterator[Publisher]:
    for stream in app.iter("stream"):
        for client in stream.findall("client"):
            if client.find("publishing") is not None:
                yield _publisher(_word(app, "name"), stream, client)


def _publisher(app: str, stream: ElementTree.Element, client: ElementTree.Element) -> Publisher:
    return Publisher(
        app=app,
        name=_word(stream, "name"),
        client_id=_word(client, "id"),
        address=plain_address(_word(client, "address")),
        bytes_in=int(_word(stream, "bytes_in") or 0),
        video_codec=_word(stream, "meta/video/codec").upper(),
        audio_codec=_word(stream, "meta/audio/codec").upper(),
        width=int(_word(stream, "meta/video/width") or 0),
        height=int(_word(stream, "meta/video/height") or 0),
    )


def _word(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _nonsense() -> EngineDown:
    hint = "Is another program on its port?"
    return EngineDown("nginx-rtmp's statistics are not what they should be.", hint=hint)
