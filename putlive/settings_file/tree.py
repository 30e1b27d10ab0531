"""YAML as plain data that remembers where each value was written.

Of YAML only what a settings file needs is taken: one document of texts, numbers, switches, lists
and sections. Aliases are refused, because a few lines of them can stand for gigabytes, and tags,
because they stand for objects of programs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Union

import yaml

from putlive.errors import Problem

Path = tuple[Union[str, int], ...]

MAX_CHARS = 200_000
MAX_DEPTH = 20  # the parser calls itself for each level
_PREFIX = "tag:yaml.org,2002:"
_SWITCHES = yaml.constructor.SafeConstructor.bool_values
_TAB = "Indent with spaces: YAML does not take tabs."
_LOOK = "Look at the indentation, the colons and the quotes in this line and the one above it."


@dataclass(frozen=True)
class Tree:
    """The data of a file; `lines` and `texts` tell where and how each value was written.

    `problems` are those of the YAML, each with its line.
    """

    source: str
    data: object = None
    lines: dict[Path, int] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    problems: list[tuple[int, Problem]] = field(default_factory=list)

    def add(self, line: int, path: Path, what: str, hint: str) -> None:
        """Note a problem."""
        self.problems.append((line, located(self.source, line, path, what, hint)))

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest section around it that was written."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_tree(text: str, source: str) -> Tree:
    """Read `text`; what is wrong with it as YAML is in the tree's `problems`."""
    tree = Tree(source)
    try:
        if _acceptable(text, tree):
            root = yaml.compose(text, Loader=yaml.SafeLoader)
            data = _value(root, (), tree) if root is not None else None
            return replace(tree, data=data)
    except yaml.MarkedYAMLError as error:
        tree.add(_line(error), (), *_syntax(error))
    except yaml.reader.ReaderError as error:
        what = f"It holds a character that YAML does not take (number {error.character})."
        line = text.count("\n", 0, error.position) + 1
        tree.add(line, (), what, "Remove it, or save the file as UTF-8 text.")
    except (ValueError, OverflowError):  # an escape such as "\UFFFFFFFF"
        tree.add(1, (), "It holds a number no text can have.", "Look at the backslashes in it.")
    return tree


def dotted(path: Path) -> str:
    """The path as people write it: `streaming.qualities[0].name`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{printable(part)}"
    return text.lstrip(".")


def printable(text: str, limit: int = 40) -> str:
    """The text on one line of a terminal: shortened, and without what would move its cursor."""
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else "�" for c in short)


def located(source: str, line: int, path: Path, what: str, hint: str) -> Problem:
    """A problem that says where it is."""
    where = f"{source}:{line}: {dotted(path)}" if path else f"{source}:{line}"
    return Problem(where, what, hint)


def _acceptable(text: str, tree: Tree) -> bool:
    if len(text) > MAX_CHARS:
        tree.add(1, (), f"It is longer than {MAX_CHARS} characters.", "Is it a settings file?")
        return False
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if isinstance(event, yaml.AliasEvent):
            tree.add(line, (), "Aliases (*name) are not taken here.", "Write the value out.")
        elif getattr(event, "tag", None) is not None:
            hint = "Remove it; a text that looks like something else belongs in quotes."
            tree.add(line, (), "Tags (!name) are not taken here.", hint)
        elif depth > MAX_DEPTH:
            tree.add(line, (), "This is nested too deeply.", "Look for a bracket too many.")
        elif documents > 1:
            tree.add(line, (), "A second document begins here.", "Remove this line (---).")
        if tree.problems:
            return False
    return True


def _line(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 1


def _syntax(error: yaml.MarkedYAMLError) -> tuple[str, str]:
    problem = printable(error.problem or error.context or "it cannot be read", 100)
    hint = _TAB if "'\\t'" in problem else _LOOK
    if "mapping values are not allowed" in problem:
        hint = 'A text with a colon in it belongs in quotes: "like: this".'
    return f"This is not YAML: {problem}.", hint


def _value(node: yaml.Node, path: Path, tree: Tree) -> object:
    tree.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _section(node, path, tree)
    if isinstance(node, yaml.SequenceNode):
        return [_value(entry, (*path, i), tree) for i, entry in enumerate(node.value)]
    if not isinstance(node, yaml.ScalarNode):
        return None
    tree.texts[path] = node.value
    return _scalar(node)


def _section(node: yaml.MappingNode, path: Path, tree: Tree) -> dict[str, object]:
    section: dict[str, object] = {}
    for key, value in node.value:
        line, here = key.start_mark.line + 1, (*path, key.value)
        if not isinstance(key, yaml.ScalarNode):
            hint = "Put a text that begins with a bracket or a brace in quotes."
            tree.add(line, path, "The name of a setting has to be a word.", hint)
        elif key.value in section:
            what = f"It is given twice, first in line {tree.lines[here]}."
            tree.add(line, here, what, "Keep one of the two.")
        else:
            tree.lines[here] = line
            section[key.value] = _value(value, here, tree)
    return section


def _scalar(node: yaml.ScalarNode) -> object:
    kind = node.tag.removeprefix(_PREFIX)
    if kind == "null":
        return None
    if kind == "bool":
        return _SWITCHES.get(node.value.lower(), node.value)
    constructor = yaml.constructor.SafeConstructor()
    try:
        if kind == "int":
            return constructor.construct_yaml_int(node)
        if kind == "float":
            return constructor.construct_yaml_float(node)
    except (ValueError, OverflowError):  # thousands of digits
        pass
    return node.value
