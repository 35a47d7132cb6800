"""`python -m dossier` is the same as the command `dossier`."""

from dossier.cli import main

main()
