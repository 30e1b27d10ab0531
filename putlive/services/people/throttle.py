"""Throttling of wrong passwords: counts and waits, kept in memory and bounded."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass

from putlive.errors import TooManyAttempts
from putlive.ports import Clock

MAX_TALLIES = 5_000
LONGEST_WAIT = 900.0  # seconds; also how long a tally is remembered
SLOWEST = 2.0  # seconds an answer is held back when an account is tried from everywhere


@dataclass
class _Tally:
    failures: int
    until: float  # no attempt before then
    touched: float


class Throttle:
    """After `attempts` wrong passwords a wait, doubled by each further one.

    What waits is an address, and an account at an address. An account as a whole is only slowed
    down, so nobody can lock its owner out from elsewhere.
    """

    def __init__(self, clock: Clock, attempts: int, wait_seconds: float) -> None:
        self._clock = clock
        self._attempts = attempts
        self._wait = wait_seconds
        self._tallies: OrderedDict[str, _Tally] = OrderedDict()

    def begin(self, account: str, address: str) -> float:
        """Count an attempt as failed until `passed`; returns how long to hold the answer back.

        Counting first keeps attempts at the same moment from all getting through. Raises
        `TooManyAttempts`.
        """
        pair, place, anywhere = _keys(account, address)
        wait = max(self._remaining(pair), self._remaining(place))
        if wait > 0:
            raise TooManyAttempts(
                "Too many wrong passwords.",
                retry_after_seconds=math.ceil(wait),
                hint=f"Wait {math.ceil(wait)} seconds, then try again.",
            )
        self._count(pair, self._attempts)
        self._count(place, self._attempts * 4)  # several people can share an address
        failures = self._count(anywhere, None)
        return min(SLOWEST, 0.1 * max(0, failures - self._attempts * 2))

    def passed(self, account: str, address: str) -> None:
        """The attempt was right: forget what this account did wrong at this address."""
        pair, place, anywhere = _keys(account, address)
        self._tallies.pop(pair, None)
        for key, limit in ((place, self._attempts * 4), (anywhere, None)):
            tally = self._tallies.get(key)
            if tally is not None:
                tally.failures -= 1
                tally.until = 0.0 if limit and tally.failures < limit else tally.until

    def _remaining(self, key: str) -> float:
        tally = self._tallies.get(key)
        return tally.until - self._clock.monotonic() if tally else 0.0

    def _count(self, key: str, limit: int | None) -> int:
        now = self._clock.monotonic()
        tally = self._tallies.pop(key, None)
        if tally is None or now - max(tally.touched, tally.until) > LONGEST_WAIT:
            tally = _Tally(0, 0.0, now)
        tally.failures += 1
        tally.touched = now
        if limit is not None and tally.failures >= limit:
            tally.until = now + min(
                LONGEST_WAIT, self._wait * 2.0 ** min(20, tally.failures - limit)
            )
        self._tallies[key] = tally
        while len(self._tallies) > MAX_TALLIES:
            self._tallies.popitem(last=False)
        return tally.failures


def _keys(account: str, address: str) -> tuple[str, str, str]:
    place = _place(address)
    name = account.casefold()[:64]
    return f"pair {place} {name}", f"place {place}", f"account {name}"


def _place(address: str) -> str:
    # One IPv6 customer has at least a /64 (RFC 6177), so single addresses would count nothing.
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)
