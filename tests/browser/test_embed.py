"""The embedded player on somebody else's page; and the pages that refuse to be there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Frame, Page

from tests.browser.browser_rig import at, sent, stream_key, visit, within
from tests.integration.station_rig import Station

FramedBy = Callable[[str], str]


class Foreign(BaseHTTPRequestHandler):
    """A page of another origin: one frame with the address in its query."""

    def do_GET(self) -> None:
        framed = self.path.partition("?")[2]
        body = f'<!doctype html><iframe src="{framed}" allow="autoplay" width="640" height="360">'
        self.send_response(200 if framed else 204)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode() if framed else b"")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def address(port: int, framed: str) -> str:
    return f"http://127.0.0.1:{port}/?{framed}"


@pytest.fixture(scope="module")
def framed_by() -> Iterator[FramedBy]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield partial(address, server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()


def inner(page: Page) -> Frame:
    """The frame on the page."""
    return within(page, lambda: next(iter(page.frames[1:]), None), 5, "a frame")


def test_the_player_plays_on_another_site(
    station: Station, context: BrowserContext, framed_by: FramedBy, clips: tuple[Path, Path]
) -> None:
    encoder = sent(station, "framed", stream_key(station, "framed"), clips[0])
    page, witness = visit(context, framed_by(at(station, "/embed?channel=framed")))
    moved = "(window.putlivePlayer?.video.currentTime ?? 0) > 1"
    within(page, lambda: inner(page).evaluate(moved), 15, "a moving picture")
    assert inner(page).get_by_role("button", name="Pause").is_visible()
    assert inner(page).evaluate("window.refusedByPolicy") == []
    assert [said for said in witness.said if "Failed to load" not in said] == []
    assert [answer for answer in witness.refused if "favicon" not in answer] == []
    encoder.stop()


@pytest.mark.parametrize("path", ["/", "/dashboard", "/login"])
def test_every_other_page_refuses_a_frame(
    station: Station, context: BrowserContext, framed_by: FramedBy, path: str
) -> None:
    page, witness = visit(context, framed_by(at(station, path)))
    within(page, lambda: "frame-ancestors" in " ".join(witness.said), 5, "a refusal")
    assert inner(page).url.startswith("chrome-error:")
