"""Made-up documents with the facts that they state, for `document_facts`.

The wording and the layouts are written apart from the rules that read them, after the
forms of laboratories, certification bodies and offices. All companies, persons and
products are invented. Each document lists all its facts: anything else that is read
from it counts as wrong.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from benchmarks.fact_words import (
    HOLDERS,
    LABELS,
    LABS,
    MAKERS,
    MATERIALS,
    NOISE,
    PERSONS,
    PRODUCTS,
    TITLES,
    VERDICTS,
)
from opencc import OpenCC

OFTEN = 0.5
MONTHS = 12
LANGUAGES = ("zh-Hant", "zh-Hans", "en", "bilingual")
SIMPLIFIED = OpenCC("t2s")

Truth = dict[str, set[str]]
Row = tuple[str, str, tuple[tuple[str, str], ...]]
"""Key of the label, the printed value, and the facts that it states."""


@dataclass(frozen=True)
class FactPaper:
    """A document's pages, what it states, and how it was laid out."""

    kind: str
    language: str
    layout: str
    pages: tuple[str, ...]
    truth: Truth
    is_tidy: bool


@dataclass
class Maker:
    """Writes one document: random values in one language."""

    rng: random.Random
    language: str
    truth: Truth = field(default_factory=dict)

    def add(self, name: str, value: str) -> None:
        if self.language == "zh-Hans":
            value = SIMPLIFIED.convert(value)
        self.truth.setdefault(name, set()).add(value)

    def often(self) -> bool:
        return self.rng.random() < OFTEN

    def pick(self, pair: tuple[str, ...]) -> str:
        """Return a name in the document's language, or in both."""
        if self.language == "en":
            return pair[1]
        if self.language == "bilingual" and self.often():
            return f"{pair[0]} {pair[1]}"
        return pair[0]

    def label(self, key: str) -> str:
        if self.language == "en":
            label = self.rng.choice(LABELS["en"][key])
            return label.upper() if not self.rng.randrange(7) else label
        zh = self.rng.choice(LABELS["zh"][key])
        if self.language != "bilingual":
            return zh
        en = self.rng.choice(LABELS["en"][key])
        return self.rng.choice((f"{zh} {en}", f"{zh}({en})", f"{zh} / {en}"))

    def day(self, year: int = 2026) -> tuple[str, str]:
        """Return a date as printed and in ISO form."""
        day = date(year, 1, 1) + timedelta(days=self.rng.randrange(330))
        roc = day.year - 1911
        zh_forms = (
            f"民國{roc}年{day.month}月{day.day}日",
            f"{roc}.{day.month:02}.{day.day:02}",
            f"{roc}/{day.month:02}/{day.day:02}",
            f"中華民國 {roc} 年 {day.month} 月 {day.day} 日",
            f"{day.year}年{day.month}月{day.day}日",
            day.isoformat(),
            f"{day:%Y/%m/%d}",
            f"{day:%Y.%m.%d}",
        )
        hans = (f"{day.year}年{day.month:02}月{day.day:02}日", day.isoformat())
        en_forms = (
            f"{day.day} {day:%B} {day.year}",
            f"{day:%B} {day.day}, {day.year}",
            f"{day:%d-%b-%Y}",
            f"{day:%b}. {day.day}, {day.year}",
            f"{day.day}th of {day:%B} {day.year}" if day.day in range(4, 20) else
            day.isoformat(),
            day.isoformat(),
            f"{day:%d/%m/%Y}" if day.day > MONTHS else f"{day:%d %b %Y}",
        )  # fmt: skip
        forms = {"en": en_forms, "zh-Hans": hans, "bilingual": zh_forms[4:]}
        return self.rng.choice(forms.get(self.language, zh_forms)), day.isoformat()

    def lot(self) -> str:
        number = self.rng.randrange(1000, 9999)
        return self.rng.choice(
            (f"B26{number}", f"{number}A", f"L-{number}-02", f"2603{number % 100:02}",
             f"PX{number}/1")
        )  # fmt: skip


Layout = Callable[[Maker, list[Row]], str]


def colon(maker: Maker, rows: list[Row]) -> str:
    """One field on a line."""
    sep = ": " if maker.language == "en" else "："
    return "\n".join(f"{maker.label(key)}{sep}{value}" for key, value, _ in rows)


