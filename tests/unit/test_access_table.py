"""Who may call which route: the whole table. A new route has to be entered here."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from putlive.api.app import ROUTES
from putlive.domain.access import Role
from tests.fake_station import PASSWORDS, Station, make_station

KEY = "{key}"  # stands for a stream key that was made before
LOGIN = {"username": "viewer", "password": PASSWORDS[Role.VIEWER]}

# method, path, body; then the status for: nobody, viewer, operator, admin.
TABLE: list[tuple[str, str, Any, tuple[int, int, int, int]]] = [
    ("POST", "/api/auth/login", LOGIN, (200, 200, 200, 200)),
    ("POST", "/api/auth/refresh", {"refresh_token": "x.y"}, (401, 401, 401, 401)),
    ("POST", "/api/auth/logout", None, (200, 200, 200, 200)),
    ("POST", "/api/auth/password", "password", (401, 200, 200, 200)),
    ("GET", "/api/auth/session", None, (401, 200, 200, 200)),
    ("GET", "/api/stream/status", None, (401, 200, 200, 200)),
    ("POST", "/api/stream/start", {"channel": "demo"}, (401, 403, 200, 200)),
    ("POST", "/api/stream/stop", {"channel": "demo"}, (401, 403, 200, 200)),
    ("GET", "/api/stream/clients", None, (401, 200, 200, 200)),
    ("DELETE", "/api/stream/clients/client-1", None, (401, 403, 200, 200)),
    ("GET", "/api/ingest", None, (401, 200, 200, 200)),
    ("GET", "/api/channels", None, (401, 200, 200, 200)),
    ("POST", "/api/channels", {"name": "news", "title": "News"}, (401, 403, 403, 201)),
    ("GET", "/api/channels/demo", None, (401, 200, 200, 200)),
    ("PUT", "/api/channels/demo/renditions/480p", {"enabled": True}, (401, 403, 200, 200)),
    ("GET", "/api/channels/demo/preview.jpg", None, (401, 204, 204, 204)),
    ("GET", "/api/keys", None, (401, 200, 200, 200)),
    ("POST", "/api/keys", {"channel": "demo", "label": "x"}, (401, 403, 201, 201)),
    ("POST", f"/api/keys/{KEY}/rotate", None, (401, 403, 200, 200)),
    ("DELETE", f"/api/keys/{KEY}", None, (401, 403, 200, 200)),
    ("GET", "/api/users", None, (401, 403, 403, 200)),
    ("POST", "/api/users", {"username": "bob", "role": "viewer"}, (401, 403, 403, 201)),
    ("PATCH", "/api/users/3", {"active": True}, (401, 403, 403, 200)),
    ("GET", "/api/public", None, (200, 200, 200, 200)),
    ("GET", "/api/public/demo", None, (200, 200, 200, 200)),
    ("GET", "/api/events", None, (401, 503, 503, 503)),  # no stream is let open in this test
    ("GET", "/api/history", None, (401, 200, 200, 200)),
    ("GET", "/api/log", None, (401, 200, 200, 200)),
    ("GET", "/api/health", None, (200, 200, 200, 200)),
    ("GET", "/api/health/detailed", None, (401, 200, 200, 200)),
    ("GET", "/healthz", None, (200, 200, 200, 200)),
    ("GET", "/readyz", None, (200, 200, 200, 200)),
    ("GET", "/metrics", None, (401, 403, 403, 200)),
    ("GET", "/api/openapi.json", None, (200, 200, 200, 200)),
]
ROLES = (None, Role.VIEWER, Role.OPERATOR, Role.ADMIN)


def is_of(template: str, path: str) -> bool:
    """Whether `path` is an instance of the route `template`."""
    wanted, given = template.split("/"), path.split("/")
    alike = all(w == g or w.startswith("{") for w, g in zip(wanted, given, strict=False))
    return len(wanted) == len(given) and alike


def matching(method: str, path: str) -> list[str]:
    found = [r.path for r in ROUTES if r.method == method and is_of(r.path, path)]
    return [path] if path in found else found


def test_the_table_has_every_route_exactly_once() -> None:
    listed = [(method, *matching(method, path)) for method, path, _, _ in TABLE]
    assert sorted(listed) == sorted((r.method, r.path) for r in ROUTES)


async def test_the_app_has_no_other_route() -> None:
    app = (await make_station()).app
    known = {(r.method, r.path) for r in ROUTES}
    found = {
        (method, getattr(route, "path", ""))
        for route in app.routes
        for method in getattr(route, "methods", None) or {"?"}
    }
    assert found == known


@pytest.fixture
async def station() -> Station:
    return await make_station(max_event_streams=0)


@pytest.mark.parametrize(("method", "path", "body", "expected"), TABLE, ids=lambda v: str(v)[:40])
async def test_each_role_gets_exactly_this(
    station: Station, method: str, path: str, body: Any, expected: tuple[int, ...]
) -> None:
    found = []
    for role in ROLES:
        headers = await station.bearer(role) if role else {}
        key = await station.context.keys.create(1, "demo", "", None)
        sent = new_password(PASSWORDS[role or Role.ADMIN]) if body == "password" else body
        async with station.client(**headers) as client:
            answer = await client.request(method, path.replace(KEY, key.id), json=sent)
        found.append(answer.status_code)
        shown_as_error(answer)
    assert tuple(found) == expected, "nobody, viewer, operator, admin"


def new_password(current: str) -> dict[str, str]:
    return {"current_password": current, "new_password": "quite another password"}


def shown_as_error(answer: httpx.Response) -> None:
    if answer.status_code >= 400:
        assert set(answer.json()["error"]) == {"code", "message", "hint", "fields"}


async def test_with_a_one_time_password_only_auth_and_public_routes_are_open(
    station: Station,
) -> None:
    for number, (method, path, body, expected) in enumerate(TABLE):
        name = f"fresh{number}"
        _, once = await station.accounts.users.create(name, Role.ADMIN, None)
        login = await station.accounts.login(name, once or "", "203.0.113.5")
        sent = new_password(once or "") if body == "password" else body
        async with station.client(Authorization=f"Bearer {login.token}") as client:
            answer = await client.request(method, path.replace(KEY, "x"), json=sent)
        if path.startswith("/api/auth") or expected[0] == 200:
            assert answer.status_code == expected[3], path
        else:
            assert answer.status_code == 403, path
            assert answer.json()["error"]["code"] == "password_change_required"
