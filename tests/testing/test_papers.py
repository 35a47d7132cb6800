"""The example folder is what the generator makes, and says what it should."""

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pypdfium2
import pytest

from dossier.testing.papers import make_papers
from dossier.testing.papers.generator import write_papers

EXAMPLE = Path(__file__).parents[2] / "examples" / "rose-cream"


@pytest.fixture(scope="module")
def papers() -> dict[str, bytes]:
    return make_papers("rose-cream")


def contents(paper: bytes) -> object:
    """Office files are compared by members: compressors differ between machines."""
    if not paper.startswith(b"PK"):
        return paper
    with ZipFile(BytesIO(paper)) as members:
        return {name: members.read(name) for name in members.namelist()}


def test_example_folder_holds_exactly_what_the_generator_makes(
    papers: dict[str, bytes],
) -> None:
    stored = {
        path.relative_to(EXAMPLE).as_posix(): contents(path.read_bytes())
        for path in EXAMPLE.rglob("*")
        if path.is_file()
    }

    assert stored == {name: contents(paper) for name, paper in papers.items()}


def test_generator_makes_the_same_bytes_twice(
    papers: dict[str, bytes], tmp_path: Path
) -> None:
    written = write_papers(tmp_path)

    assert {
        path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in written
    } == papers


def test_missing_font_is_named_with_its_mend(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such font; `make install`"):
        make_papers("rose-cream", tmp_path / "none.ttf")


def test_example_stays_small(papers: dict[str, bytes]) -> None:
    assert sum(map(len, papers.values())) < 1_500_000


def test_printed_papers_carry_both_languages_as_text(papers: dict[str, bytes]) -> None:
    printed = pypdfium2.PdfDocument(papers["tests/stability-report.pdf"])

    text = printed[0].get_textpage().get_text_bounded()

    assert "安定性試驗報告" in text
    assert "Stability Test Report" in text


def test_no_paper_speaks_of_function_or_packaging(papers: dict[str, bytes]) -> None:
    assert not [
        name
        for name in papers
        if "packaging" in name.lower() or "effic" in name.lower()
    ]


def test_formula_leaves_nothing_for_water_by_one_slipped_point(
    papers: dict[str, bytes],
) -> None:
    sheet = openpyxl.load_workbook(BytesIO(papers["formula.xlsx"])).worksheets[0]

    assert sheet["D6"].value == "q.s. to 100"
    assert (sheet["E7"].value, sheet["D7"].value) == ("Glycerin", 70.0)
