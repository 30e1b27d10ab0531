"""The one sentence of the dashboard, and what the station says of its components."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from putlive.domain.health import Component, StationHealth, of_space
from putlive.domain.status import Input, OnAir, Refusal, span, verdict
from putlive.domain.streams import Channel, DenyReason

NOW = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
MAIN = Channel(1, "main", "Main")
OBS = Input("c1", "k1", "203.0.113.9", NOW - timedelta(minutes=5), bitrate_kbps=1250)
STALLED = Input("c1", "k1", "203.0.113.9", NOW, stalled=True)
REFUSED = Refusal(DenyReason.EXPIRED, "203.0.113.9", NOW - timedelta(seconds=40))
OLD = Refusal(DenyReason.EXPIRED, "203.0.113.9", NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    "channel,source,playing,up,refusal,state,sentence",
    [
        (MAIN, OBS, True, True, None, OnAir.LIVE,
         "On air: live from 203.0.113.9 for 5 min at 1250 kbit/s."),
        (MAIN, OBS, True, True, REFUSED, OnAir.LIVE,
         "On air: live from 203.0.113.9 for 5 min at 1250 kbit/s."),
        (MAIN, OBS, False, True, None, OnAir.STARTING,
         "Going on air: 203.0.113.9 connected 5 min ago; the picture is on its way."),
        (MAIN, STALLED, True, True, None, OnAir.STALLED,
         "Off air: 203.0.113.9 is connected, but nothing arrives from it."),
        (MAIN, None, False, True, None, OnAir.OFF_AIR, "Off air: no input is connected."),
        (MAIN, None, False, True, OLD, OnAir.OFF_AIR, "Off air: no input is connected."),
        (MAIN, None, False, True, REFUSED, OnAir.OFF_AIR,
         "Off air: an input from 203.0.113.9 was refused 40 s ago."),
        (Channel(1, "main", "", False), None, False, True, None, OnAir.STOPPED,
         "Off air: the channel was stopped by hand."),
        (MAIN, OBS, True, False, None, OnAir.ENGINE_DOWN,
         "Off air: the media engine does not answer."),
    ],
)  # fmt: skip
def test_verdict(channel, source, playing, up, refusal, state, sentence) -> None:
    said = verdict(channel, NOW, source, playing=playing, engine_up=up, refusal=refusal)
    assert (said.state, said.sentence) == (state, sentence)
    assert said.advice or state is OnAir.LIVE


def test_a_refusal_is_explained_in_the_advice() -> None:
    said = verdict(MAIN, NOW, None, playing=False, engine_up=True, refusal=REFUSED)
    assert said.advice == "This stream key has expired. Create another one."


@pytest.mark.parametrize(
    "seconds,text",
    [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h 0 min"), (90061, "1 d 1 h")],
)
def test_span(seconds, text) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    "states,status,ready",
    [
        ({"engine": "ok", "database": "ok", "nginx": "ok"}, "ok", True),
        ({"engine": "ok", "database": "ok", "nginx": "down"}, "degraded", True),
        ({"engine": "down", "database": "ok"}, "down", False),
        ({"engine": "ok", "database": "degraded"}, "degraded", True),
    ],
)
def test_the_station_is_ready_while_its_core_is_up(states, status, ready) -> None:
    parts = {name: Component(state, "") for name, state in states.items()}
    health = StationHealth(parts, "1", 0)
    assert (health.status, health.ready) == (status, ready)


@pytest.mark.parametrize("percent,status", [(10, "ok"), (85, "degraded"), (96, "down")])
def test_space(percent, status) -> None:
    assert of_space("disk", percent).status == status
