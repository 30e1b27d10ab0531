"""What a measurement is made of: rows with a value, a unit and perhaps a budget; no measuring."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """A limit: at most `limit`, or at least."""

    limit: float
    at_least: bool = False

    def holds(self, value: float) -> bool:
        """Whether `value` keeps to it."""
        return value >= self.limit if self.at_least else value <= self.limit


def at_most(limit: float) -> Budget:
    """A value that should be small."""
    return Budget(limit)


def at_least(limit: float) -> Budget:
    """A value that should be large."""
    return Budget(limit, at_least=True)


# By key with the engine in it, or without it for all engines.
BUDGETS: Mapping[str, Budget] = {
    "start.ready_max_seconds": at_most(5.0),
    "start.first_segment_max_seconds": at_most(4.0),
    "publish.p99_ms": at_most(10.0),
    "publish.decision_p99_ms": at_most(10.0),
    "publish.wrong_answers": at_most(0),
    "http.playlist_ratio": at_least(0.9),
    "http.segment_ratio": at_least(0.9),
    "memory.idle.daemon_mb": at_most(72.0),
    "memory.nginx-rtmp.idle_mb": at_most(87.0),
    "memory.srs.idle_mb": at_most(105.0),
    "memory.streaming_mb": at_most(110.0),
    "memory.viewers3_mb": at_most(112.0),
    "memory.viewers50_mb": at_most(120.0),
    "memory.viewers50.failed_requests": at_most(0),
    "memory.preview.cpu_percent": at_most(1.5),
    "latency.2s_seconds": at_most(5.0),
    "latency.1s_seconds": at_most(3.5),
    "latency.2s_stalls": at_most(0),
    "latency.1s_stalls": at_most(0),
}


@dataclass(frozen=True)
class Row:
    """One measured value. `engine` is empty where the engine plays no part."""

    subject: str
    engine: str
    name: str
    value: float
    unit: str
    budget: Budget | None = None
    note: str = ""

    @property
    def key(self) -> str:
        """`subject.engine.name`, or `subject.name`."""
        return ".".join(part for part in (self.subject, self.engine, self.name) if part)

    @property
    def plain_key(self) -> str:
        """The key without the engine."""
        return f"{self.subject}.{self.name}"

    @property
    def ok(self) -> bool:
        """Whether the budget holds; True without one."""
        return self.budget is None or self.budget.holds(self.value)


@dataclass(frozen=True)
class Sheet:
    """Makes the rows of one subject on one engine, each with its budget."""

    subject: str
    engine: str = ""

    def row(self, name: str, value: float, unit: str, note: str = "") -> Row:
        """A row; values are kept to four significant digits, which is more than they are worth."""
        bare = Row(self.subject, self.engine, name, significant(value), unit, note=note)
        budget = BUDGETS.get(bare.key) or BUDGETS.get(bare.plain_key)
        return Row(self.subject, self.engine, name, bare.value, unit, budget, note)


def significant(value: float, digits: int = 4) -> float:
    """`value` rounded to so many significant digits; whole numbers stay whole."""
    if value == 0 or not math.isfinite(value) or float(value).is_integer():
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def missed(rows: Sequence[Row]) -> list[str]:
    """Keys of the rows over (or under) their budget."""
    return [row.key for row in rows if not row.ok]


def summary(rows: Sequence[Row], failures: Mapping[str, str]) -> dict[str, object]:
    """The JSON object: values by dotted key, then what was missed and what could not be measured.

    A row with a budget also appears without the engine: there it is the worst of the engines.
    """
    values: dict[str, object] = {row.key: row.value for row in rows}
    for row in rows:
        if row.engine and row.budget is not None:
            same = [r.value for r in rows if r.plain_key == row.plain_key]
            values[row.plain_key] = min(same) if row.budget.at_least else max(same)
    ok = not missed(rows) and not failures
    return {**values, "missed": missed(rows), "failed": dict(failures), "ok": ok}
