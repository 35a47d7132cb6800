"""Formulas in delimited text: dialects and encodings, from bytes to lines."""

from pathlib import Path

import pytest
from tests.factories.grids import finding_places, shares_by_name
from tests.factories.spreadsheets import csv_text

from dossier.integrations.parsing.exceptions import UnreadableFileError
from dossier.integrations.parsing.spreadsheet import read_workbook
from dossier.products.formula_import.pipeline import ParsedFormula, parse_formula
from dossier.products.formula_import.types import FormulaSource

CHINESE = [("成分", "含量(%)", "功能"), ("甘油", "6", "保濕劑"), ("水", "94", "溶劑")]
SIMPLIFIED = [
    ("成分", "含量(%)", "功能"),
    ("甘油", "6", "保湿剂"),
    ("水", "94", "溶剂"),
]
KOREAN = [
    ("전성분", "함량(%)", "목적"),
    ("글리세린", "6", "보습제"),
    ("물", "94", "용제"),
]
JAPANESE = [
    ("成分名", "配合量(%)", "備考"),
    ("グリセリン", "6", "保湿剤"),
    ("水", "94", ""),
]
FRENCH = [
    ("Ingrédient INCI", "Teneur %", "Rôle"),
    ("Glycérine", "6", "hydratant"),
    ("Eau purifiée", "94", "solvant à 25 °C"),
]


def read(folder: Path, content: bytes) -> ParsedFormula:
    """Return the formula of a csv."""
    file = folder / "formula.csv"
    file.write_bytes(content)
    source = FormulaSource(filename=file.name, sha256="f" * 64)
    with file.open("rb") as opened:
        return parse_formula(read_workbook(opened), source)


@pytest.mark.parametrize(
    ("rows", "encoding"),
    [
        *((CHINESE, each) for each in ("utf-8", "utf-8-sig", "utf-16", "big5")),
        *((CHINESE, each) for each in ("utf-16-le", "utf-16-be", "cp950", "gb18030")),
        *((SIMPLIFIED, each) for each in ("gbk", "gb2312", "gb18030", "utf-16")),
        *((KOREAN, each) for each in ("utf-8", "cp949", "euc_kr", "utf-16")),
        *((JAPANESE, each) for each in ("utf-8", "cp932", "euc_jp", "iso2022_jp")),
        *((FRENCH, each) for each in ("utf-8", "cp1252", "latin-1", "utf-16")),
    ],
)
def test_names_are_read_in_the_encoding_that_they_prove(
    tmp_path: Path, rows: list[tuple[str, ...]], encoding: str
) -> None:
    formula = read(tmp_path, csv_text(rows).encode(encoding))

    assert shares_by_name(formula) == {
        rows[1][0]: ("6", "6"),
        rows[2][0]: ("94", "94"),
    }


@pytest.mark.parametrize("encoding", ["mac_roman", "cp850"])
def test_letters_of_another_code_page_are_refused(
    tmp_path: Path, encoding: str
) -> None:
    with pytest.raises(UnreadableFileError, match="encoding"):
        read(tmp_path, csv_text(FRENCH).encode(encoding))


@pytest.mark.parametrize(
    "text",
    [
        "INCI,%\nAqua,93,5\nGlycerin,5,5\nPhenoxyethanol,1,0\n",
        "INCI,CAS,%\nAqua,7732-18-5,q.s.\nGlycerin,56-81-5,5,5\nTalc,14807-96-6,1\n",
        "INCI,%,Function\nAqua,q.s.,solvent\nGlycerin,5,5,humectant\nTalc,1,opacifier\n",
        "INCI,%\nAqua,q.s.\n1,2-Hexanediol,5\nPhenoxyethanol,1\n",
        "INCI,%,Function\nAqua,q.s.,solvent\n1,2-Hexanediol,5\nTalc,1,opacifier\n",
        "INCI,CAS,%\nAqua,7732-18-5,q.s.\nGlycerin,5\nTalc,14807-96-6,1\n",
        "INCI,%\n'Aqua',94\n'Glycerin',5\n'1,2-Hexanediol',1\n",
    ],
)
def test_commas_that_separate_and_belong_to_values_block(
    tmp_path: Path, text: str
) -> None:
    assert "blocking" in {
        place[1] for place in finding_places(read(tmp_path, text.encode()))
    }


@pytest.mark.parametrize(
    "text",
    [
        "INCI;%\nAqua;93,5\nGlycerin;5,5\nTalc;1,0\n",
        "sep=;\nINCI;%\nAqua;93,5\nGlycerin;5,5\nTalc;1,0\n",
        "INCI\t%\rAqua\t93,5\rGlycerin\t5,5\rTalc\t1,0\r",
        'INCI,%\nAqua,"93,5"\nGlycerin,"5,5"\nTalc,"1,0"\n',
        "Product: Serum, v2\n\nINCI|%|\nAqua|93.5|\nGlycerin|5.5|\nTalc|1.0|\n",
    ],
)
def test_every_dialect_gives_the_same_shares(tmp_path: Path, text: str) -> None:
    assert shares_by_name(read(tmp_path, text.encode())) == {
        "Aqua": ("93.5", "93.5"),
        "Glycerin": ("5.5", "5.5"),
        "Talc": ("1", "1"),
    }


@pytest.mark.parametrize(
    "text",
    ['INCI,%\nAqua,94\n"Glycerin,5\nTalc,1\n', 'INCI,%\nAqua,99\n"Talc,1\n'],
)
def test_quotes_that_do_not_close_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableFileError, match="quotation"):
        read(tmp_path, text.encode())
