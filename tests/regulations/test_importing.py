"""Official lists into rules: layouts, limbs, units, and what is refused."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.regulations.checking import written

from dossier.regulations.constants import RuleKind
from dossier.regulations.exceptions import AnnexNotReadableError
from dossier.regulations.importing.cells import segments
from dossier.regulations.importing.cosing import CellCount, read_annex, read_row
from dossier.regulations.importing.identity import Identity, comma_separated, read_names
from dossier.regulations.importing.layout import read_table
from dossier.regulations.importing.maxima import read_maxima
from dossier.regulations.importing.scopes import read_scope
from dossier.regulations.importing.tfda import read_list
from dossier.regulations.rules.records import AnnexRule, rule_of, to_json

HEADER_2026 = [
    "Reference Number",
    "Chemical name / INN",
    "Name of Common Ingredients Glossary",
    "CAS Number",
    "EC Number",
    "Product Type, body parts",
    "Maximum concentration in ready for use preparation",
    "Other",
    "Wording of conditions of use and warnings",
    "Regulation",
    "Other Directives/Regulations",
    "SCCS opinions",
    "Chemical/IUPAC Name",
    "Identified INGREDIENTS or substances e.g.",
    "CMR",
    "Update Date",
]
COLUMNS_2026 = {
    "ref": 0,
    "chemical": 1,
    "glossary": 2,
    "cas": 3,
    "ec": 4,
    "product_type": 5,
    "maximum": 6,
    "other": 7,
    "wording": 8,
    "regulation": 9,
    "listed": 13,
    "updated": 15,
}


def exported(annex: str, *rows: dict[str, str]) -> bytes:
    """Return a file in the live layout: four lines of preamble, quoted cells."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["File creation date: 01/02/2030"])
    writer.writerow([f"ANNEX {annex}", "Last update: 31/01/2030"])
    writer.writerow(["A LIST"])
    writer.writerow(["Identification", "Restrictions"])
    writer.writerow(HEADER_2026)
    for row in rows:
        cells = [""] * len(HEADER_2026)
        for name, value in row.items():
            cells[COLUMNS_2026[name]] = value
        writer.writerow(cells)
    return out.getvalue().encode()


def ruled(annex: str = "III", **cells: str) -> AnnexRule:
    row = {"ref": "900", "chemical": "Exemplin", **cells}
    return read_row(row, annex, "900", 1, CellCount())


def limits(maximum: str, **cells: str) -> str:
    return written(ruled(maximum=maximum, **cells))


def test_live_layout_gives_its_date_and_rows_with_line_breaks_in_cells() -> None:
    content = exported(
        "III",
        {"ref": "1", "chemical": "2,2'-Exemplin", "maximum": "(a) 2%\n\n(b) 1%"},
    )

    table = read_table(content, "III")

    assert str(table.updated) == "2030-01-31"
    assert table.rows[0]["chemical"] == "2,2'-Exemplin"
    assert written(read_annex(table.rows, "III")[0][0]) == "a: 2 | b: 1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0,0015 %", ": 0.0015"),
        ("0.2%%", ": 0.2"),
        ("100 mg/kg", ": 0.01"),
        ("5 ppm", ": 0.0005"),
        ("≤ 0,1 %", ": 0.1"),
        ("6% (as NH3)", ": 6 as NH3"),
        ("0.5% (acid)", ": 0.5 as acid"),
        ("8%(as acid)", ": 8 as acid"),
        ("0,15 % calculated as F", ": 0.15 as F"),
        ("1 % (as zinc)", ": 1 as Zn"),
        ("4 % (As AI)", ": 4 as Al"),
        ("> 0,1 % ≤ 6 % of H2O2, present or released", ": 6 as H2O2 above 0.1"),
        (
            "0.68% as free base (1.0% as dihydrochloride)",
            ": 0.68 as free_base, 1.0 as dihydrochloride",
        ),
        ("As from 3 June 2021: 0,5 %.", ": 0.5"),
    ],
)
def test_one_limit_is_read_with_its_unit_and_basis(text: str, expected: str) -> None:
    assert limits(text) == expected


