"""The front as clients meet it: a real nginx, real files, and a daemon behind a real socket."""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
from pathlib import Path

import pytest

from putlive.adapters.web.access_log import AccessLog
from putlive.adapters.web.front import front_spec, render_front
from putlive.domain.viewers import RequestKind, is_minted
from putlive.services.program.viewing import ViewingService
from putlive.settings import Layout
from tests.fake_hls import FakeHls
from tests.fakes import FakeClock
from tests.integration.front_rig import NGINX, PLAYLIST, SEGMENT, Front

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

PLAYLISTS = ["/live/main.m3u8", "/live/source/main.m3u8", "/live/144p/main.m3u8"]
SECURE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
}
OTHERS = ["127.0.0.2", "127.0.0.3"]


@pytest.fixture
async def front(tmp_path):
    front = Front(tmp_path)
    try:
        await front.start()
        yield front
    finally:
        await front.stop()


def is_secure(answer) -> bool:
    policy = answer.header("content-security-policy") or ""
    return (
        all(answer.header(name) == value for name, value in SECURE.items())
        and "camera=()" in (answer.header("permissions-policy") or "")
        and policy.startswith("default-src 'none'; script-src 'self'; ")
        and "unsafe" not in policy
    )


def error(answer) -> dict:
    """The one error shape, whatever else is in it."""
    assert answer.header("content-type") == "application/json"
    shape = json.loads(answer.body)["error"]
    assert set(shape) == {"code", "message", "hint", "fields"}
    assert answer.header("cache-control") == "no-store"
    assert answer.header("x-correlation-id")
    assert is_secure(answer)
    return shape


# --- media ---


