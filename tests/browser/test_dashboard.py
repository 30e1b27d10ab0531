"""The dashboard on air: what it shows moves, what it offers works, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Response

from tests.browser.browser_rig import (
    Measured,
    Witness,
    at,
    picture,
    scripts_weigh,
    session_of,
    visit,
    within,
)
from tests.integration.station_rig import PASSWORD, Encoder, Station, until

SEEN_SECONDS = 6.0  # two rounds of the daemon and one of the feed
WEIGHT_LIMIT = 350_000  # bytes; UI7
# The picture as it is on the screen: whether it changed, not what it shows.
_PIXELS = """(element) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [256, 144];
  canvas.getContext("2d").drawImage(element, 0, 0, 256, 144);
  return canvas.toDataURL();
}"""
_CONTROLS = """() => [...document.querySelectorAll(
    'a[href], button:not([disabled]), select, input, summary, [tabindex="0"]')]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .map((e, index) => { e.dataset.control = String(index); return e.dataset.control; })"""
_FOCUS = """() => {
  const e = document.activeElement, style = getComputedStyle(e);
  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return { control: e.dataset.control ?? "", outlined: seen, inDialog: !!e.closest("dialog"),
           tag: e.tagName, name: e.getAttribute("aria-label") || e.textContent.trim() };
}"""


@dataclass
class Desk:
    """The dashboard in front of an administrator, and the encoder behind it."""

    station: Station
    page: Page
    witness: Witness
    clip: Path
    sent: list[Response]

    def says(self, words: str, seconds: float = SEEN_SECONDS) -> None:
        """Wait for a verdict that begins so."""
        verdict = self.page.locator(".verdict .verdict-sentence")
        within(self.page, lambda: verdict.inner_text().startswith(words), seconds, words)

    def card(self, title: str) -> Locator:
        return self.page.get_by_role("region", name=title)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def agree(self, name: str) -> None:
        """Press the button that does it, in the dialog that asks."""
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("button", name=name, exact=True).click()
        within(self.page, lambda: dialog.count() == 0, 3, "a closed dialog")

    def publish(self, stream_key: str = "") -> Encoder:
        encoder = self.station.publish(stream_key, clip=self.clip)
        self.says("On air", 12)
        return encoder

    def active_key(self) -> str:
        keys = self.station.api.get("/api/keys?channel=main")["keys"]
        return next(str(key["stream_key"]) for key in keys if not key["revoked_at"])


@pytest.fixture(scope="module")
def desk(station: Station, browser: Browser, clips: tuple[Path, Path]) -> Iterator[Desk]:
    context = session_of(browser, station)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=at(station, ""))
    page, witness = visit(context, "about:blank")
    sent: list[Response] = []
    page.on("response", lambda response: sent.append(response))
    page.goto(at(station, "/dashboard"))
    one = Desk(station, page, witness, clips[0], sent)
    until(lambda: page.locator(".verdict .verdict-sentence").count(), 5, "the dashboard")
    one.publish()
    yield one
    station.hang_up()
    context.close()


def changes(page: Page, look: Callable[[], Any], seconds: float = SEEN_SECONDS) -> None:
    before = look()
    within(page, lambda: look() != before, seconds, "something else to see")


def test_the_numbers_the_picture_and_the_graph_live(desk: Desk) -> None:
    page = desk.page
    desk.says("On air: live from 127.0.0.1 for ")
    preview = page.locator(".preview-picture")
    within(page, preview.is_visible, 12, "a first picture")
    changes(page, lambda: preview.evaluate(_PIXELS))
    assert "fps" in page.locator(".preview-facts").inner_text()
    graph = page.locator(".graph-canvas")
    within(
        page,
        lambda: "kbit/s" in (graph.get_attribute("aria-label") or "").partition("at most")[0],
        10,
        "a bit rate",
    )
    changes(page, lambda: page.locator(".graph canvas").evaluate(_PIXELS))
    tiles = page.locator(".tiles")
    assert "640 × 360" in tiles.inner_text()
    changes(page, lambda: tiles.inner_text())  # the uptime at least
    assert desk.card("Health").get_by_text("Everything works.").is_visible()
    assert "main went live" in desk.card("Recent events").inner_text()


def test_a_viewer_is_counted_and_the_full_player_opens(desk: Desk, measured: Measured) -> None:
    page = desk.page
    page.get_by_role("button", name="Open the full player").click()
    picture(page)
    viewers = page.locator(".tile", has_text="Viewers now").locator("dd")
    within(page, lambda: viewers.inner_text() == "1", 10, "one viewer")
    graph = page.locator(".graph-canvas")
    label = lambda: graph.get_attribute("aria-label") or ""  # noqa: E731
    within(page, lambda: "at most 1 viewers" in label() or "1 viewer" in label(), 6, "in the graph")
    page.keyboard.press("Escape")
    within(page, lambda: page.get_by_role("dialog").count() == 0, 3, "a closed player")
    weight = scripts_weigh(desk.sent)
    measured("bytes of JavaScript with the player", weight)
    assert 0 < weight < WEIGHT_LIMIT


def test_a_key_is_hidden_shown_and_copied(desk: Desk) -> None:
    keys = desk.card("Stream keys")
    secret, text = desk.active_key(), keys.locator(".copy-value")
    assert secret.split("?key=")[1] not in desk.page.content()
    assert text.last.inner_text() == "main?key=••••••••••••••••"
    keys.get_by_role("button", name="Show stream key").click()
    assert text.last.inner_text() == secret
    keys.get_by_role("button", name="Hide stream key").click()
    assert text.last.inner_text() != secret
    keys.get_by_role("button", name="Copy stream key").click()
    within(desk.page, lambda: keys.get_by_text("Copied").first.is_visible(), 3, "a word on it")
    assert desk.page.evaluate("navigator.clipboard.readText()") == secret
    keys.get_by_role("button", name="Copy server URL").click()
    url = desk.station.ready["rtmp_url"]
    within(desk.page, lambda: desk.page.evaluate("navigator.clipboard.readText()") == url, 3)


def test_a_key_is_made_and_revoked(desk: Desk) -> None:
    page, keys = desk.page, desk.card("Stream keys")
    desk.button("Create key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Label").fill("")
    dialog.get_by_role("button", name="Create").click()
    assert dialog.get_by_text("Fill in a label.").is_visible()
    dialog.get_by_label("Label").fill("Phone <b>2</b>")
    desk.agree("Create")
    row = keys.locator(".key", has_text="Phone <b>2</b>")
    row.wait_for()
    assert row.locator(".chip").inner_text() == "Active"
    page.get_by_role("button", name="Revoke key Phone <b>2</b>").click()
    assert "cannot be undone" in page.get_by_role("dialog").inner_text()
    desk.agree("Cancel")
    assert row.locator(".chip").inner_text() == "Active"
    page.get_by_role("button", name="Revoke key Phone <b>2</b>").click()
    desk.agree("Revoke")
    old = keys.get_by_text("Revoked and expired keys (1)")
    old.wait_for()
    old.click()
    assert row.locator(".chip").inner_text() == "Revoked"
    assert row.get_by_role("button", name="Show").count() == 0
    desk.says("On air")


def test_a_rendition_is_switched(desk: Desk) -> None:
    knob = desk.page.get_by_role("switch", name="Rendition 144p")
    row = desk.card("Renditions").locator("li", has=knob)
    within(desk.page, lambda: "Live" in row.inner_text(), 15, "a live rung")
    knob.click()
    within(desk.page, lambda: "Switched off" in row.inner_text(), SEEN_SECONDS, "off")
    assert knob.get_attribute("aria-checked") == "false"
    until(lambda: desk.station.listed("main") == ["source"], SEEN_SECONDS, "no rung")
    knob.click()
    within(desk.page, lambda: knob.get_attribute("aria-checked") == "true", SEEN_SECONDS, "on")


def test_every_control_is_reached_by_tab_and_seen_to_be(desk: Desk) -> None:
    page = desk.page
    page.locator(".brand").focus()
    controls = set(page.evaluate(_CONTROLS))
    seen = {}
    for _ in range(len(controls) + 4):
        focus = page.evaluate(_FOCUS)
        if focus["tag"] != "BODY":
            seen[focus["control"]] = focus
        page.keyboard.press("Tab")
    assert controls - set(seen) == set()
    assert [focus["name"] for focus in seen.values() if not focus["outlined"]] == []


@pytest.mark.parametrize("opener", ["Create key", "Kick input", "Stop channel", "Open the full"])
def test_a_dialog_keeps_the_focus_and_gives_it_back(desk: Desk, opener: str) -> None:
    page, button = desk.page, desk.page.get_by_role("button", name=opener)
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    for key in (*["Tab"] * 8, *["Shift+Tab"] * 8):
        focus = page.evaluate(_FOCUS)
        assert focus["inDialog"] or focus["tag"] == "BODY", focus  # the body: on the way round
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    within(page, lambda: page.get_by_role("dialog").count() == 0, 3, "a closed dialog")
    assert button.evaluate("(e) => e === document.activeElement")


def test_a_rotated_key_ends_its_input(desk: Desk) -> None:
    page, before = desk.page, desk.active_key()
    page.get_by_role("button", name="Rotate key").first.click()
    assert "a publish that runs with it ends at once" in page.get_by_role("dialog").inner_text()
    desk.agree("Rotate")
    desk.says("Off air")
    until(lambda: desk.active_key() != before, 3, "another key")
    desk.card("Stream keys").get_by_role("button", name="Show stream key").click()
    shown = desk.card("Stream keys").locator(".copy-value")
    within(page, lambda: shown.nth(1).inner_text() == desk.active_key(), 3, "the new one")
    assert desk.station.publish(before, clip=desk.clip).was_refused()
    desk.says("Off air: an input from 127.0.0.1 was refused")


def test_an_input_is_kicked_and_a_channel_stopped_and_started(desk: Desk) -> None:
    page = desk.page
    desk.publish(desk.active_key())
    desk.button("Stop channel").click()
    desk.agree("Stop channel")
    desk.says("Off air: the channel was stopped by hand.")
    assert not desk.button("Kick input").is_visible()
    desk.button("Start channel").click()
    desk.agree("Start channel")
    desk.says("Off air")
    within(page, desk.button("Stop channel").is_visible, SEEN_SECONDS, "a started channel")

    encoder = desk.publish(desk.active_key())
    desk.button("Kick input").click()
    assert "127.0.0.1 is cut at once" in page.get_by_role("dialog").inner_text()
    desk.agree("Kick input")
    desk.says("Off air")
    until(encoder.is_gone, 5, "the end of the encoder")
    within(page, lambda: desk.card("Stream keys").get_by_text("Kicked", exact=True).is_visible(), 6)


def test_nothing_was_refused_or_said_all_the_time(desk: Desk) -> None:
    desk.witness.assert_clean(desk.station)


def test_who_may_only_look_sees_no_key_and_no_button(station: Station, browser: Browser) -> None:
    wish = {"username": "guest", "role": "viewer", "password": PASSWORD}
    station.api.post("/api/users", wish)
    context = session_of(browser, station, "guest")
    page, witness = visit(context, at(station, "/dashboard"))
    page.get_by_text("Stream keys are shown to operators and administrators only.").wait_for()
    page.locator(".verdict .verdict-sentence").wait_for()
    names = [button.inner_text() for button in page.get_by_role("button").all()]
    for word in ("Start", "Stop", "Kick", "Create", "Rotate", "Revoke", "Show"):
        assert not any(name.startswith(word) for name in names), names
    assert page.get_by_role("switch").count() == 0
    assert "?key=" not in page.content()
    witness.assert_clean(station)
    context.close()