def spaced_colon(maker: Maker, rows: list[Row]) -> str:
    """Labels filled up with ideographic spaces, as Chinese forms do."""
    lines = []
    for key, value, _ in rows:
        label = maker.label(key)
        if len(label) == len("批號"):
            label = f"{label[0]}　　{label[1]}"
        lines.append(f"  {label} ：{value}")
    return "\n".join(lines)


def table(maker: Maker, rows: list[Row]) -> str:
    """A table of two columns, as DOCX gives it."""
    return "\n".join(f"{maker.label(key)}\t{value}" for key, value, _ in rows)


def four_cells(maker: Maker, rows: list[Row]) -> str:
    """A table with two fields in a row."""
    cells = [(maker.label(key), value) for key, value, _ in rows]
    pairs = [cells[n : n + 2] for n in range(0, len(cells), 2)]
    return "\n".join("\t".join(c for cell in pair for c in cell) for pair in pairs)


def columns(maker: Maker, rows: list[Row]) -> str:
    """Labels in one row, values in the next."""
    blocks = [rows[n : n + 4] for n in range(0, len(rows), 4)]
    lines = []
    for block in blocks:
        if len(block) == 1:
            lines.append(colon(maker, block))
            continue
        lines.append("\t".join(maker.label(key) for key, _, _ in block))
        lines.append("\t".join(value for _, value, _ in block))
        lines.append("")
    return "\n".join(lines)


def next_line(maker: Maker, rows: list[Row]) -> str:
    """Each value below its label."""
    return "\n\n".join(f"{maker.label(key)}\n{value}" for key, value, _ in rows)


def printed_grid(maker: Maker, rows: list[Row]) -> str:
    """A two-column grid as a PDF's text gives it: only a space between the columns."""
    return "\n".join(f"{maker.label(key)} {value}" for key, value, _ in rows)


def two_a_line(maker: Maker, rows: list[Row]) -> str:
    """Two fields on a line with a wide gap between them."""
    sep = ": " if maker.language == "en" else "："
    cells = [f"{maker.label(key)}{sep}{value}" for key, value, _ in rows]
    return "\n".join("   ".join(cells[n : n + 2]) for n in range(0, len(cells), 2))


def run_on(maker: Maker, rows: list[Row]) -> str:
    """Two fields on a line with one space between them."""
    sep = ": " if maker.language == "en" else "："
    cells = [f"{maker.label(key)}{sep}{value}" for key, value, _ in rows]
    return "\n".join(" ".join(cells[n : n + 2]) for n in range(0, len(cells), 2))


def numbered(maker: Maker, rows: list[Row]) -> str:
    """Numbered fields."""
    sep = ": " if maker.language == "en" else "："
    return "\n".join(
        f"{n}. {maker.label(key)}{sep}{value}"
        for n, (key, value, _) in enumerate(rows, 1)
    )


def full_width(maker: Maker, rows: list[Row]) -> str:
    """Digits and Latin letters in full width, as old word processors print them."""
    wide = {ord(c): chr(ord(c) + 0xFEE0) for c in "0123456789-/ABCDEFGHLPX"}
    return "\n".join(
        f"{maker.label(key)}：{value.translate(wide)}" for key, value, _ in rows
    )


LAYOUTS: dict[str, tuple[Layout, bool]] = {
    "colon": (colon, True),
    "table": (table, True),
    "four_cells": (four_cells, True),
    "columns": (columns, True),
    "next_line": (next_line, True),
    "spaced_colon": (spaced_colon, False),
    "printed_grid": (printed_grid, False),
    "two_a_line": (two_a_line, False),
    "run_on": (run_on, False),
    "numbered": (numbered, False),
    "full_width": (full_width, False),
}