@pytest.mark.parametrize("path", PLAYLISTS)
async def test_playlists_are_never_cached_and_readable_from_any_page(front, path) -> None:
    for headers in (
        {},
        {"If_Modified_Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
        {"Range": "bytes=0-3"},
    ):
        answer = await front.ask(
            path, Accept_Encoding="gzip", Origin="https://o.example", **headers
        )
        assert answer.status == 200
        assert answer.body.startswith(b"#EXTM3U\n")
        assert answer.header("content-type") == "application/vnd.apple.mpegurl"
        assert "no-cache" in (answer.header("cache-control") or "")
        assert answer.header("access-control-allow-origin") == "*"
        assert answer.header("content-encoding") is None
        assert answer.header("etag") is None


async def test_segments_are_cached_for_ever_and_come_in_parts(front) -> None:
    path = "/live/source/main-1.ts"
    whole = await front.ask(path, Accept_Encoding="gzip")
    assert (whole.status, whole.body) == (200, SEGMENT)
    assert whole.header("content-type") == "video/mp2t"
    assert whole.header("content-encoding") is None
    assert whole.header("cache-control") == "public, max-age=86400, immutable"
    assert whole.header("access-control-allow-origin") == "*"
    assert "Content-Range" in (whole.header("access-control-expose-headers") or "")
    part = await front.ask(path, Range="bytes=188-375")
    assert (part.status, part.body) == (206, SEGMENT[188:376])
    assert (await front.ask(path, If_None_Match=whole.header("etag") or "")).status == 304
    assert (await front.ask(path, "HEAD")).body == b""


@pytest.mark.parametrize("path", [*PLAYLISTS, "/live/source/main-1.ts"])
async def test_a_browser_may_ask_beforehand_and_nobody_may_write(front, path) -> None:
    before = await front.ask(path, "OPTIONS", Access_Control_Request_Headers="range")
    assert before.status == 204
    assert before.header("access-control-allow-origin") == "*"
    assert "GET" in (before.header("access-control-allow-methods") or "")
    assert before.header("access-control-allow-headers") == "Range"
    for method in ("POST", "PUT", "DELETE"):
        assert (await front.ask(path, method)).status == 405


async def test_what_is_not_there_is_a_short_plain_404(front) -> None:
    for path in ("/live/none.m3u8", "/live/source/none.m3u8", "/live/source/main-9.ts"):
        answer = await front.ask(path)
        assert (answer.status, answer.body) == (404, b"not found\n")
        assert answer.header("cache-control") == "no-store"
        assert answer.header("access-control-allow-origin") == "*"
        assert answer.header("x-content-type-options") == "nosniff"


@pytest.mark.parametrize(
    "query,kept",
    [
        ("?sid=viewer-0001", "viewer-0001"),
        (f"?sid={'a' * 64}&x=1", "a" * 64),
        ("", None),
        ("?sid=", None),
        ("?sid=short", None),
        (f"?sid={'a' * 65}", None),
        ("?sid=abcdefgh%0a%23EXT", None),
        ("?sid=abcdefgh'\"<b>", None),
    ],
)
async def test_the_session_goes_into_the_addresses_of_the_multivariant(front, query, kept) -> None:
    text = (await front.ask(f"/live/main.m3u8{query}")).body.decode()
    found = re.findall(r"^(\w+)/main\.m3u8\?sid=(\S+)$", text, re.MULTILINE)
    assert [rendition for rendition, _ in found] == ["source", "144p"]
    assert found[0][1] == found[1][1]
    assert found[0][1] == kept if kept else is_minted(found[0][1])
    media = await front.ask(f"/live/source/main.m3u8?sid={found[0][1]}")
    assert media.body.decode() == PLAYLIST


async def test_every_visit_without_an_id_gets_its_own(front) -> None:
    texts = {(await front.ask("/live/main.m3u8")).body for _ in range(5)}
    assert len(texts) == 5


async def test_a_full_channel_refuses_newcomers_only(front) -> None:
    flag = front.layout.hls / "full" / "main"
    flag.touch()
    answer = await front.ask("/live/main.m3u8", Origin="https://o.example")
    assert (answer.status, answer.header("retry-after")) == (503, "10")
    assert answer.header("access-control-allow-origin") == "*"
    assert (await front.ask("/live/source/main.m3u8")).status == 200
    assert (await front.ask("/live/source/main-1.ts")).status == 200
    flag.unlink()
    assert (await front.ask("/live/main.m3u8")).status == 200


TRICKS = [
    "/live", "/live/", "/live/source", "/live/source/", "/live/full/main", "/live/full/",
    "/live/preview/main.jpg", "/live/front-cache/", "/live/.m3u8", "/live/source/.m3u8",
    "/live/source/.hidden-1.ts", "/live/source/main-1.ts.tmp", "/live/source/main-1.mp4",
    "/live/main.m3u8/", "/live/source/main.m3u8/x", "/live/source/main.m3u8%00.ts",
    "/live/source/main.m3u8%20", "/live/main.m3u8%0a", "/live/Main.m3u8",
    "/live/source/x/main.m3u8", "/live/../putlive.db", "/live/../../etc/passwd",
    "/live/%2e%2e/%2e%2e/etc/passwd", "/live/..%2f..%2fputlive.db",
    "/live/source/..%2f..%2f..%2fputlive.db", "/live/%252e%252e/putlive.db",
    "/live/source/%2e%2e/%2e%2e/run/front.conf", "/live/source%5c..%5c..%5cputlive.db",
    "/live/source/secret-1.ts/../../../putlive.db", "/live//etc/passwd", "/live/\\..\\putlive.db",
    "/live../putlive.db", "/live../run/front.conf", "/assets/../../putlive.db",
    "/assets../putlive.db", "/assets/%2e%2e/index.html/../../putlive.db", "/assets/", "/assets",
    "/index.html", "/embed.html", "/.git/config", "/.env", "/run/front.conf", "/putlive.db",
    "/dashboard/x", "/api", "/hooks/secret/srs", "/api/../hooks/secret/srs",
    "/api/%2e%2e/hooks/secret/srs", "/healthz/x", "//hooks/secret/srs",
    "/api/..%2fhooks/secret/srs", "http://127.0.0.1/hooks/secret/srs", "*", "live/main.m3u8",
]  # fmt: skip


async def test_no_trick_of_a_path_reaches_anything(front) -> None:
    secret = b"the secret of this station"
    (front.layout.state / "putlive.db").write_bytes(secret)
    (front.layout.hls / "source" / ".hidden-1.ts").write_bytes(secret)
    (front.layout.hls / "source" / "main-1.ts.tmp").write_bytes(secret)
    for path in TRICKS:
        raw = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answer = await front.send(raw.encode())
        assert answer.status in (400, 404), path
        assert secret not in answer.body, path
        assert b"nginx/" not in answer.body, path
        assert "nginx/" not in (answer.header("server") or "")
    assert not [p for _, p, _ in front.daemon.asked if "hooks" in p]


async def test_requests_that_are_none_are_refused(front) -> None:
    long = "/live/" + "a" * 9000
    for raw in (
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /live/main.m3u8 HTTP/9.9\r\n\r\n",
        b"GET /live/main.m3u8 HTTP/1.1\r\n\r\n",  # no Host
        b"GET /live/main.m3u8 HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
        f"GET {long} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode(),
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ):
        answer = await front.send(raw)
        assert answer.status in (400, 404, 414, 505), raw[:40]


# --- pages ---


@pytest.mark.parametrize(
    "path,name", [("/", "index"), ("/login", "login"), ("/dashboard", "dashboard")]
)
async def test_pages_carry_the_policy_and_are_not_framed(front, path, name) -> None:
    answer = await front.ask(f"{path}?channel=main")
    assert (answer.status, answer.header("cache-control")) == (200, "no-cache")
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert f"<title>{name}</title>".encode() in answer.body
    assert is_secure(answer)
    assert (answer.header("content-security-policy") or "").endswith("frame-ancestors 'none'")
    assert answer.header("x-frame-options") == "DENY"


async def test_only_the_embedded_player_may_be_framed(front) -> None:
    answer = await front.ask("/embed?channel=main")
    assert answer.status == 200
    assert is_secure(answer)
    assert (answer.header("content-security-policy") or "").endswith("frame-ancestors *")
    assert answer.header("x-frame-options") is None
    assert (await front.ask("/embed/?a=b")).header("location") == "/embed?a=b"


async def test_assets_are_cached_for_ever_and_compressed(front) -> None:
    answer = await front.ask("/assets/player-1a2b.js", Accept_Encoding="gzip")
    assert answer.status == 200
    assert answer.header("content-type") == "text/javascript; charset=utf-8"
    assert answer.header("content-encoding") == "gzip"
    assert answer.header("vary") == "Accept-Encoding"
    assert "immutable" in (answer.header("cache-control") or "")
    assert is_secure(answer)
    assert (await front.ask("/favicon.svg")).header("content-type") == "image/svg+xml"


async def test_a_page_that_is_not_there_carries_the_policy_too(front) -> None:
    for path in ("/nothing", "/assets/nothing.js", "/robots.txt", "/favicon.ico"):
        answer = await front.ask(path)
        assert (answer.status, answer.body) == (404, b"not found\n")
        assert answer.header("cache-control") == "no-store"
        assert is_secure(answer)


async def test_without_built_pages_the_front_says_404(front) -> None:
    for page in front.pages.glob("*.html"):
        page.unlink()
    for path in ("/", "/embed", "/login", "/dashboard"):
        assert (await front.ask(path)).status == 404


# --- the daemon ---


async def test_the_daemon_learns_the_truth_about_the_client(front) -> None:
    answer = await front.ask(
        "/api/channels?x=%20y",
        source="127.0.0.2",
        X_Forwarded_For="6.6.6.6",
        X_Forwarded_Proto="https",
        X_Forwarded_Host="evil.example",
        X_Real_IP="6.6.6.6",
        Forwarded="for=6.6.6.6",
        Proxy="http://evil.example",
        X_Correlation_ID="mine",
        Cookie="putlive_session=1",
        Authorization="Bearer x",
    )
    seen = json.loads(answer.body)
    assert seen["path"] == "/api/channels?x=%20y"
    headers = seen["headers"]
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.2", "http")
    assert headers["host"] == "tv.example.org:8000"
    assert (headers["x-correlation-id"], headers["cookie"]) == ("mine", "putlive_session=1")
    assert headers["authorization"] == "Bearer x"
    assert not {"x-forwarded-host", "x-real-ip", "forwarded", "proxy"} & set(headers)


async def test_answers_of_the_daemon_carry_each_header_once(front) -> None:
    for path in ("/api/channels", "/healthz", "/readyz", "/metrics"):
        answer = await front.ask(path)
        assert answer.status == (503 if path == "/readyz" else 200)
        assert is_secure(answer)
        assert answer.header("x-correlation-id") == "daemon"
        assert answer.header("set-cookie") == "a=b"


async def test_a_body_over_a_megabyte_is_refused_before_it_is_read(front) -> None:
    answer = await front.ask("/api/keys", "POST", body=b"x" * 900_000)
    assert answer.status == 200
    refused = await front.ask("/api/keys", "POST", body=b"x" * 1_100_000)
    assert refused.status == 413
    assert error(refused)["code"] == "too_large"
    assert front.daemon.count("/api/keys") == 1


async def test_without_a_daemon_the_api_says_that_it_is_restarting(front) -> None:
    await front.daemon.stop()
    for path in ("/api/channels", "/api/public", "/healthz", "/metrics", "/api/events"):
        answer = await front.ask(path)
        assert (answer.status, answer.header("retry-after")) == (503, "2"), path
        assert error(answer)["code"] == "restarting"
    front.layout.api_socket.unlink(missing_ok=True)
    assert (await front.ask("/api/auth/login", "POST")).status == 503
    assert (await front.ask("/live/source/main.m3u8")).status == 200
    await front.daemon.start()
    assert (await front.ask("/api/channels")).status == 200


async def test_events_pass_at_once(front) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(b"GET /api/events HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2)
    assert b"text/event-stream" in head
    assert b"Content-Security-Policy" in head
    assert b"event: status" in await asyncio.wait_for(reader.readuntil(b"\n\n"), 2)
    writer.close()


async def test_a_thousand_players_cost_the_daemon_one_answer_a_second(front) -> None:
    answers = await asyncio.gather(
        *(
            front.ask(f"/api/public/main?n={n}", Cookie=f"a={n}", Authorization="x")
            for n in range(200)
        )
    )
    assert {a.status for a in answers} == {200}
    assert len(front.daemon.asked) <= 5
    assert all(a.header("set-cookie") is None for a in answers)
    assert not {"cookie", "authorization"} & set(front.daemon.asked[0][2])
    before = len(front.daemon.asked)
    await asyncio.sleep(1.2)
    await front.ask("/api/public/main")  # may still be the stale one, while it is renewed
    await front.ask("/api/public/main")
    assert len(front.daemon.asked) > before


async def test_the_api_is_limited_per_address(front) -> None:
    first = [await front.ask("/api/channels") for _ in range(30)]
    refused = [a for a in first if a.status == 429]
    assert 5 <= len(refused) <= 9  # 1 + burst of 20, and what the time they took gave back
    assert error(refused[0])["code"] == "too_many_requests"
    assert refused[0].header("retry-after") == "1"
    assert (await front.ask("/api/channels", source=OTHERS[0])).status == 200
    assert (await front.ask("/healthz")).status == 200  # a probe is nobody's request


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/%6cogin", "/api//auth/./login"])
async def test_logins_are_limited_more_however_they_are_spelled(front, path) -> None:
    answers = [await front.ask(path, "POST") for _ in range(6)]
    assert [a.status for a in answers] == [200] * 4 + [429] * 2
    assert {p for _, p, _ in front.daemon.asked} == {"/api/auth/login"}
    assert answers[-1].header("retry-after") == "12"
    assert error(answers[-1])["code"] == "too_many_requests"
    assert (await front.ask("/api/channels")).status == 200
    assert (await front.ask("/api/auth/login", "POST", source=OTHERS[0])).status == 200


async def test_a_player_never_meets_a_limit(front) -> None:
    paths = [
        *PLAYLISTS,
        "/live/source/main-1.ts",
        "/",
        "/assets/player-1a2b.js",
        "/api/public/main",
    ]
    for path in paths:
        answers = await asyncio.gather(*(front.ask(path) for _ in range(150)))
        assert {a.status for a in answers} == {200}, path


async def test_a_dashboard_in_normal_use_never_meets_a_limit(front) -> None:
    """The calls of a minute at once: its pictures, its events, and a handful of clicks."""
    paths = ["/api/channels/main/preview.jpg"] * 20 + ["/api/events"] * 3
    paths += ["/api/auth/session", "/api/history", "/api/log", "/api/keys", "/api/ingest"] * 4
    front.daemon.release.set()
    assert {(await front.ask(path)).status for path in paths} == {200}


# --- counting viewers ---


class Counting:
    """The daemon's side of counting, on the front's real socket."""

    def __init__(self, front: Front) -> None:
        self.requests: list = []
        clock = FakeClock()
        self.viewing = ViewingService(clock, FakeHls([], clock), lambda _: 0, 2.0)
        self.log = AccessLog(front.layout.access_socket, self.take)

    def take(self, request) -> None:
        self.requests.append(request)
        self.viewing.saw(request)

    async def until(self, count: int) -> None:
        for _ in range(100):
            if len(self.requests) >= count:
                return
            await asyncio.sleep(0.02)


@pytest.fixture
async def counting(front):
    counting = Counting(front)
    await counting.log.open()
    yield counting
    await counting.log.close()


async def test_a_player_is_seen_and_counted(front, counting) -> None:
    text = (await front.ask("/live/main.m3u8", User_Agent='odd "\\agent')).body.decode()
    sid = re.search(r"sid=(\w+)", text).group(1)  # type: ignore[union-attr]
    await front.ask(f"/live/source/main.m3u8?sid={sid}", User_Agent='odd "\\agent')
    await front.ask("/live/source/main-1.ts", User_Agent='odd "\\agent', Range="bytes=0-187")
    await counting.until(3)
    kinds = [(r.kind, r.sid, r.status) for r in counting.requests]
    assert kinds == [
        (RequestKind.MULTIVARIANT, sid, 200),
        (RequestKind.PLAYLIST, sid, 200),
        (RequestKind.SEGMENT, "", 206),
    ]
    assert {r.agent for r in counting.requests} == {'odd "\\agent'}
    assert {r.address for r in counting.requests} == {"127.0.0.1"}
    stats = counting.viewing.stats("main")
    assert (stats.now, stats.unique) == (1, 1)
    assert counting.requests[2].bytes > 188
    assert stats.bytes_out == sum(r.bytes for r in counting.requests)
    assert counting.log.counts.malformed == 0


async def test_nothing_but_media_that_was_served_is_logged(front, counting) -> None:
    (front.layout.hls / "full" / "main").touch()
    for path in ("/", "/api/public", "/live/none.m3u8", "/live/main.m3u8", "/live/x/main-1.ts"):
        await front.ask(path)
    await front.ask("/live/source/main.m3u8", sid="x")
    await counting.until(1)
    await asyncio.sleep(0.1)
    assert [r.kind for r in counting.requests] == [RequestKind.PLAYLIST]


async def test_agents_of_any_bytes_arrive(front, counting) -> None:
    raw = b"GET /live/source/main.m3u8 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: "
    for agent in (b"\xff\xfe\x80", b"{}\"'\\u0000\t", b"x" * 4000):
        assert (await front.send(raw + agent + b"\r\n\r\n")).status == 200
    await counting.until(3)
    assert len(counting.requests) == 3
    assert all(r.agent.isprintable() and len(r.agent) <= 200 for r in counting.requests)


async def test_a_storm_is_served_and_only_sampled(front, counting) -> None:
    path = "/live/source/main.m3u8?sid=viewer-0001"
    answers = await asyncio.gather(*(front.ask(path) for _ in range(400)))
    assert {a.status for a in answers} == {200}
    await asyncio.sleep(0.3)
    assert 1 <= len(counting.requests) <= 20
    await front.ask("/live/source/main.m3u8?sid=viewer-0002")
    await asyncio.sleep(0.1)
    assert counting.requests[-1].sid == "viewer-0002"


async def test_without_a_listener_media_is_served_all_the_same(front, counting) -> None:
    path = "/live/source/main.m3u8"
    await counting.log.close()
    for _ in range(8):
        assert (await front.ask(path)).status == 200  # the socket is gone
    await counting.log.open()
    for number in range(3):  # nginx finds it again; one line may be lost
        await front.ask(f"{path}?sid=viewer-000{number}")
    await counting.until(2)
    assert len(counting.requests) >= 2


async def test_a_dead_listener_blocks_nobody(front, tmp_path) -> None:
    counting = Counting(front)
    await counting.log.open()
    asyncio.get_running_loop().remove_reader(counting.log._socket)  # it hangs: its queue fills
    answers = await asyncio.gather(
        *(front.ask(f"/live/source/main.m3u8?sid=viewer-{n:04}") for n in range(300))
    )
    assert {a.status for a in answers} == {200}
    await counting.log.close()


async def test_a_newer_daemon_takes_the_socket_over(front) -> None:
    old, new = Counting(front), Counting(front)
    await old.log.open()
    await new.log.open()
    await old.log.close()
    for number in range(3):
        await front.ask(f"/live/source/main.m3u8?sid=viewer-000{number}")
    await new.until(2)
    assert len(new.requests) >= 2
    await new.log.close()
    assert not front.layout.access_socket.exists()


async def test_a_file_in_the_place_of_the_socket_is_not_deleted(tmp_path) -> None:
    path = tmp_path / "access.sock"
    path.write_text("mine")
    with pytest.raises(Exception, match="another file"):
        await AccessLog(path, lambda _: None).open()
    assert path.read_text() == "mine"


async def test_a_flood_leaves_the_loop_to_others(front) -> None:
    import socket

    counting = Counting(front)
    await counting.log.open()
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.setblocking(False)
    loop, slowest = asyncio.get_running_loop(), 0.0
    end = loop.time() + 0.5
    while loop.time() < end:
        for _ in range(50):
            try:
                sender.sendto(b"junk", str(front.layout.access_socket))
            except BlockingIOError:
                break
        before = loop.time()
        await asyncio.sleep(0)
        slowest = max(slowest, loop.time() - before)
    sender.close()
    await counting.log.close()
    assert counting.log.counts.pauses >= 1
    assert counting.log.counts.lines <= 1500
    assert slowest < 0.1


# --- how it runs ---


async def test_nothing_odd_is_in_the_error_log(front) -> None:
    for path in [*PLAYLISTS, "/", "/nothing", "/live/none.m3u8", "/api/channels"]:
        await front.ask(path)
    lines = [
        x for x in front.errors().splitlines() if "access.sock" not in x and "connect()" not in x
    ]
    assert lines == []


async def test_the_front_leaves_nothing_behind(front) -> None:
    pid = front.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) >= 2  # worker and cache manager
    await front.stop()
    assert front.process.returncode == 0
    assert not (front.layout.run / "front.pid").exists()
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start it as somebody else")
async def test_it_runs_as_an_ordinary_user() -> None:
    nobody = 65534
    with tempfile.TemporaryDirectory() as folder:
        front = Front(Path(folder))
        front.put_files()
        layout: Layout = front.layout
        for path in (layout.run / "front-temp", layout.logs, layout.hls / "front-cache"):
            path.mkdir(parents=True)
        (layout.run / "front.conf").write_text(render_front(front.settings, layout, front.pages))
        for path in (layout.state, *layout.state.rglob("*")):
            os.chown(path, nobody, nobody)
        try:
            front.run(front_spec(NGINX or "", layout).argv, user=nobody)
            await front.wait()
            assert (await front.ask("/live/main.m3u8")).status == 200
            assert (await front.ask("/api/channels")).status == 503
        finally:
            await front.stop()