def test_limbs_are_aligned_by_letter_over_the_columns() -> None:
    rule = ruled(
        product_type="(a) Rinse-off hair products\n(b) Other products",
        maximum="b) 0,5 %\n",
        other="For (a): Not to be used in oral products.\n(a) (b) pH < 4",
    )

    assert written(rule) == (
        "a:rinse_off+hair - pH ..4 | b:other 0.5 pH ..4 | not a[oral]"
    )


def test_sub_limbs_separate_general_and_professional_use() -> None:
    rule = ruled(
        product_type="(a) Hair products\n(b) Depilatories",
        maximum="(a) (i) 8% (ii) 11%\n(b) 5%",
        other="(a) (i) General use (ii) Professional use",
    )

    assert written(rule) == (
        "a1:hair 8 general | a2:hair 11 professional | b:depilatory 5"
    )


def test_letter_i_is_a_limb_after_h_and_a_number_before() -> None:
    nine = " ".join(f"({letter}) {n} %" for n, letter in enumerate("abcdefghi", 1))

    assert limits(nine).endswith("i: 9")


def test_limit_of_a_hair_dye_stands_beside_the_empty_column() -> None:
    rule = ruled(
        product_type="Hair dye substance in oxidative hair dye products",
        other="After mixing under oxidative conditions the maximum concentration"
        " applied to hair must not exceed 1,5 % calculated as free base",
    )

    assert written(rule) == ":hair_dye_oxidative 1.5 as free_base mixed"


def test_limit_in_prose_that_no_pattern_knows_stays_text() -> None:
    count = CellCount()
    row = {"ref": "1", "chemical": "X", "maximum": "Use about 2 % or 3 % as you like"}

    rule = read_row(row, "V", "1", 1, count)

    assert rule.kind is RuleKind.TEXT_ONLY
    assert (count.structured, count.text_only) == (0, 1)
    assert count.reasons["words not in the grammar of limits"] == 1


def test_number_written_with_a_space_is_not_guessed() -> None:
    assert read_maxima("0 15%", "1") == "a number is written with a space"


def test_sum_that_disagrees_with_its_own_limit_is_not_read() -> None:
    text = (
        "0.15% calculated as F. When mixed with other fluorine compounds permitted"
        " under this Annex, total F concentration must not exceed 0.25%"
    )

    assert read_maxima(text, "31") == "the numbers of the limit do not agree"


def test_sum_over_entries_gets_a_group() -> None:
    text = (
        "3.5% (as strontium) When mixed with other permitted strontium products the"
        " total strontium content must not exceed 3.5%"
    )

    assert limits(text) == ": 3.5 as Sr sum Sr"


@pytest.mark.parametrize(
    ("chemical", "condition", "lists"),
    [
        ("Exemplin, if it contains > 0.1 % w/w Benzol", "if_contains:benzol>0.1", ()),
        ("Exemplin, with the exception of entry 14 in Annex III", None, ("III",)),
        (
            "Exemplin, except for normal content in the natural essences used",
            "except_natural_content",
            (),
        ),
        ("Exemplin, unless somebody says otherwise", "see_entry", ()),
        ("Exemplin", None, ()),
    ],
)
def test_conditional_ban_keeps_its_condition(
    chemical: str, condition: str | None, lists: tuple[str, ...]
) -> None:
    rule = ruled("II", chemical=chemical)

    assert (rule.kind, rule.condition, rule.except_lists) == (
        RuleKind.PROHIBIT,
        condition,
        lists,
    )
    assert "Exemplin" in rule.names


def test_ban_in_hair_dyes_is_no_ban_elsewhere() -> None:
    rule = ruled(
        "II", chemical="Exemplin, when used as a substance in hair dye products"
    )

    assert written(rule) == ":hair_dye -"


def test_nano_entry_is_marked_and_moved_rows_are_left_out() -> None:
    rows = [
        {"ref": "1", "chemical": "Moved or deleted"},
        {"ref": "2", "chemical": "Exemplin (nano)"},
        {"ref": "3", "chemical": "Exemplin, including as nanomaterial"},
    ]

    rules, count = read_annex(rows, "VI")

    assert [(rule.ref, rule.nano) for rule in rules] == [("2", True), ("3", False)]
    assert count.moved == 1


