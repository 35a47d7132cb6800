"""Realistic documents of invented companies, made from recipes: demo and tests.

`python -m dossier.testing.documents FOLDER` writes them; the bytes are the same each
time. A recipe is named after its document plus the suffix of its language:
`stability.pdf.typ`, `label.docx.yaml`, `formula.xlsx.yaml`; `jar.scan.typ` becomes a
PDF of pictures, `rose.form.typ` one with a filled form; other files are copied.
"""

import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pikepdf
import pypdfium2
import typst
import yaml
from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

RECIPES = Path(__file__).parent / "data"
FONT = Path(".fonts/zhplot/fonts/NotoSansSC-Regular.ttf")
WRITTEN_AT = datetime(2026, 6, 15, tzinfo=UTC)
"""The time in every document: the clock would change its bytes."""

SCAN_DPI = 100
_BITS = b"1" * 190 + b"0" * 66
"""Dark pixels are ink, written as the digit 1."""
_FIELD_HEIGHT_PT = 13

_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")


def make_documents(recipe: str = "rose-cream", font: Path = FONT) -> dict[str, bytes]:
    """Return every document of a recipe by its path inside the folder."""
    folder = RECIPES / recipe
    pdf = PdfWriter(RECIPES, font)
    writers: Mapping[str, tuple[str, Callable[[Path], bytes]]] = {
        ".pdf.typ": (".pdf", pdf.write),
        ".scan.typ": (".pdf", pdf.write_scan),
        ".form.typ": (".pdf", pdf.write_form),
        ".docx.yaml": (".docx", write_docx),
        ".xlsx.yaml": (".xlsx", write_xlsx),
    }
    documents = {}
    for source in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = source.relative_to(folder).as_posix()
        recipe_suffix = "".join(source.suffixes[-2:])
        if recipe_suffix in writers:
            suffix, write = writers[recipe_suffix]
            documents[name.removesuffix(recipe_suffix) + suffix] = write(source)
        else:
            documents[name] = source.read_bytes()
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
        self._font_folder = str(font.parent)
        self._fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[self._font_folder],
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

    def write_scan(self, source: Path) -> bytes:
        """Return the first page as a black and white picture that lies a bit askew."""
        printed = pypdfium2.PdfDocument(self.write(source))[0]
        bitmap = printed.render(scale=SCAN_DPI / 72, grayscale=True)
        lines = bytes(bitmap.buffer).translate(_BITS)
        picture = b"".join(
            _packed(lines[start : start + bitmap.width])
            for start in range(0, len(lines), bitmap.stride)
        )
        with pikepdf.new() as pdf:
            width, height = printed.get_size()
            page = pdf.add_blank_page(page_size=(width, height))
            image = pdf.make_stream(
                picture,
                Type=pikepdf.Name.XObject,
                Subtype=pikepdf.Name.Image,
                Width=bitmap.width,
                Height=bitmap.height,
                ColorSpace=pikepdf.Name.DeviceGray,
                BitsPerComponent=1,
                Decode=[1, 0],
            )
            page.add_resource(image, pikepdf.Name.XObject, pikepdf.Name.Scan)
            shear = 0.008 * width
            matrix = f"{width:.3f} {shear:.3f} {-shear:.3f} {height:.3f} 0 0"
            page.Contents = pdf.make_stream(f"q {matrix} cm /Scan Do Q".encode())
            return _saved(pdf)

    def write_form(self, source: Path) -> bytes:
        """Return a Typst source as PDF with its fields as a filled form."""
        found = typst.query(
            str(source),
            "<field>",
            field="value",
            root=str(self._root),
            font_paths=[self._font_folder],
            ignore_system_fonts=True,
            sys_inputs={"family": self._fonts.families()[0]},
        )
        with pikepdf.open(BytesIO(self.write(source))) as pdf:
            font = pdf.make_indirect(
                pikepdf.Dictionary(
                    Type=pikepdf.Name.Font,
                    Subtype=pikepdf.Name.Type1,
                    BaseFont=pikepdf.Name.Helvetica,
                )
            )
            resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=font))
            fields = pikepdf.Array()
            for stated in json.loads(found):
                page = pdf.pages[stated["page"] - 1]
                widget = pdf.make_indirect(_widget(pdf, page, stated, resources))
                if pikepdf.Name.Annots not in page:
                    page.Annots = pikepdf.Array()
                page.Annots.append(widget)
                fields.append(widget)
            pdf.Root.AcroForm = pikepdf.Dictionary(
                Fields=fields, DR=resources, DA=pikepdf.String("/Helv 9 Tf 0 g")
            )
            return _saved(pdf)


def _packed(bits: bytes) -> bytes:
    """Return a line of zeros and ones, written as digits, as eight to a byte."""
    return int(bits.ljust(-(-len(bits) // 8) * 8, b"0"), 2).to_bytes(-(-len(bits) // 8))


def _widget(
    pdf: pikepdf.Pdf,
    page: pikepdf.Page,
    stated: Mapping[str, Any],
    resources: pikepdf.Dictionary,
) -> pikepdf.Dictionary:
    """Return a text field with its value, and how the value looks on the page."""
    width, value = stated["width"], stated["value"]
    bottom = float(page.mediabox[3]) - stated["y"] - _FIELD_HEIGHT_PT + 2
    look = f"/Tx BMC BT /Helv 9 Tf 0 g 2 4 Td ({value}) Tj ET EMC"
    appearance = pdf.make_stream(
        look.encode(),
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Form,
        BBox=[0, 0, width, _FIELD_HEIGHT_PT],
        Resources=resources,
    )
    return pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Widget,
        FT=pikepdf.Name.Tx,
        T=pikepdf.String(stated["name"]),
        V=pikepdf.String(value),
        F=4,  # printed
        Rect=[stated["x"], bottom, stated["x"] + width, bottom + _FIELD_HEIGHT_PT],
        DA=pikepdf.String("/Helv 9 Tf 0 g"),
        AP=pikepdf.Dictionary(N=appearance),
    )


def _saved(pdf: pikepdf.Pdf) -> bytes:
    """Return the bytes of a PDF: without compression, which differs by machine."""
    content = BytesIO()
    pdf.save(
        content,
        static_id=True,
        compress_streams=False,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
        object_stream_mode=pikepdf.ObjectStreamMode.disable,
    )
    return content.getvalue()


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
        for address, value in stated.get("cells", {}).items():
            sheet[address] = value
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
            case "revised":
                _write_revised(document.add_paragraph(), value)
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


def _write_revised(paragraph: Paragraph, pieces: list[dict[str, str]]) -> None:
    """Write a paragraph with tracked changes: texts kept, inserted and deleted."""
    for number, piece in enumerate(pieces):
        ((kind, text),) = piece.items()
        run = paragraph.add_run(text)
        if kind == "kept":
            continue
        change = OxmlElement("w:ins" if kind == "inserted" else "w:del")
        change.set(qn("w:id"), str(number))
        change.set(qn("w:author"), "Tsai Bo-Han")
        change.set(qn("w:date"), "2025-09-05T09:00:00Z")
        if kind == "deleted":
            # Word finds deleted text in an element of its own.
            run._r.t_lst[0].tag = qn("w:delText")  # noqa: SLF001 - no public way
        run._r.addprevious(change)  # noqa: SLF001
        change.append(run._r)  # noqa: SLF001


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
