"""Turn a folder of recipes into a folder of papers; the same bytes each time.

A recipe is named after its paper plus the suffix of its language:
`stability.pdf.typ`, `label.docx.yaml`, `formula.xlsx.yaml`; anything else is copied.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from dossier.testing.papers.printing import Printer
from dossier.testing.papers.spreadsheet import write_workbook
from dossier.testing.papers.word import write_document

RECIPES = Path(__file__).parent / "data"
FONT = Path(".fonts/zhplot/fonts/NotoSansSC-Regular.ttf")

Writer = Callable[[Path], bytes]


def make_papers(recipe: str = "rose-cream", font: Path = FONT) -> dict[str, bytes]:
    """Return every paper of a recipe by its path inside the folder."""
    folder = RECIPES / recipe
    writers = _writers(Printer(RECIPES, font))
    sources = sorted(path for path in folder.rglob("*") if path.is_file())
    return dict(
        _paper(source, source.relative_to(folder), writers) for source in sources
    )


def write_papers(
    target: Path, recipe: str = "rose-cream", font: Path = FONT
) -> list[Path]:
    """Write the papers of a recipe into `target` and return their paths."""
    written = []
    for name, content in make_papers(recipe, font).items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written


def _writers(printer: Printer) -> Mapping[str, Writer]:
    return {
        ".pdf.typ": printer.print_pdf,
        ".docx.yaml": write_document,
        ".xlsx.yaml": write_workbook,
    }


def _paper(
    source: Path, name: Path, writers: Mapping[str, Writer]
) -> tuple[str, bytes]:
    kind = "".join(source.suffixes[-2:])
    if kind not in writers:
        return name.as_posix(), source.read_bytes()
    make = partial(writers[kind], source)
    return name.with_suffix("").as_posix(), make()
