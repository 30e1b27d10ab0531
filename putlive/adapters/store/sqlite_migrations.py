"""The numbered SQL files that make the tables, and how such a file is cut into statements."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent / "migrations"
_NAME = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql")


def migrations(folder: Path = FOLDER) -> Sequence[Path]:
    """The files in their order; the n-th brings a database from version n - 1 to n.

    Raises `ValueError` when a number is missing or given twice, which is a bug.
    """
    files = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    numbers = [int(path.name[:4]) for path in files]
    if not files or numbers != list(range(1, len(files) + 1)):
        raise ValueError(f"the migrations in {folder} are not numbered 1, 2, 3: {numbers}")
    return files


def statements(script: str) -> Iterator[str]:
    """The statements of `script`, whole even where they hold a `;` themselves.

    SQLite itself is asked where one ends, so triggers, texts and comments are safe. Raises
    `ValueError` when the last one is not complete.
    """
    statement = ""
    for piece in re.split(r"(?<=;)", script):
        statement += piece
        if piece.endswith(";") and sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    if not sqlite3.complete_statement(statement + "\n;"):
        raise ValueError(f"not a complete statement: {statement.strip()[:80]}")
    if statement.strip():
        yield statement.strip()
