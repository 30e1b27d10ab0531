"""`python -m putlive`."""

from putlive.cli.main import main

main()
