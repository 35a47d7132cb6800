"""Files that are something else than their name says, one row each."""

import base64
import zlib
from email.message import EmailMessage
from io import BytesIO
from typing import NamedTuple
from zipfile import ZipFile

import pytest
from tests.factories.documents import pdf_bytes
from tests.integrations.parsing.conftest import Extract
from tests.integrations.parsing.papers import (
    docx_bytes,
    odt_bytes,
    paragraph,
    run,
    zip_bytes,
)

from dossier.integrations.parsing.exceptions import UnreadableReason
from dossier.integrations.parsing.types import ReadState

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SS = "urn:schemas-microsoft-com:office:spreadsheet"
THIRD = 'ss:Index="3"'
NOT_READ = UnreadableReason.UNSUPPORTED


class Read(NamedTuple):
    name: str
    filename: str
    content: bytes
    text: str
    codes: tuple[str, ...] = ()
    state: ReadState = ReadState.READ


class Refused(NamedTuple):
    name: str
    filename: str
    content: bytes
    reason: UnreadableReason
    word: str


def page(body: str) -> str:
    return f"<html><head><title>t</title></head><body>{body}</body></html>"


def ole(*streams: str) -> bytes:
    names = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in streams)
    return OLE + bytes(504) + names


def mail(*, subtype: str = "mixed") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "lab@example.com"
    message["Message-ID"] = "<1@example.com>"
    message["Subject"] = "Report"
    message.set_content("Lead n.d.\n")
    if subtype == "mixed":
        message.make_mixed()
    return message


def mail_with(*parts: EmailMessage) -> bytes:
    message = mail()
    for part in parts:
        message.attach(part)
    return message.as_bytes()


def text_part(text: str, subtype: str = "plain", **headers: str) -> EmailMessage:
    part = EmailMessage()
    part.set_content(text, subtype=subtype)
    for name, value in headers.items():
        part[name.replace("_", "-")] = value
    return part


def file_part(**headers: str) -> EmailMessage:
    part = EmailMessage()
    part.set_content(b"%PDF-1.4", "application", "pdf")
    for name, value in headers.items():
        del part[name.replace("_", "-")]
        part[name.replace("_", "-")] = value
    return part


def forwarded() -> EmailMessage:
    inner = EmailMessage()
    inner["From"] = "supplier@example.com"
    inner["Subject"] = "CoA of lot 7"
    inner.set_content("Arsenic 1 ppm\n")
    part = EmailMessage()
    part.set_content(inner)
    return part


def web_archive() -> bytes:
    message = EmailMessage()
    message["Subject"] = "Formula"
    message["MIME-Version"] = "1.0"
    message.make_related()
    message.attach(
        text_part(
            "<html><frameset><frame src='sheet001.htm'></frameset></html>",
            "html",
            Content_Location="file:///C:/book.htm",
        )
    )
    message.attach(
        text_part(
            page("<table><tr><td>Aqua</td><td>80</td></tr></table>"),
            "html",
            Content_Location="file:///C:/sheet001.htm",
        )
    )
    picture = EmailMessage()
    picture.set_content(b"GIF89a", "image", "gif")
    picture["Content-Location"] = "file:///C:/image001.gif"
    message.attach(picture)
    message.attach(text_part("<xml/>", "xml", Content_Location="filelist.xml"))
    return message.as_bytes()


def sheet(rows: str, more: str = "", styles: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?><Workbook xmlns="{SS}" xmlns:ss="{SS}">'
        f'{styles}<Worksheet ss:Name="A"><Table>{rows}</Table>{more}</Worksheet>'
        "</Workbook>"
    ).encode()


def cell(text: str, attributes: str = "") -> str:
    return f'<Cell {attributes}><Data ss:Type="String">{text}</Data></Cell>'


PDF = pdf_bytes(["First page"])
WORD = docx_bytes(paragraph(run("Really Word")))

