"""The rules of the house, checked on its own source: who may import what, and how large."""

from __future__ import annotations

import ast
import statistics
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A layer may import itself, what is listed for it, and the standard library.
ALLOWED: dict[str, set[str]] = {
    "putlive.errors": set(),
    "putlive.log": set(),
    "putlive.domain": {"dateutil"},
    "putlive.ports": {"putlive.domain"},
    "putlive.settings": {"putlive.errors", "pydantic", "pydantic_core"},
    "putlive.settings_file": {
        "putlive.errors",
        "putlive.settings",
        "pydantic",
        "pydantic_core",
        "yaml",
    },
    "putlive.services": {"putlive.domain", "putlive.ports", "putlive.errors"},
    "putlive.adapters": {
        "putlive.domain",
        "putlive.ports",
        "putlive.settings",
        "putlive.errors",
        "aiosqlite",
        "anyio",
        "bcrypt",
        "jinja2",
        "jwt",
        "psutil",
        "sdnotify",
        "uvicorn",
    },
    "putlive.api": {
        "putlive",
        "putlive.services",
        "putlive.domain",
        "putlive.errors",
        "putlive.log",
        "putlive.adapters.engines.hooks",
        "fastapi",
        "prometheus_client",
        "pydantic",
        "starlette",
    },
    "putlive.plan": {"putlive.domain"},
    "putlive.station": {"putlive.errors", "putlive.settings"},
    "putlive.foreground": {
        "putlive.plan",
        "putlive.adapters",
        "putlive.domain",
        "putlive.services.running.supervisor",
    },
    "putlive.daemon": {"putlive", "apscheduler"},
    "putlive.cli": {"putlive", "installer", "click"},
    "putlive.__main__": {"putlive.cli"},
    "installer": {"putlive.settings", "putlive.errors", "jinja2"},
}
# The daemon wires everything but does not know the people at a terminal, and the API knows only
# the adapter that reads hooks: `putlive` in a set means any of it, so these are said here.
FORBIDDEN: dict[str, set[str]] = {
    "putlive.daemon": {"putlive.cli"},
    "putlive.api": {"putlive.daemon", "putlive.cli", "putlive.adapters", "putlive.ports"},
}
EXCEPT: dict[str, set[str]] = {"putlive.api": {"putlive.adapters.engines.hooks"}}

# Only these modules may touch the machine.
EFFECTS = {"subprocess", "socket", "shutil", "ctypes"}
MAY_TOUCH = {"installer.host", "putlive.adapters", "putlive.daemon", "putlive.cli"}


def modules() -> list[tuple[str, Path]]:
    files = [p for top in ("putlive", "installer") for p in sorted((ROOT / top).rglob("*.py"))]
    return [
        (".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), p)
        for p in files
    ]


def imports(path: Path) -> set[str]:
    """Every module named by an import; `from package import module` counts as the module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.update(_named(node))
    return found


def _named(node: ast.ImportFrom) -> set[str]:
    names = {f"{node.module}.{alias.name}" for alias in node.names}
    is_package = (ROOT / Path(*(node.module or "").split("."))).is_dir()
    real = {n for n in names if (ROOT / Path(*n.split("."))).with_suffix(".py").exists()}
    return (real or {node.module or ""}) if is_package else {node.module or ""}


def covers(rule: str, name: str) -> bool:
    return name == rule or (rule != "putlive" and name.startswith(rule + "."))


def layer_of(module: str) -> str | None:
    layers = sorted(ALLOWED, key=len, reverse=True)
    return next((layer for layer in layers if covers(layer, module)), None)


def may_import(layer: str, name: str) -> bool:
    if any(covers(rule, name) for rule in EXCEPT.get(layer, ())):
        return True
    if any(covers(rule, name) for rule in FORBIDDEN.get(layer, ())):
        return False
    everything = "putlive" in ALLOWED[layer] and layer in ("putlive.daemon", "putlive.cli")
    if everything and name.startswith("putlive"):
        return True
    return any(covers(rule, name) for rule in ALLOWED[layer])


each_module = pytest.mark.parametrize("module,path", modules(), ids=[m for m, _ in modules()])


@each_module
def test_imports_point_inwards(module: str, path: Path) -> None:
    layer = layer_of(module)
    if layer is None:
        assert module in {"putlive"}, f"{module} belongs to no layer"
        return
    for name in imports(path):
        if name.split(".")[0] in sys.stdlib_module_names or covers(layer, name):
            continue
        assert may_import(layer, name), f"{module} must not import {name}"


@each_module
def test_only_edge_modules_touch_the_machine(module: str, path: Path) -> None:
    if any(covers(rule, module) for rule in MAY_TOUCH):
        return
    assert not imports(path) & EFFECTS, f"{module} imports {imports(path) & EFFECTS}"


@each_module
def test_modules_stay_small_and_say_what_they_hold(module: str, path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) <= 250
    if module != "installer":
        assert ast.get_docstring(ast.parse(source)), f"{module} has no opening sentence"


def test_functions_are_short() -> None:
    lengths = []
    for _, path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lengths.append((node.end_lineno or 0) - node.lineno + 1)
    assert statistics.median(lengths) < 10


def test_no_other_distribution_brings_our_import_names() -> None:
    for name in ("installer", "putlive"):
        owners = {d.lower() for d in metadata.packages_distributions().get(name, [])}
        assert owners <= {"putlive"}
