from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import docx
import openpyxl
import pytest
import xlwt
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.documents import pdf_bytes

from dossier.integrations.parsing.kinds import (
    TAIL_BYTES,
    FileKind,
    Sniffer,
    detect,
    detect_file,
)

ODF = "application/vnd.oasis.opendocument"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(20)


def saved(book: openpyxl.Workbook | xlwt.Workbook) -> bytes:
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def xls() -> bytes:
    book = xlwt.Workbook()
    book.add_sheet("A").write(0, 0, "INCI")
    return saved(book)


def word() -> bytes:
    out = BytesIO()
    docx.Document().save(out)
    return out.getvalue()


def archive(**parts: str) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w") as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return out.getvalue()


def ole(stream: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + stream.encode("utf-16-le")


CASES = [
    (b"", "empty.pdf", FileKind.EMPTY, "application/x-empty"),
    (pdf_bytes(["x"]), "a.pdf", FileKind.PDF, "application/pdf"),
    (b"junk before\n%PDF-1.4", "a.pdf", FileKind.PDF, "application/pdf"),
    (xls(), "a.xls", FileKind.XLS, "application/vnd.ms-excel"),
    (ole("WordDocument"), "a.doc", FileKind.DOC, "application/msword"),
    (ole("nothing known"), "a.doc", FileKind.DOC, "application/msword"),
    (ole("nothing known"), "a.msg", FileKind.OTHER, None),
    (ole("EncryptedPackage"), "a.xlsx", FileKind.LOCKED_OFFICE, None),
    (archive(a="1"), "a.zip", FileKind.ZIP, "application/zip"),
    (b"INCI,%\nAqua,80\n", "a.csv", FileKind.CSV, "text/csv"),
    (b"INCI,%\nAqua,80\n", "a.txt", FileKind.TEXT, "text/plain"),
    ("成分".encode("cp950"), "a.txt", FileKind.TEXT, "text/plain"),
    ("INCI".encode("utf-16"), "a.csv", FileKind.CSV, "text/csv"),
    ("INCI".encode("utf-16-le"), "a.csv", FileKind.CSV, "text/csv"),
    (PNG, "a.png", FileKind.IMAGE, "image/png"),
    (b"{\\rtf1\\ansi Aqua}", "a.rtf", FileKind.RICH_TEXT, "application/rtf"),
    (b"\x00\x01\x02\x03 whatever", "a.bin", FileKind.OTHER, None),
]


@pytest.mark.parametrize(("content", "name", "kind", "media_type"), CASES)
def test_the_content_decides_the_kind(
    content: bytes, name: str, kind: FileKind, media_type: str | None
) -> None:
    found = detect(content, content, name)

    assert found.kind is kind
    assert media_type in {None, found.media_type}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (word(), FileKind.DOCX),
        (saved(openpyxl.Workbook()), FileKind.XLSX),
        (archive(mimetype=f"{ODF}.text"), FileKind.ODT),
        (archive(mimetype=f"{ODF}.spreadsheet"), FileKind.ODS),
    ],
)
def test_the_entries_of_a_zip_decide_the_kind(content: bytes, kind: FileKind) -> None:
    found = detect(content, content, "document.zip")

    assert found.kind is kind
    assert found.is_misnamed


@pytest.mark.parametrize("name", ["a.pdf", "A.PDF", "no ending", "a.part1"])
def test_a_name_with_the_right_or_no_known_ending_is_not_misnamed(name: str) -> None:
    assert not detect(b"%PDF-1.7", b"%PDF-1.7", name).is_misnamed


def test_a_file_and_its_stream_have_the_same_kind(tmp_path: Path) -> None:
    content = word()
    path = tmp_path / "a"
    path.write_bytes(content)
    sniffer = Sniffer()
    sniffer.feed(content)

    with path.open("rb") as file:
        assert detect_file(file, "a.docx") == sniffer.detect("a.docx")


@given(st.lists(st.integers(1, 200_000), max_size=12))
def test_the_chunks_of_a_stream_do_not_change_its_kind(sizes: list[int]) -> None:
    content = b"PK\x03\x04" + bytes(sum(sizes)) + b"word/document.xml"
    sniffer = Sniffer()
    start = 0
    for size in [*sizes, len(content)]:
        sniffer.feed(content[start : start + size])
        start += size

    assert sniffer.detect("a").kind is FileKind.DOCX
    assert sum(map(len, sniffer._tail)) < TAIL_BYTES + 200_001 + len(content)  # noqa: SLF001 - its bound
