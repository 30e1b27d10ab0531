"""One page that plays for a minute while everything happens that must not make it stand still."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response

from tests.browser.browser_rig import (
    Away,
    Measured,
    Playing,
    Watcher,
    at,
    farthest_jump,
    picture,
    playing,
    scripts_weigh,
    visit,
    watch,
    within,
)
from tests.integration.station_rig import Station, until

MINUTE = 60.0
UNTOUCHED = {"nginx-rtmp": 30.0, "srs": 8.0}
KILLED_SECONDS = 7.0
CHANGE_SECONDS = 10.0
WEIGHT_LIMIT = 200_000  # bytes; UI7


@pytest.fixture(scope="module")
def watcher(on_demo: Station, left_alone: Away, browser: Browser) -> Iterator[Watcher]:
    """Somebody who opens the public page and stays. (Waits elsewhere pass meanwhile.)"""
    until(lambda: "144p" in on_demo.listed("demo"), 15, "the 144p rung")
    visitor = browser.new_context(viewport={"width": 1280, "height": 800})
    page, witness = visit(visitor, at(on_demo))
    picture(page)
    page.wait_for_timeout(1500)
    yield Watcher(on_demo, page, witness, playing(page))
    visitor.close()


def offered(page: Page) -> list[str]:
    """What the selector offers, without the rates, which change."""
    texts = page.get_by_label("Quality").locator("option").all_inner_texts()
    return [re.split(r" [·(]", text)[0] for text in texts]


def choose(page: Page, name: str) -> list[Playing]:
    """Choose a rendition and watch until its picture is there, and a moment longer."""
    option = page.get_by_label("Quality").locator("option", has_text=name).last
    page.get_by_label("Quality").select_option(option.get_attribute("value"))
    seen = [playing(page)]

    def is_there() -> bool:
        seen.append(playing(page))
        return f"{seen[-1].height}p" == name

    within(page, is_there, CHANGE_SECONDS, f"{name} in the picture")
    return [*seen, *watch(page, 1)]


@pytest.mark.slow
def test_it_plays_in_step_with_the_clock(watcher: Watcher, measured: Measured) -> None:
    seen = watch(watcher.page, UNTOUCHED[watcher.station.engine])
    first, last = seen[0], seen[-1]
    farthest = max(s.latency for s in seen)
    measured("seconds behind", f"{last.latency:.1f}, at most {farthest:.1f}")
    assert (last.stalls, last.rebuilds) == (0, 0)
    assert abs((last.time - first.time) - (last.clock - first.clock)) < 2.5
    assert last.latency < 6 and farthest < 9  # it may begin a fragment late and then catches up
    assert all(s.width > 0 and not s.paused for s in seen)
    assert watcher.badge() == "ON AIR"
    assert "viewer" in watcher.page.locator(".public-facts").inner_text()


def test_a_quality_is_chosen_and_left_without_a_jump(watcher: Watcher) -> None:
    page, before = watcher.page, playing(watcher.page)
    assert offered(page)[0] == "Auto"
    assert set(offered(page)) == {"Auto", "480p", "144p"}
    seen = [*choose(page, "144p"), *choose(page, "480p")]
    assert seen[-1].stalled - before.stalled < 1
    assert farthest_jump(seen) < 1.5
    assert seen[-1].rebuilds == before.rebuilds


def test_a_rendition_switched_off_is_left_for_another(watcher: Watcher) -> None:
    page, station = watcher.page, watcher.station
    choose(page, "144p")
    before = playing(page)
    station.api.put("/api/channels/demo/renditions/144p", {"enabled": False})
    try:
        within(page, lambda: "144p" not in offered(page), 12, "a selector without it")
        within(page, lambda: playing(page).height > 144, CHANGE_SECONDS, "another picture")
        after = playing(page)
        assert after.stalled - before.stalled < 1
        assert after.rebuilds == before.rebuilds
    finally:
        station.api.put("/api/channels/demo/renditions/144p", {"enabled": True})


def test_a_killed_daemon_stops_no_player(watcher: Watcher, measured: Measured) -> None:
    page, station, before = watcher.page, watcher.station, playing(watcher.page)
    killed = station.pid_of("daemon")
    os.kill(killed, signal.SIGKILL)
    seen = watch(page, KILLED_SECONDS, every=0.1)
    after = seen[-1]
    measured("stall", round(after.stalled - before.stalled, 2))
    measured("jump", round(farthest_jump(seen), 2))
    assert after.stalled - before.stalled < 0.5
    assert farthest_jump(seen) < 2, "a change of rendition may cost a part of a fragment"
    assert after.time - before.time > KILLED_SECONDS - 2
    assert after.rebuilds == before.rebuilds
    assert station.pid_of("daemon") not in (0, killed)
    assert watcher.badge() == "ON AIR"


@pytest.mark.slow
def test_at_the_end_nothing_was_lost_refused_or_said(watcher: Watcher, measured: Measured) -> None:
    if watcher.station.engine == "nginx-rtmp":  # the whole minute once
        watch(watcher.page, max(0.0, watcher.began.clock + MINUTE - playing(watcher.page).clock))
    last = playing(watcher.page)
    measured("stalls", f"{last.stalls}, {last.stalled:.1f} s")
    assert last.rebuilds == 0
    assert last.stalled - watcher.began.stalled < 1
    assert len(watcher.witness.navigations) == 1
    watcher.witness.assert_clean(watcher.station, "503 /api/public/demo")


def test_the_public_page_is_light_and_soon_there(
    on_demo: Station, context: BrowserContext, measured: Measured
) -> None:
    page, sent, began = context.new_page(), list[Response](), time.monotonic()
    page.on("response", lambda response: sent.append(response))
    page.goto(at(on_demo))
    picture(page)
    measured("seconds to a picture", round(time.monotonic() - began, 1))
    weight = scripts_weigh(sent)
    measured("bytes of JavaScript", weight)
    assert 0 < weight < WEIGHT_LIMIT
