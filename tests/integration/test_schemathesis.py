"""The whole OpenAPI under schemathesis, in process: no server error, and every answer conforms."""

from __future__ import annotations

import asyncio
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks

from putlive.domain.access import Role
from tests.fake_station import ADDRESS, PASSWORDS, make_station

# An endless answer cannot be waited for; tests/unit/test_api_events.py reads it. A logout or
# another password would end the login every other request uses.
NOT_HERE = ["/api/events", "/api/auth/logout", "/api/auth/password"]

# The tests are made from the description while they are collected, so it has to be here by then.
station = asyncio.run(make_station())
schema = schemathesis.openapi.from_asgi("/api/openapi.json", station.app).exclude(path=NOT_HERE)
users = station.accounts.users
admin = next(user for user in users.all() if user.role is Role.ADMIN)


async def as_admin() -> dict[str, str]:
    """Headers of an admin who is one still, whatever the request before has done to users."""
    users._users[admin.id] = admin
    await station.store.users.save(admin)
    login = await station.accounts.login(admin.name, PASSWORDS[Role.ADMIN], "192.0.2.1")
    return {"Authorization": f"Bearer {login.token}", "X-Forwarded-For": ADDRESS}


# Some rules cannot be said in a schema: a password's length in bytes, a date that has to be later.
load_all_checks()
BEYOND = CHECKS.get_by_names(["positive_data_acceptance"])


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_route_keeps_its_word(case: Any) -> None:
    case.call_and_validate(headers=asyncio.run(as_admin()), excluded_checks=BEYOND)
