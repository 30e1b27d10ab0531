"""What the browser tests share: one Chromium, one station per engine, one for pages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.browser_rig import (
    Away,
    Measured,
    at,
    chromium,
    launched,
    picture,
    sent,
    stream_key,
    two_second_clip,
    visit,
)
from tests.integration.station_rig import ENGINES, Station, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser, and has none to drive where there is none."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if chromium() is None:
                item.add_marker(pytest.mark.skip(reason="there is no Chromium"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was measured, for whoever reads the log."""
    told = [
        f"{report.nodeid.rpartition('::')[2]}: {name} {value}"
        for report in terminalreporter.getreports("passed")
        if report.when == "call" and "tests/browser" in report.nodeid
        for name, value in report.user_properties
    ]
    if told:
        terminalreporter.section("measured in the browser")
        terminalreporter.write_line("\n".join(told))


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measured:
    """Notes a figure for the end of the run."""
    return lambda name, value: request.node.user_properties.append((name, value))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ends with the folder: while it runs, this thread has an event loop of Playwright's."""
    with sync_playwright() as tool, launched(tool) as one:
        yield one


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor who was never here before."""
    visitor = browser.new_context(viewport={"width": 1280, "height": 800})
    yield visitor
    visitor.close()


@pytest.fixture(scope="package", params=ENGINES)
def on_demo(request: pytest.FixtureRequest) -> Iterator[Station]:
    """A station as people get it, with its demo on air; limits as they are by default."""
    with running(request.param, demo=True, security={}) as station:
        yield station


@pytest.fixture(scope="package")
def station() -> Iterator[Station]:
    """A station for pages, without any input until a test sends one."""
    with running("nginx-rtmp") as one:
        yield one


@pytest.fixture(scope="package")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two inputs that differ in the size of their picture."""
    folder = tmp_path_factory.mktemp("clips")
    return two_second_clip(folder), two_second_clip(folder, "480x270")


@pytest.fixture(scope="package")
def left_alone(on_demo: Station, browser: Browser, clips: tuple[Path, Path]) -> Iterator[Away]:
    """Made early and looked at late, so that the wait costs nothing."""
    key = stream_key(on_demo, "away")
    encoder = sent(on_demo, "away", key, clips[0])
    visitor = browser.new_context()
    page, witness = visit(visitor, at(on_demo, "/?channel=away"))
    picture(page)
    encoder.stop()
    yield Away(on_demo, key, page, witness, time.monotonic())
    visitor.close()
