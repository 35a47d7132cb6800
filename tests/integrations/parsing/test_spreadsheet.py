"""Cells come out of every format alike, and what is no spreadsheet is refused."""

import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.spreadsheets import (
    PLAIN,
    csv_text,
    ods_bytes,
    xls_bytes,
    xlsx_bytes,
)

from dossier.core.spreadsheets import Cell, Workbook, column_letters
from dossier.integrations.parsing.cells import exact_decimal, percent_factor
from dossier.integrations.parsing.exceptions import UnreadableFileError
from dossier.integrations.parsing.reader import Limits, SandboxedBooks
from dossier.integrations.parsing.spreadsheet import (
    MAX_ALIGNED_COLUMNS,
    read_text,
    read_workbook,
)

BIG5 = "成分名稱,百分比\r\n甘油,5\r\n純水,95\r\n"
SIMPLIFIED = "成分名称,百分比\r\n甘油,5\r\n去离子水,95\r\n"


def read(folder: Path, content: bytes, name: str = "formula.bin") -> Workbook:
    path = folder / name
    path.write_bytes(content)
    with path.open("rb") as file:
        return read_workbook(file)


def cell(book: Workbook, address: str) -> Cell:
    found = {each.address: each for each in book.sheets[-1].cells}
    return found[address]


