"""The station's secrets: small files only their owner can read, made once and never guessed at."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from putlive.errors import Problem, SettingsError

JWT_KEPT = 2  # the newest signs; tokens of the one before it stay good
_MOST_BYTES = 4096
_BYTES = re.compile(r"[0-9a-f]{64}")  # 32 bytes
_WORD = re.compile(r"[A-Za-z0-9_-]{32,128}")  # fits into a URL and a configuration file


@dataclass(frozen=True)
class _File:
    """One secret file: its name, what a line of it looks like, and what losing it means."""

    name: str
    line: re.Pattern[str]
    lines: int
    loss: str


_STATION = _File("station", _BYTES, 1, "every stream key gets another text")
_JWT = _File("jwt", _BYTES, JWT_KEPT, "everybody has to log in again")
_HOOK = _File("hook", _WORD, 1, "nothing is lost")
_ENGINE = _File("engine", _WORD, 1, "nothing is lost")
_FILES = (_STATION, _JWT, _HOOK, _ENGINE)


@dataclass(frozen=True)
class Secrets:
    """All secrets of a station; its text and its logs never show one.

    `station` signs stream keys (32 bytes), `jwt` tokens (newest first, 32 bytes each), `hook` is
    part of the URL the engine calls, `engine_password` opens the engine's own API.
    """

    folder: Path
    station: bytes = field(repr=False)
    jwt: tuple[bytes, ...] = field(repr=False)
    hook: str = field(repr=False)
    engine_password: str = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> Secrets:
        """The secrets in `folder`; those that are missing are made.

        Raises `SettingsError` with every file that is damaged or open to others, and then makes
        and changes nothing.
        """
        found, problems = {}, _folder_problems(folder)
        for file in _FILES if not problems else ():
            try:
                found[file] = _read(folder / file.name, file)
            except SettingsError as error:
                problems += error.problems
        if problems:
            raise SettingsError(problems)
        lines = {file: found[file] or _make(folder, file) for file in _FILES}
        return cls(
            folder,
            bytes.fromhex(lines[_STATION][0]),
            tuple(bytes.fromhex(line) for line in lines[_JWT]),
            lines[_HOOK][0],
            lines[_ENGINE][0],
        )

    def rotate_jwt(self) -> Secrets:
        """Sign with a new secret from now on; tokens of the former one stay good, older ones not.

        Wait for as long as a token lives before the next rotation, or people are logged out.
        """
        kept = (secrets.token_bytes(32), *self.jwt)[:JWT_KEPT]
        path = self.folder / _JWT.name
        try:
            _draft(self.folder, _JWT, [secret.hex() for secret in kept]).replace(path)
            _sync(self.folder)
        except OSError as error:
            raise SettingsError([_out_of_reach(path, "written", error)]) from error
        return replace(self, jwt=kept)


def _folder_problems(folder: Path) -> list[Problem]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        return [_out_of_reach(folder, "made", error)]
    return [_open_to_others(folder, mode, "700")] if mode & 0o077 else []


def _read(path: Path, file: _File) -> list[str]:
    """The lines of a secret file; none when it is missing. Raises `SettingsError`."""
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise SettingsError([_damaged(path, file)])
        if mode & 0o077:
            raise SettingsError([_open_to_others(path, stat.S_IMODE(mode), "600")])
        with path.open("rb") as handle:
            lines = handle.read(_MOST_BYTES).decode("ascii", "replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SettingsError([_out_of_reach(path, "read", error)]) from error
    if not 1 <= len(lines) <= file.lines or not all(map(file.line.fullmatch, lines)):
        raise SettingsError([_damaged(path, file)])
    return lines


def _out_of_reach(path: Path, act: str, error: OSError) -> Problem:
    hint = "Give the user PutLive runs as a state folder of its own."
    return Problem(str(path), f"It cannot be {act}: {error.strerror}.", hint)


def _open_to_others(path: Path, mode: int, right: str) -> Problem:
    what = f"Others may get at the secrets here (mode {mode:o})."
    return Problem(str(path), what, f"Run: chmod {right} '{path}'")


def _damaged(path: Path, file: _File) -> Problem:
    hint = f"Restore it from a backup, or remove it: PutLive makes a new one, and {file.loss}."
    return Problem(str(path), "This secret file is damaged.", hint)


def _make(folder: Path, file: _File) -> list[str]:
    """Make the file; when another process was faster, its secret is the one that counts."""
    path = folder / file.name
    fresh = secrets.token_hex(32) if file.line is _BYTES else secrets.token_urlsafe(32)
    try:
        draft = _draft(folder, file, [fresh])
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
        _sync(folder)
    except OSError as error:
        raise SettingsError([_out_of_reach(path, "written", error)]) from error
    return _read(path, file)


def _draft(folder: Path, file: _File, lines: list[str]) -> Path:
    """A file written to the end beside the one it is to become."""
    path = folder / f".{file.name}.{secrets.token_hex(8)}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as handle:
            handle.writelines(f"{line}\n" for line in lines)
            handle.flush()
            os.fsync(descriptor)
    except OSError:
        path.unlink()
        raise
    return path


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
