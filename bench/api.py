"""A small client of the station's API: signs in as the first administrator."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from bench.effort import BenchError
from bench.station import Station

PASSWORD = "bench-of-the-station-7"


class Api:
    """Calls with a token; anything but a good answer is a `BenchError`."""

    def __init__(self, station: Station) -> None:
        self._url = station.url
        self._token = ""
        user, password = station.ready["admin_user"], station.ready["admin_password"]
        wanted = {"username": user, "password": password or PASSWORD}
        self._token = self.call("POST", "/api/auth/login", wanted)["token"]
        if password:
            change = {"current_password": password, "new_password": PASSWORD}
            self._token = self.call("POST", "/api/auth/password", change)["token"]

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The answer's JSON."""
        return json.loads(self.raw(method, path, body) or b"null")

    def raw(self, method: str, path: str, body: object = None) -> bytes:
        """The answer's body."""
        request = urllib.request.Request(self._url + path, method=method)
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                read: bytes = answer.read()
                return read
        except urllib.error.HTTPError as exc:
            raise BenchError(f"{method} {path}: {exc.code} {exc.read()[:300]!r}") from None
