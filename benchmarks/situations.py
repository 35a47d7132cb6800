"""The situations that the items of made-up dossiers are in, with the state expected."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from benchmarks.dossiers import (
    AS_OF,
    FAILS,
    HOLDER,
    LAB,
    MAKER,
    METHODS,
    OTHER,
    OTHER_MAKER,
    PASSES,
    STRANGER,
    STRANGERS,
    Writer,
    days_before,
)

Situation = Callable[[Writer], str]
"""Writes the papers of `writer.item` and returns the state that it must have."""

DATA = 9
TOXICOLOGY = 10
KINDS = {
    2: "notification", 4: "label", 6: "process", 9: "product_spec", 11: "stability",
    12: "microbial", 13: "challenge", 14: "efficacy", 15: "packaging",
}  # fmt: skip
YEAR = timedelta(days=365)
HALF = 0.5
EXEMPT = 0.04


def fill(writer: Writer) -> None:
    """Give each item of a dossier a situation."""
    dossier, rng = writer.dossier, writer.rng
    dossier.is_exempt = rng.random() < EXEMPT
    for item in range(1, 17):
        choices = SITUATIONS[item]
        # Half of all items are in order: a dossier is not all faults.
        name = next(iter(choices)) if rng.random() < HALF else rng.choice(list(choices))
        if item == TOXICOLOGY and dossier.situations[DATA].startswith("sheets"):
            name = "sheets of item 9"
        dossier.situations[item] = name
        situation = choices.get(name, _covered_by_sheets)
        writer.item = item
        dossier.expected[item] = situation(writer)
        if dossier.is_exempt and dossier.expected[item] in GAPS:
            dossier.expected[item] = "not_applicable"


GAPS = ("missing", "unconfirmed", "stale")


def _rows(writer: Writer, kind: str, name: str = "") -> list[tuple[str, str]]:
    """Return the head of a paper: whose it is, and who wrote it when."""
    rng = writer.rng
    rows = [("product", name or writer.name(writer.dossier.printed))]
    if kind in METHODS or kind == "efficacy":
        rows.insert(0, ("client", writer.name(HOLDER)))
        rows.append(("lot", f"{rng.choice('ABXY')}26{rng.randrange(1000, 9999)}"))
        rows.append(("received", writer.day(days_before(rng, 100, 120))))
        rows.append(("date", writer.day(days_before(rng, 60, 90))))
        if rng.random() < HALF:
            rows.append(("lab", writer.name(LAB)))
    if kind in METHODS:
        rows.append(("method", METHODS[kind]))
    if kind == "label":
        rows.append(("purpose", writer.say("滋潤肌膚", "to moisturise the skin")))
    return rows


def _verdict(writer: Writer, kind: str) -> list[tuple[str, str]]:
    if kind not in METHODS:
        return []
    words = PASSES["zh" if writer.dossier.zh else "en"][kind]
    return [("verdict", writer.rng.choice(words))]


def _until(writer: Writer, kind: str, end: date) -> list[tuple[str, str]]:
    if kind != "notification":
        return []
    return [
        ("registered", writer.day(end - 3 * YEAR)),
        ("holder", writer.name(HOLDER)),
        ("until", writer.day(end)),
    ]


def _good(writer: Writer, name: str = "", head: Sequence[str] = ()) -> str:
    kind = KINDS[writer.item]
    end = AS_OF + timedelta(days=writer.rng.randrange(120, 900))
    rows = _rows(writer, kind, name)
    writer.write(
        kind, [*rows, *_until(writer, kind, end), *_verdict(writer, kind)], head=head
    )
    return "present"


def _absent(_: Writer) -> str:
    return "missing"


def _blank(writer: Writer) -> str:
    writer.blank(KINDS[writer.item])
    return "unconfirmed"


def _confirmed_blank(writer: Writer) -> str:
    writer.dossier.confirmed[writer.item] = writer.blank(KINDS[writer.item])
    return "present"


def _other_product(writer: Writer) -> str:
    _good(writer, writer.name(OTHER))
    return "missing"


def _confirmed_other_product(writer: Writer) -> str:
    _good(writer, writer.name(OTHER))
    writer.dossier.confirmed[writer.item] = writer.dossier.papers[-1].filename
    return "missing"


def _unknown_name(writer: Writer) -> str:
    _good(writer, writer.name(writer.rng.choice(STRANGERS)))
    return "unconfirmed"


def _draft(writer: Writer) -> str:
    _good(writer, head=(writer.say("草稿", "DRAFT - NOT FOR RELEASE"),))
    return "unconfirmed"


def _code_alone(writer: Writer) -> str:
    kind = KINDS[writer.item]
    rows = [("code", writer.dossier.code), *_rows(writer, kind)[1:]]
    if kind in METHODS:
        rows = [row for row in rows if row[0] != "product"]
    writer.write(kind, [*rows, *_verdict(writer, kind)])
    return "present"


def _old_formula(writer: Writer) -> str:
    kind = KINDS[writer.item]
    version = str(int(writer.dossier.version) - 1)
    rows = [*_rows(writer, kind), ("version", version), *_verdict(writer, kind)]
    writer.write(kind, rows)
    return "stale"


def _this_formula(writer: Writer) -> str:
    kind = KINDS[writer.item]
    rows = [*_rows(writer, kind), ("version", f"V{writer.dossier.version}")]
    writer.write(kind, [*rows, *_verdict(writer, kind)])
    return "present"


def _old_and_new(writer: Writer) -> str:
    """A report of another formula beside one of this: the valid one counts."""
    _old_formula(writer)
    return _this_formula(writer)


def _no_verdict(writer: Writer) -> str:
    kind = KINDS[writer.item]
    note = writer.say(
        "本報告僅對送驗樣品負責。", "The results relate to the sample as received."
    )
    writer.write(kind, _rows(writer, kind), tail=(note,))
    return "unconfirmed"


def _in_progress(writer: Writer) -> str:
    kind = KINDS[writer.item]
    words = writer.say("試驗進行中。", "The study is still in progress.")
    writer.write(kind, [*_rows(writer, kind), ("verdict", words)])
    return "unconfirmed"


def _failing(writer: Writer) -> str:
    """A failing report is there and read; a blocking finding says that it fails."""
    kind = KINDS[writer.item]
    words = writer.rng.choice(FAILS["zh" if writer.dossier.zh else "en"])
    writer.write(kind, [*_rows(writer, kind), ("verdict", words)])
    writer.dossier.failing.add(writer.item)
    return "present"


def _waived(writer: Writer) -> str:
    writer.dossier.decisions[writer.item] = "waiver"
    return "waived"


def _waived_beside_failing(writer: Writer) -> str:
    _waived(writer)
    return _failing(writer)


def _waived_beside_blank(writer: Writer) -> str:
    _blank(writer)
    return _waived(writer)


def _expired_notification(writer: Writer) -> str:
    end = days_before(writer.rng, 10, 500)
    rows = _rows(writer, "notification")
    writer.write("notification", [*rows, *_until(writer, "notification", end)])
    return "stale"


def _notification_without_end(writer: Writer) -> str:
    rows = [*_rows(writer, "notification"), ("holder", writer.name(HOLDER))]
    writer.write("notification", rows)
    return "unconfirmed"


def _product_facts(writer: Writer) -> str:
    writer.dossier.filled |= FACTS_OF[writer.item]
    return "present"


def _facts_without_phone(writer: Writer) -> str:
    writer.dossier.filled |= FACTS_OF[writer.item] - {"holder.phone"}
    return "missing"


FACTS_OF = {
    1: {"name_zh", "name_en", "category", "dosage_form", "intended_use", "sites",
        "holder.name", "holder.address", "holder.phone"},
    7: {"usage.method", "body_site", "usage.amount", "usage.frequency", "population"},
}  # fmt: skip


def _no_formula(writer: Writer) -> str:
    writer.dossier.has_formula = False
    return "missing"


def _formula(_: Writer) -> str:
    return "present"


def _usage(writer: Writer, leave_out: str = "", amount: str = "") -> None:
    rows = [
        ("product", writer.name(writer.dossier.printed)),
        ("how", writer.say("均勻塗抹後按摩", "spread evenly and massage")),
        ("where", writer.say("臉部及頸部", "face and neck")),
        ("amount", amount or writer.say("約 1.5 公克", "about 1.5 g")),
        ("often", writer.say("每日早晚各一次", "twice daily")),
        ("who", writer.say("一般成人", "adults")),
    ]
    writer.write("usage", [row for row in rows if row[0] != leave_out])


def _usage_paper(writer: Writer) -> str:
    _usage(writer)
    return "present"


def _usage_without_frequency(writer: Writer) -> str:
    _usage(writer, leave_out="often")
    return "unconfirmed"


def _usage_with_vague_amount(writer: Writer) -> str:
    _usage(writer, amount=writer.say("適量", "as needed"))
    return "unconfirmed"


def _write_gmp(
    writer: Writer, maker: tuple[str, ...], start: date, end: date | None
) -> str:
    zh = writer.dossier.zh
    rows = [
        ("company", maker[0] if zh else maker[1]),
        ("site", maker[2] if zh else maker[3]),
        ("issued", writer.day(start)),
    ]
    if end:
        rows.append(("until", writer.day(end)))
    return writer.write("gmp", rows)


def _gmp(writer: Writer) -> str:
    _write_gmp(writer, MAKER, days_before(writer.rng, 400, 700), AS_OF + YEAR)
    return "present"


def _expired_gmp(writer: Writer) -> str:
    _write_gmp(writer, MAKER, AS_OF - 3 * YEAR, days_before(writer.rng, 1, 100))
    return "stale"


def _gmp_of_another_site(writer: Writer) -> str:
    _write_gmp(writer, OTHER_MAKER, AS_OF - YEAR, AS_OF + YEAR)
    return "missing"


def _gmp_without_end(writer: Writer) -> str:
    _write_gmp(writer, MAKER, AS_OF - YEAR, None)
    return "unconfirmed"


def _expired_and_new_gmp(writer: Writer) -> str:
    _expired_gmp(writer)
    return _gmp(writer)


def _gmp_declaration(writer: Writer) -> str:
    zh = writer.dossier.zh
    rows = [
        ("company", MAKER[0] if zh else MAKER[1]),
        ("site", MAKER[2] if zh else MAKER[3]),
        ("manager", writer.name(STRANGER)),
        ("day", writer.day(days_before(writer.rng, 20, 200))),
    ]
    writer.write("gmp-declaration", rows)
    return "declared"


def _declared(writer: Writer) -> str:
    writer.dossier.decisions[writer.item] = "declaration"
    return "declared"


def _write_adverse(writer: Writer, kind: str, head: Sequence[str] = ()) -> None:
    first = days_before(writer.rng, 500, 800)
    period = f"{writer.day(first)} ~ {writer.day(first + YEAR)}"
    rows = [
        ("product", writer.name(writer.dossier.printed)),
        ("period", period),
        ("company", writer.name(HOLDER)),
        ("manager", writer.name(STRANGER)),
        ("day", writer.day(days_before(writer.rng, 20, 100))),
    ]
    writer.write(kind, rows, head=head)


def _adverse(writer: Writer) -> str:
    _write_adverse(writer, "adverse")
    return "present"


def _adverse_declaration(writer: Writer) -> str:
    _write_adverse(writer, "adverse-declaration")
    return "declared"


def _draft_of_adverse(writer: Writer) -> str:
    _write_adverse(writer, "adverse", head=(writer.say("草稿", "DRAFT"),))
    return "unconfirmed"


def _sheets(writer: Writer, kind: str, count: int) -> None:
    for trade, inci, cas in writer.dossier.materials[:count]:
        writer.write(kind, [("trade", trade), ("inci", inci), ("cas", cas)])


def _specification_and(kind: str, *, is_whole: bool = True) -> Situation:
    def write(writer: Writer) -> str:
        _good(writer)
        _sheets(writer, kind, len(writer.dossier.materials) - (0 if is_whole else 1))
        if not writer.dossier.has_formula:
            return "unconfirmed"
        return "present" if is_whole else "unconfirmed"

    return write


def _sheets_alone(writer: Writer) -> str:
    _sheets(writer, "raw_material_spec", len(writer.dossier.materials))
    return "missing"


def _specification_alone(writer: Writer) -> str:
    """The product's specification says nothing of its materials."""
    _good(writer)
    return "missing"


