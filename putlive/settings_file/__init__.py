"""The settings file: YAML in, settings out, or every problem at once with its line and remedy."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from putlive.errors import Problem, SettingsError
from putlive.settings import Settings
from putlive.settings_file.reference import reference
from putlive.settings_file.tree import Path, Tree, located, read_tree
from putlive.settings_file.words import error_paths, field_at, is_section, problem

__all__ = ["changed", "dump", "load", "parse", "reference"]


def load(path: pathlib.Path | None) -> Settings:
    """The settings in the file at `path`; the defaults when there is no path.

    Raises `SettingsError` with every problem of the file.
    """
    if path is None:
        return Settings()
    try:
        content = path.read_bytes()
    except OSError as error:
        what = f"The settings file cannot be read: {error.strerror or error}."
        hint = "Give the path of a file that is there and may be read by this user."
        raise SettingsError([Problem(str(path), what, hint)]) from error
    try:
        return parse(content.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what, hint = "This is not text in UTF-8.", "Save the file as UTF-8."
        raise SettingsError([located(str(path), line, (), what, hint)]) from error


def parse(text: str, source: str) -> Settings:
    """The settings `text` says; what it does not say is as the defaults are.

    `source` is what messages call the text. Raises `SettingsError` with every problem.
    """
    tree = read_tree(text, source)
    settings, problems = _validate(tree)
    found = sorted([*tree.problems, *problems], key=lambda problem: problem[0])
    if found or settings is None:
        raise SettingsError([problem for _, problem in found])
    return settings


def changed(settings: Settings, wishes: Mapping[str, Mapping[str, object]]) -> Settings:
    """The settings with the wishes of a command line, by section; None is no wish.

    Raises `SettingsError` with every wish that cannot be, or not together with the others.
    """
    body = settings.model_dump()
    for section, wanted in wishes.items():
        body[section].update({k: v for k, v in wanted.items() if v is not None})
    try:
        return Settings.model_validate(body)
    except ValidationError as error:
        raise SettingsError([_wrong_wish(detail) for detail in error.errors()]) from error


def _wrong_wish(detail: ErrorDetails) -> Problem:
    where = ".".join(str(part) for part in detail["loc"]) or "options"
    return Problem(where, detail["msg"].removeprefix("Value error, "), "Give another value.")


def dump(settings: Settings) -> str:
    """Every setting as YAML that `parse` reads back."""
    return yaml.safe_dump(
        settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100
    )


def _validate(tree: Tree) -> tuple[Settings | None, list[tuple[int, Problem]]]:
    """Validate, drop what is wrong and validate the rest, until nothing new is found.

    So a contradiction between two values is told even when a third one is wrong, too.
    """
    problems: list[tuple[int, Problem]] = []
    dropped: frozenset[Path] = frozenset()
    if tree.data is not None and not isinstance(tree.data, dict):
        return None, [_no_sections(tree)]
    while True:
        try:
            return Settings.model_validate(_kept(tree.data or {}, (), dropped)), problems
        except ValidationError as error:
            wrong: set[Path] = set()
            for detail in error.errors(include_url=False):
                paths = error_paths(detail)
                if not any(_touch(path, other) for path in paths for other in dropped):
                    problems.append(problem(detail, tree))
                wrong.update(path[: _list_at(path)] for path in paths)
        if wrong <= dropped:
            return None, problems
        dropped |= wrong


def _no_sections(tree: Tree) -> tuple[int, Problem]:
    what = "The file has to consist of sections, such as `server:`, with settings below them."
    hint = "An empty file is right, too: every setting has a default."
    line = tree.line(())
    return line, located(tree.source, line, (), what, hint)


def _kept(data: object, path: Path, dropped: frozenset[Path]) -> object:
    """The data without what was dropped, and with empty sections as sections."""
    if isinstance(data, dict):
        return {
            key: _kept(value, (*path, key), dropped)
            for key, value in data.items()
            if (*path, key) not in dropped
        }
    if data is None:
        field = field_at(path)
        return {} if field is not None and is_section(field) else None
    return data


def _list_at(path: Path) -> int:
    """Where in the path a list begins: lists are kept or dropped as a whole."""
    return next((i for i, part in enumerate(path) if isinstance(part, int)), len(path))


def _touch(one: Path, other: Path) -> bool:
    """Whether one of the two is the other or holds it."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
