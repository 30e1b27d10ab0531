"""How much is measured, and where: what every subject is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
# The subjects, in the order they are measured, and the module each is in.
MODULES = {
    "start": "start",
    "publish": "publish",
    "http": "serving",
    "memory": "memory",
    "latency": "latency",
}


class BenchError(Exception):
    """A measurement could not be taken; the text says why."""


@dataclass(frozen=True)
class Effort:
    """Runs, rounds and seconds of each measurement."""

    start_runs: int = 3
    publish_rounds: int = 50
    http_rounds: int = 9
    http_seconds: int = 2
    settle_seconds: float = 8.0  # until a new state has become the usual one
    sample_seconds: float = 20.0
    latency_seconds: float = 30.0


QUICK = Effort(
    start_runs=1,
    publish_rounds=10,
    http_rounds=2,
    http_seconds=1,
    settle_seconds=3.0,
    sample_seconds=5.0,
    latency_seconds=8.0,
)


@dataclass(frozen=True)
class Task:
    """One subject on one engine, with an empty folder of its own."""

    engine: str
    folder: Path
    effort: Effort