def _write_profiles(writer: Writer, count: int) -> None:
    words = writer.say("NOAEL 500 mg/kg/日，無刺激性", "NOAEL 500 mg/kg/day")
    lines = [
        f"{inci}（{cas}）：{words}" if writer.dossier.zh else f"{inci} ({cas}): {words}"
        for _, inci, cas in writer.dossier.materials[:count]
    ]
    rows = [("product", writer.name(writer.dossier.printed))]
    writer.write("toxicology", rows, tail=lines)


def _profiles(writer: Writer) -> str:
    _write_profiles(writer, len(writer.dossier.materials))
    return "present" if writer.dossier.has_formula else "unconfirmed"


def _profiles_of_some(writer: Writer) -> str:
    _write_profiles(writer, len(writer.dossier.materials) - 1)
    return "unconfirmed"


def _covered_by_sheets(writer: Writer) -> str:
    """Safety data sheets of item 9 hold toxicological data too."""
    if not writer.dossier.has_formula:
        return "unconfirmed"
    is_whole = writer.dossier.situations[9] == "sheets"
    return "present" if is_whole else "unconfirmed"


def _assessment(
    writer: Writer, *, signature: str, is_dated: bool = True, head: Sequence[str] = ()
) -> None:
    rows = [
        ("product", writer.name(writer.dossier.printed)),
        ("signer", writer.name(writer.dossier.signer)),
        ("signature", signature),
    ]
    if is_dated:
        rows.append(("signed", writer.day(days_before(writer.rng, 5, 50))))
    writer.write("assessment", rows, head=head)


