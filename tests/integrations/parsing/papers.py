"""Small papers of every format, written from their XML or their page content."""

from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pikepdf
from pikepdf import Array, Dictionary, Name

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT_W = "http://purl.oclc.org/ooxml/wordprocessingml/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
MAIN_TYPE = (
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
)
ODT_TYPE = "application/vnd.oasis.opendocument.text"
ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{place}:1.0"'
    for name, place in {
        "office": "office",
        "text": "text",
        "table": "table",
        "style": "style",
        "draw": "drawing",
        "form": "form",
        "fo": "xsl-fo-compatible",
        "svg": "svg-compatible",
    }.items()
)


def zip_bytes(parts: dict[str, str]) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def docx_bytes(
    body: str,
    parts: dict[str, tuple[str, str]] | None = None,
    *,
    main: str = "word/document.xml",
    namespace: str = W,
    header_object: str = "",
) -> bytes:
    """Return a Word file; `parts` are name -> (kind of relationship, XML).

    `header_object` names the part that an object is embedded in.
    """
    folder, _, name = main.rpartition("/")
    prefixes = (
        f'xmlns:w="{namespace}" xmlns:r="{RELATIONS}"'
        ' xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"'
        ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
        ' xmlns:v="urn:schemas-microsoft-com:vml"'
        ' xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/'
        'wordprocessingDrawing" xmlns:pic="pic"'
        ' xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    )
    relations = "".join(
        f'<Relationship Id="{part}" Type="{RELATIONS}/{kind}" Target="{part}"/>'
        for part, (kind, _) in (parts or {}).items()
    )
    files = {
        "[Content_Types].xml": (
            f'<Types><Override PartName="/{main}" ContentType="{MAIN_TYPE}"/></Types>'
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{PACKAGE_RELATIONS}"><Relationship Id="r1"'
            f' Type="{RELATIONS}/officeDocument" Target="{main}"/></Relationships>'
        ),
        main: f"<w:document {prefixes}><w:body>{body}</w:body></w:document>",
        f"{folder}/_rels/{name}.rels": f"<Relationships>{relations}</Relationships>",
    }
    for part, (_, xml) in (parts or {}).items():
        files[f"{folder}/{part}"] = xml.replace(">", f" {prefixes}>", 1)
    if header_object:
        files[f"{folder}/_rels/{header_object}.rels"] = (
            f'<Relationships><Relationship Id="r1" Type="{RELATIONS}/oleObject"'
            ' Target="embeddings/o.bin"/></Relationships>'
        )
    return zip_bytes(files)


def paragraph(*runs: str) -> str:
    return f"<w:p>{''.join(runs)}</w:p>"


def run(text: str, properties: str = "") -> str:
    look = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{look}<w:t xml:space="preserve">{text}</w:t></w:r>'


def odt_bytes(
    body: str, styles: str = "", parts: dict[str, str] | None = None
) -> bytes:
    content = (
        f"<office:document-content {ODF}><office:automatic-styles>{styles}"
        "</office:automatic-styles><office:body><office:text>"
        f"{body}</office:text></office:body></office:document-content>"
    )
    return zip_bytes(
        {
            "mimetype": ODT_TYPE,
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": content,
            **(parts or {}),
        }
    )


class PaperPdf:
    """A PDF whose pages are written as content streams."""

    def __init__(self) -> None:
        self.pdf = pikepdf.new()
        self.fonts = Dictionary(
            F1=Dictionary(
                Type=Name.Font,
                Subtype=Name.Type1,
                BaseFont=Name.Helvetica,
                Encoding=Name.WinAnsiEncoding,
            )
        )

    def add_page(
        self,
        content: str,
        *,
        images: bool = False,
        size: tuple[int, int] = (595, 842),
        rotate: int = 0,
    ) -> pikepdf.Page:
        page = self.pdf.add_blank_page(page_size=size)
        page.Resources = Dictionary(Font=self.fonts)
        if images:
            page.Resources.XObject = Dictionary(Im0=self._image())
        if rotate:
            page.Rotate = rotate
        page.Contents = self.pdf.make_stream(content.encode("latin-1"))
        return page

    def _image(self) -> pikepdf.Object:
        return self.pdf.make_stream(
            b"\x80" * 100,
            Type=Name.XObject,
            Subtype=Name.Image,
            Width=10,
            Height=10,
            ColorSpace=Name.DeviceGray,
            BitsPerComponent=8,
        )

    def add_text_field(
        self, page: pikepdf.Page, value: str, rect: tuple[int, ...], **more: Any
    ) -> None:
        widget = self.pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                T=f"field{len(page.get('/Annots', []))}",
                Rect=Array(rect),
                **{"F": 4, "FT": Name.Tx, "V": value, **more},
            )
        )
        self._hang(page, widget)
        if "/AcroForm" not in self.pdf.Root:
            self.pdf.Root.AcroForm = Dictionary(Fields=Array())
        self.pdf.Root.AcroForm.Fields.append(widget)

    def add_note(self, page: pikepdf.Page, subtype: str, contents: str) -> None:
        note = Dictionary(
            Type=Name.Annot,
            Subtype=Name(f"/{subtype}"),
            Contents=contents,
            Rect=Array([300, 400, 500, 420]),
        )
        self._hang(page, self.pdf.make_indirect(note))

    def _hang(self, page: pikepdf.Page, annotation: pikepdf.Object) -> None:
        if "/Annots" not in page:
            page.Annots = Array()
        page.Annots.append(annotation)

    def saved(self) -> bytes:
        out = BytesIO()
        self.pdf.save(out)
        self.pdf.close()
        return out.getvalue()


def at(x: float, y: float, text: str, size: float = 11, more: str = "") -> str:
    """Return content that shows a text at a place."""
    return f"BT {more} /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET\n"


def one_page(content: str, **options: object) -> bytes:
    paper = PaperPdf()
    paper.add_page(content, **options)  # type: ignore[arg-type]
    return paper.saved()
