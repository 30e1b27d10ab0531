"""Signing in: the way through the one-time password, and back to the page asked for."""

from __future__ import annotations

from contextlib import suppress

from playwright.sync_api import Browser, BrowserContext, Error, Page

from tests.browser.browser_rig import at, session_of, sign_in, stored, visit, within
from tests.integration.station_rig import PASSWORD, Station

FRESH = "a-long-enough-one"
HARMLESS = {"putlive-sid", "putlive-signed-in"}  # a random viewer id; the digit 1
ELSEWHERE = "https%3A%2F%2Fexample.org%2Fdashboard"


def newcomer(station: Station, name: str, role: str = "admin") -> str:
    """A user who has never been here; returns the one-time password."""
    made = station.api.post("/api/users", {"username": name, "role": role})
    return str(made["one_time_password"])


def change(page: Page, fresh: str, again: str = "") -> None:
    page.get_by_label("New password", exact=True).fill(fresh)
    page.get_by_label("New password again").fill(again or fresh)
    page.get_by_role("button", name="Change password").click()


def reaches(page: Page, path: str) -> None:
    within(page, lambda: page.url.partition("/")[2].endswith(path), 8, f"{path}, is {page.url}")


def test_a_newcomer_is_led_through_the_change_of_password(
    station: Station, context: BrowserContext
) -> None:
    once = newcomer(station, "newcomer")
    page, witness = visit(context, at(station, f"/login?next={ELSEWHERE}"))
    alert = page.get_by_role("alert")
    sign_in(page, "newcomer", "not the right one")
    within(page, lambda: alert.inner_text() != "", 5, "a sentence")
    assert alert.inner_text().startswith("The user name or the password is wrong.")
    assert page.get_by_label("User name").input_value() == "newcomer"

    sign_in(page, "newcomer", once)
    page.get_by_role("heading", name="Choose a new password").wait_for()
    change(page, "short")
    assert page.get_by_text("Too short: 5 more characters needed.").is_visible()
    change(page, "é" * 37)
    assert page.get_by_text("Too long: 2 bytes over the limit of 72.").is_visible()
    change(page, FRESH, "another one entirely")
    assert page.get_by_text("The two new passwords are not the same.").is_visible()
    page.goto(at(station, "/dashboard"))
    page.get_by_role("heading", name="Choose a new password").wait_for()  # cannot be skipped
    page.get_by_label("Current password").fill(once)
    change(page, FRESH)
    reaches(page, "/dashboard")  # nobody is sent to another site
    page.get_by_role("button", name="Sign out").wait_for()

    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    assert set(cookies) == {"putlive_session", "putlive_refresh"}
    for cookie in cookies.values():
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert set(stored(page)) <= HARMLESS
    assert page.evaluate("document.cookie") == ""
    context.clear_cookies(name="putlive_session")  # it lasts a day, the login a month
    page.reload()
    page.get_by_role("button", name="Sign out").wait_for()
    refusals = ("401 /api/auth/login", "429 /api/auth/login", "401 /api/auth/session")
    witness.assert_clean(station, *refusals)


def test_after_the_end_of_a_session_people_come_back_to_where_they_were(
    station: Station, browser: Browser
) -> None:
    context = session_of(browser, station)
    page, witness = visit(context, at(station, "/dashboard?channel=main#keys"))
    page.get_by_role("button", name="Sign out").wait_for()
    context.clear_cookies()
    with suppress(Error):  # where another question of the page was faster
        page.get_by_role("switch", name="Rendition 144p").dispatch_event("click")
    page.get_by_text("Your session has ended.").wait_for()
    sign_in(page, station.ready["admin_user"], PASSWORD)
    reaches(page, "/dashboard?channel=main#keys")

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in").wait_for()
    assert context.cookies() == []
    page.goto(at(station, "/dashboard"))
    reaches(page, "/login?next=%2Fdashboard")
    assert witness.said == [] and witness.violations() == []
    context.close()


def test_the_way_back_leads_to_no_other_site(station: Station, browser: Browser) -> None:
    context = session_of(browser, station)
    page, witness = visit(context, at(station, f"/login?change=1&next={ELSEWHERE}"))
    back = page.get_by_role("link", name="Back to the dashboard")
    assert back.get_attribute("href") == "/dashboard"
    witness.assert_clean(station)
    context.close()