def _credentials(writer: Writer, person: tuple[str, str]) -> None:
    issued = writer.day(days_before(writer.rng, 300, 900))
    writer.write("credentials", [("person", writer.name(person)), ("issued", issued)])


def _signed(writer: Writer) -> str:
    _assessment(writer, signature=writer.name(writer.dossier.signer))
    _credentials(writer, writer.dossier.signer)
    return "present"


def _unsigned(writer: Writer) -> str:
    _assessment(writer, signature="____________")
    _credentials(writer, writer.dossier.signer)
    return "unconfirmed"


def _draft_assessment(writer: Writer) -> str:
    _assessment(
        writer,
        signature=writer.name(writer.dossier.signer),
        head=(writer.say("初稿", "DRAFT FOR REVIEW"),),
    )
    _credentials(writer, writer.dossier.signer)
    return "unconfirmed"


def _undated_assessment(writer: Writer) -> str:
    signature = writer.name(writer.dossier.signer)
    _assessment(writer, signature=signature, is_dated=False)
    _credentials(writer, writer.dossier.signer)
    return "unconfirmed"


def _no_credentials(writer: Writer) -> str:
    _assessment(writer, signature=writer.name(writer.dossier.signer))
    return "missing"


def _credentials_of_another(writer: Writer) -> str:
    _assessment(writer, signature=writer.name(writer.dossier.signer))
    _credentials(writer, STRANGER)
    # Chinese names that differ are two persons; Latin spellings of one may differ.
    return "missing" if writer.dossier.zh else "unconfirmed"


