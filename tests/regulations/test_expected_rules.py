"""The shipped rules against values that a person read in the sources."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.regulations.checking import checked, line, question, rules, written

from dossier.core.findings import Verdict
from dossier.regulations.constants import Market, RuleKind
from dossier.regulations.rules.data_sets import in_force, shipped
from dossier.regulations.rules.records import AnnexRule

HAND_READ: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "read_by_hand.json").read_text("utf-8")
)

PROHIBITED = [
    ("Mercury", "7439-97-6", "II/221"),
    ("Lead", "7439-92-1", "II/289"),
    ("Arsenic", "7440-38-2", "II/43"),
    ("Chromium", "7440-47-3", "II/97"),
    ("Hydroquinone", "123-31-9", "II/1339"),
    ("Tretinoin", "302-79-4", "II/375"),
    ("Hydrocortisone", None, "II/300"),
    ("Dibutyl Phthalate", "84-74-2", "II/675"),
    ("Diethylhexyl Phthalate", "117-81-7", "II/677"),
    ("Hexachlorophene", "70-30-4", "II/371"),
    ("Chloroform", "67-66-3", "II/366"),
    ("1,4-Dioxane", "123-91-1", "II/343"),
    ("Isobutylparaben", "4247-02-3", "II/1375"),
    ("Phenylparaben", "17696-62-7", "II/1376"),
    ("Pentylparaben", "6521-29-5", "II/1378"),
    ("Lyral", "31906-04-4", "II/1380"),
    ("Atranol", "526-37-4", "II/1381"),
    ("Chloroatranol", "57074-21-2", "II/1382"),
    ("Quaternium-15", "51229-78-8", "II/1385"),
    ("D4", "556-67-2", "II/1388"),
    ("Formaldehyde", "50-00-0", "II/1577"),
    ("Deoxyarbutin", "53936-56-4", "II/1657"),
    ("Lilial", "80-54-6", "II/1666"),
    ("Zinc Pyrithione", "13463-41-7", "II/1670"),
    ("Benzophenone", "119-61-9", "II/1703"),
    ("4-Methylbenzylidene Camphor", "36861-47-9", "II/1730"),
    ("TPO", "75980-60-8", "II/1731"),
    ("N,N-Dimethyl-p-toluidine", "99-97-8", "II/1745"),
]

LIMITED = {
    "III/2a": (
        "a1:hair 8 as acid general pH 7..9.5"
        " | a2:hair 11 as acid professional pH 7..9.5"
        " | b:depilatory 5 as acid pH 7..12.7"
        " | c:rinse_off+hair 2 as acid pH 7..9.5"
        " | d:eyelash_waving 11 as acid pH 7..9.5"
    ),
    "III/4": ": 6 as NH3",
    "III/8a": (
        "a:hair_dye_oxidative 2 as free_base mixed general"
        " | b:hair_dye_oxidative 2 as free_base mixed professional"
    ),
    "III/12": (
        "a:hair 12 as H2O2 | b:skin 4 as H2O2 | c:nail_hardening 2 as H2O2"
        " | d:oral 0.1 as H2O2 | e:tooth_whitening 6 as H2O2 above 0.1"
        " | f:eyelash_dye/eyelash_waving/mascara 2 as H2O2 professional"
    ),
    "III/14": ":artificial_nails 0.02 mixed professional",
    "III/15a": (
        "a:nail_cuticle 5 | b1:hair_straightening 2 general"
        " | b2:hair_straightening 4.5 professional"
        " | c:depilatory+as_ph_adjuster - pH ..12.7"
        " | d:other+as_ph_adjuster - pH ..11 | e:callosity_softener 1.5"
    ),
    "III/22": (
        "a:hair_dye_oxidative 1.25 mixed | b:eyelash_dye 1.25 mixed professional"
        " | c:hair_lotion/shampoo 0.5"
    ),
    "III/31": ":oral 0.15 as F sum F",
    "III/49": ":antidandruff_shampoo 1",
    "III/57": "a:oral 3.5 as Sr sum Sr | b:shampoo/face 2.1 as Sr sum Sr",
    "III/61": ": -",
    "III/65": ":rinse_off+hair 3 as benzalkonium_chloride",
    "III/66": "a:leave_on+body - | b:other -",
    "III/98": (
        "a:rinse_off+hair 3.0"
        " | b:other+!body_lotion+!eye_shadow+!mascara+!eyeliner+!lip+!deodorant+roll_on"
        " 2.0 | c:body_lotion/eye_shadow/mascara/eyeliner/lip/deodorant+roll_on 0.5"
        " | not abc[under_3] | not abc[inhalable] | not abc[oral]"
    ),
    "III/99": (
        "a:hair_dye_oxidative 0.67 as SO2 | b:hair_straightening 6.7 as SO2"
        " | c:self_tanning+face 0.45 as SO2 | d:other+self_tanning 0.40 as SO2"
    ),
    "III/186": ":as_trace 0.1",
    "III/297": (
        "a:hair_dye_oxidative 7 | b:hair_dye_non_oxidative 5"
        " | c:rinse_off+!hair_dye 10 | d:other+!spray 2.6"
        " | e:fine_fragrance+spray/hair_styling+spray/deodorant+spray/deodorant+spray"
        " 2.6 | not abcde[eye/oral]"
    ),
    "III/313": ":nail - professional",
    "III/321": (
        "a:face+loose_powder 25 | b:hair+aerosol 1.4 general"
        " | b:hair+aerosol 1.1 professional | c:other - | not c[inhalable]"
    ),
    "III/322": "a:hair_dye_non_oxidative 6.25 | b:self_tanning 10",
    "III/325": "a:mouthwash 0.001 | b:toothpaste 0.1 | c:other 0.8",
    "III/73": "a:oral - | b:other 0.02",
    "III/373": ": 0.007",
    "III/374": ": 0.02",
    "III/375": ":face/hand 1",
    "III/376": "a:body_lotion 0.05 as retinol | b:other 0.3 as retinol",
    "III/377": "a:face_cream 2 | b:body_lotion 0.5",
    "III/378": ":face_cream 7",
    "V/1": (
        "a:rinse_off+!oral 2.5 as acid | b:oral 1.7 as acid | c:leave_on 0.5 as acid"
    ),
    "V/4": ": 0.6 as acid",
    "V/12": ": 0.4 as acid each, 0.8 as acid sum V/12+V/12a",
    "V/12a": (
        ": 0.14 as acid, 0.8 as acid sum V/12+V/12a | not [leave_on+nappy+under_3]"
    ),
    "V/13": ": 0.6 as acid | not [spray]",
    "V/18": ": 0.2 as acid",
    "V/22": ": 0.15",
    "V/27": ": 0.6",
    "V/28": ": 0.1 | not [inhalable]",
    "V/29": ": 1.0",
    "V/3": ": 0.5 as acid",
    "V/32": (
        "a:hair_lotion 0.2 | b:face_cream 0.2 | c:foot 0.2 | d:shampoo+rinse_off 0.5"
    ),
    "V/33": ": 0.6",
    "V/34": ": 1.0",
    "V/39": ":rinse_off 0.0015",
    "V/42": ": 0.3 as free_base",
    "V/44": ": 0.1",
    "V/46": ": 0.5",
    "V/50": ": 0.3",
    "V/54": ": 0.1 as benzalkonium_chloride",
    "V/56": (
        "a:rinse_off 0.02 | b:leave_on 0.01 | c:deodorant/deodorant 0.0075"
        " | not [oral/lip] | not a[under_3+!bath+!shower_gel+!shampoo]"
        " | not b[body_lotion/body_lotion] | not bc[under_3]"
    ),
    "V/57": ":rinse_off 0.0015",
    "V/60": ":rinse_off/oral/leave_on 0.7",
    "V/9": ": 0.2 as SO2",
    "VI/3": ":face+!aerosol 7.34",
    "VI/4": "a:face+!spray/hand+!spray/lip+!spray 6 | b:body 2.2 | c:other 0.5",
    "VI/8": ": 5",
    "VI/10": "a:aerosol 9 | b:other 10",
    "VI/12": ": 10",
    "VI/15": ": 5",
    "VI/20": ": 5",
    "VI/23": ": 10 sum VI/23+VI/23a",
    "VI/27": ": 25 sum VI/27+VI/27a",
    "VI/27a": ": 25 sum VI/27+VI/27a",
    "VI/30": ": 25 sum VI/30+VI/30a",
    "VI/30a": ": 25 sum VI/30+VI/30a",
}
"""Entries with the limits that they state, read in the annexes."""


@pytest.mark.parametrize(("name", "cas", "key"), PROHIBITED)
def test_prohibited_substance_is_found_by_name_and_by_number(
    name: str, cas: str | None, key: str
) -> None:
    by_name = checked(question(), line(name, "0.01"))[0].verdicts
    by_number = checked(question(), line("Unknown", "0.01", cas=cas))[0].verdicts

    for each in (by_name, by_number if cas else by_name):
        assert (Verdict.PROHIBITED, key) in [
            (v.verdict, v.rule.key) for v in each if v.rule
        ]


def test_safrole_is_prohibited_but_for_its_natural_content() -> None:
    rule = rules("II/360")[0]

    assert rule.kind is RuleKind.PROHIBIT
    assert rule.condition == "except_natural_content"
    assert "94-59-7" in rule.cas


@pytest.mark.parametrize(("key", "limits"), LIMITED.items())
def test_entry_states_the_limits_of_the_annex(key: str, limits: str) -> None:
    assert limits in [written(rule) for rule in rules(key)]


def test_methyl_salicylate_has_fourteen_limbs_and_a_disclosure() -> None:
    rule = rules("III/324")[0]
    maxima = " ".join(str(limb.maxima[0].value) for limb in rule.limbs)

    assert maxima == (
        "0.06 0.05 0.002 0.009 0.003 0.04 0.06 0.6 0.6 0.03 2.52 0.1 0.6 0.65"
    )
    assert rule.disclosure is not None
    assert written(rule).endswith("not abcdefghijlmn[under_6]")


def test_aluminium_has_eighteen_limbs_as_the_element_and_no_date() -> None:
    rule = rules("III/381")[0]

    assert len(rule.limbs) == 18
    assert {m.species for limb in rule.limbs for m in limb.maxima} == {"Al"}
    assert rule.undated


def test_allergens_are_eighty_one_disclosures_and_three_decoys_are_limits() -> None:
    disclosed = [r for r in _now("III") if r.disclosure]
    decoys = {key: rules(key)[0] for key in ("III/102", "III/312", "III/325")}

    assert len({rule.ref for rule in disclosed}) == 81
    for rule in disclosed:
        assert rule.disclosure is not None
        assert rule.disclosure.leave_on == Decimal("0.001")
        assert rule.disclosure.rinse_off == Decimal("0.01")
    assert all(rule.disclosure is None for rule in decoys.values())
    assert all(rule.kind is RuleKind.LIMIT for rule in decoys.values())


def test_allergens_with_limits_keep_both() -> None:
    starred = ["46", "72", "73", "89", "154", "157", "175", "196", "324", "70", "75"]
    both = {
        rule.ref
        for rule in _now("III")
        if rule.disclosure and any(limb.maxima for limb in rule.limbs)
    }

    assert both == set(starred)


@pytest.mark.parametrize("market", ["eu", "tw"])
def test_sixty_cells_read_by_hand_are_read_alike(market: str) -> None:
    expected = HAND_READ[market]
    wrong = {
        key: limits
        for key, limits in expected.items()
        if limits not in [written(rule) for rule in rules(key, Market(market))]
    }

    assert len(expected) == 60
    assert wrong == {}


@pytest.mark.parametrize(
    ("name", "key", "limits"),
    [
        ("Octocrylene", "uv_filters/10", ": 10"),
        ("Kojic acid", "restricted/9", ": 2"),
        ("Phenoxyethanol", "preservatives/35", ": 1"),
        ("Triclosan", "preservatives/45", None),
    ],
)
def test_taiwan_names_its_own_limits(name: str, key: str, limits: str | None) -> None:
    found = checked(question(Market.TW), line(name, "0.1"))[0].verdicts

    rule = next(v.rule for v in found if v.rule and v.rule.key == key)
    assert limits is None or written(rule) == limits


def _now(list_name: str) -> list[AnnexRule]:
    today = date(2028, 8, 1)
    return [
        rule
        for rule in shipped().rules[Market.EU]
        if rule.list == list_name and in_force(rule, today, today)
    ]
