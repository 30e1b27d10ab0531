"""The stage for browser tests: a real Chromium, and a witness of all a page does and says."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request, Response

from tests.integration.station_rig import PASSWORD, Api, Encoder, Station, make_clip, until

T = TypeVar("T")
Measured = Callable[[str, object], None]

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--no-first-run"),
    "--autoplay-policy=no-user-gesture-required",
)
PICTURE_SECONDS = 15.0
_VIOLATIONS = """
window.refusedByPolicy = [];
document.addEventListener("securitypolicyviolation", (e) =>
  window.refusedByPolicy.push(`${e.effectiveDirective} ${e.blockedURI}`));
"""
# What a script that was put into the page could take with it.
_STORED = "() => JSON.stringify({ ...localStorage, ...sessionStorage })"
_PLAYER = """() => {
  const player = window.putlivePlayer, video = player.video, hls = player.hls;
  const end = video.buffered.length ? video.buffered.end(video.buffered.length - 1) : 0;
  return {
    clock: performance.now() / 1000, time: video.currentTime, paused: video.paused,
    width: video.videoWidth, height: video.videoHeight, stalls: player.stalls().count,
    stalled: player.stalls().ms / 1000,
    latency: player.latency(), rebuilds: player.rebuilds(), buffered: end - video.currentTime,
    heights: hls ? hls.levels.map((level) => level.height) : [],
  };
}"""


def chromium() -> str | None:
    """The browser of this machine."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@contextmanager
def launched(tool: Playwright) -> Iterator[Browser]:
    """A Chromium with a profile of its own."""
    browser = tool.chromium.launch(executable_path=chromium(), args=list(FLAGS))
    try:
        yield browser
    finally:
        browser.close()


def within(page: Page, what: Callable[[], T], seconds: float, why: str = "") -> T:
    """Wait for `what` to be true while the page goes on; returns it, fails when it never is.

    Playwright's own waiting for a script needs `eval`, which the pages' policy forbids.
    """
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not so within {seconds} s: {why or what}; last: {answer!r}")
        page.wait_for_timeout(50)
    return answer


@dataclass(frozen=True)
class Playing:
    """What the player says of itself at one moment; times in seconds."""

    clock: float
    time: float
    width: int
    height: int
    paused: bool
    stalls: int
    stalled: float
    latency: float
    rebuilds: int
    buffered: float
    heights: list[int]


def playing(page: Page) -> Playing:
    """How the player is now."""
    return Playing(**page.evaluate(_PLAYER))


def picture(page: Page, seconds: float = PICTURE_SECONDS) -> Playing:
    """Wait until the picture moves."""
    within(page, lambda: page.evaluate("window.putlivePlayer !== undefined"), 5, "a player")
    began = playing(page)
    return within(
        page,
        lambda: (now := playing(page)).time != began.time and now.time > 0.3 and now,
        seconds,
        "a moving picture",
    )


def watch(page: Page, seconds: float, every: float = 0.25) -> list[Playing]:
    """Look at the player again and again."""
    deadline = time.monotonic() + seconds
    seen = [playing(page)]
    while time.monotonic() < deadline:
        page.wait_for_timeout(every * 1000)
        seen.append(playing(page))
    return seen


def farthest_jump(seen: Sequence[Playing]) -> float:
    """By how many seconds the picture's time left the wall clock's between two looks, at most."""
    steps = zip(seen, seen[1:], strict=False)
    return max(abs((b.time - a.time) - (b.clock - a.clock)) for a, b in steps)


