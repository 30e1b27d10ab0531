"""The page `docs/configuration.md`, made from the settings themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args, get_origin

import yaml
from pydantic.fields import FieldInfo

from putlive.settings import Section, Settings
from putlive.settings_file.words import is_section, limits, quantity_of, section_of

_KINDS = {int: "whole number", str: "text", bool: "true or false"}
_HEAD = """\
# Configuration

<!-- Generated from putlive/settings by putlive.settings_file.reference; do not edit. -->

The settings are one YAML file; an installed station reads `/etc/putlive/config.yaml`. Every setting
has a default, so the file may be empty, and it only needs the lines that differ. It is checked as a
whole: PutLive tells every problem at once, with its line and what would be right, ends with exit
code 2, and changes nothing. Names that are not listed here are errors, as are names given twice.

Secrets are never written here: PutLive makes its own, in files only it can read.

Times are written with a unit (`ms`, `s`, `m`, `h`, `d`, `w`; without one: seconds), sizes with
`k` (1000), `K` (1024), `M` or `G` (powers of 1024; without one: bytes), bit rates with `k` or `M`
(powers of 1000; without one: bit/s).
"""


def reference() -> str:
    """Every setting with type, default, limits and meaning, then the whole file of defaults."""
    defaults = yaml.safe_dump(Settings().model_dump(mode="json"), sort_keys=False)
    return "\n".join([_HEAD, *_sections(Settings, ""), "## All defaults", "", _fenced(defaults)])


def _fenced(text: str) -> str:
    return f"```yaml\n{text}```\n"


def _sections(model: type[Section], above: str) -> Iterator[str]:
    plain = {n: f for n, f in model.model_fields.items() if not is_section(f)}
    if plain:
        yield from _table(model, above, plain)
    for name, field in model.model_fields.items():
        section = section_of(field)
        if section is not None:
            below = f"{above}{name}" if is_section(field) else f"{above}{name}[]"
            yield from _sections(section, f"{below}.")


def _table(model: type[Section], above: str, fields: dict[str, FieldInfo]) -> Iterator[str]:
    yield f"## `{above.rstrip('.')}`"
    yield ""
    yield (model.__doc__ or "").strip().split("\n\n")[0]
    yield ""
    yield "| Setting | Type | Default | Limits | Meaning |"
    yield "| --- | --- | --- | --- | --- |"
    shown = model.model_construct().model_dump(mode="json", warnings=False)
    for name, field in fields.items():
        default = "required" if field.is_required() else _default(field, shown[name])
        cells = (f"`{name}`", _kind(field), default, _limits(field), field.description or "")
        yield f"| {' | '.join(cells)} |"
    yield ""


def _default(field: FieldInfo, shown: object) -> str:
    if section_of(field) is not None:
        return "see below"
    if isinstance(shown, bool):
        return f"`{str(shown).lower()}`"
    if isinstance(shown, list):
        return ", ".join(f"`{entry}`" for entry in shown) or "none"
    return f"`{shown}`" if shown != "" else "empty"


def _kind(field: FieldInfo) -> str:
    quantity = quantity_of(field)
    if quantity is not None:
        return quantity.name
    if get_origin(field.annotation) is tuple:
        return "list of sections" if section_of(field) else "list of texts"
    choices = get_args(field.annotation)
    if choices:
        return f"one of {', '.join(f'`{choice}`' for choice in choices)}"
    return next(word for kind, word in _KINDS.items() if field.annotation is kind)


def _limits(field: FieldInfo) -> str:
    least, most = limits(field)
    longest = next((m.max_length for m in field.metadata if hasattr(m, "max_length")), None)
    if longest is not None:
        return f"at most {longest} entries"
    if least and most:
        return f"{least} to {most}"
    return f"at least {least}" if least else ""
