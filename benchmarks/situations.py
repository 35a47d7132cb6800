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

Situation = Callable[[Writer, int], str]
"""Writes the papers of an item and returns the state that it must have."""

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
        dossier.expected[item] = situation(writer, item)
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


def good(writer: Writer, item: int, name: str = "", **options: Sequence[str]) -> str:
    kind = KINDS[item]
    end = AS_OF + timedelta(days=writer.rng.randrange(120, 900))
    rows = _rows(writer, kind, name)
    writer.write(
        kind, [*rows, *_until(writer, kind, end), *_verdict(writer, kind)], **options
    )
    return "present"


def absent(writer: Writer, item: int) -> str:
    return "missing"


def blank(writer: Writer, item: int) -> str:
    writer.blank(KINDS[item])
    return "unconfirmed"


def confirmed_blank(writer: Writer, item: int) -> str:
    writer.dossier.confirmed[item] = writer.blank(KINDS[item])
    return "present"


def other_product(writer: Writer, item: int) -> str:
    good(writer, item, writer.name(OTHER))
    return "missing"


def confirmed_other_product(writer: Writer, item: int) -> str:
    good(writer, item, writer.name(OTHER))
    writer.dossier.confirmed[item] = writer.dossier.papers[-1].filename
    return "missing"


def unknown_name(writer: Writer, item: int) -> str:
    good(writer, item, writer.name(writer.rng.choice(STRANGERS)))
    return "unconfirmed"


def draft(writer: Writer, item: int) -> str:
    good(writer, item, head=(writer.say("草稿", "DRAFT - NOT FOR RELEASE"),))
    return "unconfirmed"


def code_alone(writer: Writer, item: int) -> str:
    kind = KINDS[item]
    rows = [("code", writer.dossier.code), *_rows(writer, kind)[1:]]
    if kind in METHODS:
        rows = [row for row in rows if row[0] != "product"]
    writer.write(kind, [*rows, *_verdict(writer, kind)])
    return "present"


def old_formula(writer: Writer, item: int) -> str:
    kind = KINDS[item]
    version = str(int(writer.dossier.version) - 1)
    rows = [*_rows(writer, kind), ("version", version), *_verdict(writer, kind)]
    writer.write(kind, rows)
    return "stale"


def this_formula(writer: Writer, item: int) -> str:
    kind = KINDS[item]
    rows = [*_rows(writer, kind), ("version", f"V{writer.dossier.version}")]
    writer.write(kind, [*rows, *_verdict(writer, kind)])
    return "present"


def old_and_new(writer: Writer, item: int) -> str:
    """A report of another formula beside one of this: the valid one counts."""
    old_formula(writer, item)
    return this_formula(writer, item)


def no_verdict(writer: Writer, item: int) -> str:
    kind = KINDS[item]
    note = writer.say(
        "本報告僅對送驗樣品負責。", "The results relate to the sample as received."
    )
    writer.write(kind, _rows(writer, kind), tail=(note,))
    return "unconfirmed"


def in_progress(writer: Writer, item: int) -> str:
    kind = KINDS[item]
    words = writer.say("試驗進行中。", "The study is still in progress.")
    writer.write(kind, [*_rows(writer, kind), ("verdict", words)])
    return "unconfirmed"


def failing(writer: Writer, item: int) -> str:
    """A failing report is there and read; a blocking finding says that it fails."""
    kind = KINDS[item]
    words = writer.rng.choice(FAILS["zh" if writer.dossier.zh else "en"])
    writer.write(kind, [*_rows(writer, kind), ("verdict", words)])
    writer.dossier.failing.add(item)
    return "present"


def waived(writer: Writer, item: int) -> str:
    writer.dossier.decisions[item] = "waiver"
    return "waived"


def waived_beside_failing(writer: Writer, item: int) -> str:
    waived(writer, item)
    return failing(writer, item)


def waived_beside_blank(writer: Writer, item: int) -> str:
    blank(writer, item)
    return waived(writer, item)


def expired_notification(writer: Writer, item: int) -> str:
    end = days_before(writer.rng, 10, 500)
    rows = _rows(writer, "notification")
    writer.write("notification", [*rows, *_until(writer, "notification", end)])
    return "stale"


def notification_without_end(writer: Writer, item: int) -> str:
    rows = [*_rows(writer, "notification"), ("holder", writer.name(HOLDER))]
    writer.write("notification", rows)
    return "unconfirmed"


def product_facts(writer: Writer, item: int) -> str:
    writer.dossier.filled |= FACTS_OF[item]
    return "present"


def facts_without_phone(writer: Writer, item: int) -> str:
    writer.dossier.filled |= FACTS_OF[item] - {"holder.phone"}
    return "missing"


FACTS_OF = {
    1: {"name_zh", "name_en", "category", "dosage_form", "intended_use", "sites",
        "holder.name", "holder.address", "holder.phone"},
    7: {"usage.method", "body_site", "usage.amount", "usage.frequency", "population"},
}  # fmt: skip


