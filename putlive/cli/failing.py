"""How a failed command ends: one line and a hint for people, an exit code for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from putlive.errors import PutLiveError


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn an expected error into words on standard error and its exit code."""
    try:
        yield
    except PutLiveError as error:
        print(f"putlive: {error}", file=sys.stderr)
        if error.hint:
            print(f"         {error.hint}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
