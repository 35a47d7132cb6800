"""One small document of every kind, to be damaged."""

from io import BytesIO

import openpyxl
import xlwt
from pikepdf import Array, Dictionary, Name
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
    + paragraph(
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>SYMBOL 179 \\f'
        ' "Symbol"</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>',
        "<m:oMath><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den/></m:f></m:oMath>",
    )
)
_LIST = (
    '<text:list text:style-name="L"><text:list-item><text:p>Aqua</text:p>'
    "</text:list-item></text:list>"
)
_LIST_STYLE = (
    '<text:list-style style:name="L"><text:list-level-style-number text:level="1"'
    ' style:num-format="1" text:start-value="3"/></text:list-style>'
)
_NOTES = (
    f'<w:footnotes><w:footnote w:id="2">{paragraph(run("As of 2019"))}</w:footnote>'
    "</w:footnotes>"
)
_PAGE = (
    "<html><style>.x{display:none}</style><body bgcolor=#fff><img>"
    "<table><tr><td>Aqua</td><td>80 %</td></tr></table></body></html>"
)
_PARTS = (
    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
    "Content-Type: message/rfc822\n\nSubject: CoA\n\nLead n.d.\n\n--b\n"
    "Content-Type: text/html\n\n<p>pH 5.5</p>\n--b--\n"
)
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
    paper.add_note(page, "StrikeOut", "")
    page.Annots[-1].QuadPoints = Array([60, 712, 90, 712, 60, 698, 90, 698])
    paper.add_note(page, "Stamp", "")
    page.Annots[-1].AP = Dictionary(
        N=paper.pdf.make_stream(
            at(2, 4, "Draft").encode(),
            Type=Name.XObject,
            Subtype=Name.Form,
            BBox=Array([0, 0, 100, 17]),
            Resources=Dictionary(Font=paper.fonts),
        )
    )
    return paper.saved()


SEEDS = {
    "report.pdf": pdf_bytes(["First page of the report", "Second page"]),
    "form.pdf": _form(),
    "report.docx": docx_bytes(_BODY, {"footnotes.xml": ("footnotes", _NOTES)}),
    "report.odt": odt_bytes(f"<text:p>Report</text:p>{_LIST}", _LIST_STYLE),
    "formula.xlsx": _xlsx(),
    "formula.xls": _xls(),
    "formula.csv": "INCI,%\nAqua,80\n甘油,5\n".encode(),
    "label.txt": "成分 水、甘油、玫瑰花水".encode("cp950"),
    "page.html": _PAGE.encode(),
    "mail.eml": _MAIL.encode(),
    "parts.eml": _PARTS.encode(),
}
