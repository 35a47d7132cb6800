"""Documents for tests: small real files, generated in memory."""

from functools import cache
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pikepdf

LOREM = "Stability of the emulsion was watched for twelve weeks at 40 degrees. "


def pdf_bytes(pages: list[str], *, password: str | None = None) -> bytes:
    """Return a PDF with one line of Latin text on each page."""
    out = BytesIO()
    with pikepdf.new() as pdf:
        for text in pages:
            _add_page(pdf, text)
        if password is None:
            pdf.save(out)
        else:
            lock = pikepdf.Encryption(owner=password, user=password)
            pdf.save(out, encryption=lock)
    return out.getvalue()


def _add_page(pdf: pikepdf.Pdf, text: str) -> None:
    page = pdf.add_blank_page(page_size=(595, 842))
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type1,
        BaseFont=pikepdf.Name.Helvetica,
    )
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    lines = "".join(f"({line}) Tj T* " for line in text.split("\n"))
    content = f"BT /F1 9 Tf 11 TL 40 800 Td {lines}ET"
    page.Contents = pdf.make_stream(content.encode("latin-1"))


def scanned_pdf_bytes() -> bytes:
    """Return a PDF whose only page is a picture."""
    out = BytesIO()
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(200, 200))
        image = pdf.make_stream(
            b"\x80" * 100,
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=10,
            Height=10,
            ColorSpace=pikepdf.Name.DeviceGray,
            BitsPerComponent=8,
        )
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
        page.Contents = pdf.make_stream(b"q 200 0 0 200 0 0 cm /Im0 Do Q")
        pdf.save(out)
    return out.getvalue()


@cache
def bomb_xlsx_bytes() -> bytes:
    """Return a workbook of a few kilobytes that would unpack to 32 MiB."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            zeros = bytes(1 << 20)
            for _ in range(32):
                sheet.write(zeros)
    return out.getvalue()
