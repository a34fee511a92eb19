"""`python -m penstock.cli`: the command, where it is not on PATH."""

from penstock.cli.main import main

main()
