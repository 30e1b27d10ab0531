"""The command `putlive`."""

from __future__ import annotations

import click

from putlive import __version__
from putlive.cli.configuration import config
from putlive.cli.daemon import daemon
from putlive.cli.up import up


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="putlive")
def main() -> None:
    """PutLive: one small host as a 24/7 television station."""


main.add_command(config)
main.add_command(daemon)
main.add_command(up)
