"""A formula against the lists: which verdict, and why."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.regulations.checking import (
    checked,
    codes,
    found,
    line,
    question,
    verdicts,
)

from dossier.core.findings import Severity, Verdict
from dossier.products.categories import categories
from dossier.regulations.constants import (
    Form,
    IngredientPurpose,
    Market,
    Population,
    Site,
    UserGroup,
)
from dossier.regulations.exceptions import DateOutsideDataError
from dossier.regulations.rules.facts import tag_table


def test_sunscreen_with_three_faults_has_three_blocking_findings_in_the_eu() -> None:
    lines = (
        line("Hydroquinone", "0.1"),
        line("Triclosan", "0.4", function="preservative"),
        line("Octocrylene", "12", function="UV filter"),
    )

    blocking = [
        each.finding
        for each in found(question(category="sunscreen"), *lines)
        if each.finding.severity is Severity.BLOCKING
    ]

    assert [(each.ingredient, each.verdict) for each in blocking] == [
        ("Hydroquinone", Verdict.PROHIBITED),
        ("Triclosan", Verdict.PROHIBITED),
        ("Octocrylene", Verdict.OVER),
    ]
    assert blocking[2].limit == Decimal(10)
    assert blocking[2].margin == Decimal(-2)
    assert "Annex VI/10" in (blocking[2].article or "")


def test_taiwan_says_that_hydroquinone_stands_on_the_eu_list_only() -> None:
    asked = question(Market.TW, "sunscreen")

    findings = found(asked, line("Hydroquinone", "0.1"))

    assert [each.finding.code for each in findings] == ["listed-elsewhere"]
    assert findings[0].finding.verdict is Verdict.UNLISTED
    assert "Annex II/1339" in findings[0].finding.message.en


def test_secondary_source_warns_and_never_blocks() -> None:
    asked = question(Market.TW, "sunscreen")

    finding = found(asked, line("Octocrylene", "12", function="UV filter"))[0].finding

    assert finding.verdict is Verdict.OVER
    assert finding.limit == Decimal(10)
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("as_of", "category", "function", "verdict"),
    [
        (date(2025, 8, 31), "nail_polish", None, "conditional"),
        (date(2025, 9, 1), "nail_polish", None, "prohibited"),
    ],
)
def test_tpo_is_prohibited_from_its_day(
    as_of: date, category: str, function: str | None, verdict: str
) -> None:
    tpo = line("Trimethylbenzoyl Diphenylphosphine Oxide", "3", function=function)

    assert verdict in verdicts(question(category=category, as_of=as_of), tpo).values()


@pytest.mark.parametrize(
    ("as_of", "placed_on", "verdict"),
    [
        (date(2025, 10, 31), None, "unlisted"),
        (date(2025, 11, 1), None, "over"),
        (date(2025, 11, 1), date(2025, 10, 31), "unlisted"),
        (date(2027, 5, 1), date(2025, 10, 31), "over"),
    ],
)
def test_retinol_binds_new_products_before_stock(
    as_of: date, placed_on: date | None, verdict: str
) -> None:
    asked = question(as_of=as_of, placed_on=placed_on)

    assert verdict in verdicts(asked, line("Retinol", "0.5")).values()


@pytest.mark.parametrize(
    ("as_of", "placed_on", "verdict"),
    [
        (date(2025, 4, 30), None, "within"),
        (date(2025, 5, 1), None, "prohibited"),
        (date(2025, 5, 1), date(2025, 4, 30), "within"),
        (date(2026, 5, 1), date(2025, 4, 30), "prohibited"),
    ],
)
def test_filter_that_was_dropped_is_judged_by_the_list_of_its_day(
    as_of: date, placed_on: date | None, verdict: str
) -> None:
    asked = question(category="sunscreen", as_of=as_of, placed_on=placed_on)
    mbc = line("4-Methylbenzylidene Camphor", "4", function="UV filter")

    found_verdicts = set(verdicts(asked, mbc).values())

    assert verdict in found_verdicts or (verdict == "within" and "at" in found_verdicts)


@pytest.mark.parametrize(
    ("as_of", "placed_on", "verdict"),
    [
        (date(2026, 7, 30), None, "unlisted"),
        (date(2026, 7, 31), None, "disclose"),
        (date(2026, 7, 31), date(2026, 7, 30), "unlisted"),
        (date(2028, 7, 31), date(2026, 7, 30), "disclose"),
    ],
)
def test_new_allergen_is_named_on_new_products_before_stock(
    as_of: date, placed_on: date | None, verdict: str
) -> None:
    asked = question(as_of=as_of, placed_on=placed_on)

    assert set(verdicts(asked, line("Vanillin", "0.01")).values()) == {verdict}


def test_day_before_the_data_is_an_error_that_names_the_first_day() -> None:
    with pytest.raises(DateOutsideDataError, match="2024-05-01"):
        checked(question(as_of=date(2024, 4, 30)), line("Aqua"))


@pytest.mark.parametrize(
    ("name", "percent", "category", "verdict"),
    [
        ("Menthol", "12", "face_cream", "disclose"),
        ("Methyl Eugenol", "0.0005", "face_cream", "over"),
        ("Furfural", "0.002", "face_cream", "over"),
        ("BHT", "0.9", "face_cream", "over"),
        ("BHT", "0.8", "face_cream", "at"),
        ("Estradiol", "0.0001", "face_cream", "prohibited"),
        ("Mercuric Chloride", "0.01", "face_cream", "prohibited"),
        ("Styrene/Acrylates Copolymer", "2", "face_cream", "unlisted"),
        ("Styrene/Acrylates Copolymer (nano)", "2", "face_cream", "prohibited"),
        ("Cyclomethicone", "5", "face_cream", "unlisted"),
        ("Cyclotetrasiloxane", "5", "face_cream", "prohibited"),
        ("Citric Acid", "1", "face_cream", "unlisted"),
        ("Petrolatum", "10", "face_cream", "conditional"),
        ("Kojic Acid", "1.2", "face_cream", "over"),
        ("Kojic Acid", "1", "body_lotion", "prohibited"),
        ("Methylisothiazolinone", "0.001", "shampoo", "within"),
        ("Methylisothiazolinone", "0.001", "face_cream", "prohibited"),
        ("Iodopropynyl Butylcarbamate", "0.005", "body_lotion", "prohibited"),
        ("Iodopropynyl Butylcarbamate", "0.01", "deodorant", "over"),
        ("Selenium Sulfide", "1", "face_cream", "prohibited"),
        ("Salicylic Acid", "0.4", "body_lotion", "within"),
        ("Fluffy Unicorn Dust", "1", "face_cream", "unknown"),
        ("Parfum", "0.5", "face_cream", "unknown"),
        ("Aqua", "70", "face_cream", "unlisted"),
        ("Rosa Canina Fruit Extract", "1", "face_cream", "unlisted"),
    ],
)
def test_verdict_of_one_ingredient_in_the_eu(
    name: str, percent: str, category: str, verdict: str
) -> None:
    asked = question(category=category)

    assert verdict in verdicts(asked, line(name, percent)).values()


def test_menthol_is_never_over_a_limit() -> None:
    assert set(verdicts(question(), line("Menthol", "12")).values()) == {"disclose"}


@pytest.mark.parametrize(
    ("name", "percent", "key", "verdict"),
    [
        ("Sodium Benzoate", "0.55", "V/1", "within"),
        ("Sodium Benzoate", "0.6", "V/1", "over"),
        ("Potassium Sorbate", "0.8", "V/4", "within"),
        ("Potassium Sorbate", "0.81", "V/4", "over"),
        ("Sodium Dehydroacetate", "0.65", "V/13", "within"),
    ],
)
def test_salt_is_converted_to_the_acid(
    name: str, percent: str, key: str, verdict: str
) -> None:
    salt = line(name, percent, function="preservative")

    assert verdicts(question(), salt)[key] == verdict


def test_conversion_shows_value_factor_and_margin() -> None:
    result = checked(question(), line("Sodium Benzoate", "0.5"))[0].verdicts[0]

    assert result.outcome is not None
    quantity = result.outcome.quantity
    assert quantity is not None
    assert quantity.factor is not None
    assert round(quantity.factor, 4) == Decimal("0.8475")
    assert quantity.upper == Decimal("0.5") * quantity.factor


def test_fluorides_are_summed_as_fluorine() -> None:
    asked = question(category="toothpaste")
    one = line("Sodium Fluoride", "0.22")
    other = line("Sodium Monofluorophosphate", "0.4")

    alone = verdicts(asked, one)["III/31"]
    together = verdicts(asked, one, other)["III/31"]

    assert (alone, together) == ("within", "over")


def test_fluoride_over_the_limit_as_in_a_mouthwash() -> None:
    asked = question(category="mouthwash")

    finding = found(asked, line("Sodium Fluoride", "0.40"))[0].finding

    assert finding.verdict is Verdict.OVER
    assert finding.value is not None
    assert round(finding.value, 3) == Decimal("0.181")


def test_parabens_are_summed_as_acid() -> None:
    asked = question(category="baby_lotion")
    propyl = line("Propylparaben", "0.18", function="preservative")
    butyl = line("Butylparaben", "0.02", function="preservative")

    findings = found(asked, propyl, butyl)

    over = [f for f in findings if f.finding.verdict is Verdict.OVER]
    assert len(over) == 1
    assert round(over[0].finding.value or Decimal(0), 3) == Decimal("0.152")


def test_single_esters_have_a_lower_limit_than_their_mixture() -> None:
    asked = question()
    methyl = line("Methylparaben", "0.4", function="preservative")
    ethyl = line("Ethylparaben", "0.4", function="preservative")
    too_much = line("Methylparaben", "0.5", function="preservative")

    assert verdicts(asked, methyl, ethyl)["V/12"] == "within"
    assert verdicts(asked, too_much)["V/12"] == "over"


def test_bulk_and_nano_titanium_dioxide_are_summed() -> None:
    asked = question(category="sunscreen", form=Form.CREAM)
    bulk = line("Titanium Dioxide", "20", function="UV filter")
    nano = line("Titanium Dioxide (nano)", "7", function="UV filter")

    assert verdicts(asked, bulk)["VI/27"] == "within"
    assert verdicts(asked, bulk, nano)["VI/27"] == "over"
    assert verdicts(asked, nano, bulk)["VI/27a"] == "over"


def test_titanium_and_zinc_have_no_common_limit() -> None:
    asked = question(category="sunscreen", form=Form.CREAM)
    titanium = line("Titanium Dioxide", "12", function="UV filter")
    zinc = line("Zinc Oxide", "15", function="UV filter")

    assert verdicts(asked, titanium, zinc)["VI/27"] == "within"


@pytest.mark.parametrize("percent", ["30", "40", "100"])
@pytest.mark.parametrize(
    ("function", "verdict"),
    [("UV filter", "over"), ("colorant", "within"), (None, "conditional")],
)
def test_titanium_dioxide_depends_on_its_purpose(
    percent: str, function: str | None, verdict: str
) -> None:
    asked = question(form=Form.CREAM)
    titanium = line("Titanium Dioxide", percent, function=function)

    assert verdict in verdicts(asked, titanium).values()
    if verdict != "over":
        assert "over" not in verdicts(asked, titanium).values()


@pytest.mark.parametrize(
    ("lower", "upper", "verdict"),
    [
        ("1.1", "2", "over"),
        ("0.1", "0.9", "within"),
        ("0.5", "1", "within"),
        ("0.5", "1.5", "conditional"),
        ("0", None, "conditional"),
    ],
)
def test_range_is_over_only_where_all_of_it_is(
    lower: str, upper: str | None, verdict: str
) -> None:
    phenoxyethanol = line("Phenoxyethanol", upper, lower=lower)

    assert verdicts(question(), phenoxyethanol)["V/29"] == verdict


def test_lines_of_one_substance_are_summed() -> None:
    first, second = line("Phenoxyethanol", "0.95"), line("2-Phenoxyethanol", "0.08")

    assert verdicts(question(), first, second)["V/29"] == "over"


@pytest.mark.parametrize(
    ("form", "verdict"),
    [(Form.AEROSOL, "over"), (Form.CREAM, "within"), (None, "conditional")],
)
def test_limbs_by_form_decide_only_where_the_form_is_known(
    form: Form | None, verdict: str
) -> None:
    asked = question(category="sunscreen", form=form)
    octocrylene = line("Octocrylene", "9.5", function="UV filter")

    assert verdicts(asked, octocrylene)["VI/10"] == verdict


def test_product_over_every_possible_limb_is_over() -> None:
    asked = question(category="sunscreen")

    assert verdicts(asked, line("Octocrylene", "12"))["VI/10"] == "over"


def test_preservative_not_for_sprays_is_refused_in_a_spray() -> None:
    acid = line("Dehydroacetic Acid", "0.3", function="preservative")

    assert "not-for-this-product" in codes(question(category="deodorant_aerosol"), acid)
    assert codes(question(category="deodorant"), acid) == set()


def test_children_are_kept_from_what_is_not_for_them() -> None:
    acid = line("Salicylic Acid", "0.4", function="keratolytic")

    assert "not-for-this-product" in codes(question(category="baby_lotion"), acid)
    assert "not-for-this-product" not in codes(
        question(category="body_lotion", population=Population.ADULT), acid
    )


@pytest.mark.parametrize(
    ("user", "verdict"),
    [
        (UserGroup.GENERAL, "over"),
        (UserGroup.PROFESSIONAL, "within"),
        (None, "conditional"),
    ],
)
def test_professional_use_has_its_own_limit(
    user: UserGroup | None, verdict: str
) -> None:
    asked = question(category="hair_perm", user=user, ph="9")

    assert verdicts(asked, line("Glyceryl Thioglycolate", "18"))["III/2b"] == verdict


def test_limit_that_is_the_same_for_every_user_needs_no_user() -> None:
    asked = question(category="hair_dye_oxidative", mixed_share="0.5")

    assert verdicts(asked, line("p-Phenylenediamine", "3"))["III/8a"] == "within"
    assert verdicts(asked, line("p-Phenylenediamine", "5"))["III/8a"] == "over"


def test_substance_for_professionals_alone_is_conditional_without_a_user() -> None:
    hema = line("HEMA", "10")

    assert verdicts(question(category="nail_polish"), hema)["III/313"] == "conditional"
    general = question(category="nail_polish", user=UserGroup.GENERAL)
    assert verdicts(general, hema)["III/313"] == "prohibited"


def test_citral_over_its_undated_limit_warns_and_is_disclosed() -> None:
    found_codes = codes(question(category="perfume"), line("Citral", "0.675"))

    assert found_codes == {"over-limit", "allergen-to-label"}


def test_zinc_in_a_mouthwash_is_counted_as_the_element() -> None:
    asked = question(category="mouthwash", population=Population.ADULT)

    findings = found(asked, line("Zinc Lactate", "0.56"))

    finding = next(f.finding for f in findings if f.finding.limit == Decimal("0.1"))
    assert finding.verdict is Verdict.OVER
    assert round(finding.value or Decimal(0), 2) == Decimal("0.15")


def test_ph_outside_the_range_is_over_and_unknown_is_conditional() -> None:
    ester = line("Glyceryl Thioglycolate", "10")

    def verdict(ph: str | None) -> str:
        asked = question(category="hair_perm", user=UserGroup.GENERAL, ph=ph)
        return verdicts(asked, ester)["III/2b"]

    assert verdict("10") == "over"
    assert verdict(None) == "conditional"
    assert verdict("9") == "within"


@pytest.mark.parametrize(
    ("mixed_share", "verdict"), [("0.5", "over"), (None, "conditional")]
)
def test_hair_dye_is_judged_after_mixing(mixed_share: str | None, verdict: str) -> None:
    asked = question(
        category="hair_dye_oxidative", user=UserGroup.GENERAL, mixed_share=mixed_share
    )

    assert verdicts(asked, line("p-Phenylenediamine", "4.4"))["III/8a"] == verdict


def test_hair_dye_in_a_lipstick_is_judged_as_a_colourant() -> None:
    asked = question(category="lipstick")
    dye = line("CI 45410", "1", cas="18472-87-2")

    assert "III/270" not in verdicts(asked, dye)
    assert verdicts(asked, dye)["IV/79"] == "within"


def test_colourant_outside_its_area_is_refused() -> None:
    asked = question(Market.TW, "lipstick")

    assert codes(asked, line("CI 10020", "0.5")) == {"colourant-area"}


@pytest.mark.parametrize(
    ("market", "code"),
    [(Market.EU, "not-on-positive-list"), (Market.TW, "colourant-not-listed")],
)
def test_colourant_on_no_list_is_refused_or_asked_for(
    market: Market, code: str
) -> None:
    assert codes(question(market), line("CI 99999", "0.1")) == {code}


@pytest.mark.parametrize(
    ("function", "purpose"),
    [
        ("Preservative", IngredientPurpose.PRESERVATIVE),
        ("UV filter", IngredientPurpose.UV_FILTER),
    ],
)
def test_declared_function_outside_the_positive_list_is_prohibited(
    function: str, purpose: IngredientPurpose
) -> None:
    result = checked(question(), line("Glycerin", "5", function=function))[0]

    assert [(v.verdict, v.purpose) for v in result.verdicts] == [
        (Verdict.PROHIBITED, purpose)
    ]


def test_colourant_is_found_by_its_usual_name() -> None:
    pigment = line("Iron Oxides", "1", function="Colorant")

    assert set(verdicts(question(category="foundation"), pigment)) >= {"IV/135"}
    assert codes(question(category="foundation"), pigment) == set()


def test_colourant_under_an_unknown_name_is_asked_for_its_number() -> None:
    pigment = line("Mica Shimmer 7", "1", cas="56-81-5", function="Colorant")

    assert codes(question(), pigment) == {"colourant-without-number"}


def test_part_of_a_preservative_blend_is_not_taken_for_a_preservative() -> None:
    part = replace(
        line("Ethylhexylglycerin", "0.1", function="Preservative"), is_of_blend=True
    )

    assert codes(question(), part) == set()


def test_substance_in_bulk_does_not_cover_its_nano_form() -> None:
    nano = line("Octocrylene (nano)", "5", function="UV filter")

    assert codes(question(), nano) == {"nano-not-covered"}


def test_wrong_check_digit_matches_nothing() -> None:
    assert verdicts(question(), line("Xyz", "1", cas="123-31-8")) == {
        "ingredient-unidentified": "unknown"
    }


def test_word_of_a_class_is_possible_and_never_prohibits() -> None:
    result = checked(question(), line("Mercury complex", "1"))[0]

    assert [v.verdict for v in result.verdicts] == [Verdict.CONDITIONAL]
    assert result.verdicts[0].reason == "possible-match"


def test_entry_without_transition_date_warns_and_says_so() -> None:
    asked = question(category="deodorant_aerosol")

    findings = found(asked, line("Aluminum Chlorohydrate", "16"))

    finding = next(f.finding for f in findings if f.verdict.rule)
    assert finding.verdict is Verdict.OVER
    assert finding.severity is Severity.WARNING
    assert "transition date is not in the source" in finding.message.en


def test_unopened_perfume_makes_totals_at_least() -> None:
    asked = question()
    lines = (
        line("Propylparaben", "0.15", function="preservative"),
        line("Butylparaben", "0.05", function="preservative"),
        line("Parfum", "1"),
    )

    finding = next(f for f in found(asked, *lines) if f.verdict.rule).finding

    assert "at least" in finding.message.en


def test_every_category_has_tags_and_forms() -> None:
    rows = tag_table()["categories"]

    assert set(rows) == set(categories())
    for row in rows.values():
        assert row["forms"]


def test_stated_site_closes_the_open_ones() -> None:
    homosalate = line("Homosalate", "7", function="UV filter")

    def verdict(*sites: Site) -> str:
        asked = question(category="sunscreen", form=Form.CREAM, sites=sites)
        return verdicts(asked, homosalate)["VI/3"]

    assert verdict() == "conditional"
    assert verdict(Site.FACE) == "within"
    assert verdict(Site.BODY) == "prohibited"


_GRAVITY = {"within": 0, "unlisted": 0, "at": 1, "conditional": 2, "over": 3}


@given(
    st.sampled_from(
        ["Phenoxyethanol", "Sodium Benzoate", "Octocrylene", "BHT", "Retinol"]
    ),
    st.decimals(0, 100, places=4),
    st.decimals(0, 100, places=4),
)
def test_more_of_an_ingredient_is_never_judged_milder(
    name: str, one: Decimal, other: Decimal
) -> None:
    low, high = sorted((one, other))

    milder = verdicts(question(), line(name, str(low)))
    graver = verdicts(question(), line(name, str(high)))

    for key, verdict in milder.items():
        assert _GRAVITY[verdict] <= _GRAVITY[graver[key]]


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_any_text_of_a_line_gets_a_verdict(name: str, cas: str, function: str) -> None:
    result = checked(question(), line(name, cas=cas, function=function))[0]

    assert result.verdicts
