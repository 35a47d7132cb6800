from decimal import Decimal

import pytest

from dossier.documents.facts.identity import judge_identity
from dossier.documents.facts.reading import read_facts
from dossier.documents.facts.types import (
    Fact,
    FactName,
    FactState,
    IdentityReason,
    IdentityState,
    MaterialIdentity,
    OtherProduct,
    PageText,
    ProductIdentity,
    SiteIdentity,
)

PRODUCT = ProductIdentity(
    names=("玫瑰修護面霜", "Rose Repair Face Cream", "RRFC"),
    codes=("RC-0312",),
    formula_codes=("F-77",),
    brands=("Jiyue",),
    materials=(
        MaterialIdentity(("PreservaSet PE",), ("Phenoxyethanol",), ("122-99-6",)),
        MaterialIdentity(("Purified water",), ("Aqua",), ("7732-18-5",)),
        MaterialIdentity(("Glycerin 99",), ("Glycerin",), ("56-81-5",)),
    ),
    sites=(
        SiteIdentity(
            "澄玉生技股份有限公司 Chengyu Biotech Co., Ltd.",
            "桃園市範例區工業二路 36 號",
        ),
    ),
    signers=("高淑芬 Kao Shu-Fen",),
    others=(OtherProduct(("玫瑰修護眼霜", "Rose Repair Eye Cream"), ("RC-0999",)),),
)


def fact(value: str) -> Fact:
    return Fact(value, value, 1, None, Decimal("0.95"), FactState.READ)


def judge(kind: str | None, **stated: str | list[str]) -> tuple[str, str]:
    facts = {
        name: [fact(v) for v in ([value] if isinstance(value, str) else value)]
        for name, value in stated.items()
    }
    reading = judge_identity(kind, facts, PRODUCT)
    return reading.state.value, reading.reason.value


@pytest.mark.parametrize(
    "name",
    [
        "玫瑰修護面霜",
        "玫瑰修护面霜",
        "\uff32\uff2f\uff33\uff25 repair  face-cream",
        "玫瑰修護面霜 Rose Repair Face Cream",
        "Rose Repair Face Cream (玫瑰修護面霜)",
        "Rose Repair Face Cream 50 mL",
        "Jiyue Rose Repair Face Cream",
        "rrfc",
    ],
)
def test_spelling_of_the_products_name_is_this_product(name: str) -> None:
    assert judge("stability", product_name=name) == ("this_product", "name_matches")


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"product_code": "RC 0312"}, ("this_product", "code_matches")),
        ({"formula_code": "f77"}, ("this_product", "formula_code_matches")),
        ({"formula_code": "F-99"}, ("unknown", "no_identifier")),
        ({"product_name": "Rose Cream"}, ("unknown", "name_differs")),
        ({"product_name": "Rose Repair Face Cream+"}, ("unknown", "name_differs")),
        ({"product_name": "玫瑰修護面霜 Rose Eye Gel"}, ("unknown", "name_differs")),
        ({"product_name": "玫瑰修護眼霜"}, ("other_product", "known_other_product")),
        ({"product_code": "RC-0999"}, ("other_product", "known_other_product")),
        ({"product_code": "XX-1"}, ("other_product", "code_conflicts")),
        ({"product_code": "RC-0312-50ML"}, ("unknown", "name_differs")),
        (
            {"product_name": "RRFC", "product_code": "XX-1"},
            ("unknown", "contradicting_identifiers"),
        ),
        (
            {"company": "晴川檢驗實驗室", "issuer": "X Ltd."},
            ("unknown", "no_identifier"),
        ),
    ],
)
def test_paper_of_the_finished_product_is_judged_by_name_and_code(
    stated: dict[str, str], expected: tuple[str, str]
) -> None:
    assert judge("microbial", **stated) == expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"trade_name": "PRESERVASET-PE"}, ("this_product", "trade_name_matches")),
        ({"trade_name": "Euxyl", "cas_number": "122-99-6"},
         ("this_product", "cas_matches")),
        ({"trade_name": "Euxyl", "cas_number": ["122-99-6", "64-17-5"]},
         ("unknown", "cas_partly_matches")),
        ({"trade_name": "Euxyl", "cas_number": "64-17-5"},
         ("other_product", "cas_conflicts")),
        ({"trade_name": "PreservaSet PE", "cas_number": "64-17-5"},
         ("unknown", "contradicting_identifiers")),
        ({"trade_name": "Euxyl", "cas_number": "7732-18-5"},
         ("unknown", "name_differs")),
        ({"inci_name": "PHENOXYETHANOL"}, ("this_product", "inci_matches")),
        ({"company": "Beichen Ltd."}, ("unknown", "no_identifier")),
    ],
)  # fmt: skip
def test_paper_of_a_material_is_judged_by_its_identifiers(
    stated: dict[str, str | list[str]], expected: tuple[str, str]
) -> None:
    assert judge("sds", **stated) == expected


