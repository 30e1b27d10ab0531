"""nginx's lines about HLS requests: what is read, what is passed over, what is refused."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from putlive.adapters.web.access_log import AccessLog, parse_line
from putlive.domain.viewers import AGENT_LENGTH, RequestKind

HEAD = b"<190>Nov 21 09:55:19 putlive: "
GOOD = {
    "at": 1795254919.429,
    "address": "192.0.2.7",
    "agent": "VLC/3.0.20",
    "path": "/live/source/main-1700000000123.ts",
    "sid": "abcdefgh",
    "status": 200,
    "bytes": 370298,
    "method": "GET",
}


def line(**changes) -> bytes:
    return HEAD + json.dumps({**GOOD, **changes}).encode()


def without(name: str) -> bytes:
    return HEAD + json.dumps({k: v for k, v in GOOD.items() if k != name}).encode()


def test_a_line_of_the_front_becomes_a_request() -> None:
    request = parse_line(line())
    assert request is not None
    assert request.at == datetime.fromtimestamp(1795254919.429, timezone.utc)
    assert (request.address, request.agent, request.sid) == ("192.0.2.7", "VLC/3.0.20", "abcdefgh")
    assert (request.channel, request.rendition) == ("main", "source")
    assert (request.kind, request.status, request.bytes) == (RequestKind.SEGMENT, 200, 370298)


@pytest.mark.parametrize(
    "sid,kept", [("abcdefgh", "abcdefgh"), ("short", ""), ("a b c d e f", ""), ("x" * 65, "")]
)
def test_an_id_that_is_none_is_left_out(sid, kept) -> None:
    request = parse_line(line(sid=sid))
    assert request is not None
    assert request.sid == kept


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "get", ""])
def test_only_get_is_watching(method) -> None:
    assert parse_line(line(method=method)) is None


@pytest.mark.parametrize("address", ["2001:db8::1", "::ffff:192.0.2.1", "127.0.0.1"])
def test_addresses_of_both_kinds_are_read(address) -> None:
    request = parse_line(line(address=address))
    assert request is not None
    assert request.address == address


@pytest.mark.parametrize(
    "agent,kept",
    [
        ("", ""),
        ("ü", "ü"),
        ("a\u0000b\nc", "a?b?c"),
        ("\ud800", "?"),
        ("x" * 9000, "x" * AGENT_LENGTH),
    ],
)
def test_an_agent_is_kept_short_and_printable(agent, kept) -> None:
    request = parse_line(line(agent=agent))
    assert request is not None
    assert request.agent == kept


def test_bytes_that_are_no_text_do_not_matter() -> None:
    request = parse_line(line(agent="AGENT").replace(b"AGENT", b"\xff\xfe"))
    assert request is not None
    assert request.agent == "\ufffd\ufffd"


BAD = {
    "empty": b"",
    "no JSON": HEAD + b"hello",
    "half a line": line()[:-5],
    "a list": HEAD + b'[{"at": 1}]',
    "a list in braces": HEAD + b"{[1]}",
    "nested without end": HEAD + b'{"a":' * 3000,
    "a path that is no media": line(path="/etc/passwd"),
    "a path with tricks": line(path="/live/source/../../x-1.ts"),
    "a channel that is none": line(path="/live/-x-.m3u8"),
    "a number as path": line(path=7),
    "a status of text": line(status="200"),
    "a status that is a truth": line(status=True),
    "negative bytes": line(bytes=-1),
    "absurd bytes": line(bytes=1 << 60),
    "half a byte": line(bytes=1.5),
    "no time": line(at="now"),
    "time is true": line(at=True),
    "time is not finite": line(at=float("inf")),
    "time is no number": line(at=float("nan")),
    "time out of the calendar": line(at=1e15),
    "an address with more": line(address="192.0.2.7; rm"),
    "an address of a socket": line(address="unix:"),
    **{f"without {name}": without(name) for name in GOOD},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_anything_else_is_refused(bad) -> None:
    with pytest.raises(ValueError):
        parse_line(bad)


def test_bad_lines_are_counted_and_dropped() -> None:
    seen: list = []
    log = AccessLog(Path("unused"), seen.append)
    for datagram in (*BAD.values(), line(), line(method="HEAD")):
        log.take(datagram)
    assert [r.channel for r in seen] == ["main"]
    assert (log.counts.lines, log.counts.malformed) == (len(BAD) + 2, len(BAD))


@given(st.binary(max_size=400))
def test_no_bytes_can_do_harm(data) -> None:
    log = AccessLog(Path("unused"), lambda _: None)
    log.take(data)
    log.take(HEAD + b"{" + data + b"}")
    assert log.counts.lines == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), JSON))
def test_no_values_can_do_harm(changes) -> None:
    seen: list = []
    log = AccessLog(Path("unused"), seen.append)
    log.take(line(**changes))
    assert log.counts.malformed + len(seen) in (0, 1)
