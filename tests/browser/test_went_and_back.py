"""An input that goes and comes back, as the people see it who have the page open."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.browser_rig import (
    Away,
    Measured,
    at,
    picture,
    playing,
    sent,
    stream_key,
    visit,
    watch,
    within,
)
from tests.integration.station_rig import Station

GAP_SECONDS = 2.0
AWAY_SECONDS = 40.0


@pytest.mark.slow
def test_the_player_goes_on_when_the_input_is_back_after_two_seconds(
    on_demo: Station,
    context: BrowserContext,
    clips: tuple[Path, Path],
    measured: Measured,
) -> None:
    key = stream_key(on_demo, "lab")
    encoder = sent(on_demo, "lab", key, clips[0])
    page, witness = visit(context, at(on_demo, "/?channel=lab"))
    assert picture(page).width in (640, 256)
    before = watch(page, 2)[-1]
    navigated = len(witness.navigations)
    encoder.stop()
    watch(page, GAP_SECONDS)
    # With another picture, as after a change of the encoder's settings.
    encoder = on_demo.publish(key, clip=clips[1])
    within(page, lambda: playing(page).width == 480, 15, "the picture of the new input")
    after = watch(page, 1)[-1]
    encoder.stop()
    measured("stall", round(after.stalled - before.stalled, 2))
    assert after.stalled - before.stalled < 8
    assert after.rebuilds == 0
    assert len(witness.navigations) == navigated
    witness.assert_clean(on_demo)


@pytest.mark.slow
def test_a_page_left_open_says_off_air_and_plays_again_by_itself(
    left_alone: Away, clips: tuple[Path, Path], measured: Measured
) -> None:
    page, station = left_alone.page, left_alone.station
    slate = page.locator(".slate-sentence")
    within(page, slate.is_visible, 20, "a slate")
    navigated = len(left_alone.witness.navigations)
    while time.monotonic() < left_alone.since + AWAY_SECONDS:
        assert slate.is_visible(), "once dark, it stays so until there is something new"
        page.wait_for_timeout(200)
    assert slate.inner_text() == "Off air."
    assert page.locator(".public-status .badge").inner_text().upper() == "OFF AIR"
    began = time.monotonic()
    station.publish(left_alone.key, clip=clips[1])
    within(page, lambda: not slate.is_visible() and playing(page).time > 0.5, 15, "a picture")
    took = time.monotonic() - began
    measured("seconds", round(took, 1))
    assert took < 10
    # It began with the source alone: nothing smaller was there yet.
    within(page, lambda: len(playing(page).heights) > 1, 20, "the 144p rung that came later")
    after = watch(page, 1.5)[-1]
    assert (after.paused, page.locator(".stage-busy").is_visible()) == (False, False)
    assert len(left_alone.witness.navigations) == navigated
    left_alone.witness.assert_clean(
        station, "503 /api/public/away", "404 /live/source/away.m3u8", "404 /live/144p/away.m3u8"
    )