FORMATS = {
    "xlsx": xlsx_bytes(),
    "xls": xls_bytes(),
    "ods": ods_bytes(),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_rows_are_read_from_every_format(kind: str, tmp_path: Path) -> None:
    book = read(tmp_path, FORMATS[kind])

    contents = {each.address: (each.text, each.number) for each in book.sheets[0].cells}

    assert book.kind == kind
    assert len(contents) == sum(len(row) for row in PLAIN)
    assert contents["A2"] == ("Aqua", None)
    assert contents["C3"] == ("9.5", Decimal("9.5"))


def test_empty_cells_keep_their_places_in_the_text() -> None:
    rows: list[list[str | None]] = [
        ["INCI", "CAS", "%"],
        ["Glycerin", None, "5"],
        [None, "56-81-5", None],
    ]

    found = read_text(BytesIO(xlsx_bytes(rows)))

    assert found.pages[0].text.split("\n") == [
        "INCI\tCAS\t%",
        "Glycerin\t\t5",
        "\t56-81-5",
    ]


def test_empty_cells_of_a_very_wide_sheet_take_no_room() -> None:
    width = MAX_ALIGNED_COLUMNS + 1
    rows = [[*[None] * number, f"c{number}"] for number in range(width)]

    found = read_text(BytesIO(xlsx_bytes(rows)))

    assert found.pages[0].text.split("\n") == [f"c{number}" for number in range(width)]


@pytest.mark.parametrize(
    ("content", "address"),
    [
        (xlsx_bytes([[0.6235]], formats={"A1": "0.00%"}), "A1"),
        (xls_bytes([[0.6235]], formats={(0, 0): "0.00%"}), "A1"),
        (ods_bytes([[0.6235]], percentages=[(0, 0)]), "A1"),
    ],
    ids=["xlsx", "xls", "ods"],
)
def test_a_percent_format_multiplies_and_sets_the_factor(
    content: bytes, address: str, tmp_path: Path
) -> None:
    found = cell(read(tmp_path, content), address)

    assert found.number == Decimal("62.35")
    assert found.factor == 100
    assert found.text == "62.35%"


@pytest.mark.parametrize(
    "content",
    [
        xlsx_bytes([["A", 1], [None, 2]], merged=["A1:A2"]),
        xls_bytes([["A", 1], [None, 2]], merged=[(0, 1, 0, 0)]),
        ods_bytes([["A", 1], [None, 2]], spans={(0, 0): 2}),
    ],
    ids=["xlsx", "xls", "ods"],
)
def test_a_covered_cell_names_its_anchor(content: bytes, tmp_path: Path) -> None:
    assert cell(read(tmp_path, content), "A2").merged_from == "A1"


def test_hidden_rows_hidden_sheets_and_formulas_are_reported(tmp_path: Path) -> None:
    content = xlsx_bytes(
        [["a", 1], ["b", "=1+1"]],
        hidden_rows=[2],
        sheets={"Old": [["x", 1]]},
        hidden_sheets=["Old"],
    )

    book = read(tmp_path, content)

    assert [sheet.is_hidden for sheet in book.sheets] == [True, False]
    assert book.sheets[1].hidden_rows == [2]
    assert cell(book, "B2").formula == "=1+1"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (csv_text().encode(), "utf-8"),
        (csv_text().encode("utf-8-sig"), "utf-8-sig"),
        (csv_text().encode("utf-16"), "utf-16"),
        (csv_text().encode("utf-16-le"), "utf-16-le"),
        (csv_text().encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_text_tables_are_read_and_their_encoding_named(
    content: bytes, encoding: str, tmp_path: Path
) -> None:
    book = read(tmp_path, content)

    assert book.encoding == encoding
    assert cell(book, "R2C1").text == "Aqua"


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [(BIG5, "cp950", "big5"), (SIMPLIFIED, "gb18030", "gb18030")],
)
def test_chinese_code_pages_are_distinguished(
    text: str, codec: str, encoding: str, tmp_path: Path
) -> None:
    book = read(tmp_path, text.encode(codec))

    assert book.encoding == encoding
    assert cell(book, "R2C1").text == "甘油"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_detected_from_the_rows(
    delimiter: str, tmp_path: Path
) -> None:
    rows = [["INCI", "%"], ["Aqua", "99,5"], ["Parfum", "0,5"]]

    book = read(tmp_path, csv_text(rows, delimiter).encode())

    assert book.delimiter == delimiter
    assert cell(book, "R2C2").text == "99,5"


def test_a_stated_delimiter_is_used_and_rows_keep_their_numbers(
    tmp_path: Path,
) -> None:
    book = read(tmp_path, b"sep=;\r\nINCI;%\r\nAqua;100\r\n")

    assert cell(book, "R3C2").text == "100"


def bomb() -> bytes:
    out = BytesIO(xlsx_bytes())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/big.bin", b"\0" * (40 * 1024 * 1024))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"%PDF-1.7\n", "unsupported"),
        (b"\x89PNG\r\n\x1a\n", "unsupported"),
        (b"Cr\x81me \xff\x80;\xfe", "undecodable"),
        (bytes(range(256)), "undecodable"),
        (b"PK\x03\x04 broken", "corrupt"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "corrupt"),
        (xlsx_bytes()[:-200], "corrupt"),
        (xls_bytes()[:1500], "corrupt"),
        (bomb(), "zip_bomb"),
        (csv_text([["a"] * 300]).encode(), "too_large"),
    ],
    ids=[
        "0 bytes",
        "PDF",
        "picture",
        "no encoding fits",
        "random bytes",
        "broken zip",
        "broken OLE",
        "cut xlsx",
        "cut xls",
        "zip bomb",
        "too wide",
    ],
)
def test_an_unreadable_spreadsheet_is_refused_with_its_reason(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read(tmp_path, content)

    assert caught.value.reason == reason


def repacked(content: bytes, name: str, text: str) -> bytes:
    """Return the archive with one part replaced."""
    out = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.infolist():
            if part.filename != name:
                new.writestr(part, old.read(part))
        new.writestr(name, text)
    return out.getvalue()


_NAMES = "urn:oasis:names:tc:opendocument:xmlns"
ODS_HEAD = (
    f'<office:document-content xmlns:office="{_NAMES}:office:1.0"'
    f' xmlns:table="{_NAMES}:table:1.0" xmlns:text="{_NAMES}:text:1.0"'
    f' xmlns:style="{_NAMES}:style:1.0">'
)


def ods_of(body: str) -> bytes:
    return repacked(
        ods_bytes(), "content.xml", f"{ODS_HEAD}{body}</office:document-content>"
    )


def test_runs_of_equal_and_of_empty_cells_keep_their_places(tmp_path: Path) -> None:
    book = read(
        tmp_path,
        ods_of(
            '<table:table table:name="F">'
            '<table:table-row table:number-rows-repeated="3"><table:table-cell/>'
            '</table:table-row><table:table-row table:visibility="collapse">'
            '<table:table-cell table:number-columns-repeated="2"/>'
            '<table:table-cell office:value-type="string"><office:annotation>'
            "<text:p>no</text:p></office:annotation>"
            '<text:p>Rosa<text:s text:c="2"/><text:span>'
            "Oil</text:span></text:p></table:table-cell></table:table-row>"
            '<table:table-row table:number-rows-repeated="1048000">'
            '<table:table-cell table:number-columns-repeated="16000"/>'
            "</table:table-row></table:table>"
        ),
    )

    (only,) = book.sheets[0].cells
    assert (only.address, only.text) == ("C4", "Rosa  Oil")
    assert book.sheets[0].hidden_rows == [4]


def test_a_hidden_ods_table_is_reported(tmp_path: Path) -> None:
    book = read(
        tmp_path,
        ods_of(
            '<style:style style:name="ta1">'
            '<style:table-properties table:display="false"/></style:style>'
            '<table:table table:name="F" table:style-name="ta1"/>'
        ),
    )

    assert book.sheets[0].is_hidden


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            repacked(ods_bytes(), "META-INF/manifest.xml", "<x><encryption-data/></x>"),
            "encrypted",
        ),
        (
            ods_of(
                "<table:table><table:table-row><table:table-cell office:value-type="
                '"float" office:value="five"><text:p>5</text:p></table:table-cell>'
                "</table:table-row></table:table>"
            ),
            "corrupt",
        ),
        (
            repacked(
                ods_bytes(), "content.xml", '<!DOCTYPE x [<!ENTITY a "aa">]><x>&a;</x>'
            ),
            "corrupt",
        ),
        (ods_of("<table:table/>" * 65), "too_large"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
            + "EncryptedPackage".encode("utf-16-le"),
            "encrypted",
        ),
        (repacked(xlsx_bytes(), "xl/workbook.xml", "<broken"), "corrupt"),
    ],
    ids=[
        "locked ods",
        "ods number that is none",
        "ods with entities",
        "too many sheets",
        "locked xlsx",
        "xlsx with a damaged workbook part",
    ],
)
def test_a_locked_or_hostile_workbook_is_refused(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read(tmp_path, content)

    assert caught.value.reason == reason


def test_dates_and_booleans_of_an_xls_are_text(tmp_path: Path) -> None:
    day = datetime(2025, 5, 12, tzinfo=UTC).replace(tzinfo=None)
    content = xls_bytes([[day, True]], formats={(0, 0): "yyyy-mm-dd"})

    book = read(tmp_path, content)

    assert [each.text for each in book.sheets[0].cells] == [
        "2025-05-12",
        "TRUE",
    ]


def test_an_archive_without_a_workbook_is_unsupported(tmp_path: Path) -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")

    with pytest.raises(UnreadableFileError) as caught:
        read(tmp_path, out.getvalue())

    assert caught.value.reason == "unsupported"


def test_the_name_does_not_decide_the_format(tmp_path: Path) -> None:
    assert read(tmp_path, xlsx_bytes(), "formula.csv").kind == "xlsx"


@given(st.decimals(min_value=0, max_value=1000, places=6))
def test_a_typed_decimal_survives_the_double_that_stores_it(typed: Decimal) -> None:
    assert exact_decimal(float(typed)) == typed


def test_digits_beyond_the_fifteenth_are_rounded() -> None:
    assert exact_decimal(0.1 + 0.2) == Decimal("0.3")


@pytest.mark.parametrize(
    ("number_format", "factor"),
    [("0%", 100), ("0.00%", 100), ('0.0"%"', 1), ("General", 1), (None, 1)],
)
def test_a_quoted_percent_sign_does_not_multiply(
    number_format: str | None, factor: int
) -> None:
    assert percent_factor(number_format) == factor


@pytest.mark.parametrize(
    ("column", "letters"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA")]
)
def test_columns_are_lettered(column: int, letters: str) -> None:
    assert column_letters(column) == letters


@pytest.mark.process
async def test_the_sandbox_returns_the_same_cells_and_names_the_file_in_errors(
    tmp_path: Path,
) -> None:
    books = SandboxedBooks(Limits())
    path = tmp_path / "blob"
    path.write_bytes(xlsx_bytes(formats={"C2": "0.00"}))

    read_inside = await books.read_workbook(path, "formula.xlsx")

    assert read_inside == read(tmp_path, xlsx_bytes(formats={"C2": "0.00"}))
    path.write_bytes(b"")
    with pytest.raises(UnreadableFileError, match=r"formula\.xlsx"):
        await books.read_workbook(path, "formula.xlsx")
