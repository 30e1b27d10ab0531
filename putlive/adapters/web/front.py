"""The nginx front: its configuration from the settings, and how it is run in the foreground."""

from __future__ import annotations

import ipaddress
import math
import os
import pwd
import re
from collections.abc import Mapping
from pathlib import Path

from putlive.adapters.templates import render
from putlive.domain.process import ProcessSpec, RestartPolicy
from putlive.errors import Problem, SettingsError
from putlive.settings import Layout, Settings

CONFIG_NAME = "front.conf"
CONNECTIONS = 2048  # idle keep-alives are closed when they run out; 420 bytes each
CONNECTIONS_PER_ADDRESS = 200  # open API calls and event streams, not players
LOGIN_PER_MINUTE, LOGIN_BURST = 5, 3
# What one person can cause in the viewer log; a storm beyond it is served but not logged.
SEGMENT_LOG_RATE, SEGMENT_LOG_BURST = 100, 200

# nginx has no way to write these in a path that may hold variables, or in a syslog address.
_UNSPEAKABLE = re.compile(r"""[\x00-\x1f\x7f"'`\\$;,{}#]""")
_SOCKET_PATH_BYTES = 107  # unix(7): sun_path holds 108 bytes with the final zero


def render_front(settings: Settings, layout: Layout, pages: Path, user: str = "") -> str:
    """The text of the front's configuration; `pages` is the folder of the built web pages.

    `user` is for a front that root starts: its workers would else run as nobody. Raises
    `SettingsError` when a path cannot be written in it.
    """
    return render("nginx/front.conf.j2", **_values(settings, layout, pages), user=user)


def prepare_front(settings: Settings, layout: Layout, pages: Path) -> Path:
    """Write the configuration whole, make the folders it names, and return its path."""
    user = pwd.getpwuid(0).pw_name if os.geteuid() == 0 else ""
    text = render_front(settings, layout, pages, user)
    for folder in (layout.run, layout.logs, layout.hls, _temp(layout), _cache(layout)):
        folder.mkdir(parents=True, exist_ok=True)
    path = layout.run / CONFIG_NAME
    fresh = path.with_name(f".{CONFIG_NAME}.{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(path)
    return path


def front_spec(nginx: str, layout: Layout) -> ProcessSpec:
    """How to run the front, in the foreground, with the configuration `prepare_front` wrote."""
    config = str(layout.run / CONFIG_NAME)
    return ProcessSpec(
        name="front",
        argv=(nginx, "-c", config, "-p", str(layout.run), "-g", "daemon off;"),
        policy=RestartPolicy(max_retries=None, max_delay=10.0),
    )


def _values(settings: Settings, layout: Layout, pages: Path) -> Mapping[str, object]:
    limit = settings.security.rate_limit
    return {
        "listen": _listen(settings.server.bind, settings.server.http_port),
        "connections": CONNECTIONS,
        "connections_per_address": CONNECTIONS_PER_ADDRESS,
        "run": _path(layout.run),
        "logs": _path(layout.logs),
        "temp": _path(_temp(layout)),
        "cache": _path(_cache(layout)),
        "hls": _path(layout.hls),
        "pages": _path(pages),
        "api_socket": _socket(layout.api_socket),
        "access_socket": _socket(layout.access_socket),
        "requests_per_minute": limit.requests_per_minute,
        "burst": limit.burst,
        "api_retry_seconds": math.ceil(60 / limit.requests_per_minute),
        "login_per_minute": LOGIN_PER_MINUTE,
        "login_burst": LOGIN_BURST,
        "login_retry_seconds": math.ceil(60 / LOGIN_PER_MINUTE),
        "segment_log_rate": SEGMENT_LOG_RATE,
        "segment_log_burst": SEGMENT_LOG_BURST,
        "tls": False,
    }


def _temp(layout: Layout) -> Path:
    return layout.run / "front-temp"


def _cache(layout: Layout) -> Path:
    """On the memory disk: rewritten every second while somebody looks at the public page."""
    return layout.hls / "front-cache"


def _listen(bind: str, port: int) -> str:
    try:
        address = ipaddress.ip_address(bind.strip("[]"))
    except ValueError:
        return f"{bind}:{port}"  # a host name: the settings allow nothing else
    if address.version == 4:
        return f"{address}:{port}"
    return f"[{address}]:{port}" + (" ipv6only=off" if address.is_unspecified else "")


def _path(path: Path) -> str:
    text = str(path.absolute())
    if _UNSPEAKABLE.search(text):
        raise _wrong(
            text,
            "nginx gives a character in this path a meaning of its own.",
            "Use a folder without quotes, commas, semicolons, braces, backslashes, # and $.",
        )
    return text


def _socket(path: Path) -> str:
    text = _path(path)
    if len(os.fsencode(text)) > _SOCKET_PATH_BYTES:
        raise _wrong(
            text,
            f"This path is too long for a socket ({_SOCKET_PATH_BYTES} bytes at most).",
            "Choose a state folder with a shorter path.",
        )
    return text


def _wrong(where: str, what: str, hint: str) -> SettingsError:
    return SettingsError([Problem(where, what, hint)])
