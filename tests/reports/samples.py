"""Snapshots for the printed file, made up in full."""

# ruff: noqa: RUF001, E501 - Chinese punctuation and real names are as they are
import hashlib
from typing import Any

Json = dict[str, Any]

ITEMS: list[tuple[str, str, list[tuple[str, str, str]]]] = [
    (
        "產品基本資料",
        "Basic product information",
        [
            (
                "tw-01.identity",
                "中英文品名、類別與劑型",
                "Names, category and dosage form",
            ),
            (
                "tw-01.sites",
                "各製造場所及其步驟",
                "Every manufacturing site and its step",
            ),
            ("tw-01.holder", "製造或輸入業者資料", "Manufacturer or importer"),
        ],
    ),
    (
        "產品登錄證明",
        "Evidence of notification",
        [
            (
                "tw-02.notification",
                "登錄完成之列印資料",
                "Print-out of the notification",
            ),
        ],
    ),
    (
        "全成分與含量",
        "Ingredients and contents",
        [
            (
                "tw-03.formula",
                "全成分名稱及個別含量",
                "All ingredients and their contents",
            ),
        ],
    ),
    (
        "標籤與包裝",
        "Labels and packaging",
        [
            (
                "tw-04.label",
                "標籤、仿單與外包裝內容",
                "Label, leaflet and outer packaging",
            ),
        ],
    ),
    (
        "優良製造準則",
        "Good manufacturing practice",
        [
            (
                "tw-05.gmp",
                "製造場所符合準則之證明",
                "Proof that the site meets the practice",
            ),
        ],
    ),
    (
        "製造方法與流程",
        "Manufacturing method",
        [
            ("tw-06.process", "製造步驟與條件", "Steps and conditions of manufacture"),
        ],
    ),
    (
        "使用方式",
        "Way of use",
        [
            (
                "tw-07.use",
                "方法、部位、用量、頻率、族群",
                "Method, site, amount, frequency, users",
            ),
        ],
    ),
    (
        "使用不良反應",
        "Adverse effects",
        [
            (
                "tw-08.effects",
                "不良反應紀錄或無紀錄之聲明",
                "Record of effects, or that none is known",
            ),
        ],
    ),
    (
        "物理及化學特性",
        "Physical and chemical characteristics",
        [
            (
                "tw-09.product",
                "產品規格與檢驗結果",
                "Specification and results of the product",
            ),
            (
                "tw-09.ingredients",
                "各成分之安全資料表",
                "Data sheet of each ingredient",
            ),
        ],
    ),
    (
        "成分毒理資料",
        "Toxicology of ingredients",
        [
            (
                "tw-10.toxicology",
                "各成分之毒理摘要",
                "Toxicological summary of each ingredient",
            ),
        ],
    ),
    (
        "安定性試驗",
        "Stability",
        [
            ("tw-11.stability", "安定性試驗報告", "Stability test report"),
        ],
    ),
    (
        "微生物檢測",
        "Microbiology",
        [
            ("tw-12.microbes", "微生物檢測報告", "Microbiological test report"),
        ],
    ),
    (
        "防腐效能",
        "Preservation",
        [
            ("tw-13.challenge", "防腐效能試驗報告", "Challenge test report"),
        ],
    ),
    (
        "功能評估",
        "Proof of function",
        [
            ("tw-14.efficacy", "宣稱功能之佐證", "Support for each claim"),
        ],
    ),
    (
        "接觸包材",
        "Contact packaging",
        [
            ("tw-15.packaging", "內包材材質與相容性", "Material and compatibility"),
        ],
    ),
    (
        "產品安全資料",
        "Product safety information",
        [
            (
                "tw-16.conclusion",
                "簽署人員簽名並載明日期之評估",
                "Assessment, signed and dated",
            ),
            ("tw-16.credentials", "簽署人員資格證明", "Credentials of the signatory"),
        ],
    ),
]