def test_profile_of_the_ingredients_is_known_by_its_cas_numbers() -> None:
    known = judge("toxicology", cas_number=["122-99-6", "56-81-5"])

    assert known == ("this_product", "cas_matches")


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"site": "澄玉生技股份有限公司，桃園市範例區工業二路36號"}, "this_product"),
        ({"company": "CHENGYU BIOTECH"}, "this_product"),
        ({"site": "33001 桃園市範例區工業2路36號"}, "this_product"),
        ({"site": "桃園市範例區工業二路三十六號"}, "unknown"),
        (
            {"company": "澄玉生技股份有限公司", "site": "臺中市虛構區一路 1 號"},
            "unknown",
        ),
        (
            {"company": "別家生技股份有限公司", "site": "臺中市虛構區一路 1 號"},
            "other_product",
        ),
        ({"company": "別家生技股份有限公司"}, "unknown"),
        (
            {"company": "Other Biotech Ltd.", "site": "No. 1, First Rd., Taichung"},
            "unknown",
        ),
    ],
)
def test_gmp_certificate_is_judged_by_its_site(
    stated: dict[str, str], expected: str
) -> None:
    assert judge("gmp", **stated)[0] == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("高淑芬", ("this_product", "signer_matches")),
        ("Ms. Shu-Fen Kao", ("this_product", "signer_matches")),
        ("KAO SHUFEN", ("this_product", "signer_matches")),
        ("林士傑", ("other_product", "signer_conflicts")),
        ("Gao Shufen", ("unknown", "signer_differs")),
    ],
)
def test_credential_is_judged_by_who_signed_the_assessment(
    name: str, expected: tuple[str, str]
) -> None:
    assert judge("credentials", signer_name=name) == expected


def test_name_in_the_text_counts_where_no_name_is_labelled() -> None:
    pages = [PageText(3, "LABEL\nRose Repair\nFace Cream\n50 ml")]

    reading = judge_identity("label", read_facts(pages), PRODUCT, pages)

    assert reading.state is IdentityState.THIS_PRODUCT
    assert reading.reason is IdentityReason.NAME_IN_TEXT
    assert reading.page == 3


def test_name_in_the_text_does_not_count_beside_another_products() -> None:
    text = "Rose Repair Face Cream and Rose Repair Eye Cream"
    pages = [PageText(1, text)]

    reading = judge_identity("label", {}, PRODUCT, pages)

    assert reading.state is IdentityState.UNKNOWN


def test_reading_gives_the_words_that_decided() -> None:
    pages = [PageText(2, "Stability report\nProduct name: ROSE REPAIR FACE CREAM")]

    reading = judge_identity("stability", read_facts(pages), PRODUCT)

    assert (reading.raw, reading.page) == ("ROSE REPAIR FACE CREAM", 2)


def judge_name(name: str, *known: str, others: tuple[str, ...] = ()) -> str:
    product = ProductIdentity(
        names=known, others=(OtherProduct(others),) if others else ()
    )
    facts: dict[str, list[Fact]] = {FactName.PRODUCT_NAME: [fact(name)]}
    return judge_identity("microbial", facts, product).state.value


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("玫瑰保濕霜 Rose Hydrating Cream", "玫瑰保濕霜"),
        ("玫瑰保濕霜 Rose Hydrating Cream", "Rose Hydrating Cream"),
        ("Rose Hydrating Cream (玫瑰保湿霜) 50 mL", "玫瑰保濕霜"),
        ("Rose Hydrating Cream / 玫瑰保濕霜", "Rose Hydrating Cream"),
    ],
)
def test_product_known_by_one_name_is_found_in_a_bilingual_name(
    name: str, known: str
) -> None:
    assert judge_name(name, known) == "this_product"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("玫瑰保濕霜 EX", "玫瑰保濕霜"),
        ("玫瑰保濕霜 SPF50", "玫瑰保濕霜"),
        ("玫瑰保濕霜 Extra Rich", "玫瑰保濕霜"),
        ("Rose Cream 清爽型", "Rose Cream"),
        ("Rose Creams 玫瑰霜", "Rose Cream"),
        ("亮白玫瑰保濕霜 Rose Hydrating Cream", "玫瑰保濕霜"),
        ("玫瑰霜 Rose Cream", "玫瑰保濕霜"),
    ],
)
def test_variant_or_similar_name_beside_a_known_name_is_unknown(
    name: str, known: str
) -> None:
    assert judge_name(name, known) == "unknown"


def test_own_name_beside_the_name_of_another_product_is_unknown() -> None:
    name = "玫瑰保濕霜 Rose Eye Cream"

    assert judge_name(name, "玫瑰保濕霜", others=("Rose Eye Cream",)) == "unknown"


def test_bilingual_name_of_another_product_known_by_one_name_is_that_product() -> None:
    name = "玫瑰眼霜 Rose Eye Cream"

    assert judge_name(name, "玫瑰保濕霜", others=("玫瑰眼霜",)) == "other_product"


def test_blend_of_the_formula_is_known_by_its_inci_names() -> None:
    blend = MaterialIdentity((), ("Phenoxyethanol (and) Ethylhexylglycerin",), ())
    product = ProductIdentity(names=("玫瑰霜",), materials=(blend,))
    facts: dict[str, list[Fact]] = {
        FactName.INCI_NAME: [fact("Phenoxyethanol"), fact("Ethylhexylglycerin")],
        FactName.TRADE_NAME: [fact("PreservaSet")],
    }

    reading = judge_identity("sds", facts, product)

    assert reading.reason is IdentityReason.INCI_MATCHES
