"""The callbacks of both engines: their bodies parsed, and the answers each of them understands.

Formats: SRS 6.0 posts JSON (`http_hooks`), nginx-rtmp posts a form (`notify_method post`).
Everything in them but the engine's own fields was typed by a stranger.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Union
from urllib.parse import parse_qsl, unquote_plus

from putlive.domain.streams import PublishRequest
from putlive.errors import PutLiveError

MAX_VALUE = 256  # bytes; longer is cut and marked, which no valid name or key survives
MAX_FIELDS = 64
CUT = "…"
_KEY_TEXT = re.compile(r"[a-z0-9]{8}-[a-z2-7]{32}")  # as domain.keys makes them
_ENDS_NAME = re.compile(r"[?&=]")


class HookError(PutLiveError):
    """The body is not what an engine posts."""

    code = "malformed"


@dataclass(frozen=True)
class Unpublished:
    """An input has ended, or was refused by the engine after it was let in."""

    name: str
    client_id: str


@dataclass(frozen=True)
class Ignored:
    """A callback PutLive did not ask for."""

    action: str


Hook = Union[PublishRequest, Unpublished, Ignored]


@dataclass(frozen=True)
class HookReply:
    """Status and body of an answer."""

    status: int
    body: bytes = b""


def parse_srs(body: bytes) -> Hook:
    """Parse SRS's JSON; raises `HookError`. SRS escapes quotes but not control characters."""
    try:
        fields = json.loads(body.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        raise HookError("The hook's body is not JSON.") from None
    if not isinstance(fields, dict):
        raise HookError("The hook's body is not a JSON object.")
    action = _text(fields, "action")
    if action == "on_unpublish":
        return Unpublished(shown(_text(fields, "stream")), bounded(_text(fields, "client_id")))
    if action != "on_publish":
        return Ignored(bounded(action))
    return PublishRequest(
        engine="srs",
        app=shown(_text(fields, "app")),
        name=shown(_text(fields, "stream")),
        client_id=bounded(_text(fields, "client_id")),
        address=plain_address(_text(fields, "ip")),
        secret=secret_of(_text(fields, "param", "")),
    )


def parse_nginx_rtmp(body: bytes) -> Hook:
    """Parse nginx-rtmp's form; raises `HookError`.

    The stream's own query is appended to the engine's fields, unescaped, so that a stranger can
    repeat any of them: the first of a name is the engine's (measured on 1.2.2, where it escapes
    what it puts before).
    """
    text = body.decode("utf-8", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise HookError("The hook's body has too many fields.") from None
    fields = dict(reversed(pairs))
    call = _text(fields, "call")
    if call == "publish_done":
        return Unpublished(shown(_text(fields, "name")), bounded(_text(fields, "clientid")))
    if call != "publish":
        return Ignored(bounded(call))
    return PublishRequest(
        engine="nginx-rtmp",
        app=shown(_text(fields, "app")),
        name=shown(_text(fields, "name")),
        client_id=bounded(_text(fields, "clientid")),
        address=plain_address(_text(fields, "addr")),
        secret=bounded(fields.get("key", "")) or _secret_in_url(fields.get("tcurl", "")),
    )


PARSERS: Mapping[str, Callable[[bytes], Hook]] = {
    "srs": parse_srs,
    "nginx-rtmp": parse_nginx_rtmp,
}
_ACCEPT = {"srs": HookReply(200, b'{"code":0}'), "nginx-rtmp": HookReply(204)}
_REFUSE = {"srs": HookReply(403, b'{"code":1}'), "nginx-rtmp": HookReply(403)}


def accept(engine: str) -> HookReply:
    """Yes, in the engine's words: SRS takes nothing but 200 or 201 with code 0."""
    return _ACCEPT[engine]


def refuse(engine: str) -> HookReply:
    """No: both engines close the connection."""
    return _REFUSE[engine]


def secret_of(param: str) -> str:
    """The key in what SRS calls `param`.

    `?key=K` is a key on the stream; with one on the server address SRS repeats that one after
    it: `?key=K?key=A?key=A`. The stream's own comes first and counts.
    """
    for part in re.split(r"[?&]", param):
        name, _, value = part.partition("=")
        if name == "key" and value:
            return bounded(unquote_plus(value, errors="replace"))
    return ""


def shown(text: str) -> str:
    """A name as it may be logged: bounded, and free of a key somebody put in the wrong place.

    What is changed here is never a valid name afterwards, so that it cannot be let in under
    another name than the engine's.
    """
    clean = bounded(_KEY_TEXT.sub(CUT, text))
    mark = _ENDS_NAME.search(clean)
    return clean[: mark.start()] + CUT if mark else clean


def bounded(text: str) -> str:
    """At most 256 bytes of printable text; a longer one is cut and marked."""
    clean = "".join(c if c.isprintable() else "\ufffd" for c in text[: MAX_VALUE + 1])
    data = clean.encode("utf-8", "replace")
    return (
        clean if len(data) <= MAX_VALUE else data[: MAX_VALUE - 3].decode("utf-8", "ignore") + CUT
    )


def plain_address(address: str) -> str:
    """An address as people and fail2ban know it: IPv4 inside IPv6 is IPv4."""
    return bounded(address).removeprefix("::ffff:")


def _secret_in_url(url: str) -> str:
    return secret_of(url[url.find("?") :]) if "?" in url else ""


def _text(fields: Mapping[str, object], name: str, default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise HookError(f"The hook lacks the text field {name}.")
    return value
