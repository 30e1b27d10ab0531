"""What the engines' own lists mean, from answers captured of SRS 6.0.157 and nginx-rtmp 1.2.2."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from putlive.adapters.engines.loopback_http import Reply
from putlive.adapters.engines.nginx_rtmp import NginxRtmpEngine
from putlive.adapters.engines.srs import SrsEngine
from putlive.domain.media import Publisher
from putlive.errors import EngineDown

MAIN = Publisher("live", "main", "91l7e03j", "127.0.0.1", 1789098, "H264", "AAC", 854, 480)
STREAM: dict[str, Any] = {
    "id": "vid-452695k",
    "name": "main",
    "app": "live",
    "recv_bytes": 1792700,
    "publish": {"active": True, "cid": "91l7e03j"},
    "video": {"codec": "H264", "profile": "Main", "level": "3.1", "width": 854, "height": 480},
    "audio": {"codec": "AAC", "sample_rate": 44100, "channel": 2, "profile": "LC"},
}
CLIENT: dict[str, Any] = {
    "id": "91l7e03j",
    "ip": "127.0.0.1",
    "type": "fmle-publish",
    "publish": True,
    "recv_bytes": 1789098,
}
STAT = """<?xml version="1.0" encoding="utf-8" ?>
<rtmp><nginx_version>1.22.1</nginx_version><nginx_rtmp_version>1.1.4</nginx_rtmp_version>
<pid>12048</pid><uptime>53</uptime><bytes_in>5397812</bytes_in>
<server><application><name>live</name><live>
<stream><name>{name}</name><time>31711</time><bytes_in>{bytes}</bytes_in>{clients}
<meta><video><width>854</width><height>480</height><frame_rate>30</frame_rate><codec>H264</codec>
</video><audio><codec>AAC</codec><profile>LC</profile></audio></meta><nclients>1</nclients></stream>
<stream><name>idle</name><bytes_in>0</bytes_in>
<client><id>7</id><address>127.0.0.1</address><active/></client></stream>
<nclients>1</nclients></live></application></server></rtmp>"""


class Answers:
    """A server that answers by the beginning of the path, and remembers what it was asked."""

    def __init__(self, **bodies: object) -> None:
        self.bodies = bodies
        self.status = 200
        self.asked: list[str] = []

    async def get(self, path: str) -> Reply:
        return await self.request("GET", path)

    async def request(self, method: str, path: str) -> Reply:
        self.asked.append(f"{method} {path}")
        found = next(body for key, body in self.bodies.items() if key in path)
        raw = found if isinstance(found, bytes) else json.dumps(found).encode()
        return Reply(self.status, raw)


def srs(http: Answers, folder: Path = Path("/nowhere")) -> SrsEngine:
    return SrsEngine(http, 1935, folder)  # type: ignore[arg-type]


def nginx(http: Answers) -> NginxRtmpEngine:
    return NginxRtmpEngine(http, 1935, "secret")  # type: ignore[arg-type]


def lists(streams: object, clients: object) -> Answers:
    return Answers(streams={"code": 0, "streams": streams}, clients={"code": 0, "clients": clients})


def publishing(*ids: int) -> str:
    row = "<client><id>{}</id><address>192.0.2.7</address><publishing/><active/></client>"
    return "".join(row.format(i) for i in ids)


def stat(count: int = 5377713, clients: str = publishing(1), name: str = "main") -> Answers:
    text = STAT.format(name=name, bytes=count, clients=clients)
    return Answers(stat=text.encode(), drop=b"1")


async def test_srs_streams_and_clients_are_joined() -> None:
    http = lists([STREAM], [CLIENT])
    assert await srs(http).publishers() == [MAIN]
    assert http.asked[0] == "GET /api/v1/streams/?start=0&count=1000"


async def test_srs_codecs_are_empty_until_it_knows_them() -> None:
    found = await srs(lists([{**STREAM, "video": None, "audio": None}], [CLIENT])).publishers()
    assert (found[0].video_codec, found[0].audio_codec, found[0].width) == ("", "", 0)


@pytest.mark.parametrize(
    "streams,clients",
    [
        ([], []),
        ([], [CLIENT]),  # its hook is not answered yet
        ([STREAM], []),  # it has just left
        ([{**STREAM, "publish": {"active": False}}], [CLIENT]),
        ([{**STREAM, "publish": {"active": True, "cid": "other"}}], [CLIENT]),
    ],
)
async def test_srs_lists_nobody_who_does_not_publish(streams: Any, clients: Any) -> None:
    assert await srs(lists(streams, clients)).publishers() == []


async def test_srs_counts_on_with_the_segment_it_writes(tmp_path: Path) -> None:
    engine = srs(lists([STREAM], [CLIENT]), tmp_path)
    segment = tmp_path / "main-1700.ts.tmp"
    segment.write_bytes(b"x" * 4096)
    first = (await engine.publishers())[0].bytes_in
    segment.write_bytes(b"x" * 8192)
    assert (await engine.publishers())[0].bytes_in == first + 4096


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"7",
        {"code": 2048},
        {"code": 0},
        {"code": 0, "streams": {}},
        {"code": 0, "streams": [7]},
        {"code": 0, "streams": [{}]},
        {"code": 0, "streams": [{**STREAM, "publish": 7}]},
        {"code": 0, "streams": [{**STREAM, "video": {"width": "wide"}}]},
    ],
)
async def test_nonsense_from_srs_is_engine_down(body: object) -> None:
    clients = {"code": 0, "clients": [CLIENT]}
    with pytest.raises(EngineDown):
        await srs(Answers(streams=body, clients=clients)).publishers()


async def test_srs_names_with_raw_bytes_do_not_break_the_list() -> None:
    raw = json.dumps({"code": 0, "streams": [STREAM]}).encode().replace(b"main", b"\x01\xff")
    clients = {"code": 0, "clients": [CLIENT]}
    assert len(await srs(Answers(streams=raw, clients=clients)).publishers()) == 1


async def test_srs_health_names_the_start_it_belongs_to() -> None:
    answer = {"code": 0, "service": "h40o3s0g", "pid": "16359", "data": {"version": "6.0.157"}}
    health = await srs(Answers(versions=answer)).health()
    assert (health.name, health.version, health.pid) == ("srs", "6.0.157", 16359)
    assert health.incarnation == "h40o3s0g"
    for key in ("service", "pid", "data"):
        broken = copy.deepcopy(answer)
        del broken[key]
        with pytest.raises(EngineDown):
            await srs(Answers(versions=broken)).health()


@pytest.mark.parametrize("code,gone", [(0, True), (2049, False)])
async def test_srs_kick_tells_whether_there_was_somebody(code: int, gone: bool) -> None:
    http = Answers(clients={"code": code})
    assert await srs(http).kick(MAIN) is gone
    assert http.asked == ["DELETE /api/v1/clients/91l7e03j"]


async def test_srs_kick_that_is_refused_is_engine_down() -> None:
    with pytest.raises(EngineDown):
        await srs(Answers(clients={"code": 1000})).kick(MAIN)


@pytest.mark.parametrize("client_id", ["", "..", "../streams", "a b", "a/b", "é", "x" * 65])
async def test_no_kick_is_sent_for_a_client_id_the_engine_cannot_have_made(client_id: str) -> None:
    strange = Publisher("live", "main", client_id, "192.0.2.7", 0)
    for http, engine in ((h := Answers(), srs(h)), (h := Answers(), nginx(h))):
        assert await engine.kick(strange) is False
        assert http.asked == []


async def test_nginx_rtmp_lists_publishing_clients_and_no_players() -> None:
    expected = Publisher("live", "main", "1", "192.0.2.7", 5377713, "H264", "AAC", 854, 480)
    assert await nginx(stat()).publishers() == [expected]
    assert await nginx(stat(clients="")).publishers() == []


async def test_nginx_rtmp_counts_each_publish_alone_while_players_stay() -> None:
    http = stat(1000)
    engine = nginx(http)
    assert [p.bytes_in for p in await engine.publishers()] == [1000]
    for count, clients, expected in (
        (5000, publishing(1), [5000]),
        (5500, "", []),  # between two publishers
        (6000, publishing(9), [500]),
        (7500, publishing(9), [2000]),
        (300, publishing(12), [300]),  # everybody had left: a new stream
    ):
        http.bodies = stat(count, clients).bodies
        assert [p.bytes_in for p in await engine.publishers()] == expected


async def test_nginx_rtmp_names_with_characters_xml_does_not_know_are_read() -> None:
    http = stat(name="a\x01\ufffeb")
    assert (await nginx(http).publishers())[0].name == "a\ufffd\ufffdb"


async def test_nginx_rtmp_kicks_by_number_alone() -> None:
    http = stat()
    publisher = Publisher("live", "a&clientid=2", "1", "192.0.2.7", 0)
    assert await nginx(http).kick(publisher) is True
    assert http.asked == ["GET /secret/control/drop/client?clientid=1"]
    http.bodies = {"drop": b"0"}
    assert await nginx(http).kick(publisher) is False


@pytest.mark.parametrize(
    "body", [b"", b"<rtmp>", b"{}", b"<rtmp/>".replace(b"rtmp", b"<"), b"<rtmp><pid>x</pid></rtmp>"]
)
async def test_nonsense_from_nginx_rtmp_is_engine_down(body: bytes) -> None:
    with pytest.raises(EngineDown):
        await nginx(Answers(stat=body)).health()


async def test_a_wrong_password_or_path_is_engine_down() -> None:
    for status in (401, 404, 500):
        for http, engine in ((h := lists([], []), srs(h)), (h := stat(), nginx(h))):
            http.status = status
            with pytest.raises(EngineDown, match=str(status)):
                await engine.publishers()


async def test_both_play_from_loopback() -> None:
    for engine in (srs(Answers()), nginx(Answers())):
        assert engine.play_url("main") == "rtmp://127.0.0.1:1935/live/main"
