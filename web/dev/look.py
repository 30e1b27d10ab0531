"""A development tool: pictures of the pages on a running mock server, and what axe finds on them.

python dev/look.py http://127.0.0.1:5180 FOLDER      (playwright, and a Chromium it may start)
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

AXE = Path(__file__).parent.parent / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ON: dict[str, Any] = {"off": False, "role": "admin", "signedIn": True, "silent": False}

# name, path, state of the mock, what to do first
SHOTS: list[tuple[str, str, dict[str, Any], str]] = [
    ("public", "/", {}, "play"),
    ("public-off", "/?channel=chapel", {}, ""),
    ("public-missing", "/?channel=nosuch", {}, ""),
    ("embed", "/embed?channel=demo", {}, "play"),
    ("login", "/login", {"signedIn": False}, "wrong"),
    ("throttled", "/login", {"signedIn": False, "throttled": True}, "wrong"),
    ("change", "/login?change=1", {"mustChange": True}, "type"),
    ("dashboard", "/dashboard", {}, ""),
    ("dashboard-confirm", "/dashboard", {}, "rotate"),
    ("dashboard-create", "/dashboard", {}, "create"),
    ("dashboard-error", "/dashboard", {}, "kick"),
    ("dashboard-player", "/dashboard", {}, "open"),
    ("dashboard-viewer", "/dashboard?channel=chapel", {"role": "viewer"}, ""),
    ("dashboard-lost", "/dashboard", {}, "lose"),
]


def main(base: str, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[3:]
    faults = 0
    with sync_playwright() as tool:
        chromium = tool.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"],
        )
        for scheme in ("light", "dark"):
            for width, height in ((1280, 800), (360, 740)):
                for name, path, state, act in SHOTS:
                    if wanted and name not in wanted:
                        continue
                    set_mock(base, {**ON, "throttled": False, "mustChange": False, **state})
                    context = chromium.new_context(
                        color_scheme=scheme,
                        viewport={"width": width, "height": height},
                        bypass_csp=False,
                    )
                    page = context.new_page()
                    said: list[str] = []
                    page.on("console", lambda m, said=said: said.append(f"{m.type}: {m.text}"))
                    page.on("pageerror", lambda e, said=said: said.append(f"error: {e}"))
                    page.goto(base + path)
                    do(page, act, base)
                    label = f"{name}-{width}-{scheme}"
                    page.screenshot(path=str(folder / f"{label}.png"), full_page=act == "")
                    found = axe(page)
                    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                    loud = [s for s in said if s.startswith(("error", "warning"))]
                    faults += len(found) + (wide > 0)
                    lines = [f"{label} axe={len(found)} overflow={wide}", *found, *loud]
                    sys.stdout.write("\n    ".join(lines) + "\n")
                    context.close()
        chromium.close()
    return 1 if faults else 0


def set_mock(base: str, state: dict[str, Any]) -> None:
    body = json.dumps(state).encode()
    urllib.request.urlopen(urllib.request.Request(base + "/mock", body, method="POST"), timeout=5)


def do(page: Page, act: str, base: str) -> None:
    page.wait_for_timeout(1500)
    if act == "play":
        wait_for_picture(page)
    if act == "wrong":
        page.fill("#username", "admin")
        page.fill("#password", "not-this-one")
        page.click("button[type=submit]")
        page.wait_for_timeout(800)
    if act == "type":
        page.fill("#fresh", "šećer i só")
        page.fill("#repeat", "something else")
        page.click("button[type=submit]")
    if act == "rotate":
        page.click("text=Rotate >> nth=0")
    if act == "create":
        page.click("text=Create key")
    if act == "kick":
        page.click("text=Kick input")
        page.click("dialog >> text=Kick input >> nth=-1")
        page.wait_for_timeout(600)
    if act == "open":
        page.click(".preview-open")
        wait_for_picture(page)
    if act == "lose":
        set_mock(base, {"silent": True})
        page.wait_for_timeout(4000)
    page.wait_for_timeout(300)


def wait_for_picture(page: Page) -> None:
    for _ in range(80):  # not wait_for_function: that needs eval, which the security policy forbids
        if page.evaluate("(window.putlivePlayer?.video.currentTime ?? 0) > 1"):
            return page.wait_for_timeout(500)
        page.wait_for_timeout(250)
    raise TimeoutError("no picture within 20 s")


def axe(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())  # by the debugger, so the page's security policy stays in force
    result = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS
    )
    return [
        f"{v['id']} ({v['impact']}): {n['target']} {n['failureSummary'][:200]}"
        for v in result["violations"]
        for n in v["nodes"]
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
