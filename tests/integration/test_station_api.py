"""The API over HTTP through the real front: health, login, events, preview, viewers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.integration.station_rig import (
    ENGINES,
    PASSWORD,
    QUICK,
    Player,
    Station,
    is_running,
    running,
    until,
)

MOST_VIEWERS = 3


@pytest.fixture(scope="module", params=ENGINES)
def station(request: pytest.FixtureRequest) -> Iterator[Station]:
    """With `main` on air all along, and `other` for inputs that come and go."""
    with running(request.param, streaming={**QUICK, "max_viewers": MOST_VIEWERS}) as one:
        one.api.post("/api/channels", {"name": "other", "title": "Other"})
        one.on_air()
        yield one


@dataclass
class Preview:
    """What somebody saw who looked at the preview for a while."""

    first_seconds: float = 0.0
    pictures: list[bytes] = field(default_factory=list)
    ran_on_seconds: float = 0.0


@pytest.fixture(scope="module", autouse=True)
def preview(station: Station) -> Iterator[Future[Preview]]:
    """Looked at while the other tests run: most of it is waiting."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(look_at_preview, station)


def look_at_preview(station: Station) -> Preview:
    seen, began = Preview(), time.monotonic()
    with httpx.Client(headers=station.api.headers, timeout=5, trust_env=False) as http:
        url = f"http://127.0.0.1:{station.http}/api/channels/main/preview.jpg"
        while len(seen.pictures) < 3 and time.monotonic() - began < 20:
            answer = http.get(url)
            assert answer.status_code in (200, 204), answer.text
            if answer.status_code == 200 and answer.content not in seen.pictures:
                assert answer.headers["content-type"] == "image/jpeg"
                seen.first_seconds = seen.first_seconds or time.monotonic() - began
                seen.pictures.append(answer.content)
            time.sleep(0.5)
    last_ask, pid = time.monotonic(), station.pid_of("preview:main")
    until(lambda: not is_running(pid), 20, "the preview ends")
    seen.ran_on_seconds = time.monotonic() - last_ask
    return seen


def test_health_is_public_and_details_are_not(station: Station) -> None:
    base = f"http://127.0.0.1:{station.http}"
    health = httpx.get(f"{base}/api/health").json()
    assert set(health) == {"status", "version", "uptime_seconds"} and health["status"] == "ok"
    for path in ("/healthz", "/readyz"):
        alive = httpx.get(f"{base}{path}")
        assert (alive.status_code, alive.json()["components"]["engine"]) == (200, "ok")
    assert httpx.get(f"{base}/api/health/detailed").status_code == 401
    engine = station.api.get("/api/health/detailed")["components"]["engine"]
    assert engine["status"] == "ok" and station.engine in engine["detail"]


def test_metrics_tell_of_the_stream(station: Station) -> None:
    text = httpx.get(f"http://127.0.0.1:{station.http}/metrics").text
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    assert all(name.startswith("putlive_") for name in names) and len(names) > 15
    assert any('channel="main"' in line or 'stream="main"' in line for line in text.splitlines())


def test_a_login_has_to_choose_a_password_and_its_cookies_need_the_csrf_token(
    station: Station,
) -> None:
    made = station.api.post("/api/users", {"username": "olga", "role": "operator"})
    with httpx.Client(base_url=f"http://127.0.0.1:{station.http}", timeout=5) as browser:
        wrong = browser.post("/api/auth/login", json={"username": "olga", "password": "no"})
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "not_authenticated")
        old = made["one_time_password"]
        login = browser.post("/api/auth/login", json={"username": "olga", "password": old})
        cookies = login.headers.get_list("set-cookie")
        assert len(cookies) == 2
        assert all("HttpOnly" in c and "samesite=strict" in c.lower() for c in cookies)
        token = {"X-CSRF-Token": login.json()["csrf_token"]}
        early = browser.get("/api/channels")
        assert (early.status_code, early.json()["error"]["code"]) == (
            *(403, "password_change_required"),
        )
        wanted = {"current_password": old, "new_password": PASSWORD}
        changed = browser.post("/api/auth/password", json=wanted, headers=token)
        assert changed.status_code == 200
        may_only_operate(browser, changed.json()["csrf_token"])
        token = {"X-CSRF-Token": browser.get("/api/auth/session").json()["csrf_token"]}
        assert browser.post("/api/auth/logout", headers=token).status_code == 200
        assert browser.get("/api/channels").status_code == 401


