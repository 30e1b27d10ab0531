"""The real clock."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timezone


class SystemClock:
    """`Clock` on the system's wall and monotonic clocks."""

    def now(self) -> datetime:
        """Aware UTC wall-clock time."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up other tasks."""
        await asyncio.sleep(seconds)
