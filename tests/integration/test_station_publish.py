"""Publishing to a running station: who is let in, who is kept out, and what ends a publish."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.integration.station_rig import (
    ENGINES,
    QUICK,
    Encoder,
    Station,
    make_clip,
    running,
    until,
)


@pytest.fixture(scope="module", params=ENGINES)
def station(request: pytest.FixtureRequest) -> Iterator[Station]:
    with running(request.param, streaming=QUICK) as one:
        one.api.post("/api/channels", {"name": "other", "title": "Other"})
        yield one


@pytest.fixture(autouse=True)
def nobody_publishes(station: Station) -> Iterator[None]:
    yield
    station.hang_up()
    until(lambda: station.channel()["input"] is None, 8, "off air")


def measured(station: Station) -> dict[str, Any] | None:
    """The input of the channel, once its first segment was looked at."""
    source = station.channel()["input"]
    return source if source and source["width"] else None


def refusals(station: Station) -> list[tuple[str, str, str]]:
    """Channel, address and reason of each line about a refusal."""
    found = r"publish refused: channel=(\S+) address=(\S+) reason=(\w+)"
    return re.findall(found, station.log())


def is_refused(station: Station, stream_key: str, reason: str, channel: str = "main") -> None:
    """The encoder fails, and the log says who and why and nothing of the secret."""
    before = len(refusals(station))
    assert station.publish(stream_key).was_refused(), reason
    assert (channel, "127.0.0.1", reason) in refusals(station)[before:]
    secret = stream_key.partition("?key=")[2]
    assert not secret or secret not in station.log()


def let_in(station: Station, stream_key: str) -> Encoder:
    """An encoder that sends, though its picture may not be there yet."""
    encoder = station.publish(stream_key)
    until(lambda: (station.channel()["input"] or {}).get("key_id") == key_id(stream_key), 5)
    time.sleep(0.3)
    assert not encoder.is_gone()
    return encoder


def key_id(stream_key: str) -> str:
    return stream_key.partition("?key=")[2].partition("-")[0]


def cut_seconds(station: Station, stream_key: str, action: str, path: str) -> float:
    """How long an encoder lives on after an action that ends it."""
    encoder = let_in(station, stream_key)
    began = time.monotonic()
    assert station.api.raw(path, action).status_code == 200
    assert encoder.was_refused()
    return time.monotonic() - began


def test_a_good_key_is_live_and_a_second_encoder_has_to_stay_out(station: Station) -> None:
    encoder = station.on_air()
    source = until(lambda: measured(station), 4)
    assert (source["width"], source["height"], source["address"]) == (640, 360, "127.0.0.1")
    assert source["fps"] == pytest.approx(30, abs=0.5)
    is_refused(station, station.ready["stream_key"], "busy")
    assert station.state() == "live" and not encoder.is_gone()


def test_keys_that_are_not_good_are_refused_with_the_reason(station: Station) -> None:
    name, _, secret = station.ready["stream_key"].partition("?key=")
    bad = secret[:-4] + ("aaaa" if not secret.endswith("aaaa") else "bbbb")
    is_refused(station, f"{name}?key={bad}", "unknown_key")
    is_refused(station, f"{name}?key={'x' * 300}", "unknown_key")
    is_refused(station, name, "no_key")
    is_refused(station, f"other?key={secret}", "wrong_channel", "other")
    is_refused(station, f"nowhere?key={secret}", "wrong_channel", "nowhere")
    is_refused(station, f"UPPER?key={secret}", "bad_name", "-")
    assert station.channel("other")["refusal"]["reason"] == "wrong_channel"
    assert "refused" in station.channel()["sentence"]


def test_revoked_expired_and_rotated_keys_are_refused(station: Station) -> None:
    soon = datetime.now(timezone.utc) + timedelta(seconds=1)
    expired = station.new_key(expires_at=soon.isoformat())
    revoked, rotated = station.new_key(), station.new_key()
    assert station.api.delete(f"/api/keys/{revoked['id']}")["stream_key"] is None
    new = station.api.post(f"/api/keys/{rotated['id']}/rotate")
    is_refused(station, revoked["stream_key"], "revoked")
    is_refused(station, rotated["stream_key"], "unknown_key")
    until(lambda: datetime.now(timezone.utc) > soon, 2)
    is_refused(station, expired["stream_key"], "expired")
    assert new["stream_key"] != rotated["stream_key"]
    let_in(station, new["stream_key"])


def test_other_codecs_are_cut_with_a_reason(station: Station, tmp_path: Path) -> None:
    """SRS takes Sorenson video for none at all, which PutLive stands for ten seconds."""
    mp3 = ("-c:v", "libx264", "-g", "30", "-preset", "ultrafast", "-c:a", "libmp3lame")
    sorenson = ("-c:v", "flv", "-c:a", "aac")
    clips = [
        make_clip(tmp_path / f"{i}.flv", *codecs, size="320x180", seconds=16)
        for i, codecs in enumerate((mp3, sorenson))
    ]
    other = station.new_key("other")["stream_key"]
    encoders = [station.publish(clip=clips[0]), station.publish(other, clip=clips[1])]
    assert all(encoder.was_refused(15) for encoder in encoders)
    for channel, words in (("main", {"codec"}), ("other", {"codec", "no_video"})):
        until(lambda: station.channel(channel)["input"] is None, 4)  # noqa: B023
        assert station.channel(channel)["refusal"]["reason"] in words
    assert "H.264" in station.channel()["refusal"]["sentence"]


def gstreamer(location: str) -> list[str]:
    """A GStreamer encoder. `rtmp2sink` sends what follows `?` as part of the stream's name."""
    picture = "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1"
    coded = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! h264parse"
    sound = "audiotestsrc is-live=true ! avenc_aac ! aacparse ! m."
    sink = f"flvmux streamable=true name=m ! rtmp2sink location={location}"
    return ["gst-launch-1.0", "-q", *f"{picture} ! {coded} ! {sink} {sound}".split()]