def may_only_operate(browser: httpx.Client, token: str) -> None:
    """An operator with the token may start a channel; without it, or users, not."""
    body, headers = {"channel": "other"}, {"X-CSRF-Token": token}
    assert browser.get("/api/channels").status_code == 200
    bare = browser.post("/api/stream/start", json=body)
    assert bare.status_code == 403 and "csrf" in bare.json()["error"]["code"]
    assert browser.post("/api/stream/start", json=body, headers=headers).status_code == 200
    assert browser.get("/api/users").status_code == 403


def test_events_tell_the_status_and_what_happens(station: Station) -> None:
    found: list[tuple[float, str, dict[str, Any]]] = []
    began = time.monotonic()
    listener = threading.Thread(target=listen, args=(station, found, began), daemon=True)
    listener.start()
    until(lambda: len(found) >= 2, 6, "two messages")
    at, kind, body = found[0]
    assert kind == "status" and at < 3
    assert {c["name"] for c in body["channels"]} == {"main", "other"}
    station.publish(station.new_key("other")["stream_key"])
    listener.join(8)
    at, kind, body = found[-1]
    assert (kind, body["kind"], body["channel"]) == ("event", "stream_started", "other")


def listen(station: Station, found: list[tuple[float, str, dict[str, Any]]], began: float) -> None:
    """Note messages until a stream starts."""
    url = f"http://127.0.0.1:{station.http}/api/events"
    with (
        suppress(httpx.ReadTimeout),
        httpx.stream("GET", url, headers=station.api.headers, timeout=6) as answer,
    ):
        kind = ""
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            kind = value if name == "event" else kind
            if name == "data":
                found.append((time.monotonic() - began, kind, json.loads(value)))
                if found[-1][2].get("kind") == "stream_started":
                    return


def test_viewers_are_persons_and_a_full_channel_lets_no_more_in(station: Station) -> None:
    players = {name: Player(station, "main", f"{name}-0123456789") for name in ("ann", "bob")}
    until(lambda: viewers(station)["now"] == 2, 8, "two viewers")
    players["ann"].stop()
    players["ann"] = Player(station, "main", "ann-0123456789")
    players["cleo"] = Player(station, "main", "cleo-0123456789")
    until(lambda: viewers(station)["now"] == 3, 8, "three viewers")
    time.sleep(1)
    counted = viewers(station)
    assert (counted["now"], counted["peak"], counted["unique"]) == (3, 3, 3)

    refused = until(lambda: full(station), 5, "the channel is full")
    assert refused.headers["Retry-After"].isdigit()
    late = Player(station, "main", "dan-0123456789")
    time.sleep(2)
    for player in (*players.values(), late):
        player.stop()
    assert late.statuses == [503]
    assert all(set(p.statuses) == {200} and len(p.statuses) > 3 for p in players.values())
    assert viewers(station)["bytes_out"] > 100_000
    until(lambda: viewers(station)["now"] == 0, 14, "they are gone")
    until(lambda: not full(station), 4, "there is room again")
    assert viewers(station)["unique"] == 3


def viewers(station: Station) -> dict[str, Any]:
    counted: dict[str, Any] = station.channel()["viewers"]
    return counted


def full(station: Station) -> httpx.Response | None:
    answer = station.media("main.m3u8")
    return answer if answer.status_code == 503 else None


def test_the_preview_comes_quickly_moves_and_ends_by_itself(preview: Future[Preview]) -> None:
    seen = preview.result(40)
    assert 0 < seen.first_seconds < 6
    assert len(seen.pictures) == 3
    for picture in seen.pictures:
        assert picture.startswith(b"\xff\xd8") and size_of(picture) == "256,144"
    assert 9.5 < seen.ran_on_seconds < 14


def size_of(picture: bytes) -> str:
    argv = ["ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", "-"]
    found = subprocess.run(argv, input=picture, capture_output=True, timeout=10, check=True)
    return found.stdout.decode().strip()


def test_a_station_without_its_engine_is_not_ready(station: Station) -> None:
    """The last one here: an engine that hangs loses its inputs."""
    url = f"http://127.0.0.1:{station.http}/readyz"
    engine = station.pid_of("engine")
    group = os.getpgid(engine)
    os.killpg(group, signal.SIGSTOP)
    try:
        until(lambda: httpx.get(url).status_code == 503, 8, "not ready")
        assert httpx.get(url).json()["components"]["engine"] == "down"
        assert httpx.get(url.replace("readyz", "healthz")).status_code == 200
        assert station.state() == "engine_down"
    finally:
        os.killpg(group, signal.SIGCONT)
    until(lambda: httpx.get(url).status_code == 200, 8, "ready again")