READ = [
    Read(
        "a table of a program named xls",
        "formula.xls",
        page(
            "<table><tr><td colspan=2>Rose<br>cream</td></tr>"
            "<tr><td>Aqua</td><td>10<sup>2</sup></td></tr>"
            "<tr style='display:none'><td>old</td></tr></table>"
        ).encode(),
        "Rose cream\nAqua\t10\u00b2",
        ("hidden-text-left-out",),
    ),
    Read(
        "words struck in every way of a page",
        "a.html",
        page(
            "<p>24 <s>36</s> <strike>48</strike> <del>60</del>"
            " <span style='text-decoration: line-through'>72</span> months</p>"
        ).encode(),
        "24 months",
        ("struck-text-left-out",),
    ),
    Read(
        "words hidden in every way of a page",
        "a.html",
        page(
            "<p>Lead 2 <span hidden>20</span><span style='visibility:hidden'>21</span>"
            "<font style='font-size:0'>22</font><span style='color:#FFFFFF'>23</span>"
            "<span style='color:white'>24</span> ppm</p>"
        ).encode(),
        "Lead 2 ppm",
        ("hidden-text-left-out",),
    ),
    Read(
        "white words on a dark cell of a page",
        "a.html",
        page(
            "<table><tr bgcolor=#003366><td style='color:#fff'>Test</td></tr></table>"
        ).encode(),
        "Test",
    ),
    Read(
        "a page of pictures",
        "a.html",
        page("<p>Report</p><img src='1.png'><img src='2.png'>").encode(),
        "Report",
        ("pictures-not-read",),
        ReadState.READ_PARTLY,
    ),
    Read(
        "a page that hides words by a class",
        "a.html",
        (
            b"<html><head><style>.x {display:none}</style></head>"
            b"<body><p>Lead 2<b class='y x'>0</b> ppm</p></body></html>"
        ),
        "Lead 2 ppm",
        ("hidden-text-left-out",),
    ),
    Read(
        "a form of a page",
        "a.html",
        page(
            "<p>Verdict <select><option>fail<option selected>pass</select>"
            " <textarea>as stated</textarea> <input value='5.5'>"
            "<input type=radio checked> leave-on</p>"
        ).encode(),
        "Verdict pass as stated 5.5\u2612 leave-on",
    ),
    Read(
        "an archive of a page with frames, named doc",
        "formula.doc",
        web_archive(),
        "Subject: Formula\nAqua\t80",
    ),
    Read(
        "a mail in several parts",
        "a.eml",
        mail_with(
            text_part("Arsenic 1 ppm\n"), text_part(page("<p>pH 5.5</p>"), "html")
        ),
        "From: lab@example.com\nSubject: Report\nLead n.d.\nArsenic 1 ppm\npH 5.5",
    ),
    Read(
        "a mail with a forwarded mail",
        "a.eml",
        mail_with(forwarded()),
        "From: lab@example.com\nSubject: Report\nLead n.d.\n"
        "From: supplier@example.com\nSubject: CoA of lot 7\nArsenic 1 ppm",
    ),
    Read(
        "a mail with an attached text",
        "a.eml",
        mail_with(text_part("x", Content_Disposition='attachment; filename="a.txt"')),
        "From: lab@example.com\nSubject: Report\nLead n.d.",
        ("attachment-not-read",),
        ReadState.READ_PARTLY,
    ),
    Read(
        "a mail with a file within its text",
        "a.eml",
        mail_with(file_part(Content_ID="<7>", Content_Disposition="inline")),
        "From: lab@example.com\nSubject: Report\nLead n.d.",
        ("attachment-not-read",),
        ReadState.READ_PARTLY,
    ),
    Read(
        "a mailbox of one mail",
        "mail.txt",
        b"From lab@example.com Mon Jan  5 10:00:00 2026\n"
        + mail(subtype="").as_bytes(),
        "From: lab@example.com\nSubject: Report\nLead n.d.",
    ),
    Read(
        "a table of an old program in XML",
        "formula.xls",
        sheet(
            f"<Row>{cell('INCI')}{cell('CAS')}{cell('%')}</Row>"
            f"<Row>{cell('Aqua')}{cell('80', THIRD)}</Row>"
            f"<Row ss:Hidden='1'>{cell('old')}</Row>"
            "<Row><Cell><Data>10<Sup xmlns='http://www.w3.org/TR/REC-html40'>2</Sup>"
            "</Data></Cell></Row>"
        ),
        "INCI\tCAS\t%\nAqua\t\t80\n10\u00b2",
        ("hidden-text-left-out",),
    ),
    Read(
        "a Word document in one XML file",
        "a.doc",
        (
            b'<?xml version="1.0"?><pkg:package xmlns:pkg="pkg"><pkg:part'
            b' pkg:name="/word/document.xml"><pkg:xmlData><w:document xmlns:w="w">'
            b"<w:body><w:p><w:r><w:t>Flat</w:t></w:r></w:p></w:body></w:document>"
            b"</pkg:xmlData></pkg:part></pkg:package>"
        ),
        "",
        ("unreadable-unsupported",),
        ReadState.UNREADABLE,
    ),
    Read("a Word document named doc", "a.doc", WORD, "Really Word"),
    Read(
        "an OpenDocument text named docx",
        "a.docx",
        odt_bytes("<text:p>ODT</text:p>"),
        "ODT",
    ),
    Read("a PDF after other bytes", "a.pdf", b"\n\r junk \n" + PDF, "First page"),
    Read("a text named pdf", "a.pdf", b"Lead n.d.", "Lead n.d."),
]