def no_formula(writer: Writer, item: int) -> str:
    writer.dossier.has_formula = False
    return "missing"


def formula(writer: Writer, item: int) -> str:
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


def usage_paper(writer: Writer, item: int) -> str:
    _usage(writer)
    return "present"


def usage_without_frequency(writer: Writer, item: int) -> str:
    _usage(writer, leave_out="often")
    return "unconfirmed"


def usage_with_vague_amount(writer: Writer, item: int) -> str:
    _usage(writer, amount=writer.say("適量", "as needed"))
    return "unconfirmed"


def _gmp(writer: Writer, maker: tuple[str, ...], start: date, end: date | None) -> str:
    zh = writer.dossier.zh
    rows = [
        ("company", maker[0] if zh else maker[1]),
        ("site", maker[2] if zh else maker[3]),
        ("issued", writer.day(start)),
    ]
    if end:
        rows.append(("until", writer.day(end)))
    return writer.write("gmp", rows)


def gmp(writer: Writer, item: int) -> str:
    _gmp(writer, MAKER, days_before(writer.rng, 400, 700), AS_OF + YEAR)
    return "present"


def expired_gmp(writer: Writer, item: int) -> str:
    _gmp(writer, MAKER, AS_OF - 3 * YEAR, days_before(writer.rng, 1, 100))
    return "stale"


def gmp_of_another_site(writer: Writer, item: int) -> str:
    _gmp(writer, OTHER_MAKER, AS_OF - YEAR, AS_OF + YEAR)
    return "missing"


def gmp_without_end(writer: Writer, item: int) -> str:
    _gmp(writer, MAKER, AS_OF - YEAR, None)
    return "unconfirmed"


def expired_and_new_gmp(writer: Writer, item: int) -> str:
    expired_gmp(writer, item)
    return gmp(writer, item)


def gmp_declaration(writer: Writer, item: int) -> str:
    zh = writer.dossier.zh
    rows = [
        ("company", MAKER[0] if zh else MAKER[1]),
        ("site", MAKER[2] if zh else MAKER[3]),
        ("manager", writer.name(STRANGER)),
        ("day", writer.day(days_before(writer.rng, 20, 200))),
    ]
    writer.write("gmp-declaration", rows)
    return "declared"


def declared(writer: Writer, item: int) -> str:
    writer.dossier.decisions[item] = "declaration"
    return "declared"


def _adverse(writer: Writer, kind: str, **options: Sequence[str]) -> None:
    first = days_before(writer.rng, 500, 800)
    period = f"{writer.day(first)} ~ {writer.day(first + YEAR)}"
    rows = [
        ("product", writer.name(writer.dossier.printed)),
        ("period", period),
        ("company", writer.name(HOLDER)),
        ("manager", writer.name(STRANGER)),
        ("day", writer.day(days_before(writer.rng, 20, 100))),
    ]
    writer.write(kind, rows, **options)


def adverse(writer: Writer, item: int) -> str:
    _adverse(writer, "adverse")
    return "present"


def adverse_declaration(writer: Writer, item: int) -> str:
    _adverse(writer, "adverse-declaration")
    return "declared"


def draft_of_adverse(writer: Writer, item: int) -> str:
    _adverse(writer, "adverse", head=(writer.say("草稿", "DRAFT"),))
    return "unconfirmed"


def _sheets(writer: Writer, kind: str, count: int) -> None:
    for trade, inci, cas in writer.dossier.materials[:count]:
        writer.write(kind, [("trade", trade), ("inci", inci), ("cas", cas)])


def specification_and(kind: str, *, is_whole: bool = True) -> Situation:
    def write(writer: Writer, item: int) -> str:
        good(writer, item)
        _sheets(writer, kind, len(writer.dossier.materials) - (0 if is_whole else 1))
        if not writer.dossier.has_formula:
            return "unconfirmed"
        return "present" if is_whole else "unconfirmed"

    return write


def sheets_alone(writer: Writer, item: int) -> str:
    _sheets(writer, "raw_material_spec", len(writer.dossier.materials))
    return "missing"


def specification_alone(writer: Writer, item: int) -> str:
    """The product's specification says nothing of its materials."""
    good(writer, item)
    return "missing"


def _profiles(writer: Writer, count: int) -> None:
    words = writer.say("NOAEL 500 mg/kg/日，無刺激性", "NOAEL 500 mg/kg/day")
    lines = [
        f"{inci}（{cas}）：{words}" if writer.dossier.zh else f"{inci} ({cas}): {words}"
        for _, inci, cas in writer.dossier.materials[:count]
    ]
    rows = [("product", writer.name(writer.dossier.printed))]
    writer.write("toxicology", rows, tail=lines)


def profiles(writer: Writer, item: int) -> str:
    _profiles(writer, len(writer.dossier.materials))
    return "present" if writer.dossier.has_formula else "unconfirmed"


