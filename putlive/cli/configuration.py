"""`putlive config`: check a configuration file, show what is in force."""

from __future__ import annotations

from pathlib import Path

import click

from putlive.cli.failing import told_plainly
from putlive.settings_file import dump, load

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def config() -> None:
    """Look at the configuration."""


@config.command()
@click.argument("file", type=FILE)
def check(file: Path) -> None:
    """Say everything that is wrong in FILE; exit code 2 when there is anything."""
    with told_plainly():
        load(file)
    click.echo(f"{file} is fine.")


@config.command()
@click.argument("file", type=FILE, required=False)
def show(file: Path | None) -> None:
    """Print every setting in force, with FILE or with the defaults."""
    with told_plainly():
        settings = load(file)
    click.echo(dump(settings), nl=False)
