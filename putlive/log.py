"""Logs as JSON, one line per event, with the correlation id of the request they belong to."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import TextIO

correlation: ContextVar[str] = ContextVar("correlation", default="")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """`time`, `level`, `logger`, `message`, then whatever was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON; control characters are escaped by it, so no line can be forged."""
        at = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": at,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if correlation.get():
            line["correlation_id"] = correlation.get()
        line.update({k: v for k, v in vars(record).items() if k not in _STANDARD})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def set_up(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every logger's lines to `stream` (standard error) as JSON."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These two say at INFO what our own lines say better.
    logging.getLogger("apscheduler").setLevel("WARNING")
    logging.getLogger("uvicorn").setLevel("WARNING")