def papers(seed: int = 20260901, rounds: int = 3) -> Iterator[FactPaper]:
    """Yield documents of all kinds in all languages and layouts."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, guards nothing
    for turn in range(rounds):
        for kind in TITLES:
            for language in LANGUAGES:
                for number, (layout, (_, is_tidy)) in enumerate(LAYOUTS.items()):
                    if layout in {"spaced_colon", "full_width"} and language == "en":
                        continue
                    if (number + turn) % rounds:
                        continue
                    yield _paper(Maker(rng, language), kind, layout, is_tidy=is_tidy)


def _noise(maker: Maker) -> list[str]:
    """Return lines that state nothing about this document."""
    lines = NOISE["en"] if maker.language == "en" else NOISE["zh"]
    return maker.rng.sample(lines, maker.rng.randrange(5))


def _paper(maker: Maker, kind: str, layout: str, *, is_tidy: bool) -> FactPaper:
    head, rows, tail = _CONTENT[kind](maker)
    title = maker.pick(maker.rng.choice(TITLES[kind]))
    for _, _, facts in rows:
        for name, value in facts:
            maker.add(name, value)
    above, below = _noise(maker), _noise(maker)
    if kind in {"notification", "assessment"}:
        # In a test report it says where the product was tried.
        for line in (*above, *below):
            label, _, site = line.replace("：", ": ").partition(": ")
            if label in {"Site of application", "使用部位"}:
                maker.add("body_site", site)
    text = "\n".join(
        (
            *head,
            title,
            *above,
            "",
            LAYOUTS[layout][0](maker, rows),
            "",
            *below,
            "",
            *tail,
        )
    )
    if maker.language == "zh-Hans":
        text = SIMPLIFIED.convert(text)
    return FactPaper(kind, maker.language, layout, (text,), maker.truth, is_tidy)


Content = tuple[list[str], list[Row], list[str]]


def _row(key: str, value: str, *names: str, iso: str | None = None) -> Row:
    return key, value, tuple((name, iso or value) for name in names)


def _dated(maker: Maker, key: str, name: str, year: int = 2026) -> Row:
    printed, iso = maker.day(year)
    return _row(key, printed, name, iso=iso) if name else _row(key, printed)


def _tested(maker: Maker, methods: tuple[str, ...]) -> Content:
    """What all test reports have: sample, client, dates, method."""
    rng = maker.rng
    lab = maker.pick(rng.choice(LABS))
    product, client = maker.pick(rng.choice(PRODUCTS)), maker.pick(rng.choice(HOLDERS))
    lot = maker.lot()
    head: list[str] = []
    rows = [
        _row("report_no", f"R-26-{rng.randrange(100, 999)}"),
        _row("client", client, "company"),
        _row("product", product, "product_name"),
        _row("lot", lot, "lot"),
        _row("sample_no", f"S{rng.randrange(10000, 99999)}"),
        _dated(maker, "received", ""),
        _dated(maker, "report_date", "document_date"),
    ]
    if maker.often():
        head.append(lab)
        maker.add("issuer", lab)
    else:
        rows.insert(1, _row("lab", lab, "issuer"))
    if maker.often():
        rows.insert(4, _row("size", "200 kg"))
        rows.insert(4, _dated(maker, "made", "manufacture_date", 2025))
    if maker.often():
        code = f"{rng.choice(('YS', 'EG', 'PW'))}-{rng.randrange(100, 999)}"
        rows.insert(3, _row("code", code, "product_code"))
    if maker.often():
        version = str(rng.randrange(2, 9))
        words = f"F-{rng.randrange(1000, 9999)}"
        rows.append(("formula", f"{words}, version {version}",
                     (("formula_code", words), ("formula_version", version)))
        )  # fmt: skip
    if len(methods) == 1:
        rows.append(("method", methods[0], (("method", methods[0]),)))
    return head, rows, []


def _verdict(maker: Maker, key: str) -> list[str]:
    zh, en, state = maker.rng.choice(VERDICTS[key])
    words = en if maker.language == "en" else zh
    if maker.language == "bilingual":
        words = f"{zh} {en}"
    if state:
        maker.add("verdict", state)
    label = maker.label("verdict")
    if maker.often():
        return [f"{label}：{words}"]
    return ["", label, words]


def _microbial(maker: Maker) -> Content:
    head, rows, _ = _tested(maker, ())
    for method in ("ISO 21149", "ISO 16212", "ISO 22717"):
        maker.add("method", method)
    body = [
        "Item\tMethod\tResult\tLimit" if maker.language == "en" else
        "項目\t方法\t結果\t限量",
        "Total aerobic count\tISO 21149\t< 10 CFU/g\t≤ 1000 CFU/g",
        "Yeast and mould\tISO 16212\t< 10 CFU/g\t≤ 1000 CFU/g",
        "P. aeruginosa\tISO 22717\tAbsent / 1 g\tAbsent",
        "",
    ]  # fmt: skip
    return head, rows, [*body, *_verdict(maker, "microbial"), *_lab_signature(maker)]


def _challenge(maker: Maker) -> Content:
    method = maker.rng.choice(("ISO 11930:2019", "EP 5.1.3", "USP <51>", "ISO 11930"))
    head, rows, _ = _tested(maker, (method,))
    body = [
        "Strain\tD0\tD7\tD14\tD28 (log CFU/g)",
        "S. aureus\t6.0\t1.6\t< 1.0\t< 1.0",
        "A. brasiliensis\t5.2\t4.9\t4.3\t3.6",
        "",
    ]
    return head, rows, [*body, *_verdict(maker, "challenge"), *_lab_signature(maker)]


def _stability(maker: Maker) -> Content:
    head, rows, _ = _tested(maker, ())
    rows.append(_row("pack", "50 mL PET"))
    body = [
        "40 °C / 75 % RH, 12 weeks; freeze-thaw 5 cycles" if maker.language == "en" else
        "加速 40 °C / 75 % RH，12 週；冷熱循環 5 次",
        "Shelf life: 36 months" if maker.language == "en" else "保存期限：36 個月",
        "",
    ]  # fmt: skip
    return head, rows, [*body, *_verdict(maker, "stability"), *_lab_signature(maker)]


def _efficacy(maker: Maker) -> Content:
    head, rows, _ = _tested(maker, (maker.rng.choice(("ISO 24444:2019", "ISO 24443")),))
    body = ["Subjects: 10", "SPF 52.3 ± 4.1"]
    if maker.language != "en":
        body = ["受試者：10 人", "SPF 52.3 ± 4.1"]
    return head, rows, [*body, *_lab_signature(maker)]


def _lab_signature(maker: Maker) -> list[str]:
    """The end of a report: a form with or without a signature, or none at all."""
    rng = maker.rng
    pair = rng.choice(PERSONS)
    name = pair[1] if maker.language == "en" else pair[0]
    choice = rng.choice(("signed", "blank", "computer", "none"))
    label = maker.label("signature")
    if choice == "signed":
        maker.add("signature", "signed")
        maker.add("signer_name", name)
        return ["", f"{label}：{name}"]
    if choice == "blank":
        maker.add("signature", "blank")
        return ["", f"{label}：______________"]
    if choice == "computer":
        words = "本報告由電腦製作，無須簽章。"
        if maker.language == "en":
            words = "This report is computer generated; no signature is required."
        return ["", words]
    return []


def _product_spec(maker: Maker) -> Content:
    head, rows, _ = _tested(maker, ())
    printed, iso = maker.day(2028)
    rows.insert(4, _row("expires", printed, "lot_expiry_date", iso=iso))
    body = ["pH\t5.0 - 6.0\t5.5", "Viscosity\t30 000 - 50 000 mPa·s\t41 000", ""]
    if maker.language != "en":
        body = ["外觀\t白色乳霜\t符合", "酸鹼值\t5.0 - 6.0\t5.5", ""]
    return head, rows, [*body, *_verdict(maker, "microbial")[:3]]


def _raw_material_spec(maker: Maker) -> Content:
    trade, inci, cas = maker.rng.choice(MATERIALS)
    supplier, lot = maker.pick(maker.rng.choice(HOLDERS)), maker.lot()
    rows = [
        _row("trade", trade, "trade_name"),
        _row("inci", inci, "inci_name"),
        _row("cas", cas, "cas_number"),
        _row("supplier", supplier, "company"),
        _row("lot", lot, "lot"),
        _dated(maker, "made", "manufacture_date", 2025),
        _dated(maker, "expires", "lot_expiry_date", 2028),
        _dated(maker, "report_date", "document_date"),
    ]
    body = (
        ["Assay\t≥ 99.0 %\t99.6 %"]
        if maker.language == "en"
        else ["含量\t≥ 99.0 %\t99.6 %"]
    )
    return [], rows, body


def _sds(maker: Maker) -> Content:
    trade, _, cas = maker.rng.choice(MATERIALS)
    supplier = maker.pick(maker.rng.choice(HOLDERS))
    rows = [
        _row("trade", trade, "trade_name"),
        _row("supplier", supplier, "company"),
        _row("phone", "04-5550-0199"),
        _dated(maker, "revised", "document_date", 2024),
        _row("cas", cas, "cas_number"),
    ]
    body = [
        "2. Hazards identification", "4. First-aid measures",
        "5. Fire-fighting measures",
        "9. Physical and chemical properties", "10. Stability and reactivity",
        "11. Toxicological information",
    ]  # fmt: skip
    if maker.language != "en":
        body = ["二、危害辨識資料", "四、急救措施", "五、滅火措施",
                "九、物理及化學性質",
                "十、安定性及反應性", "十一、毒性資料"]  # fmt: skip
    return [], rows, body


def _gmp(maker: Maker) -> Content:
    zh, en, zh_address, en_address = maker.rng.choice(MAKERS)
    company = maker.pick((zh, en))
    address = en_address if maker.language == "en" else zh_address
    body = maker.pick(maker.rng.choice(LABS))
    rows = [
        _row("company", company, "company"),
        _row("site", address, "site"),
        _row("scope", "Creams, lotions" if maker.language == "en" else "膏霜、乳液"),
        _row("body", body, "issuer"),
        _dated(maker, "issued", "document_date", 2025),
        _dated(maker, "valid", "valid_until", 2028),
    ]
    tail = ["ISO 22716:2007"]
    if maker.language == "en" and maker.often():
        tail.append("The certificate is subject to a yearly surveillance audit.")
    return [], rows, tail


def _notification(maker: Maker) -> Content:
    product, holder = maker.rng.choice(PRODUCTS), maker.pick(maker.rng.choice(HOLDERS))
    zh, _, address, _ = maker.rng.choice(MAKERS)
    rows = [
        _row("report_no", f"TFDA-{maker.rng.randrange(100000, 999999)}"),
        _row("product", maker.pick(product), "product_name"),
        _row("holder", holder, "company"),
        _dated(maker, "issued", "document_date", 2025),
        _dated(maker, "valid", "valid_until", 2028),
    ]
    if maker.language != "en":
        rows.append(_row("site", f"{zh}，{address}", "site"))
    return [], rows, ["登錄編號"] if maker.language == "zh-Hant" else []


def _credentials(maker: Maker) -> Content:
    zh, en = maker.rng.choice(PERSONS)
    body = maker.pick(("南方虛構大學推廣中心", "Southern University of Fiction"))
    name = en if maker.language == "en" else zh
    rows = [
        _row("body", body, "issuer"),
        _dated(maker, "issued", "document_date", 2024),
    ]
    if maker.often():
        rows.insert(0, _row("name", name, "signer_name"))
        tail = ["Hours: 56"] if maker.language == "en" else ["時數：56 小時"]
    else:
        maker.add("signer_name", name)
        tail = (
            [f"This is to certify that {name} completed 54 hours of training."]
            if maker.language == "en"
            else [f"茲證明{name}君完成化粧品安全評估課程 54 小時。"]
        )
    return [], rows, tail


def _assessment(maker: Maker) -> Content:
    rng = maker.rng
    product, pair = rng.choice(PRODUCTS), rng.choice(PERSONS)
    name = pair[1] if maker.language == "en" else pair[0]
    rows = [
        _row("product", maker.pick(product), "product_name"),
        _dated(maker, "report_date", "document_date"),
        _row("signer", name, "signer_name"),
    ]
    label, on = maker.label("signature"), maker.label("signed_on")
    printed, iso = maker.day()
    choice = rng.choice(("signed", "blank", "draft", "unsigned", "none"))
    head: list[str] = []
    if choice == "signed":
        tail = [f"{label}：{name}", f"{on}：{printed}"]
        maker.add("signature", "signed")
        maker.add("signed_on", iso)
    elif choice == "blank":
        tail = [f"{label}：____________", f"{on}：____________"]
        maker.add("signature", "blank")
    elif choice == "draft":
        words = ("【草稿】", "草稿")
        if maker.language == "en":
            words = ("DRAFT", "Draft - for review only")
        head = [rng.choice(words)]
        tail = []
        maker.add("signature", "draft")
    elif choice == "unsigned":
        tail = ["(unsigned)" if maker.language == "en" else "（尚未簽署）"]
        maker.add("signature", "unsigned")
    else:
        tail = []
    body = ["Conclusion: safe under foreseeable conditions of use."]
    if maker.language != "en":
        body = ["評估結論：於可合理預見之使用條件下安全。"]
    return head, rows, [*body, "", *tail]


_CONTENT: dict[str, Callable[[Maker], Content]] = {
    "microbial": _microbial,
    "challenge": _challenge,
    "stability": _stability,
    "efficacy": _efficacy,
    "product_spec": _product_spec,
    "raw_material_spec": _raw_material_spec,
    "sds": _sds,
    "gmp": _gmp,
    "notification": _notification,
    "credentials": _credentials,
    "assessment": _assessment,
}
