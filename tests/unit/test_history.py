"""History: steps, bounds and clocks that jump."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from putlive.services.program.history import (
    COARSE_POINTS,
    FINE_POINTS,
    MAX_CHANNELS,
    HistoryService,
)

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def test_a_step_has_the_most_viewers_and_the_mean_bit_rate() -> None:
    history = HistoryService()
    for second, viewers, kbps in ((0, 3, 1000), (2, 7, 2000), (9, 5, 3000), (10, 1, 500)):
        history.record("demo", START + timedelta(seconds=second), viewers, kbps)
    points = history.points("demo", START + timedelta(seconds=10), 60)
    assert [(p.at - START, p.viewers, p.bitrate_kbps) for p in points] == [
        (timedelta(0), 7, 2000),
        (timedelta(seconds=10), 1, 500),
    ]


def test_a_day_is_kept_in_few_points() -> None:
    history = HistoryService()
    for second in range(0, 2 * 86_400, 10):
        history.record("demo", START + timedelta(seconds=second), 1, 1000)
    now = START + timedelta(days=2)
    assert len(history.points("demo", now, 60)) == FINE_POINTS
    day = history.points("demo", now, 1440)
    assert len(day) == COARSE_POINTS
    assert [p.at for p in day] == sorted(p.at for p in day)
    assert len(history.points("demo", now, 5)) == 30


def test_a_clock_that_is_set_back_does_not_turn_the_graph_round() -> None:
    history = HistoryService()
    for second in (0, 10, 20, 30, 5, 15, 25, 35, 45):
        history.record("demo", START + timedelta(seconds=second), 1, 1000)
    times = [p.at for p in history.points("demo", START + timedelta(seconds=45), 60)]
    assert times == sorted(set(times))


def test_an_unknown_channel_has_none_and_channels_are_bounded() -> None:
    history = HistoryService()
    assert history.points("demo", START, 60) == []
    for i in range(MAX_CHANNELS + 5):
        history.record(f"c{i}", START, 1, 1)
    assert history.points(f"c{MAX_CHANNELS + 1}", START, 60) == []
