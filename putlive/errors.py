"""Every error PutLive raises on purpose, with its hint for people and its exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class PutLiveError(Exception):
    """Base class: shown to people as one line plus a hint, never as a traceback."""

    exit_code = 1
    code = "error"  # the word for it in the API's error shape
    status = 400  # the HTTP status it maps to

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Problem:
    """One wrong setting or field: where it is, what is wrong, what to do."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" {self.hint}" if self.hint else "")


class SettingsError(PutLiveError):
    """The configuration is wrong; carries all problems, not just the first."""

    exit_code = 2
    code = "settings"

    def __init__(self, problems: Sequence[Problem], *, hint: str = "") -> None:
        super().__init__("\n".join(str(p) for p in problems), hint=hint)
        self.problems = tuple(problems)


class InvalidInput(PutLiveError):
    """A request that cannot be right as it stands; `fields` maps a field to a sentence."""

    code = "invalid"
    status = 422

    def __init__(self, message: str, *, hint: str = "", fields: dict[str, str] | None = None):
        super().__init__(message, hint=hint)
        self.fields = fields or {}


class NotFound(PutLiveError):
    """What was named does not exist."""

    code = "not_found"
    status = 404


class AlreadyExists(PutLiveError):
    """What was to be added is already there."""

    code = "already_exists"
    status = 409


class Conflict(PutLiveError):
    """The request is right but not in this state of things."""

    code = "conflict"
    status = 409


class NotAuthenticated(PutLiveError):
    """Nobody, or somebody whose proof is wrong, out of date or revoked."""

    code = "not_authenticated"
    status = 401


class Forbidden(PutLiveError):
    """Somebody who may not do this."""

    code = "forbidden"
    status = 403


class TooManyAttempts(PutLiveError):
    """Throttled; `retry_after_seconds` says for how long."""

    code = "too_many_attempts"
    status = 429

    def __init__(self, message: str, *, retry_after_seconds: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_seconds = retry_after_seconds


class EngineDown(PutLiveError):
    """The media engine does not answer."""

    code = "engine_down"
    status = 503


class PortTaken(PutLiveError):
    """A port PutLive is to listen on belongs to another process."""

    exit_code = 3
    code = "port_taken"


class MissingProgram(PutLiveError):
    """A program PutLive needs is not on this machine."""

    exit_code = 3
    code = "missing_program"


class DatabaseRefused(PutLiveError):
    """The database is corrupt or newer than this program; nothing in it was changed."""

    exit_code = 2
    code = "database_refused"
    status = 503


class DatabaseUnavailable(PutLiveError):
    """The database cannot be read or written just now: locked, damaged, gone or no space."""

    code = "database_unavailable"
    status = 503
