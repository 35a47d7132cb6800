"""Made-up dossiers in which the state of every item is known by construction.

Each item of a dossier gets one situation: a good paper, an expired one, one of another
product, a draft, a blank page, a paper without the fact that counts, and so on. The
wording and layouts are written apart from the rules that read them; all names are
invented. Some papers pass through a DOCX file and its reader.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

AS_OF = date(2026, 9, 1)
PRODUCTS = (
    ("晨曦保濕乳霜", "Daybreak Moisture Cream"),
    ("深海亮顏精華", "Deep Sea Glow Serum"),
    ("燕麥溫和沐浴乳", "Gentle Oat Body Wash"),
    ("山茶修護髮膜", "Camellia Repair Hair Mask"),
    ("橙花身體乳液", "Neroli Body Lotion"),
)
OTHER = ("月見草舒緩凝膠", "Evening Primrose Calming Gel")
STRANGERS = (
    ("紫蘇潔顏慕斯", "Shiso Cleansing Mousse"),
    ("白茶護唇膏", "White Tea Lip Balm"),
)
MATERIALS = (
    ("AquaSoft 99", "Glycerin", "56-81-5"),
    ("Keepwell P", "Phenoxyethanol", "122-99-6"),
    ("Silky DM 350", "Dimethicone", "63148-62-9"),
    ("Vita-E Acetate", "Tocopheryl Acetate", "7695-91-2"),
    ("Humecta BG", "Butylene Glycol", "107-88-0"),
    ("Nia-B3", "Niacinamide", "98-92-0"),
    ("Xantho Gel", "Xanthan Gum", "11138-66-2"),
)
MAKER = (
    "旭澄生技股份有限公司",
    "Xucheng Biotech Co., Ltd.",
    "新竹縣虛構鄉科研路 18 號",
    "No. 18, Keyan Rd., Fictional Township, Hsinchu",
)
OTHER_MAKER = (
    "遠山化工有限公司",
    "Farhill Chemical Ltd.",
    "屏東縣虛構鎮海濱路 7 號",
    "No. 7, Haibin Rd., Fictional Township, Pingtung",
)
HOLDER = ("澄霧生活有限公司", "Clearmist Living Ltd.")
LAB = ("北岸檢驗科技股份有限公司", "North Shore Testing Co., Ltd.")
SIGNERS = (("程若水", "Cheng Jo-Shui"), ("范思齊", "Fan Szu-Chi"))
STRANGER = ("龔明德", "Kung Ming-Te")

WORDS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "zh": {
        "product": ("產品名稱", "品名", "樣品名稱", "受試產品", "檢體名稱"),
        "code": ("產品編號", "品號", "產品代碼"),
        "lot": ("批號", "生產批號", "樣品批號"),
        "client": ("委託單位", "委託者", "客戶名稱"),
        "lab": ("檢驗單位", "試驗機構"),
        "date": ("報告日期", "報告核發日", "發行日期"),
        "received": ("收樣日期", "收件日"),
        "made": ("製造日期", "生產日"),
        "method": ("試驗方法", "測試依據"),
        "verdict": ("判定", "結論", "檢驗結論", "綜合判定"),
        "company": ("公司名稱", "廠商名稱"),
        "site": ("製造場所地址", "廠址", "工廠地址"),
        "issued": ("發證日期", "核發日期"),
        "until": ("有效期限至", "證書有效期限", "有效日期至"),
        "registered": ("登錄日期",),
        "holder": ("登錄業者", "業者名稱"),
        "formula": ("配方編號", "配方代號"),
        "version": ("配方版本", "配方版次"),
        "trade": ("商品名", "原料名稱"),
        "inci": ("INCI 名稱", "INCI"),
        "cas": ("CAS No.", "CAS 號碼"),
        "signer": ("安全資料簽署人員", "評估人員"),
        "signature": ("簽名", "簽章"),
        "signed": ("簽署日期", "簽名日期"),
        "person": ("姓名", "學員姓名"),
        "period": ("統計期間", "紀錄期間"),
        "manager": ("負責人",),
        "day": ("日期", "填表日期"),
        "how": ("使用方法", "用法"),
        "where": ("使用部位", "塗抹部位"),
        "amount": ("每次用量", "使用量"),
        "often": ("使用頻率", "頻率"),
        "who": ("使用族群", "適用對象"),
        "purpose": ("用途",),
        "number": ("報告編號", "文件編號"),
    },
    "en": {
        "product": ("Product name", "Name of product", "Sample name", "Test product"),
        "code": ("Product code", "Item no."),
        "lot": ("Batch no.", "Lot number", "Batch"),
        "client": ("Client", "Customer", "Sponsor"),
        "lab": ("Laboratory", "Testing laboratory"),
        "date": ("Report date", "Date of report", "Issued on"),
        "received": ("Date received", "Sample received"),
        "made": ("Date of manufacture", "Manufacturing date"),
        "method": ("Test method", "Method"),
        "verdict": ("Conclusion", "Verdict", "Overall result"),
        "company": ("Company", "Company name", "Certificate holder"),
        "site": ("Site address", "Manufacturing site", "Factory address"),
        "issued": ("Date of issue", "Issue date"),
        "until": ("Valid until", "Certificate valid until", "Expiry date"),
        "registered": ("Notification date", "Notified on"),
        "holder": ("Responsible company", "Notification holder"),
        "formula": ("Formula code", "Formula no."),
        "version": ("Formula version", "Formula revision"),
        "trade": ("Trade name", "Product trade name"),
        "inci": ("INCI name", "INCI"),
        "cas": ("CAS No.", "CAS number"),
        "signer": ("Safety assessor", "Name of assessor"),
        "signature": ("Signature", "Signed"),
        "signed": ("Date signed", "Date of signature"),
        "person": ("Name", "Name of participant"),
        "period": ("Period covered", "Reporting period"),
        "manager": ("Managing director", "Declared by"),
        "day": ("Date",),
        "how": ("Directions for use", "Method of use"),
        "where": ("Body site", "Area of application"),
        "amount": ("Amount per use", "Amount per application"),
        "often": ("Frequency of use", "Frequency"),
        "who": ("Target population", "Population"),
        "purpose": ("Intended use",),
        "number": ("Report no.", "Document no."),
    },
}
TITLES: Mapping[str, Sequence[tuple[str, str]]] = {
    "notification": (("化粧品產品登錄資料", "Cosmetic Product Notification"),),
    "label": (("標籤文字稿", "Label text"), ("外盒標示內容", "Carton text")),
    "gmp": (("化粧品優良製造證明書", "Certificate of Good Manufacturing Practice"),
            ("ISO 22716 證書", "ISO 22716 Certificate")),
    "gmp-declaration": (("優良製造準則聲明書", "GMP declaration"),),
    "process": (("製造流程說明", "Manufacturing process"),),
    "usage": (("使用方法說明", "Conditions of use"),),
    "adverse": (("不良反應紀錄", "Record of undesirable effects"),),
    "adverse-declaration": (("不良反應聲明書", "Declaration on undesirable effects"),),
    "product_spec": (("成品規格書", "Finished product specification"),),
    "raw_material_spec": (("原料規格書", "Raw material specification"),),
    "sds": (("安全資料表", "SAFETY DATA SHEET"),),
    "toxicology": (("毒理資料摘要", "Toxicological profiles of the ingredients"),),
    "stability": (("安定性試驗報告", "Stability test report"),
                  ("產品安定性評估報告", "Stability study")),
    "microbial": (("微生物檢驗報告", "Microbiological test report"),
                  ("微生物限量試驗", "Microbial limit test")),
    "challenge": (("防腐效能試驗報告", "Preservative efficacy test"),
                  ("防腐挑戰試驗", "Challenge test report")),
    "efficacy": (("保濕功效測試報告", "Moisturisation efficacy study"),),
    "packaging": (("包材規格書", "Packaging specification"),),
    "assessment": (("產品安全性評估報告", "Cosmetic product safety assessment"),),
    "credentials": (("訓練證明書", "Certificate of training"),),
}  # fmt: skip
BODIES: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "process": (
        ("一、投入水相，加熱至 75 ℃，攪拌 300 rpm", "二、冷卻至 40 ℃", "三、充填"),
        ("Heat the water phase to 75 °C, stir at 300 rpm", "Cool to 40 °C", "Fill"),
    ),
    "product_spec": (
        ("外觀\t白色霜狀", "pH\t5.0-7.0", "黏度\t20000-40000 cps"),
        ("Appearance\twhite cream", "pH\t5.0-7.0", "Viscosity\t20000-40000 cps"),
    ),
    "stability": (
        ("條件\t40 ℃ 三個月", "冷熱循環\t六次", "各時點外觀未改變"),
        ("Conditions\t40 °C, 3 months", "Freeze-thaw\t6 cycles"),
    ),
    "microbial": (
        ("總生菌數\t<10 CFU/g", "大腸桿菌\t未檢出", "綠膿桿菌\t未檢出"),
        ("Total aerobic count\t<10 CFU/g", "E. coli\tabsent"),
    ),
    "challenge": (
        ("金黃色葡萄球菌\t28 天對數減少 >3", "白色念珠菌\t28 天對數減少 >1"),
        ("S. aureus\tlog reduction day 28 >3", "C. albicans\tlog reduction >1"),
    ),
    "efficacy": (
        ("受試者 30 人，四週", "角質含水量上升 18 %"),
        ("30 volunteers, four weeks", "Corneometer values rose by 18 %"),
    ),
    "packaging": (
        ("瓶身\tPET", "瓶蓋\tPP", "內墊\tLDPE"),
        ("Bottle\tPET", "Cap\tPP", "Liner\tLDPE"),
    ),
    "adverse": (
        ("售出 5,200 件", "嚴重不良反應：0 件"),
        ("5,200 units sold", "Serious undesirable effects: 0"),
    ),
    "gmp": (
        ("範圍：乳液、霜劑之調製與充填",),
        ("Scope: making and filling of creams",),
    ),
    "credentials": (("課程 54 小時，成績及格",), ("54 hours, passed",)),
    "label": (
        ("淨重：50 g", "全成分：Aqua, Glycerin", "注意事項：避免接觸眼睛"),
        ("Net content: 50 g", "Ingredients: Aqua, Glycerin", "Keep away from eyes"),
    ),
    "assessment": (
        ("本產品於正常使用下為安全。",),
        ("The product is safe under normal conditions of use.",),
    ),
    "sds": (
        ("二、危害辨識資料", "四、急救措施", "五、滅火措施", "六、洩漏處理方法"),
        ("2. Hazards identification", "4. First aid measures",
         "5. Firefighting measures", "6. Accidental release measures"),
    ),
}  # fmt: skip
METHODS = {
    "microbial": "ISO 21149:2017",
    "challenge": "ISO 11930:2019",
    "stability": "ISO/TR 18811",
}
PASSES = {
    "zh": {
        "stability": ("各項均符合規格。", "合格"),
        "microbial": ("符合化粧品微生物容許量基準。", "合格"),
        "challenge": ("符合標準 A。", "通過"),
    },
    "en": {
        "stability": ("All results complied with the specification.", "Pass"),
        "microbial": ("The sample complies with the limits.", "PASS"),
        "challenge": ("The product meets criterion A.", "Passed"),
    },
}
FAILS = {
    "zh": ("不合格，超出限量。", "不符合規定。"),
    "en": ("FAIL: limit exceeded.", "The sample does not comply."),
}


@dataclass(frozen=True)
class Paper:
    """A file of a dossier: its name, its text, and whether it becomes a DOCX."""

    filename: str
    text: str
    is_docx: bool = False


@dataclass
class Dossier:
    """A product, its papers and what was decided, with the expected states."""

    number: int
    zh: bool
    names: tuple[str, ...]
    printed: tuple[str, str]
    code: str
    version: str
    signer: tuple[str, str]
    materials: tuple[tuple[str, str, str], ...]
    filled: set[str] = field(default_factory=set)
    has_formula: bool = True
    is_exempt: bool = False
    papers: list[Paper] = field(default_factory=list)
    decisions: dict[int, str] = field(default_factory=dict)
    confirmed: dict[int, str] = field(default_factory=dict)
    """Names of files that a person confirmed, by item."""
    expected: dict[int, str] = field(default_factory=dict)
    failing: set[int] = field(default_factory=set)
    """Items whose report states a failure: a blocking finding, whatever the state."""
    situations: dict[int, str] = field(default_factory=dict)


@dataclass
class Writer:
    """Writes the papers of one dossier in one language."""

    rng: random.Random
    dossier: Dossier
    item: int = 0

    def say(self, zh: str, en: str) -> str:
        return zh if self.dossier.zh else en

    def name(self, pair: tuple[str, ...]) -> str:
        """Return a name as a paper prints it: in its language, or in both."""
        known = pair[0] if self.dossier.zh else pair[1]
        is_own = pair[:2] == self.dossier.printed
        both = is_own and self.rng.random() < BILINGUAL
        return f"{pair[0]} {pair[1]}" if both else known

    def label(self, key: str) -> str:
        return self.rng.choice(WORDS["zh" if self.dossier.zh else "en"][key])

    def day(self, day: date) -> str:
        """Return a date in one of the forms of the language."""
        if self.dossier.zh:
            roc = day.year - 1911
            forms = (
                f"民國{roc}年{day.month}月{day.day}日",
                f"{roc}.{day.month:02}.{day.day:02}",
                f"{day:%Y/%m/%d}",
                f"{day.year}年{day.month}月{day.day}日",
            )
        else:
            forms = (
                f"{day.day} {day:%B} {day.year}",
                f"{day:%d-%b-%Y}",
                f"{day:%b} {day.day}, {day.year}",
                day.isoformat(),
            )
        return self.rng.choice(forms)

    def write(
        self,
        kind: str,
        rows: Sequence[tuple[str, str]],
        *,
        head: Sequence[str] = (),
        tail: Sequence[str] = (),
    ) -> str:
        """Add a paper and return its file name."""
        zh, en = self.rng.choice(TITLES[kind])
        body = BODIES.get(kind, ((), ()))[0 if self.dossier.zh else 1]
        printed = [(self.label(key), value) for key, value in rows]
        layout = self.rng.choice(LAYOUTS)
        text = "\n".join(
            (*head, self.say(zh, en), "", layout(printed), "", *body, "", *tail)
        )
        filename = f"{len(self.dossier.papers) + 1:02}-{kind}.pdf"
        is_docx = self.rng.random() < AS_DOCX
        if is_docx:
            filename = filename.rsplit(".", 1)[0] + ".docx"
        self.dossier.papers.append(Paper(filename, text, is_docx))
        return filename

    def blank(self, kind: str) -> str:
        """Add an empty page with a perfect file name."""
        zh, en = TITLES[kind][0]
        filename = f"{len(self.dossier.papers) + 1:02} {self.say(zh, en)}.pdf"
        self.dossier.papers.append(Paper(filename, " \n"))
        return filename


BILINGUAL = 0.4
AS_DOCX = 0.08
IN_CHINESE = 0.6
KNOWN_BY_ONE_NAME = 0.3


def _colons(rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{label}：{value}" for label, value in rows)


def _spaced_colons(rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{label} : {value}" for label, value in rows)


def _table(rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{label}\t{value}" for label, value in rows)


def _columns(rows: Sequence[tuple[str, str]]) -> str:
    width = max((len(label) for label, _ in rows), default=0) + 6
    return "\n".join(f"{label.ljust(width)}{value}" for label, value in rows)


def _dots(rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{label} {'.' * 12} {value}" for label, value in rows)


def _numbered(rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join(
        f"{number}. {label}: {value}" for number, (label, value) in enumerate(rows, 1)
    )


def _pairs(rows: Sequence[tuple[str, str]]) -> str:
    """Two fields in a line, as forms have them."""
    lines = [
        "        ".join(f"{label}: {value}" for label, value in rows[n : n + 2])
        for n in range(0, len(rows), 2)
    ]
    return "\n".join(lines)


LAYOUTS: Sequence[Callable[[Sequence[tuple[str, str]]], str]] = (
    _colons, _spaced_colons, _table, _columns, _dots, _numbered, _pairs,
)  # fmt: skip


def dossiers(count: int, seed: int = 12) -> Iterator[Dossier]:
    """Yield dossiers; each is the same for the same seed and number."""
    from benchmarks.situations import fill  # noqa: PLC0415 - it needs the words above

    for number in range(count):
        rng = random.Random(f"{seed}-{number}")  # noqa: S311 - no secret
        zh = rng.random() < IN_CHINESE
        printed = PRODUCTS[number % len(PRODUCTS)]
        known: tuple[str, ...] = printed
        if rng.random() < KNOWN_BY_ONE_NAME:
            # Only the name in the language of the papers is known.
            known = (printed[0],) if zh else (printed[1],)
        dossier = Dossier(
            number=number,
            zh=zh,
            names=known,
            printed=printed,
            code=f"{rng.choice('ABC')}{rng.choice('KLM')}-{rng.randrange(100, 999)}",
            version=str(rng.randrange(2, 9)),
            signer=rng.choice(SIGNERS),
            materials=tuple(rng.sample(MATERIALS, rng.randrange(3, 6))),
        )
        fill(Writer(rng, dossier))
        yield dossier


def days_before(rng: random.Random, low: int, high: int) -> date:
    """Return a day so many days before the day of the board."""
    return AS_OF - timedelta(days=rng.randrange(low, high))