REFUSED = [
    Refused("rich text named doc", "a.doc", b"{\\rtf1 x}", NOT_READ, "RTF"),
    Refused(
        "rich text after a mark", "a.doc", b"\xef\xbb\xbf{\\rtf1 x}", NOT_READ, "RTF"
    ),
    Refused("an old Word file", "a.doc", ole("WordDocument"), NOT_READ, "old Word"),
    Refused(
        "an old Word file named pdf", "a.pdf", ole("WordDocument"), NOT_READ, "old Word"
    ),
    Refused(
        "an old presentation",
        "a.ppt",
        ole("PowerPoint Document"),
        NOT_READ,
        "presentation",
    ),
    Refused(
        "a mail of Outlook",
        "a.msg",
        ole("__nameid_version1.0", "__substg1.0_0037001F"),
        NOT_READ,
        "Outlook",
    ),
    Refused(
        "a mail of Outlook named doc",
        "a.doc",
        ole("__nameid_version1.0", "__substg1.0_0037001F"),
        NOT_READ,
        "Outlook",
    ),
    Refused(
        "a locked Word file",
        "a.docx",
        ole("EncryptionInfo", "EncryptedPackage"),
        UnreadableReason.ENCRYPTED,
        "password",
    ),
    Refused("an empty archive", "a.zip", zip_bytes({}), NOT_READ, "archive"),
    Refused(
        "an archive in an archive",
        "papers.zip",
        zip_bytes({"more.zip": zip_bytes({"sds.pdf": "x"}).decode("latin-1")}),
        NOT_READ,
        "more.zip",
    ),
    Refused(
        "an archive of documents named docx",
        "a.docx",
        zip_bytes({"report.docx": WORD.decode("latin-1"), "b.pdf": "x"}),
        NOT_READ,
        "report.docx, b.pdf",
    ),
    Refused(
        "a packed file",
        "a.pdf",
        b"\x1f\x8b\x08\0" + zlib.compress(PDF),
        NOT_READ,
        "gzip",
    ),
    Refused(
        "a PDF as mails carry it",
        "a.txt",
        base64.encodebytes(PDF),
        NOT_READ,
        "a PDF",
    ),
    Refused(
        "a PDF as old mails carried it",
        "a.pdf",
        b"begin 644 report.pdf\nM)5!$1BTQ+C<*\n`\nend\n",
        NOT_READ,
        "report.pdf",
    ),
    Refused(
        "a page as PostScript", "a.pdf", b"%!PS-Adobe-3.0\n", NOT_READ, "PostScript"
    ),
    Refused("the data of a form", "a.pdf", b"%FDF-1.2\n1 0 obj\n", NOT_READ, "FDF"),
    Refused(
        "a drawing",
        "a.svg",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><text>a</text></svg>',
        NOT_READ,
        "svg",
    ),
    Refused(
        "a PDF of which the end is cut off early",
        "a.pdf",
        PDF[:60],
        UnreadableReason.CORRUPT,
        "damaged",
    ),
    Refused(
        "half a Word document",
        "a.docx",
        WORD[: len(WORD) // 2],
        UnreadableReason.CORRUPT,
        "damaged",
    ),
    Refused("nothing but zeros", "a.pdf", bytes(4000), NOT_READ, "not read"),
    Refused(
        "nothing but spaces", "a.txt", b" \n" * 400, UnreadableReason.EMPTY, "nothing"
    ),
]


@pytest.mark.parametrize("row", READ, ids=[row.name for row in READ])
def test_disguised_file_is_read_as_what_it_is(extract: Extract, row: Read) -> None:
    text = extract(row.content, row.filename)

    assert text.text == row.text
    assert tuple(each.code for each in text.warnings) == row.codes
    assert text.state is row.state


@pytest.mark.parametrize("row", REFUSED, ids=[row.name for row in REFUSED])
def test_what_is_not_read_is_refused_by_its_name(
    extract: Extract, row: Refused
) -> None:
    text = extract(row.content, row.filename)

    assert text.state is ReadState.UNREADABLE
    assert text.reason is row.reason
    assert row.word in text.detail


def test_locked_entries_of_an_archive_ask_for_a_file_without_password(
    extract: Extract,
) -> None:
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
    content = bytearray(out.getvalue())
    content[content.index(b"PK\x01\x02") + 8] |= 1

    text = extract(bytes(content), "a.docx")

    assert text.reason is UnreadableReason.ENCRYPTED
