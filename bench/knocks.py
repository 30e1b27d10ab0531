"""Publishers that knock: the engines' own hook requests as bytes, sent all at once and timed."""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bench.effort import BenchError

LIMIT_SECONDS = 5.0


@dataclass(frozen=True)
class Knock:
    """One publisher; `good` is whether it has to be let in."""

    channel: str
    secret: str
    good: bool


@dataclass(frozen=True)
class Answer:
    """The status and milliseconds from before the connect to the last byte."""

    status: int
    ms: float


def request_bytes(engine: str, port: int, hook_secret: str, body: bytes) -> bytes:
    """The engine's POST; each comes on a connection of its own."""
    agent, kind = ("SRS/6.0.157(Hang)", "application/json")
    if engine != "srs":
        agent, kind = "", "application/x-www-form-urlencoded"
    head = [
        f"POST /hooks/{hook_secret}/{engine} HTTP/1.{int(engine == 'srs')}",
        f"Host: 127.0.0.1:{port}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: Close",
        *([f"User-Agent: {agent}"] if agent else []),
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def body_bytes(engine: str, done: bool, knock: Knock, client: str) -> bytes:
    """The body, as captured: JSON from SRS 6.0.157, a form from nginx-rtmp 1.2.2."""
    if engine == "srs":
        fields = {
            "server_id": "vid-9432klx",
            "service_id": "h40o3s0g",
            "action": "on_unpublish" if done else "on_publish",
            "client_id": client,
            "ip": "127.0.0.1",
            "vhost": "__defaultVhost__",
            "app": "live",
            "tcUrl": "rtmp://127.0.0.1:1935/live",
            "stream": knock.channel,
            "param": f"?key={knock.secret}",
            "stream_url": f"/live/{knock.channel}",
            "stream_id": "vid-452695k",
        }
        return json.dumps(fields, separators=(",", ":")).encode()
    call = "publish_done" if done else "publish&type=live"
    return (
        "app=live&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl=&tcurl=rtmp://127.0.0.1:"
        f"1935/live&pageurl=&addr=127.0.0.1&clientid={client}&call={call}"
        f"&name={knock.channel}&key={quote(knock.secret)}"
    ).encode()


def knock_at_once(port: int, requests: Sequence[bytes]) -> list[Answer]:
    """Connect and send all, then collect the answers in whatever order they come.

    One thread and one epoll: the client's own time is in the numbers, so there is little of it.
    """
    answers: dict[int, Answer] = {}
    with selectors.DefaultSelector() as selector:
        for index, request in enumerate(requests):
            began = time.perf_counter()
            sock = socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS)
            sock.sendall(request)
            selector.register(sock, selectors.EVENT_READ, (index, began, bytearray()))
        deadline = time.perf_counter() + LIMIT_SECONDS
        while selector.get_map():
            if time.perf_counter() > deadline:
                raise BenchError("the hook server did not answer in time")
            for key, _ in selector.select(0.5):
                _take(selector, key, answers)
    return [answers[index] for index in range(len(requests))]


def _take(
    selector: selectors.BaseSelector, key: selectors.SelectorKey, answers: dict[int, Answer]
) -> None:
    sock = key.fileobj
    assert isinstance(sock, socket.socket)
    index, began, read = key.data
    data = sock.recv(4096)
    read += data
    if not data or _complete(read):
        status = int(read.split(b" ", 2)[1]) if read else 0
        answers[index] = Answer(status, (time.perf_counter() - began) * 1000)
        selector.unregister(sock)
        sock.close()


def _complete(read: bytearray) -> bool:
    head, gap, body = read.partition(b"\r\n\r\n")
    if not gap:
        return False
    lengths = [
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    ]
    return len(body) >= (lengths[0] if lengths else 0)