def test_transition_dates_in_the_text_become_dates() -> None:
    rule = ruled(
        maximum="1 %",
        other="From 1 February 2031 cosmetic products containing it shall not be placed"
        " on the Union market. From 1 November 2031 cosmetic products containing it"
        " shall not be made available on the Union market.",
    )

    assert (str(rule.new_from), str(rule.all_from)) == ("2031-02-01", "2031-11-01")


def test_repeated_reference_gets_a_sequence() -> None:
    rows = [{"ref": "9", "chemical": "One"}, {"ref": "9", "chemical": "Two"}]

    assert [rule.key for rule in read_annex(rows, "III")[0]] == ["III/9", "III/9#2"]


def test_numbers_are_found_in_the_wrong_column_and_wrong_ones_dropped() -> None:
    rule = ruled(cas="204-617-8", ec="123-31-9 / 123-31-8")

    assert (rule.cas, rule.ec) == (("123-31-9",), ("204-617-8",))
    assert rule.unread == ("check digit of CAS 123-31-8",)


@pytest.mark.parametrize(
    "cell",
    [
        "123-31-9; 56-81-5",
        "123-31-9/56-81-5",
        "123-31-9, 56-81-5",
        "123-31-9[1] 56-81-5 [2]",
        "123-31-9 - 56-81-5",
        "123-31-9\n56-81-5",
    ],
)
def test_numbers_are_parted_by_any_separator(cell: str) -> None:
    assert ruled(cas=cell).cas == ("123-31-9", "56-81-5")


def test_list_of_names_is_split_but_not_inside_a_name() -> None:
    text = "ALPHA,1,2-BETA,N,N-GAMMA,2,2'-DELTA,CI 10006,3-EPSILON"

    assert comma_separated(text) == [
        "ALPHA",
        "1,2-BETA",
        "N,N-GAMMA",
        "2,2'-DELTA",
        "CI 10006",
        "3-EPSILON",
    ]


def test_word_in_brackets_is_a_name_only_where_it_is_said_to_be() -> None:
    prohibited, restricted = Identity(), Identity()
    read_names(prohibited, chemical="1,4-Exemplane (Exemplin)", has_synonyms=True)
    read_names(restricted, chemical="bis (ethanol) sulfate")

    assert "Exemplin" in prohibited.names
    assert "ethanol" not in restricted.names


def test_disclosure_is_read_beside_a_limit() -> None:
    rule = ruled(
        maximum="0.4%",
        other="The presence of the substance shall be indicated as 'Exempla' in the"
        " list of ingredients referred to in Article 19(1), point (g), when its"
        " concentration exceeds: — 0,001 % in leave-on products — 0,01 % in rinse-off"
        " products.",
    )

    assert rule.disclosure is not None
    assert rule.disclosure.name == "Exempla"
    assert written(rule) == ": 0.4"


def test_unknown_product_type_leaves_the_limb_unread() -> None:
    assert limits("1%", product_type="Moon boots") == ": 1 unread"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Leave-on products other than oral products", (("leave_on", "!oral"),)),
        (
            "Soap (except bar soap intended for children under 3 years of age)",
            (("soap", "!bar_soap+under_3"),),
        ),
        ("Something else", None),
    ],
)
def test_product_types_become_clauses(
    words: str, expected: tuple[tuple[str, ...], ...] | None
) -> None:
    assert read_scope(words) == expected


def test_letters_out_of_order_are_no_limbs() -> None:
    assert segments("(b) 1% (c) 2%") is None


@pytest.mark.parametrize(
    ("content", "list_name", "words"),
    [
        (b"<!DOCTYPE html><html></html>", "III", "web page"),
        (b"a,b\n1,2\n", "III", "No header"),
        (b"", "III", "No header"),
        (b"\xff\xfe\x00", "III", "UTF-8"),
        (exported("II", {"ref": "1", "chemical": "X"}), "III", "Annex II"),
        (
            exported("III", {"ref": "1", "chemical": "X"})[:-30] + b'"',
            "III",
            "truncated",
        ),
        (exported("III"), "III", "no rows"),
        (b"{", "III", "Broken JSON"),
        (b"<a><b></a>", "III", "Broken XML"),
        (b'<!DOCTYPE x [<!ENTITY y "z">]><a/>', "III", "Broken XML"),
    ],
)
def test_file_that_is_not_the_list_is_refused(
    content: bytes, list_name: str, words: str
) -> None:
    with pytest.raises(AnnexNotReadableError, match=words):
        read_table(content, list_name)


