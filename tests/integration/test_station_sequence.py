"""Segment numbers through everything that happens to a channel: they never go back (ST3)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.integration.station_rig import ENGINES, QUICK, Numbers, Station, running, until

RENDITIONS = ("source/main", "144p/main", "source/other", "144p/other")


@pytest.fixture(params=ENGINES)
def station(request: pytest.FixtureRequest) -> Iterator[Station]:
    with running(request.param, streaming=QUICK) as one:
        one.api.post("/api/channels", {"name": "other", "title": "Other"})
        yield one


def test_numbers_never_go_back_whatever_happens_to_input_rungs_and_daemon(
    station: Station,
) -> None:
    other = station.new_key("other")["stream_key"]
    with Numbers(station, RENDITIONS) as numbers:
        encoders = station.publish(), station.publish(other)
        for name in RENDITIONS:
            numbers.wait_for(name, 2, 15)

        for encoder in encoders:
            encoder.stop()
        stopped, ended = time.monotonic(), {name: numbers.newest(name) for name in RENDITIONS}
        time.sleep(1)
        station.publish()
        for name in ("source/main", "144p/main"):
            numbers.wait_for(name, 2, 14)

        os.kill(station.pid_of("rung:main:144p"), signal.SIGKILL)
        until(lambda: time.monotonic() - stopped > 8, 8)
        station.publish(other)
        numbers.wait_for("144p/main", 2, 14)

        switch(station, False)
        assert "144p" not in until(lambda: station.listed() == ["source"] and ["source"], 8)
        switch(station, True)
        until(lambda: "144p" in station.listed(), 8, "the rung is back")
        numbers.wait_for("144p/main", 1)
        numbers.wait_for("144p/other", 1, 14)

        os.kill(station.pid_of("daemon"), signal.SIGKILL)
        numbers.wait_for("144p/main", 2, 20)
        numbers.wait_for("source/main", 1)
    for name in RENDITIONS:
        assert_in_order(numbers, name)
        marks = [number for number in numbers.breaks[name] if number >= ended[name]]
        assert marks, f"{name}: the next publish is not marked as a discontinuity"
        assert name.startswith("144p") or min(marks) <= ended[name] + 2


def switch(station: Station, enabled: bool) -> None:
    station.api.put("/api/channels/main/renditions/144p", {"enabled": enabled})


def assert_in_order(numbers: Numbers, name: str) -> None:
    for seen in (numbers.first[name], numbers.next[name]):
        back = [(a, b) for a, b in pairwise(seen) if b < a]
        assert back == [], f"{name} went back"
    assert numbers.gone[name] == 0, f"{name} was away for a while"
