"""Tasks that live and end together (TaskGroup of Python 3.11, for 3.10 too)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any


async def run_until(stop: asyncio.Event, work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run all of `work` until `stop` is set or one of them ends; then cancel what is left.

    Raises what the first one that failed raised. An end without an error before `stop` is one
    too: nothing that is run here ends by itself.
    """
    tasks = [asyncio.create_task(each) for each in work]
    waiter = asyncio.create_task(_wait(stop))
    try:
        done, _ = await asyncio.wait({waiter, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        ended = [task for task in tasks if task in done]
        for task in ended:
            task.result()
        if ended and not stop.is_set():
            raise RuntimeError(f"{ended[0].get_coro()!r} ended by itself")
    finally:
        for task in (waiter, *tasks):
            task.cancel()
        await asyncio.gather(waiter, *tasks, return_exceptions=True)


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()
