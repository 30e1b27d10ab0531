"""Parsing what the engines post; bodies as captured from SRS 6.0.157 and nginx-rtmp 1.2.2."""

from __future__ import annotations

import json

import pytest

from putlive.adapters.engines.hooks import (
    HookError,
    Ignored,
    Unpublished,
    accept,
    parse_nginx_rtmp,
    parse_srs,
    refuse,
)
from putlive.domain.keys import key_id_of
from putlive.domain.streams import PublishRequest, is_channel_name

SRS = {
    "server_id": "vid-9432klx",
    "service_id": "h40o3s0g",
    "action": "on_publish",
    "client_id": "91l7e03j",
    "ip": "127.0.0.1",
    "vhost": "__defaultVhost__",
    "app": "live",
    "tcUrl": "rtmp://127.0.0.1:1935/live",
    "stream": "main",
    "param": "?key=s3cret&x=1",
    "stream_url": "/live/main",
    "stream_id": "vid-452695k",
}
NGINX = (
    "app=live&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl=&tcurl=rtmp://127.0.0.1:1935/"
    "live&pageurl=&addr=127.0.0.1&clientid=1&call=publish&name=main&type=live&key=s3cret&x=1"
)
REAL_KEY = "abcd1234-" + "a2" * 16


def srs(**changes: object) -> PublishRequest:
    found = parse_srs(json.dumps({**SRS, **changes}).encode())
    assert isinstance(found, PublishRequest)
    return found


def nginx(body: str | bytes) -> PublishRequest:
    found = parse_nginx_rtmp(body.encode() if isinstance(body, str) else body)
    assert isinstance(found, PublishRequest)
    return found


def test_both_engines_publish_hooks_give_the_same_request() -> None:
    expected = ("live", "main", "127.0.0.1", "s3cret")
    for found in (srs(), nginx(NGINX)):
        assert (found.app, found.name, found.address, found.secret) == expected
    assert (srs().engine, srs().client_id) == ("srs", "91l7e03j")
    assert (nginx(NGINX).engine, nginx(NGINX).client_id) == ("nginx-rtmp", "1")


@pytest.mark.parametrize(
    "param,secret",
    [
        ("?key=abc", "abc"),
        ("?key=abc?key=abc", "abc"),  # the key on the server address
        ("?key=yy?key=zz?key=zz", "yy"),  # on both: the stream's own counts
        ("?x=1&key=abc", "abc"),
        ("?key=k%41+b", "kA b"),
        ("?key=&key=abc", "abc"),
        ("?key=", ""),
        ("?KEY=abc", ""),
        ("?mykey=abc", ""),
        ("key=abc", "abc"),
        ("", ""),
    ],
)
def test_the_key_is_found_in_srs_param(param: str, secret: str) -> None:
    assert srs(param=param).secret == secret


@pytest.mark.parametrize(
    "tail,secret",
    [
        ("&key=k%41+b&key=two", "kA b"),
        ("&key=one&name=other&addr=7.7.7.7&clientid=99&app=x&call=publish_done", "one"),
        ("", ""),
        ("&key=", ""),
    ],
)
def test_a_strangers_fields_do_not_replace_nginx_rtmps_own(tail: str, secret: str) -> None:
    found = nginx(NGINX.removesuffix("&key=s3cret&x=1") + tail)
    assert (found.name, found.client_id, found.address, found.app, found.secret) == (
        "main",
        "1",
        "127.0.0.1",
        "live",
        secret,
    )


def test_nginx_rtmp_tells_a_key_on_the_server_address_in_tcurl() -> None:
    body = NGINX.replace("/live&pageurl", "/live%3Fkey=zz&pageurl")
    assert nginx(body).secret == "s3cret"
    assert nginx(body.removesuffix("&key=s3cret&x=1")).secret == "zz"


def test_ipv4_inside_ipv6_is_told_as_ipv4() -> None:
    assert srs(ip="::ffff:192.0.2.7").address == "192.0.2.7"
    assert nginx(NGINX.replace("addr=127.0.0.1", "addr=::ffff:192.0.2.7")).address == "192.0.2.7"
    assert srs(ip="2001:db8::7").address == "2001:db8::7"


