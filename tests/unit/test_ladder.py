from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from putlive.domain.ladder import Rung, RungPlan, fit, rungs
from putlive.domain.media import SegmentFacts

P144 = Rung("144p", 256, 144, 200_000, 15, 32_000)
P480 = Rung("480p", 854, 480, 1_200_000, 30, 96_000)
P720 = Rung("720p", 1280, 720, 2_500_000, 30, 128_000, enabled=False)
LADDER = (P144, P480, P720)


def source(width: int, height: int, fps: float = 30) -> SegmentFacts:
    frames = round(fps * 2)
    return SegmentFacts(300_000, frames / fps, frames, 0.0, True, width, height, "avc1", True)


@pytest.mark.parametrize(
    ("size", "states"),
    [
        ((1920, 1080), ["wanted", "wanted", "off"]),
        ((854, 480), ["wanted", "wanted", "off"]),
        ((852, 480), ["wanted", "wanted", "off"]),
        ((640, 360), ["wanted", "too_small", "off"]),
        ((256, 144), ["wanted", "too_small", "off"]),
        ((176, 144), ["wanted", "too_small", "off"]),
        ((160, 90), ["too_small", "too_small", "off"]),
        ((0, 0), ["waiting", "waiting", "off"]),
    ],
)
def test_a_source_gets_the_rungs_it_can_fill(size: tuple[int, int], states: list[str]) -> None:
    assert [choice.state for choice in rungs(source(*size), LADDER, {})] == states


def test_before_the_source_is_measured_rungs_wait() -> None:
    choices = rungs(None, LADDER, {})
    assert [c.state for c in choices] == ["waiting", "waiting", "off"]
    assert choices[0].reason


def test_a_switch_beats_the_configuration_both_ways() -> None:
    choices = rungs(source(1920, 1080), LADDER, {"480p": False, "720p": True})
    assert [c.state for c in choices] == ["wanted", "off", "wanted"]
    assert [c.enabled for c in choices] == [True, False, True]


@pytest.mark.parametrize(
    ("fps", "rung", "plan_fps", "every"),
    [
        (60, P480, 30, 2),
        (59.94, P480, 29.97, 2),
        (50, P480, 25, 2),
        (30, P480, 30, 1),
        (29.97, P480, 29.97, 1),
        (31.4, P480, 31.4, 1),
        (25, P480, 25, 1),
        (10, P480, 10, 1),
        (60, P144, 15, 4),
        (30, P144, 15, 2),
        (25, P144, 12.5, 2),
        (15, P144, 15, 1),
    ],
)
def test_the_rate_comes_down_in_whole_steps_and_is_never_above_the_source(
    fps: float, rung: Rung, plan_fps: float, every: int
) -> None:
    plan = rungs(source(1280, 720, fps), (rung,), {})[0].plan
    assert plan is not None
    assert plan.fps == pytest.approx(plan_fps, rel=0.01)
    assert plan.every == every


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1920, 1080), (854, 480)),
        ((1440, 1080), (640, 480)),
        ((1080, 1920), (480, 854)),
        ((720, 1280), (480, 854)),
        ((2560, 1080), (854, 360)),
        ((1080, 1080), (480, 480)),
    ],
)
def test_the_aspect_ratio_is_kept_inside_the_box(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert fit(*size, P480) == expected


@given(st.integers(2, 8192), st.integers(2, 8192), st.sampled_from(LADDER))
def test_a_fitted_picture_is_even_within_the_box_and_not_enlarged(
    width: int, height: int, rung: Rung
) -> None:
    size = fit(width, height, rung)
    if size is None:
        return
    assert all(side % 2 == 0 and side >= 2 for side in size)
    assert max(size) <= max(rung.width, rung.height) and min(size) <= min(rung.width, rung.height)
    assert size[0] <= width + 1 and size[1] <= height + 1


def test_only_a_real_change_restarts_an_encoder() -> None:
    plan = RungPlan(P480, 854, 480, 30)
    assert not plan.needs_restart(replace(plan, fps=29.97))
    assert plan.needs_restart(replace(plan, width=640))
    assert plan.needs_restart(replace(plan, every=2))
    assert plan.needs_restart(replace(plan, rung=replace(P480, bits_per_second=1)))