def profiles_of_some(writer: Writer, item: int) -> str:
    _profiles(writer, len(writer.dossier.materials) - 1)
    return "unconfirmed"


def _covered_by_sheets(writer: Writer, item: int) -> str:
    """Safety data sheets of item 9 hold toxicological data too."""
    if not writer.dossier.has_formula:
        return "unconfirmed"
    is_whole = writer.dossier.situations[9] == "sheets"
    return "present" if is_whole else "unconfirmed"


def _assessment(
    writer: Writer, *, signature: str, is_dated: bool = True, **options: Sequence[str]
) -> None:
    rows = [
        ("product", writer.name(writer.dossier.printed)),
        ("signer", writer.name(writer.dossier.signer)),
        ("signature", signature),
    ]
    if is_dated:
        rows.append(("signed", writer.day(days_before(writer.rng, 5, 50))))
    writer.write("assessment", rows, **options)


def _credentials(writer: Writer, person: tuple[str, str]) -> None:
    issued = writer.day(days_before(writer.rng, 300, 900))
    writer.write("credentials", [("person", writer.name(person)), ("issued", issued)])


def signed(writer: Writer, item: int) -> str:
    _assessment(writer, signature=writer.name(writer.dossier.signer))
    _credentials(writer, writer.dossier.signer)
    return "present"


def unsigned(writer: Writer, item: int) -> str:
    _assessment(writer, signature="____________")
    _credentials(writer, writer.dossier.signer)
    return "unconfirmed"


def draft_assessment(writer: Writer, item: int) -> str:
    _assessment(
        writer,
        signature=writer.name(writer.dossier.signer),
        head=(writer.say("初稿", "DRAFT FOR REVIEW"),),
    )
    _credentials(writer, writer.dossier.signer)
    return "unconfirmed"


def undated_assessment(writer: Writer, item: int) -> str:
    signature = writer.name(writer.dossier.signer)
    _assessment(writer, signature=signature, is_dated=False)
    _credentials(writer, writer.dossier.signer)
    return "unconfirmed"


def no_credentials(writer: Writer, item: int) -> str:
    _assessment(writer, signature=writer.name(writer.dossier.signer))
    return "missing"


def credentials_of_another(writer: Writer, item: int) -> str:
    _assessment(writer, signature=writer.name(writer.dossier.signer))
    _credentials(writer, STRANGER)
    # Chinese names that differ are two persons; Latin spellings of one may differ.
    return "missing" if writer.dossier.zh else "unconfirmed"


_COMMON: Mapping[str, Situation] = {
    "good": good, "absent": absent, "blank page": blank,
    "blank page, confirmed": confirmed_blank, "other product": other_product,
    "other product, confirmed": confirmed_other_product,
    "unknown name": unknown_name, "draft": draft,
}  # fmt: skip
_TEST: Mapping[str, Situation] = {
    **_COMMON, "by code": code_alone, "old formula": old_formula,
    "this formula": this_formula, "old and new": old_and_new,
    "no verdict": no_verdict, "in progress": in_progress, "failing": failing,
    "waived": waived, "waived, failing": waived_beside_failing,
    "waived, blank page": waived_beside_blank,
}  # fmt: skip
SITUATIONS: Mapping[int, Mapping[str, Situation]] = {
    1: {"facts": product_facts, "no phone": facts_without_phone, "absent": absent},
    2: {**_COMMON, "expired": expired_notification,
        "no end": notification_without_end},
    3: {"formula": formula, "formula too": formula, "absent": no_formula},
    4: _COMMON,
    5: {"certificate": gmp, "expired": expired_gmp, "other site": gmp_of_another_site,
        "no end": gmp_without_end, "expired and new": expired_and_new_gmp,
        "declaration paper": gmp_declaration, "declared": declared, "absent": absent},
    6: {**_COMMON, "old formula": old_formula},
    7: {"facts": product_facts, "paper": usage_paper, "absent": absent,
        "no frequency": usage_without_frequency, "vague": usage_with_vague_amount},
    8: {"record": adverse, "declaration paper": adverse_declaration, "absent": absent,
        "declared": declared, "draft": draft_of_adverse},
    9: {"specifications": specification_and("raw_material_spec"),
        "sheets": specification_and("sds"),
        "sheets of some": specification_and("sds", is_whole=False),
        "specifications of some": specification_and(
            "raw_material_spec", is_whole=False),
        "materials alone": sheets_alone, "product alone": specification_alone,
        "absent": absent},
    10: {"profiles": profiles, "some": profiles_of_some, "absent": absent},
    11: _TEST, 12: _TEST, 13: _TEST,
    14: {**_COMMON, "old formula": old_formula},
    15: _COMMON,
    16: {"signed": signed, "unsigned": unsigned, "draft": draft_assessment,
         "no date": undated_assessment, "no credentials": no_credentials,
         "other credentials": credentials_of_another, "absent": absent},
}  # fmt: skip
"""The situations of each item; the first is in order."""
