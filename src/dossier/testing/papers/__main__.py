"""`python -m dossier.testing.papers FOLDER`: write the example papers."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from dossier.testing.papers.generator import FONT, write_papers


def main() -> None:
    """Write the papers of one recipe into a folder."""
    parser = ArgumentParser(prog="python -m dossier.testing.papers")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipe", default="rose-cream")
    parser.add_argument("--font", type=Path, default=FONT)
    chosen = parser.parse_args()
    for path in write_papers(chosen.folder, chosen.recipe, chosen.font):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
