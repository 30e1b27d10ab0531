from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from putlive.domain.measuring import Measure, grid, measured, nominal_fps, variant
from putlive.domain.media import SegmentFacts

FACTS = SegmentFacts(250_000, 2.0, 60, 0.0, True, 854, 480, "avc1.4d401f,mp4a.40.2", True)
URI = "source/main.m3u8"


@pytest.mark.parametrize(
    ("seen", "said"),
    [(29.995, 30), (30.02, 30), (29.96, 29.97), (24.99, 25), (59.8, 59.94), (14.97, 15)]
    + [(23.98, 23.976), (12.51, 12.5), (27.33, 27.3), (0.0, 0.0)],
)
def test_a_measured_rate_snaps_to_a_usual_one(seen: float, said: float) -> None:
    assert nominal_fps(seen) == pytest.approx(said)


@given(st.integers(1, 10**9))
def test_the_grid_rounds_up_by_little(bits: int) -> None:
    assert bits <= grid(bits) <= max(bits * 1.11, bits + 10_000)


def test_bandwidth_is_the_peak_rounded_up_and_average_the_mean() -> None:
    measure = measured(measured(None, FACTS), replace(FACTS, bytes=500_000))
    entry = variant(measure, URI, None)
    assert entry.bandwidth >= 2_000_000
    assert 1_500_000 <= entry.average_bandwidth < entry.bandwidth


def test_ordinary_variation_changes_nothing() -> None:
    measure = measured(None, FACTS)
    entry = variant(measure, URI, None)
    for size in (240_000, 249_000, 230_000, 251_000, 245_000):
        measure = measured(measure, replace(FACTS, bytes=size, frames=59 + size % 3))
        assert variant(measure, URI, entry) == entry


def test_a_higher_peak_counts_at_once() -> None:
    entry = variant(measured(None, FACTS), URI, None)
    higher = measured(measured(None, FACTS), replace(FACTS, bytes=300_000))
    assert variant(higher, URI, entry).bandwidth >= 1_200_000


def test_a_much_lower_rate_counts_once_the_old_one_is_forgotten() -> None:
    measure = measured(None, FACTS)
    entry = variant(measure, URI, None)
    for _ in range(40):
        measure = measured(measure, replace(FACTS, bytes=100_000))
        entry = variant(measure, URI, entry)
    assert entry.bandwidth < 500_000


def test_another_encoding_starts_afresh() -> None:
    old = measured(None, FACTS)
    entry = variant(old, URI, None)
    measure = measured(old, replace(FACTS, width=256, height=144, bytes=50_000))
    assert measure == Measure((replace(FACTS, width=256, height=144, bytes=50_000),))
    fresh = variant(measure, URI, entry)
    assert (fresh.width, fresh.bandwidth) == (256, 200_000)


def test_one_segment_without_a_keyframe_makes_it_dependent() -> None:
    measure = measured(measured(None, FACTS), replace(FACTS, keyframe_first=False))
    assert not variant(measure, URI, None).independent


def test_the_recent_rate_follows_the_last_segments() -> None:
    measure = measured(None, FACTS)
    for _ in range(5):
        measure = measured(measure, replace(FACTS, bytes=125_000))
    assert measure.recent == 500_000
    assert measure.average > 500_000


def test_facts_without_length_do_not_divide_by_zero() -> None:
    measure = measured(None, replace(FACTS, seconds=0.0))
    assert (measure.fps, measure.average, measure.peak) == (0.0, 0, 0)
