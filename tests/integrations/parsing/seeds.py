"""One small document of every kind, to be damaged."""

from io import BytesIO

import openpyxl
import xlwt
from tests.factories.documents import pdf_bytes
from tests.integrations.parsing.papers import (
    PaperPdf,
    at,
    docx_bytes,
    odt_bytes,
    paragraph,
    run,
)

_BODY = (
    paragraph(run("Stability report"), f"<w:ins>{run('45 °C')}</w:ins>")
    + f"<w:tbl><w:tr><w:tc>{paragraph(run('pH'))}</w:tc>"
    f"<w:tc>{paragraph(run('5.5'))}</w:tc></w:tr></w:tbl>"
    + paragraph('<w:r><w:footnoteReference w:id="2"/></w:r>')
)
_NOTES = (
    f'<w:footnotes><w:footnote w:id="2">{paragraph(run("As of 2019"))}</w:footnote>'
    "</w:footnotes>"
)
_PAGE = "<html><body><table><tr><td>Aqua</td><td>80 %</td></tr></table></body></html>"
_MAIL = (
    "From: a@example.com\nMessage-ID: <1@example.com>\nSubject: Report\n"
    "Content-Type: text/plain; charset=utf-8\n\nThe result is within limits.\n"
)


def _saved(book: openpyxl.Workbook | xlwt.Workbook) -> bytes:
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _xlsx() -> bytes:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["Aqua", 80.5])
    return _saved(book)


def _xls() -> bytes:
    book = xlwt.Workbook()
    book.add_sheet("A").write(0, 0, "INCI")
    return _saved(book)


def _form() -> bytes:
    paper = PaperPdf()
    page = paper.add_page(
        at(60, 700, "Lead:") + "q 100 0 0 100 60 500 cm /Im0 Do Q", images=True
    )
    paper.add_text_field(page, "7.5", (150, 695, 250, 712))
    paper.add_note(page, "Text", "Ask")
    return paper.saved()


SEEDS = {
    "report.pdf": pdf_bytes(["First page of the report", "Second page"]),
    "form.pdf": _form(),
    "report.docx": docx_bytes(_BODY, {"footnotes.xml": ("footnotes", _NOTES)}),
    "report.odt": odt_bytes("<text:p>Report</text:p><table:table/>"),
    "formula.xlsx": _xlsx(),
    "formula.xls": _xls(),
    "formula.csv": "INCI,%\nAqua,80\n甘油,5\n".encode(),
    "label.txt": "成分 水、甘油、玫瑰花水".encode("cp950"),
    "page.html": _PAGE.encode(),
    "mail.eml": _MAIL.encode(),
}