_COMMON: Mapping[str, Situation] = {
    "good": _good, "absent": _absent, "blank page": _blank,
    "blank page, confirmed": _confirmed_blank, "other product": _other_product,
    "other product, confirmed": _confirmed_other_product,
    "unknown name": _unknown_name, "draft": _draft,
}  # fmt: skip
_TEST: Mapping[str, Situation] = {
    **_COMMON, "by code": _code_alone, "old formula": _old_formula,
    "this formula": _this_formula, "old and new": _old_and_new,
    "no verdict": _no_verdict, "in progress": _in_progress, "failing": _failing,
    "waived": _waived, "waived, failing": _waived_beside_failing,
    "waived, blank page": _waived_beside_blank,
}  # fmt: skip
SITUATIONS: Mapping[int, Mapping[str, Situation]] = {
    1: {"facts": _product_facts, "no phone": _facts_without_phone, "absent": _absent},
    2: {**_COMMON, "expired": _expired_notification,
        "no end": _notification_without_end},
    3: {"formula": _formula, "formula too": _formula, "absent": _no_formula},
    4: _COMMON,
    5: {"certificate": _gmp, "expired": _expired_gmp,
        "other site": _gmp_of_another_site, "no end": _gmp_without_end,
        "expired and new": _expired_and_new_gmp,
        "declaration paper": _gmp_declaration, "declared": _declared,
        "absent": _absent},
    6: {**_COMMON, "old formula": _old_formula},
    7: {"facts": _product_facts, "paper": _usage_paper, "absent": _absent,
        "no frequency": _usage_without_frequency, "vague": _usage_with_vague_amount},
    8: {"record": _adverse, "declaration paper": _adverse_declaration,
        "absent": _absent, "declared": _declared, "draft": _draft_of_adverse},
    9: {"specifications": _specification_and("raw_material_spec"),
        "sheets": _specification_and("sds"),
        "sheets of some": _specification_and("sds", is_whole=False),
        "specifications of some": _specification_and(
            "raw_material_spec", is_whole=False),
        "materials alone": _sheets_alone, "product alone": _specification_alone,
        "absent": _absent},
    10: {"profiles": _profiles, "some": _profiles_of_some, "absent": _absent},
    11: _TEST, 12: _TEST, 13: _TEST,
    14: {**_COMMON, "old formula": _old_formula},
    15: _COMMON,
    16: {"signed": _signed, "unsigned": _unsigned, "draft": _draft_assessment,
         "no date": _undated_assessment, "no credentials": _no_credentials,
         "other credentials": _credentials_of_another, "absent": _absent},
}  # fmt: skip
"""The situations of each item; the first is in order."""
