"""Entry of `python -m flashlab`."""

import sys

try:
    from flashlab.cli import main
except ModuleNotFoundError as error:
    print(f"flashlab: the Python package {error.name} is missing; run: make setup", file=sys.stderr)
    sys.exit(2)
main()