PAPERS: list[tuple[str, str, list[int]]] = [
    (
        "配方表 formula.xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        [3],
    ),
    ("登錄資料 notification.pdf", "application/pdf", [2]),
    ("label-zh-en.pdf", "application/pdf", [4]),
    ("GMP certificate ISO 22716.pdf", "application/pdf", [5]),
    (
        "process.docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        [6],
    ),
    (
        "sds_glycerin_and_other_raw_materials_from_supplier_2026_revision_04_final.pdf",
        "application/pdf",
        [9, 10],
    ),
    ("stability-report.pdf", "application/pdf", [11]),
    ("microbial-report.pdf", "application/pdf", [12]),
    ("包材規格.pdf", "application/pdf", [15]),
]

STATES = {
    5: "declared",
    8: "declared",
    13: "waived",
    14: "not_applicable",
    10: "stale",
    16: "missing",
    9: "missing",
}

KINDS = (
    "formula",
    "notification",
    "label",
    "gmp",
    "process",
    "sds",
    "stability",
    "microbial",
    "packaging",
)

FACTS = {
    "notification": [("valid_until", "2029-02-24", "民國 118 年 2 月 24 日", 1)],
    "gmp": [
        ("issuer", "Huandao Certification", "Huandao Certification", 1),
        ("valid_until", "2028-04-17", "2028-04-17", 2),
        ("signature", "signed", "林瑜宸 Lead auditor", 2),
    ],
    "sds": [
        ("cas_number", "56-81-5", "56-81-5", 1),
        ("cas_number", "122-99-6", "122–99–6", 1),
        ("document_date", "2025-06-30", "2025-06-30", 4),
    ],
    "stability": [
        ("document_date", "2025-12-19", "19 Dec 2025", 1),
        ("lot", "P250901", "P250901", 1),
        ("verdict", "pass", "各條件下結果均在規格內。 All results\nwithin limits.", 3),
        ("method", "ISO/TR 18811", "ISO/TR 18811", 2),
    ],
}

DECISIONS = {
    5: ("declaration", "製造場所已依準則自我聲明，證書換發中。"),
    8: (
        "declaration",
        "上市以來未接獲不良反應通報。 No report has been received since launch.",
    ),
    13: ("waiver", "產品為無水配方，水活性低於 0.6，微生物無法生長；理由載於項目 16。"),
}


def digest(text: str) -> str:
    """Return a SHA-256 that is stable for a name."""
    return hashlib.sha256(text.encode()).hexdigest()


def document_id(position: int) -> str:
    """Return the id of a paper by its position."""
    return f"00000000-0000-7000-8000-{position:012d}"


def facts_of(kind: str) -> list[Json]:
    """Return what was read in a paper of a kind."""
    return [
        {"name": name, "value": value, "raw": raw, "page": page}
        for name, value, raw, page in FACTS.get(kind, ())
    ]


def evidence() -> list[Json]:
    """Return the papers of the sample, as they were read."""
    return [
        paper | {"kind": kind, "text_state": "read", "facts": facts_of(kind)}
        for paper, kind in zip(earlier_evidence(), KINDS, strict=True)
    ]


def earlier_evidence() -> list[Json]:
    """Return the papers of the sample without what was read in them."""
    return [
        {
            "document_id": document_id(position),
            "filename": filename,
            "sha256": digest(filename),
            "size_bytes": 18_432 * position + 71,
            "media_type": media_type,
            "items": items,
            "matched_by": "stated" if position % 3 == 0 else "filename",
            "reason": "stated in product.yaml"
            if position % 3 == 0
            else "file name contains 'report', 'test'; content says ph (2x)",
        }
        for position, (filename, media_type, items) in enumerate(PAPERS, start=1)
    ]


def _requirement(number: int, entry: tuple[str, str, str], state: str) -> Json:
    code, zh, en = entry
    documents = [
        document_id(position)
        for position, (_name, _type, items) in enumerate(PAPERS, start=1)
        if number in items
    ]
    return {
        "code": code,
        "zh": zh,
        "en": en,
        "article": "辦法 §3-1",
        "state": state,
        "documents": documents,
        "closes_by": {"zh": "附上載明日期之文件", "en": "Attach the dated document"},
    }


