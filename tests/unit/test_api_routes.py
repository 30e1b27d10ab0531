"""What the routes answer, over fakes: channels, keys, users, health, metrics, previews."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from putlive.domain.access import Role
from putlive.domain.events import PublishDenied, StreamStarted
from putlive.domain.health import Component
from putlive.domain.streams import Channel
from tests.fake_station import START, Station, make_station


@pytest.fixture
async def station() -> Station:
    return await make_station()


@pytest.fixture
async def admin(station: Station) -> AsyncIterator[httpx.AsyncClient]:
    async with station.client(**await station.bearer(Role.ADMIN)) as made:
        yield made


async def test_the_stream_status_has_the_shape_of_the_source_document(
    admin: httpx.AsyncClient,
) -> None:
    body = (await admin.get("/api/stream/status", params={"channel": "demo"})).json()
    assert {k: body[k] for k in ("active", "stream_name", "quality", "resolution")} == {
        "active": True,
        "stream_name": "demo",
        "quality": "480p",
        "resolution": "854x480",
    }
    assert (body["bitrate_kbps"], body["fps"], body["viewers"]) == (1250, 30, 12)
    assert (body["uptime_seconds"], body["bytes_sent"]) == (60, 456_789_012)
    assert (await admin.get("/api/stream/status")).json() == body
    assert (await admin.get("/api/stream/status?channel=nope")).status_code == 404


async def test_an_off_air_stream_has_no_picture(admin: httpx.AsyncClient) -> None:
    stopped = await admin.post("/api/stream/stop", json={"channel": "demo"})
    assert stopped.json()["channel"]["enabled"] is False
    body = (await admin.get("/api/stream/status")).json()
    assert (body["active"], body["quality"], body["resolution"]) == (False, None, None)


async def test_a_channel_tells_everything_the_dashboard_shows(admin: httpx.AsyncClient) -> None:
    body = (await admin.get("/api/channels/demo")).json()
    assert body["hls_url"] == "/live/demo.m3u8"
    assert body["input"]["address"] == "203.0.113.7"
    assert body["renditions"][0]["name"] == "source"
    assert body["viewers"]["peak"] == 20
    made = await admin.post("/api/channels", json={"name": "news", "title": ""})
    assert (made.status_code, made.json()["title"]) == (201, "news")
    assert made.json()["refusal"]["sentence"] == "This stream key belongs to another channel."
    assert (await admin.get("/api/channels")).json()["total"] == 2
    again = await admin.post("/api/channels", json={"name": "news"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_exists")


async def test_the_public_learns_no_address(station: Station) -> None:
    async with station.client() as anybody:
        one = await anybody.get("/api/public/demo")
        every = await anybody.get("/api/public")
    assert one.json()["on_air"] is True
    assert one.json()["started_at"] == "2026-01-01T00:00:00Z"
    assert every.json() == {"channels": [one.json()]}
    assert "203.0.113" not in one.text


async def test_an_input_is_listed_and_cut(station: Station, admin: httpx.AsyncClient) -> None:
    listed = (await admin.get("/api/stream/clients?channel=demo")).json()["clients"]
    assert [(c["client_id"], c["kind"], c["key_id"]) for c in listed] == [
        ("client-1", "input", "key-1")
    ]
    assert (await admin.get("/api/stream/clients?channel=other")).json() == {"clients": []}
    assert (await admin.delete("/api/stream/clients/client-1")).status_code == 200
    assert station.publishing.kicked == ["demo"]
    assert (await admin.delete("/api/stream/clients/client-2")).status_code == 404


async def test_a_rendition_is_switched(station: Station, admin: httpx.AsyncClient) -> None:
    path = "/api/channels/demo/renditions/"
    assert (await admin.put(path + "480p", json={"enabled": False})).status_code == 200
    assert station.renditions.switched == {("demo", "480p"): False}
    assert (await admin.put(path + "source", json={"enabled": False})).status_code == 422
    assert (await admin.put(path + "8k", json={"enabled": True})).status_code == 404
    assert (await admin.put(path + "480p", json={"enabled": "maybe"})).status_code == 422


async def test_a_stream_key_is_shown_only_to_those_who_may_publish(
    station: Station, admin: httpx.AsyncClient
) -> None:
    made = (await admin.post("/api/keys", json={"channel": "demo", "label": "Studio"})).json()
    assert made["stream_key"].startswith(f"demo?key={made['id']}-")
    assert (made["owner"], made["version"]) == ("admin", 1)
    async with station.client(**await station.bearer(Role.VIEWER)) as viewer:
        listed = await viewer.get("/api/keys")
    assert [k["stream_key"] for k in listed.json()["keys"]] == [None]
    assert made["stream_key"].partition("=")[2] not in listed.text
    rotated = (await admin.post(f"/api/keys/{made['id']}/rotate")).json()
    assert rotated["version"] == 2
    assert rotated["stream_key"] != made["stream_key"]
    revoked = (await admin.delete(f"/api/keys/{made['id']}")).json()
    assert revoked["revoked_at"] and revoked["stream_key"] is None
    assert (await admin.post(f"/api/keys/{made['id']}/rotate")).status_code == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"channel": "nope"}, 404),
        ({"channel": "demo", "expires_at": "2020-01-01T00:00:00Z"}, 422),
        ({"channel": "demo", "expires_at": "2027-01-01T00:00:00"}, 422),
        ({"channel": "demo", "expires_at": "2027-01-01T00:00:00+02:00"}, 201),
        ({"channel": "demo", "label": "x" * 101}, 422),
    ],
)
async def test_a_key_has_to_make_sense(
    admin: httpx.AsyncClient, body: dict[str, str], status: int
) -> None:
    assert (await admin.post("/api/keys", json=body)).status_code == status


async def test_users_are_made_changed_and_kept_from_locking_everybody_out(
    admin: httpx.AsyncClient,
) -> None:
    made = (await admin.post("/api/users", json={"username": "bob", "role": "viewer"})).json()
    assert made["one_time_password"] and made["must_change_password"]
    listed = (await admin.get("/api/users")).json()["users"]
    assert [u["one_time_password"] for u in listed] == [None] * 4
    path = f"/api/users/{made['id']}"
    assert (await admin.patch(path, json={"role": "operator"})).json()["role"] == "operator"
    assert (await admin.patch(path, json={"active": False})).json()["active"] is False
    reset = (await admin.patch(path, json={"reset_password": True})).json()
    assert reset["one_time_password"] not in (None, made["one_time_password"])
    assert (await admin.patch("/api/users/1", json={"active": False})).status_code == 409
    assert (await admin.patch("/api/users/999", json={})).status_code == 404
    assert (await admin.patch("/api/users/x", json={})).status_code == 422


@pytest.mark.parametrize(
    ("domain", "host", "url"),
    [
        ("", "tv.example.org:8000", "rtmp://tv.example.org:1936/live"),
        ("", "[2001:db8::1]:8000", "rtmp://[2001:db8::1]:1936/live"),
        ("", "evil/x?y", "rtmp://localhost:1936/live"),
        ("my.tv", "other", "rtmp://my.tv:1936/live"),
    ],
)
async def test_the_server_for_encoders_is_where_people_reach_the_station(
    domain: str, host: str, url: str
) -> None:
    station = await make_station(domain=domain, rtmp_port=1936)
    async with station.client(**await station.bearer(Role.VIEWER)) as viewer:
        answer = await viewer.get("/api/ingest", headers={"Host": host})
    assert answer.json() == {"rtmp_url": url}


async def test_a_preview_is_asked_for_and_shown_once_there_is_one(
    station: Station, admin: httpx.AsyncClient, tmp_path: Path
) -> None:
    path = "/api/channels/demo/preview.jpg"
    assert (await admin.get(path)).status_code == 204
    station.previews.path = tmp_path / "demo.jpg"
    assert (await admin.get(path)).status_code == 204, "it was removed meanwhile"
    station.previews.path.write_bytes(b"\xff\xd8picture")
    answer = await admin.get(path)
    assert (answer.content, answer.headers["content-type"]) == (b"\xff\xd8picture", "image/jpeg")
    assert station.previews.asked == ["demo"] * 3
    assert (await admin.get("/api/channels/nope/preview.jpg")).status_code == 404


async def test_health_says_what_is_wrong_in_the_right_status(
    station: Station, admin: httpx.AsyncClient
) -> None:
    async def statuses() -> list[int]:
        paths = ("/api/health", "/api/health/detailed", "/healthz", "/readyz")
        return [(await admin.get(path)).status_code for path in paths]

    assert await statuses() == [200, 200, 200, 200]
    station.statuses.parts["nginx"] = Component("down", "It does not answer.")
    assert await statuses() == [200, 200, 200, 200]
    assert (await admin.get("/api/health")).json()["status"] == "degraded"
    station.statuses.parts["engine"] = Component("down", "It does not answer.")
    assert await statuses() == [200, 503, 200, 503]
    detail = (await admin.get("/api/health/detailed")).json()
    assert detail["components"]["engine"]["detail"] == "It does not answer."
    assert (await admin.get("/healthz")).json()["components"]["engine"] == "down"


async def test_history_and_log_are_read(station: Station, admin: httpx.AsyncClient) -> None:
    points = (await admin.get("/api/history?channel=demo&minutes=5")).json()["points"]
    assert points == [{"at": "2026-01-01T00:00:00Z", "viewers": 12, "bitrate_kbps": 1250}]
    assert (await admin.get("/api/history?minutes=0")).status_code == 422
    assert (await admin.get("/api/history?channel=nope")).status_code == 404
    await station.bus.publish(StreamStarted("demo", "c", "k", "203.0.113.7", START))
    rows = (await admin.get("/api/log?count=1")).json()["events"]
    assert [(r["kind"], r["body"]["channel"]) for r in rows] == [("stream_started", "demo")]
    assert (await admin.get("/api/log?count=501")).status_code == 422


async def test_the_metrics_are_read_by_prometheus(
    station: Station, admin: httpx.AsyncClient
) -> None:
    await station.bus.publish(StreamStarted("demo", "c", "k", "203.0.113.7", START))
    await station.bus.publish(PublishDenied("demo", "203.0.113.9", "unknown_key", START))
    for path in ("/api/channels/demo", "/api/channels/other", "/secret/4711"):
        await admin.get(path)
    answer = await admin.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = {
        (s.name, tuple(sorted(s.labels.values()))): s.value
        for family in text_string_to_metric_families(answer.text)
        for s in family.samples
    }
    assert samples["putlive_stream_active", ("demo", "source")] == 1
    assert samples["putlive_stream_viewers_total", ("demo",)] == 12
    assert samples["putlive_stream_bitrate_kbps", ("demo", "source")] == 1250
    assert samples["putlive_stream_fps", ("demo", "source")] == 30
    assert samples["putlive_ffmpeg_processes_running", ()] == 1, "a keeper is no ffmpeg"
    assert samples["putlive_ffmpeg_zombies_killed_total", ()] == 3
    assert samples["putlive_process_restarts_total", ("rung:demo:480p",)] == 2
    assert samples["putlive_process_stalls_total", ("rung:demo:480p",)] == 1
    assert samples["putlive_publish_decisions_total", ("allowed",)] == 1
    assert samples["putlive_publish_decisions_total", ("unknown_key",)] == 1
    assert samples["putlive_health_status", ("engine",)] == 1
    assert samples["putlive_cpu_usage_percent", ()] == 12.5
    assert samples["putlive_memory_used_bytes", ()] == 194_000_000
    assert samples["putlive_disk_used_percent", ("/",)] == 45
    assert samples["putlive_tmpfs_used_percent", ("/dev/shm",)] == 12
    assert samples["putlive_api_requests_total", ("/api/channels/{name}", "GET")] == 2
    assert samples["putlive_api_requests_total", ("GET", "unmatched")] == 1
    count = "putlive_api_requests_duration_seconds_count"
    assert samples[count, ("/api/channels/{name}",)] == 2
    assert "4711" not in answer.text


@pytest.mark.parametrize(
    ("address", "status"),
    [("127.0.0.1", 200), ("::1", 200), ("10.1.2.3", 200), ("203.0.113.5", 401), ("x", 401)],
)
async def test_the_metrics_are_for_the_allowed_networks(address: str, status: int) -> None:
    networks = ("127.0.0.0/8", "::1/128", "10.0.0.0/8")
    station = await make_station(metrics_networks=networks)
    async with station.client() as anybody:
        answer = await anybody.get("/metrics", headers={"X-Forwarded-For": address})
    assert answer.status_code == status


async def test_a_station_without_channels_answers_too(station: Station) -> None:
    empty: dict[str, Channel] = {}
    station.context.channels._channels = empty  # type: ignore[attr-defined]
    async with station.client(**await station.bearer(Role.VIEWER)) as viewer:
        for path in ("/api/stream/status", "/api/history"):
            assert (await viewer.get(path)).status_code == 404
        assert (await viewer.get("/api/channels")).json() == {"channels": [], "total": 0}
        assert (await viewer.get("/api/public")).json() == {"channels": []}