def test_the_end_of_an_input_carries_name_and_client_id() -> None:
    body = json.dumps({**SRS, "action": "on_unpublish"}).encode()
    assert parse_srs(body) == Unpublished("main", "91l7e03j")
    done = NGINX.replace("call=publish", "call=publish_done").encode()
    assert parse_nginx_rtmp(done) == Unpublished("main", "1")


@pytest.mark.parametrize("action", ["on_close", "on_play", "on_hls", "", "x" * 1000])
def test_other_actions_of_srs_are_ignored(action: str) -> None:
    assert isinstance(parse_srs(json.dumps({"action": action}).encode()), Ignored)


@pytest.mark.parametrize("call", ["connect", "play", "update_publish", "done", "disconnect"])
def test_other_calls_of_nginx_rtmp_are_ignored(call: str) -> None:
    assert parse_nginx_rtmp(f"app=live&call={call}".encode()) == Ignored(call)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"on_publish"',
        b"{",
        b"[" * 10000,
        b"{}",
        b'{"action": 1}',
        b'{"action": null}',
        b'{"action": "on_publish"}',
        json.dumps({**SRS, "stream": ["main"]}).encode(),
        json.dumps({**SRS, "client_id": None}).encode(),
        json.dumps({**SRS, "param": 7}).encode(),
        json.dumps({**SRS, "ip": {}}).encode(),
        b'{"action": "on_unpublish", "stream": "main"}',
        b"key=value",
    ],
)
def test_nonsense_from_srs_is_an_error(body: bytes) -> None:
    with pytest.raises(HookError):
        parse_srs(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"app=live",
        b"call=publish",
        b"call=publish&app=live&name=main",
        b"call=publish_done&name=main",
        b'{"action": "on_publish"}',
        b"call=publish&" + b"a=1&" * 200,
    ],
)
def test_nonsense_from_nginx_rtmp_is_an_error(body: bytes) -> None:
    with pytest.raises(HookError):
        parse_nginx_rtmp(body)


@pytest.mark.parametrize(
    "name",
    ["x" * 300, "é" * 200, "a\x00b", "bin\x01\ufffd\n", "main?key=abc", "main&key=abc", "key=abc"],
)
def test_over_long_and_binary_names_are_bounded_and_never_become_valid(name: str) -> None:
    for found in (srs(stream=name), srs(app=name)):
        for text in (found.app, found.name):
            assert len(text.encode()) <= 256 and text.isprintable()
    assert not is_channel_name(srs(stream=name).name)


def test_an_over_long_key_is_cut_to_one_that_cannot_be_right() -> None:
    for long in (
        srs(param="?key=" + "k" * 3000).secret,
        nginx(NGINX.replace("key=s3cret", "key=" + "k" * 3000)).secret,
    ):
        assert len(long.encode()) <= 256 and key_id_of(long) is None


def test_binary_keys_and_lone_surrogates_can_be_encoded() -> None:
    raw = json.dumps(SRS).encode().replace(b"s3cret", b"\xff\xfe\x01\\ud800")
    found = parse_srs(raw)
    assert isinstance(found, PublishRequest) and found.secret.encode()
    assert nginx(NGINX.encode().replace(b"s3cret", b"\xff\xfe\r\nX")).secret.encode()


def test_raw_control_characters_in_srs_json_are_read() -> None:
    raw = json.dumps(SRS).encode().replace(b'"main"', b'"bin\x01\xff"')
    found = parse_srs(raw)
    assert isinstance(found, PublishRequest) and not is_channel_name(found.name)


@pytest.mark.parametrize("name", [REAL_KEY, f"main-{REAL_KEY}", f"main&key={REAL_KEY}"])
def test_a_key_in_the_wrong_place_is_not_repeated(name: str) -> None:
    for found in (srs(stream=name), srs(app=name), srs(param=f"?key={REAL_KEY}")):
        assert REAL_KEY not in repr(found)
        assert found.name != name
    ended = parse_srs(json.dumps({**SRS, "action": "on_unpublish", "stream": name}).encode())
    assert REAL_KEY not in repr(ended)


def test_each_engine_is_answered_in_its_own_words() -> None:
    assert (accept("srs").status, accept("srs").body) == (200, b'{"code":0}')
    assert (accept("nginx-rtmp").status, accept("nginx-rtmp").body) == (204, b"")
    assert {refuse("srs").status, refuse("nginx-rtmp").status} == {403}
