"""`putlive daemon`: the daemon alone, as `putlive up` or systemd starts it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from putlive import log
from putlive.cli.failing import told_plainly


@click.command(hidden=True)
@click.option("--state-dir", type=click.Path(path_type=Path), default=Path(".putlive"))
def daemon(state_dir: Path) -> None:
    """Run the daemon of the station that was prepared in STATE-DIR."""
    from putlive.daemon.process import run
    from putlive.station import load

    log.set_up()
    with told_plainly():
        asyncio.run(run(load(state_dir.resolve())))
