"""What pydantic finds wrong with the settings, said in plain words with a remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from putlive.errors import Problem
from putlive.settings import Section, Settings
from putlive.settings.quantities import Quantity
from putlive.settings_file.tree import Path, Tree, located, printable

_KINDS = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "finite_number": "a whole number",
    "int_parsing_size": "a whole number that is not as long",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "tuple_type": "a list, with one entry per line after a dash",
    "model_type": "a section, with its settings in lines of their own below it",
    "string_unicode": "text",
}
_SECRET = ("secret", "password", "pass", "token", "api_key")


def problem(error: ErrorDetails, tree: Tree) -> tuple[int, Problem]:
    """One of pydantic's errors: its line, what is wrong and what would be right."""
    paths = error_paths(error)
    path = next((path for path in paths if path in tree.lines), paths[0])
    line = tree.line(path)
    return line, located(tree.source, line, path, *_words(error, path, tree))


def error_paths(error: ErrorDetails) -> list[Path]:
    """The settings an error is about; several when they contradict each other."""
    names = error.get("ctx", {}).get("names")
    if error["type"] == "contradiction" and names:
        return [tuple(name.split(".")) for name in names]
    return [error["loc"]]


def field_at(path: Path) -> FieldInfo | None:
    """The setting at `path`, or None when there is none of that name."""
    model: type[BaseModel] | None = Settings
    found: FieldInfo | None = None
    for part in path:
        if isinstance(part, int):
            continue
        if model is None or part not in model.model_fields:
            return None
        found = model.model_fields[part]
        model = section_of(found)
    return found


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section a setting is, or is a list of; None for a plain value."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, Section):
            return kind
    return None


def is_section(field: FieldInfo) -> bool:
    """Whether a setting is a section itself, not a value and not a list of sections."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, Section)


def limits(field: FieldInfo) -> tuple[str, str]:
    """The least and the most of a setting as people write them; empty where there is no limit."""
    least = next((m.ge for m in field.metadata if hasattr(m, "ge")), None)
    most = next((m.le for m in field.metadata if hasattr(m, "le")), None)
    return _written(field, least), _written(field, most)


def quantity_of(field: FieldInfo) -> Quantity | None:
    """The kind of quantity a setting is, or None for a plain number or anything else."""
    return next((m for m in field.metadata if isinstance(m, Quantity)), None)


def _written(field: FieldInfo, number: Any) -> str:
    if number is None:
        return ""
    quantity = quantity_of(field)
    return quantity.text(number) if quantity else str(number)


def _words(error: ErrorDetails, path: Path, tree: Tree) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "contradiction":
        return str(context["text"]), "Change one of them."
    if kind == "extra_forbidden":
        return "There is no such setting.", _unknown(path)
    if kind == "missing":
        return "It is missing.", _meaning(path)
    if error["input"] is None:
        return "It has no value.", _without_value(path)
    return _does_not_fit(kind, context, path, _shown(error["input"], path, tree), error["msg"])


def _does_not_fit(
    kind: str, context: Mapping[str, Any], path: Path, shown: str, message: str
) -> tuple[str, str]:
    hint = ""
    if kind in ("greater_than_equal", "less_than_equal"):
        reason = f"has to be {_range(path)}"
    elif kind == "value_error":
        reason = str(context["error"])
    elif kind == "literal_error":
        reason, hint = _choice(path, shown)
    elif kind == "string_type":
        reason = "has to be text"
        hint = f"Write it in quotes: {shown}." if shown.startswith('"') else ""
    elif kind == "too_long":
        reason = f"may have at most {context['max_length']} entries"
    else:
        reason = f"has to be {_KINDS[kind]}" if kind in _KINDS else f"does not fit: {message}"
    return f"It is {shown}, but {reason}.", hint or _meaning(path)


def _shown(value: object, path: Path, tree: Tree) -> str:
    if isinstance(value, dict):
        return "a section"
    if isinstance(value, (list, tuple)):
        return "a list"
    return f'"{printable(tree.texts.get(path, str(value)))}"'


def _range(path: Path) -> str:
    field = field_at(path)
    least, most = limits(field) if field else ("", "")
    if least and most:
        return f"between {least} and {most}"
    return f"at least {least}" if least else f"at most {most}"


def _choice(path: Path, shown: str) -> tuple[str, str]:
    field = field_at(path)
    choices = [str(choice) for choice in get_args(field.annotation)] if field else []
    near = difflib.get_close_matches(shown.strip('"'), choices, n=1)
    return f"has to be one of {', '.join(choices)}", f'Did you mean "{near[0]}"?' if near else ""


def _meaning(path: Path) -> str:
    field = field_at(path)
    return f"Its meaning: {field.description}" if field and field.description else ""


def _without_value(path: Path) -> str:
    field = field_at(path)
    if field is None or field.is_required():
        return "Write one."
    if section_of(field) or isinstance(field.default, tuple):
        return "Write one, or remove the line for the default."
    default = _written(field, field.default) or "empty"
    return f"Write one, or remove the line for the default, {default}."


def _unknown(path: Path) -> str:
    name = str(path[-1])
    here = field_at(path[:-1])
    section = Settings if len(path) == 1 else (section_of(here) if here else None)
    beside = list(section.model_fields) if section else []
    near = difflib.get_close_matches(name, beside, n=1)
    if near:
        return f"Did you mean {near[0]}?"
    elsewhere = [p for p in names() if p.rsplit(".", 1)[-1] == name]
    if elsewhere:
        return f"Did you mean {elsewhere[0]}?"
    if any(word in name.lower() for word in _SECRET):
        return "Secrets are not written here: PutLive makes its own. Remove it."
    return f"Remove it. The settings here are {', '.join(beside)}."


def names(model: type[BaseModel] = Settings, above: str = "") -> Iterator[str]:
    """The name of every setting with the sections around it, as `streaming.hls.tmpfs_path`."""
    for name, field in model.model_fields.items():
        yield above + name
        section = section_of(field)
        if section is not None and is_section(field):
            yield from names(section, f"{above}{name}.")
