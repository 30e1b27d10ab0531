"""Every page in light and dark, wide and narrow, with large letters and for screen readers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.browser_rig import at, picture, session_of, visit, within
from tests.integration.station_rig import Station, until

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES = ("light", "dark")
SIZES = ((1280, 800), (360, 740))
SHOTS = os.environ.get("PUTLIVE_SHOTS", "")
_ASK_AXE = """async (rules) => {
  const found = await axe.run(document, { runOnly: { type: "tag", values: rules } });
  return found.violations.flatMap((v) =>
    v.nodes.map((n) => `${v.id}: ${n.target} ${n.failureSummary}`));
}"""
# Boxes that hide what does not fit and have something that does not fit.
_CUT = """() => [...document.querySelectorAll("body *")].filter((e) => {
  const style = getComputedStyle(e);
  if (!e.checkVisibility() || !e.innerText?.trim() || e.closest(".visually-hidden")) return false;
  const hides = (overflow) => overflow === "hidden" || overflow === "clip";
  return (hides(style.overflowX) && e.scrollWidth > e.clientWidth + 1)
      || (hides(style.overflowY) && e.scrollHeight > e.clientHeight + 1);
}).map((e) => `${e.tagName}.${e.className}: ${e.innerText.slice(0, 60)}`)"""
_LETTERS = "getComputedStyle(document.documentElement).fontSize"
_BEYOND = "document.documentElement.scrollWidth - innerWidth"

Act = Callable[[Page], object]


def nothing(page: Page) -> None:
    page.locator("h1").first.wait_for(state="attached")


def wrong_change(page: Page) -> None:
    page.get_by_label("Current password").fill("something")
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_role("button", name="Change password").click()
    page.get_by_text("Too short").wait_for()


def wrong_sign_in(page: Page) -> None:
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Fill in your user name").first.wait_for()


def desk(page: Page) -> None:
    page.locator(".verdict .verdict-sentence").wait_for()
    within(page, lambda: page.locator(".graph canvas").count() > 0, 5, "a graph")


def live_desk(page: Page) -> None:
    desk(page)
    within(page, page.locator(".preview-picture").is_visible, 12, "a preview")


def dialog(button: str, page: Page) -> None:
    live_desk(page)
    page.get_by_role("button", name=button).first.click()
    page.get_by_role("dialog").wait_for()


def player_dialog(page: Page) -> None:
    dialog("Open the full player", page)
    picture(page)


@dataclass(frozen=True)
class Sight:
    """A page in a state worth looking at."""

    name: str
    path: str
    act: Act
    live: bool = False
    signed_in: bool = False


SIGHTS = (
    Sight("public-off-air", "/?channel=main", nothing),
    Sight("public-unknown", "/?channel=nosuch", nothing),
    Sight("login", "/login", wrong_sign_in),
    Sight("change", "/login?change=1", wrong_change, signed_in=True),
    Sight("dashboard-off-air", "/dashboard", desk, signed_in=True),
    Sight("public", "/?channel=main", picture, live=True),
    Sight("embed", "/embed?channel=main", picture, live=True),
    Sight("dashboard", "/dashboard", live_desk, live=True, signed_in=True),
    Sight("dialog-create", "/dashboard", partial(dialog, "Create key"), True, True),
    Sight("dialog-stop", "/dashboard", partial(dialog, "Stop channel"), True, True),
    Sight("dialog-player", "/dashboard", player_dialog, True, True),
)


@pytest.fixture(scope="module")
def owner(station: Station, browser: Browser) -> Iterator[BrowserContext]:
    context = session_of(browser, station)
    yield context
    context.close()


@pytest.fixture
def page(
    request: pytest.FixtureRequest,
    station: Station,
    owner: BrowserContext,
    context: BrowserContext,
    clips: tuple[Path, Path],
) -> Iterator[Page]:
    """The sight, on air where it has to be; the encoder goes on for the next one."""
    sight: Sight = request.param
    if sight.live and station.state("main") != "live":
        keys = station.api.get("/api/keys?channel=main")["keys"]
        usable = [key for key in keys if not key["revoked_at"] and not key["blocked_until"]]
        key = usable[0] if usable else station.new_key()
        station.publish(key["stream_key"], clip=clips[0])
        until(lambda: station.state("main") == "live", 12, "main on air")
    one, _ = visit(owner if sight.signed_in else context, at(station, sight.path))
    sight.act(one)
    yield one
    one.close()


def each_look(page: Page) -> Iterator[str]:
    """Both schemes at both sizes, one after the other."""
    for scheme in SCHEMES:
        for width, height in SIZES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(150)
            yield f"{scheme}-{width}"


sights = pytest.mark.parametrize(
    ("page", "sight"), [pytest.param(s, s, id=s.name) for s in SIGHTS], indirect=["page"]
)


@sights
def test_it_is_accessible_fits_and_can_be_read(page: Page, sight: Sight) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in web/")
    page.evaluate(AXE.read_text())  # by the debugger: the page's policy stays in force
    faults = []
    for look in each_look(page):
        faults += [f"{look}: {fault}" for fault in page.evaluate(_ASK_AXE, RULES)]
        if page.evaluate(_BEYOND) > 0:
            faults.append(f"{look}: scrolls sideways")
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            whole = sight.name.startswith(("dashboard", "public", "change", "login"))
            page.screenshot(path=f"{SHOTS}/{sight.name}-{look}.png", full_page=whole)
    faults += [f"twice the size of letters: {fault}" for fault in enlarged(page, sight.name)]
    assert faults == []


def enlarged(page: Page, name: str) -> list[str]:
    """What is cut when the browser is set to letters twice as large."""
    page.set_viewport_size({"width": 1280, "height": 800})
    browser = page.context.new_cdp_session(page)
    browser.send("Page.enable")
    browser.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    within(page, lambda: page.evaluate(_LETTERS) == "32px", 3, "large letters")
    cut: list[str] = page.evaluate(_CUT)
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}-enlarged.png")
    browser.detach()
    return [*cut, *(["it scrolls sideways"] if page.evaluate(_BEYOND) > 0 else [])]