def test_reordered_columns_are_found_by_their_names() -> None:
    text = "編號,CAS_NO.,成分名,INCI名,限量標準,產品類型\uff0f使用範圍,限制規定\n"
    text += "1,56-81-5,甲,Exemplin,2%,,\n"

    table = read_table(text.encode(), "restricted")

    assert written(read_list(table.rows, "restricted")[0][0]) == ": 2"


def test_open_data_in_json_or_xml_reads_like_csv() -> None:
    row = {"編號": "1", "成分名稱": "Exemplin", "CAS_Number": "56-81-5", "備註": ""}
    cells = "".join(f"<{name}>{value}</{name}>" for name, value in row.items())
    files = (json.dumps([row]), f"<rows><row>{cells}</row></rows>")

    for content in files:
        table = read_table(content.encode(), "prohibited")
        assert read_list(table.rows, "prohibited")[0][0].cas == ("56-81-5",)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            {"maximum": "(a)10%(b)5%", "product_type": "(a)染髮產品(b)其他產品"},
            "a:hair_dye 10 | b:other 5",
        ),
        (
            {
                "maximum": "(a1)8%(以thioglycolic acid計)(a2)11% (以acid計)",
                "product_type": "(a)指甲用產品",
                "other": "(a1)pH:7-9.5(a2) pH: 7-9.5；限美髮專業技術人士使用",
            },
            "a1:nail 8 as acid pH 7..9.5 | a2:nail 11 as acid professional pH 7..9.5",
        ),
        (
            {"maximum": "2% (以free base計)3.6% (以sulfate salt計)"},
            ": 2 as free_base, 3.6 as sulfate",
        ),
        ({"maximum": "1%(總量)"}, ": 1"),
        (
            {"maximum": "0.5 %", "other": "不得使用於噴霧類產品。"},
            ": 0.5 | not [spray]",
        ),
        ({"maximum": "大約一些"}, ": - unread"),
    ],
)
def test_taiwans_cells_are_read(cells: dict[str, str], expected: str) -> None:
    rows = [{"ref": "1", "glossary": "Exemplin", **cells}]

    assert written(read_list(rows, "restricted")[0][0]) == expected


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        ("1", ": -"),
        ("2", ": - | not [eye]"),
        ("3", ": - | not [mucosa]"),
        ("4", ":rinse_off -"),
    ],
)
def test_area_class_of_a_colourant_becomes_a_scope(area: str, expected: str) -> None:
    rows = [{"ref": "1", "glossary": "CI 10006", "area": area, "other": ""}]

    rule = read_list(rows, "colourants")[0][0]

    assert (written(rule), rule.ci) == (expected, ("10006",))


def test_prohibited_substance_keeps_residue_and_repaired_number() -> None:
    rows = [
        {
            "ref": "1",
            "chemical": "Exemplin",
            "cas": "1972-08-3",
            "remark": "其最終製品中之殘留量不得超過10ppm。",
        }
    ]

    rule = read_list(rows, "prohibited")[0][0]

    assert rule.cas == ("1972-08-3",)
    assert rule.notes == ("residue_max_ppm:10",)


cell = st.text(alphabet=st.characters(codec="utf-8"), max_size=80) | st.text(
    alphabet="(abci) 0123456789.,%≤>asNH3acid產品計以限量", max_size=60
)


@given(cell, cell, cell, cell)
def test_no_text_of_a_cell_makes_the_importer_fail(
    product_type: str, maximum: str, other: str, name: str
) -> None:
    row = {"ref": "1", "chemical": name, "product_type": product_type}
    row |= {"maximum": maximum, "other": other, "cas": name, "listed": other}

    for annex in ("II", "III", "IV"):
        rule = read_annex([row], annex)[0]
        assert all(rule_of(to_json(each)) == each for each in rule)
    for list_name in ("restricted", "colourants", "prohibited"):
        row |= {"remark": other, "area": "1"}
        assert len(read_list([row], list_name)[0]) == 1