def _decision(number: int) -> Json | None:
    if number not in DECISIONS:
        return None
    kind, reason = DECISIONS[number]
    return {
        "kind": kind,
        "reason": reason,
        "actor_name": "林安安 Lin An-an",
        "at": "2026-11-20T03:04:05Z",
    }


def items() -> list[Json]:
    """Return the 16 items of the sample."""
    rows = []
    for number, (zh, en, entries) in enumerate(ITEMS, start=1):
        state = STATES.get(number, "present")
        rows.append(
            {
                "number": number,
                "title_zh": zh,
                "title_en": en,
                "article": f"化粧品產品資訊檔案管理辦法 第3條第1項第{number}款",
                "state": state,
                "requirements": [
                    _requirement(
                        number,
                        entry,
                        state if i == 0 or state != "missing" else "present",
                    )
                    for i, entry in enumerate(entries)
                ],
                "decision": _decision(number),
            }
        )
    return rows


def line(position: int, **overrides: Any) -> Json:
    """Return one formula line."""
    row = {
        "position": position,
        "phase": "ABC"[position % 3],
        "trade_name": f"Raw Material {position}",
        "supplier": "台灣原料股份有限公司",
        "inci": "GLYCERIN",
        "cas": "56-81-5",
        "ec": "200-289-5",
        "function": "保濕劑 Humectant",
        "percent_text": "1.25",
        "percent_lower": "1.25",
        "percent_upper": "1.25",
        "is_qs": False,
        "cell": f"F{position + 6}",
    }
    return row | overrides


def formula(count: int = 14) -> Json:
    """Return a formula of many lines."""
    special = [
        line(
            1,
            inci="AQUA",
            trade_name="純水 Purified Water",
            cas="7732-18-5",
            ec="231-791-2",
            percent_text="q.s. to 100",
            percent_lower="64.2",
            percent_upper="66.7",
            is_qs=True,
            function="溶劑 Solvent",
        ),
        line(
            2,
            inci="ACRYLATES/C10-30 ALKYL ACRYLATE CROSSPOLYMER",
            trade_name="Carbopol Ultrez 20",
            cas=None,
            ec=None,
            percent_text="≤ 0.1",
            percent_lower="0",
            percent_upper="0.1",
            function=None,
        ),
        line(
            3,
            inci="ROSA DAMASCENA FLOWER WATER",
            percent_text="1–5",
            percent_lower="1",
            percent_upper="5",
            supplier=None,
        ),
        line(
            4,
            inci="HYDROXYPROPYL METHYLCELLULOSE STEAROXY ETHER/SODIUM POLYACRYLOYLDIMETHYL TAURATE COPOLYMER",
            trade_name="Emulsifying-Stabiliser-With-An-Unreasonably-Long-Name-2000XL",
        ),
    ]
    return {
        "number": 2,
        "sheet": "配方 Formula",
        "filename": PAPERS[0][0],
        "sha256": digest(PAPERS[0][0]),
        "total_lower": "98.7",
        "total_upper": "100.4",
        "tolerance": "0",
        "lines": special[:count] + [line(i) for i in range(5, count + 1)],
    }


def finding(**overrides: Any) -> Json:
    """Return one finding."""
    return {
        "id": "0123456789abcdef",
        "since": None,
        "basis": "law",
        "blocks_signing": False,
        "code": "missing-item",
        "severity": "warning",
        "market": "tw",
        "item": 9,
        "article": "化粧品產品資訊檔案管理辦法 第3條第1項第9款",
        "message": {
            "zh": "缺少產品之物理及化學特性資料。",
            "en": "Physical and chemical data of the product are missing.",
        },
        "closes_by": {
            "zh": "附上產品規格書。",
            "en": "Attach the product specification.",
        },
    } | overrides


