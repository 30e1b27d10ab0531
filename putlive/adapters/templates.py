"""Renders the files PutLive writes for other programs; values cannot break out of their place."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from putlive.errors import Problem, SettingsError

# Quoted or not, these would end a value or begin another one in nginx's and SRS's syntax.
_BREAKS_OUT = re.compile(r"[\x00-\x1f\x7f'\"\\`;{}#]")


def template_folder(name: str) -> Path:
    """The folder `templates` that holds `name`: beside the checkout, else in the wheel's data.

    Looks for the file itself: an editable install puts no data anywhere, and probing by import
    finds empty namespace packages.
    """
    folders = (
        Path(__file__).parents[2] / "templates",
        Path(sysconfig.get_path("data")) / "share" / "putlive" / "templates",
    )
    found = next((folder for folder in folders if (folder / name).is_file()), None)
    if found is None:
        looked = ", ".join(str(folder) for folder in folders)
        raise SettingsError(
            [Problem(name, f"This template is not in {looked}.", "Install PutLive again.")]
        )
    return found


def render(name: str, **values: object) -> str:
    """The text of template `name` (for example `srs/srs.conf.j2`) with `values` put in.

    A value is a text, number, truth value, path, None, or a sequence of those. Raises
    `SettingsError` for text that could end its place in the file, and for a missing value.
    """
    problems = [p for key, value in values.items() for p in _problems(key, value)]
    if problems:
        raise SettingsError(problems)
    import jinja2  # 2 MB that the daemon, which renders nothing, does without

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder(name)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # not HTML; every value was checked above
    )
    try:
        return environment.get_template(name).render(**values)
    except jinja2.UndefinedError as exc:
        raise SettingsError([Problem(name, f"A value is missing: {exc.message}.")]) from None


def _problems(key: str, value: object) -> Iterable[Problem]:
    if value is None or isinstance(value, (bool, int, float)):
        return
    if isinstance(value, (str, Path)):
        if found := _BREAKS_OUT.search(str(value)):
            yield Problem(
                key,
                f"The character {found.group()!r} cannot stand in a configuration file.",
                "Choose a name or path without quotes, semicolons, braces, '#' and backslashes.",
            )
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _problems(key, item)
    else:
        raise TypeError(f"{key}: {type(value).__name__} cannot be put into a template")
