"""A crowd of HLS viewers in one process: each with its own session id, connection and rhythm.

Run as `python -m bench.viewers HLS_URL COUNT`; it watches until its standard input is closed and
then prints what it did as JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from dataclasses import asdict, dataclass, field
from urllib.parse import urljoin, urlsplit

from bench.media import addresses

START_SEGMENTS = 3  # players begin three segments from the end (RFC 8216, 6.3.3)
LIMIT_SECONDS = 10.0


@dataclass
class Tally:
    """What all viewers together fetched."""

    playlists: int = 0
    segments: int = 0
    bytes: int = 0
    failed: int = 0


@dataclass
class Viewer:
    """One player: polls its playlist once per fragment and fetches what is new."""

    hls_url: str
    sid: str
    tally: Tally
    _seen: list[str] = field(default_factory=list)
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def watch(self, delay_seconds: float) -> None:
        """For ever; a failed request is counted and tried again in the next turn."""
        await asyncio.sleep(delay_seconds)
        media = ""
        while True:
            pause = 1.0
            try:
                media = media or await self._choose()
                pause = await asyncio.wait_for(self._turn(media), LIMIT_SECONDS)
            except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.TimeoutError):
                self.tally.failed += 1
                self._hang_up()
            await asyncio.sleep(pause)

    async def _choose(self) -> str:
        """The first rendition's address, with the session id the front put into it."""
        url = f"{self.hls_url}?sid={self.sid}"
        return urljoin(url, addresses(await self._get(url))[:1][0])

    async def _turn(self, media: str) -> float:
        text = await self._get(media)
        self.tally.playlists += 1
        names = addresses(text)
        fresh = [name for name in names if name not in self._seen]
        for name in fresh[-START_SEGMENTS:]:
            await self._get(urljoin(media, name))
            self.tally.segments += 1
        self._seen = names
        return last_duration(text)

    async def _get(self, url: str) -> bytes:
        parts = urlsplit(url)
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(
                parts.hostname, parts.port, limit=1 << 20
            )
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        head = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: bench viewer\r\n\r\n"
        self._writer.write(head.encode())
        body = await self._answer(self._reader)
        self.tally.bytes += len(body)
        return body

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise ValueError(head[:40])
        length = re.search(rb"content-length: (\d+)", head)
        if length:
            return await reader.readexactly(int(length[1]))
        body = b""  # in chunks: the front changes the multivariant playlist as it passes
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return body

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


def last_duration(playlist: bytes) -> float:
    """Seconds of the newest segment, which is how long a player waits before it asks again."""
    found = re.findall(rb"#EXTINF:([0-9.]+)", playlist)
    return float(found[-1]) if found else 1.0


async def crowd(hls_url: str, count: int) -> Tally:
    """Watch until standard input is closed."""
    tally = Tally()
    tasks = [
        asyncio.create_task(Viewer(hls_url, f"benchviewer{i:04d}", tally).watch(2.0 * i / count))
        for i in range(count)
    ]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return tally


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(crowd(sys.argv[1], int(sys.argv[2]))))))
