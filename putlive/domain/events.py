"""Facts that happened. Services publish them; the log, the dashboard and metrics listen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Union


@dataclass(frozen=True)
class StreamStarted:
    channel: str
    client_id: str
    key_id: str  # empty when an input was found running and nobody knows its key
    address: str
    at: datetime


@dataclass(frozen=True)
class StreamEnded:
    channel: str
    client_id: str
    reason: str
    seconds: float
    at: datetime


@dataclass(frozen=True)
class PublishDenied:
    channel: str
    address: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class ProcessExited:
    process: str
    exit_code: int
    ran_seconds: float
    next_state: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class EngineChanged:
    engine: str
    up: bool
    detail: str
    at: datetime


@dataclass(frozen=True)
class LoginFailed:
    user: str
    address: str
    at: datetime


Event = Union[StreamStarted, StreamEnded, PublishDenied, ProcessExited, EngineChanged, LoginFailed]


def event_kind(event: Event) -> str:
    """The event's stable name in snake case, e.g. `stream_started`."""
    name = type(event).__name__
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def event_body(event: Event) -> dict[str, Any]:
    """The event as plain data, times in ISO 8601."""
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(event).items()}
