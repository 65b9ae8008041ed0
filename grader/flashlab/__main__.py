"""Entry of `python -m flashlab`."""

from flashlab.cli import main

main()