def findings() -> list[Json]:
    """Return findings of all three severities, in no order."""
    place = {
        "document_id": document_id(1),
        "filename": PAPERS[0][0],
        "sha256": digest(PAPERS[0][0]),
    }
    return [
        finding(),
        finding(
            code="cas-check-digit",
            severity="warning",
            item=3,
            ingredient="GLYCERIN",
            message={
                "zh": "CAS 號碼檢查碼不符：56-81-4。",
                "en": "The CAS number 56-81-4 fails its check digit.",
            },
            place=place | {"sheet": "配方 Formula", "cell": "E11"},
        ),
        finding(
            code="total-not-100",
            severity="blocking",
            item=3,
            message={
                "zh": "成分合計不是 100%。",
                "en": "The ingredients do not add up to 100 %.",
            },
            value="98.7",
            limit="100",
            margin="-1.3",
            unit="%",
            place=place | {"sheet": "配方 Formula", "cell": "F21"},
        ),
        finding(
            code="missing-item",
            severity="blocking",
            item=16,
            message={
                "zh": "缺少經簽署之產品評估。",
                "en": "The signed assessment is missing.",
            },
        ),
        finding(
            code="unreadable-document",
            severity="info",
            item=None,
            article=None,
            message={
                "zh": "檔案為掃描影像，未讀取文字。",
                "en": "The file is a scan; its text was not read.",
            },
            place={"filename": PAPERS[3][0], "sha256": digest(PAPERS[3][0]), "page": 2},
        ),
    ]


def snapshot(**overrides: Any) -> Json:
    """Return a whole snapshot; members may be replaced."""
    states = [item["state"] for item in items()]
    counts = {
        name: states.count(name)
        for name in (
            "present",
            "declared",
            "waived",
            "not_applicable",
            "stale",
            "unconfirmed",
            "missing",
        )
    }
    complete = sum(
        counts[name] for name in ("present", "declared", "waived", "not_applicable")
    )
    blocked = 1  # item 3, by its total
    return {
        "schema": "dossier.pif/2",
        "market": "tw",
        "version_number": 3,
        "created_at": "2026-11-20T08:30:00Z",
        "product": {
            "id": "00000000-0000-7000-8000-0000000000aa",
            "code": "RC-050",
            "name_zh": "玫瑰保濕霜",
            "name_en": "Rose Moisturising Cream",
            "category": "face_cream",
            "category_zh": "面霜",
            "category_en": "Face cream",
            "tfda_category": "化粧用油脂類 面霜",
            "dosage_form": "乳霜 Cream",
            "use": "leave_on",
            "body_site": "臉部 Face",
            "population": "成人 Adults",
            "intended_use": "滋潤肌膚 Moisturises the skin",
            "usage": {
                "method": "取適量均勻塗抹 Apply evenly",
                "amount": "0.8 g",
                "frequency": "每日兩次 Twice a day",
            },
            "sites": [
                {
                    "step": "配製 Bulk manufacture",
                    "name": "安和生技股份有限公司一廠",
                    "address": "台中市西屯區工業一路 1 號",
                    "country": "TW",
                },
                {
                    "step": "充填包裝 Filling and packing",
                    "name": "Fillwell Sdn. Bhd.",
                    "address": "12 Jalan Perusahaan, Penang",
                    "country": "MY",
                },
            ],
            "holder": {
                "name": "玫瑰有限公司 Rose Co., Ltd.",
                "address": "台北市信義區松仁路 100 號 8 樓",
                "phone": "+886 2 2345 6789",
            },
            "markets": ["tw"],
            "phase_in_on": "2026-07-01",
        },
        "completeness": counts
        | {"blocked": blocked, "complete": complete - blocked, "total": 16},
        "items": items(),
        "formula": formula(),
        "findings": findings(),
        "evidence": evidence(),
        "generator": {"name": "dossier", "version": "0.1.0"},
    } | overrides


def earlier_snapshot() -> Json:
    """Return the same as a version of the schema before `dossier.pif/2`."""
    new = {"id", "since", "basis", "blocks_signing"}
    whole = snapshot()
    return whole | {
        "schema": "dossier.pif/1",
        "completeness": {
            name: count
            for name, count in whole["completeness"].items()
            if name not in {"unconfirmed", "blocked"}
        }
        | {"complete": 13},
        "evidence": earlier_evidence(),
        "findings": [
            {name: value for name, value in found.items() if name not in new}
            for found in whole["findings"]
        ],
    }