def test_gstreamer_gets_in_with_a_good_key_only(station: Station) -> None:
    server, key = station.ready["rtmp_url"], station.ready["stream_key"]
    bad = f"{key[:-4]}{'aaaa' if not key.endswith('aaaa') else 'bbbb'}"
    assert station.publish(argv=gstreamer(f"{server}/{bad}")).was_refused()
    assert station.channel()["refusal"]["reason"] == "unknown_key"
    station.on_air(argv=gstreamer(f"{server}/{key}"))
    until(lambda: station.channel()["input"]["width"] == 320, 8, "measured")


def test_rotating_and_revoking_end_a_publish_at_once(station: Station) -> None:
    key = station.new_key()
    path = f"/api/keys/{key['id']}"
    assert cut_seconds(station, key["stream_key"], "POST", f"{path}/rotate") < 2
    (again,) = [k for k in station.api.get("/api/keys")["keys"] if k["id"] == key["id"]]
    assert cut_seconds(station, again["stream_key"], "DELETE", path) < 2


def test_a_kicked_input_stays_out_until_its_key_is_rotated(station: Station) -> None:
    key = station.new_key()
    encoder = let_in(station, key["stream_key"])
    (client,) = station.api.get("/api/stream/clients?channel=main")["clients"]
    assert (client["key_id"], client["kind"]) == (key["id"], "input")
    station.api.delete(f"/api/stream/clients/{client['client_id']}")
    assert encoder.was_refused()
    is_refused(station, key["stream_key"], "kicked")
    new = station.api.post(f"/api/keys/{key['id']}/rotate")
    let_in(station, new["stream_key"])


def test_a_stopped_channel_cuts_its_input_and_lets_none_in(station: Station) -> None:
    encoder = let_in(station, station.ready["stream_key"])
    answer = station.api.post("/api/stream/stop", {"channel": "main"})
    assert answer["channel"]["state"] == "stopped"
    assert encoder.was_refused()
    is_refused(station, station.ready["stream_key"], "channel_stopped")
    station.api.post("/api/stream/start", {"channel": "main"})
    station.on_air()