@dataclass
class Witness:
    """Everything a page asked for, got and complained about."""

    page: Page
    said: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    navigations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(_VIOLATIONS)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("request", self._ask)
        self.page.on("response", self._answer)
        self.page.on("framenavigated", lambda frame: self.navigations.append(frame.url))

    def _hear(self, message: Any) -> None:
        # Chromium reports every status from 400 on as an error; `refused` has those by number.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.said.append(f"{message.type}: {message.text}")

    def _ask(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("blob", "data", "about"):
            self.hosts.add(url.netloc)

    def _answer(self, response: Response) -> None:
        if response.status >= 400:
            self.refused.append(f"{response.status} {urlsplit(response.url).path}")

    def violations(self) -> list[str]:
        """What the security policy of the page in view stopped."""
        found: list[str] = self.page.evaluate("window.refusedByPolicy")
        return found

    def assert_clean(self, station: Station, *expected: str) -> None:
        """No complaint, nothing refused but `expected`, and nobody asked but the station."""
        assert self.said == []
        assert self.violations() == []
        assert [answer for answer in self.refused if answer not in expected] == []
        assert self.hosts == {f"127.0.0.1:{station.http}"}


def at(station: Station, path: str = "/") -> str:
    """An address of the station."""
    return f"http://127.0.0.1:{station.http}{path}"


def visit(context: BrowserContext, url: str) -> tuple[Page, Witness]:
    """Open an address in a page of its own."""
    page = context.new_page()
    page.set_default_timeout(8000)
    witness = Witness(page)
    page.goto(url)
    return page, witness


@dataclass(frozen=True)
class Watcher:
    """A page that plays, and how it was when that began."""

    station: Station
    page: Page
    witness: Witness
    began: Playing

    def badge(self) -> str:
        """What the public page says of the channel in two words."""
        return self.page.locator(".public-status .badge").inner_text().upper()


@dataclass(frozen=True)
class Away:
    """A page that was left open when its input went; `since` by the monotonic clock."""

    station: Station
    key: str
    page: Page
    witness: Witness
    since: float


def stream_key(station: Station, channel: str) -> str:
    """A key for the channel of this name, which is made if it is not there."""
    known = [one["name"] for one in station.api.get("/api/channels")["channels"]]
    if channel not in known:
        station.api.post("/api/channels", {"name": channel, "title": channel.title()})
    return str(station.new_key(channel)["stream_key"])


def sent(station: Station, channel: str, key: str, clip: Path) -> Encoder:
    """An encoder on air; seen by its playlist, because asking the API that often is limited."""
    encoder = station.publish(key, clip=clip)
    until(lambda: station.listed(channel), 12, f"{channel} on air")
    return encoder


def session_of(browser: Browser, station: Station, user: str = "", **how: Any) -> BrowserContext:
    """A visitor who is signed in: as the administrator, or as `user` with the usual password."""
    if user:
        api = Api(at(station, ""))
        wish = {"username": user, "password": PASSWORD}
        token = api.post("/api/auth/login", wish)["token"]
        api.close()
    else:
        token = station.api.headers["Authorization"].removeprefix("Bearer ")
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **how})
    cookie = {"name": "putlive_session", "value": token, "url": at(station)}
    context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Strict"}])
    return context


def sign_in(page: Page, name: str, password: str) -> None:
    """Fill in the login form and send it; once more where the front says that it was too soon."""
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    button = page.get_by_role("button", name="Sign in")
    with page.expect_response("**/api/auth/login") as first:
        button.click()
    if first.value.status == 429:
        within(page, lambda: button.is_enabled(), 20, "another try")
        button.click()


def stored(page: Page) -> Mapping[str, str]:
    """Local and session storage together."""
    found: dict[str, str] = json.loads(page.evaluate(_STORED))
    return found


def two_second_clip(folder: Path, size: str = "640x360") -> Path:
    """What streaming sites tell people to send: a keyframe every two seconds."""
    video = ("-c:v", "libx264", "-preset", "ultrafast", "-b:v", "600k", "-g", "60")
    more = ("-sc_threshold", "0", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "64k")
    return make_clip(folder / f"{size}.flv", *video, *more, size=size)


def scripts_weigh(responses: list[Response]) -> int:
    """Bytes of JavaScript as they came over the wire."""
    scripts = [r for r in responses if Path(urlsplit(r.url).path).suffix == ".js"]
    return sum(script.request.sizes()["responseBodySize"] for script in scripts)
