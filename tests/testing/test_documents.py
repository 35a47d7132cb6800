"""The example folder is what the generator makes, and says what it should."""

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pikepdf
import pypdfium2
import pytest

from dossier.testing.documents import make_documents, write_documents

EXAMPLE = Path(__file__).parents[2] / "examples" / "rose-cream"


@pytest.fixture(scope="module")
def documents() -> dict[str, bytes]:
    return make_documents("rose-cream")


def contents(document: bytes) -> object:
    """Office files are compared by members: compressors differ between machines."""
    if not document.startswith(b"PK"):
        return document
    with ZipFile(BytesIO(document)) as members:
        return {name: members.read(name) for name in members.namelist()}


def test_example_folder_holds_exactly_what_the_generator_makes(
    documents: dict[str, bytes],
) -> None:
    stored = {
        path.relative_to(EXAMPLE).as_posix(): contents(path.read_bytes())
        for path in EXAMPLE.rglob("*")
        if path.is_file()
    }

    assert stored == {name: contents(document) for name, document in documents.items()}


def test_generator_makes_the_same_bytes_twice(
    documents: dict[str, bytes], tmp_path: Path
) -> None:
    written = write_documents(tmp_path)

    assert {
        path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in written
    } == documents


def test_missing_font_is_named_with_the_repair(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such font; `make install`"):
        make_documents("rose-cream", tmp_path / "none.ttf")


def test_example_stays_small(documents: dict[str, bytes]) -> None:
    assert sum(map(len, documents.values())) < 1_500_000


def test_pdfs_hold_both_languages_as_text(documents: dict[str, bytes]) -> None:
    printed = pypdfium2.PdfDocument(documents["tests/stability-report.pdf"])

    text = printed[0].get_textpage().get_text_bounded()

    assert "安定性試驗報告" in text
    assert "Stability Test Report" in text


def test_scan_holds_a_picture_and_no_text(documents: dict[str, bytes]) -> None:
    scan = pypdfium2.PdfDocument(documents["packaging/packaging-material-scan.pdf"])

    assert scan[0].get_textpage().count_chars() == 0
    assert [each.type for each in scan[0].get_objects()] == [
        pypdfium2.raw.FPDF_PAGEOBJ_IMAGE
    ]


def test_form_holds_its_values_in_fields(documents: dict[str, bytes]) -> None:
    content = documents["raw-materials/rose-otto-specification.pdf"]

    with pikepdf.open(BytesIO(content)) as form:
        fields = {str(each.T): str(each.V) for each in form.Root.AcroForm.Fields}

    assert fields["cas"] == "8007-01-0"
    assert fields["remarks"] == ""


def test_process_has_tracked_insertions_and_deletions(
    documents: dict[str, bytes],
) -> None:
    with ZipFile(BytesIO(documents["quality/process-description.docx"])) as members:
        text = members.read("word/document.xml").decode()

    assert "Methylparaben" in text.partition("<w:delText>")[2]
    assert "<w:ins " in text


def test_formula_has_one_misplaced_decimal_point_and_a_differing_copy(
    documents: dict[str, bytes],
) -> None:
    sheets = openpyxl.load_workbook(BytesIO(documents["formula.xlsx"])).worksheets

    assert [sheet["D6"].value for sheet in sheets[:2]] == ["q.s. to 100"] * 2
    assert [sheet["D7"].value for sheet in sheets[:2]] == [70.0, 70.0]
    assert [sheet["D9"].value for sheet in sheets[:2]] == ["2.00 %", "3.00 %"]
