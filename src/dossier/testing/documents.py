"""Realistic documents of invented companies, made from recipes: demo and tests.

`python -m dossier.testing.documents FOLDER` writes them; the bytes are the same each
time. A recipe is named after its document plus the suffix of its language:
`stability.pdf.typ`, `label.docx.yaml`, `formula.xlsx.yaml`; other files are copied.
"""

import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import typst
import yaml
from docx import Document
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

RECIPES = Path(__file__).parent / "data"
FONT = Path(".fonts/zhplot/fonts/NotoSansSC-Regular.ttf")
WRITTEN_AT = datetime(2026, 3, 2, tzinfo=UTC)
"""The time in every document: the clock would change its bytes."""

_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")


def make_documents(recipe: str = "rose-cream", font: Path = FONT) -> dict[str, bytes]:
    """Return every document of a recipe by its path inside the folder."""
    folder = RECIPES / recipe
    writers: Mapping[str, Callable[[Path], bytes]] = {
        ".pdf.typ": PdfWriter(RECIPES, font).write,
        ".docx.yaml": write_docx,
        ".xlsx.yaml": write_xlsx,
    }
    documents = {}
    for source in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = source.relative_to(folder)
        writer = writers.get("".join(source.suffixes[-2:]))
        if writer is None:
            documents[name.as_posix()] = source.read_bytes()
        else:
            documents[name.with_suffix("").as_posix()] = writer(source)
    return documents


def write_documents(
    target: Path, recipe: str = "rose-cream", font: Path = FONT
) -> list[Path]:
    """Write the documents of a recipe into `target` and return their paths."""
    written = []
    for name, content in make_documents(recipe, font).items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written


class PdfWriter:
    """Typesets Typst sources in one font and at one time, on any machine alike."""

    def __init__(self, root: Path, font: Path) -> None:
        if not font.is_file():
            message = f"{font}: no such font; `make install` unpacks it"
            raise FileNotFoundError(message)
        self._root = root
        self._fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[str(font.parent)],
        )

    def write(self, source: Path) -> bytes:
        """Return a Typst source as PDF."""
        return typst.compile(
            str(source),
            root=str(self._root),
            font_paths=self._fonts,
            sys_inputs={"family": self._fonts.families()[0]},
            format="pdf",
            timestamp=WRITTEN_AT,
        )


def write_xlsx(source: Path) -> bytes:
    """Return the workbook that a YAML recipe describes: rows and merged ranges."""
    recipe = yaml.safe_load(source.read_text(encoding="utf-8"))
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.created = WRITTEN_AT.replace(tzinfo=None)
    for stated in recipe["sheets"]:
        sheet = book.create_sheet(stated["name"])
        for row in stated["rows"]:
            sheet.append(row)
        for merged in stated["merges"]:
            sheet.merge_cells(merged)
        for column, width in enumerate(stated["widths"], start=1):
            sheet.column_dimensions[get_column_letter(column)].width = width
    content = BytesIO()
    book.save(content)
    return _without_clock(content.getvalue())


def write_docx(source: Path) -> bytes:
    """Return the DOCX that a YAML recipe describes: texts, headings and tables."""
    recipe = yaml.safe_load(source.read_text(encoding="utf-8"))
    document = Document()
    document.core_properties.title = recipe["title"]
    document.core_properties.created = WRITTEN_AT
    document.add_heading(recipe["title"], level=1)
    blocks: list[tuple[str, Any]] = [
        member for block in recipe["blocks"] for member in block.items()
    ]
    for kind, value in blocks:
        match kind:
            case "text":
                document.add_paragraph(value)
            case "heading":
                document.add_heading(value, level=2)
            case "table":
                table = document.add_table(len(value), len(value[0]), "Table Grid")
                for cells, texts in zip(table.rows, value, strict=True):
                    for cell, text in zip(cells.cells, texts, strict=True):
                        cell.text = text
            case _:
                raise ValueError(kind)
    content = BytesIO()
    document.save(content)
    return _without_clock(content.getvalue())


def _without_clock(content: bytes) -> bytes:
    """Repack an office file so that equal contents give equal members in one order.

    Equal bytes too, where the machine's compressor is the same.
    """
    time = WRITTEN_AT.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    packed = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(packed, "w", ZIP_DEFLATED) as new:
        # Readers and type detection expect the list of content types first.
        names = sorted(
            old.namelist(), key=lambda name: (name != "[Content_Types].xml", name)
        )
        for name in names:
            member = old.read(name)
            if name == "docProps/core.xml":
                member = _MODIFIED.sub(rb"\g<1>" + time + rb"\g<2>", member)
            new.writestr(ZipInfo(name), member, ZIP_DEFLATED, 9)
    return packed.getvalue()


def main() -> None:
    """Write the documents of one recipe into a folder."""
    parser = ArgumentParser(prog="python -m dossier.testing.documents")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipe", default="rose-cream")
    parser.add_argument("--font", type=Path, default=FONT)
    chosen = parser.parse_args()
    for path in write_documents(chosen.folder, chosen.recipe, chosen.font):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
