"""Folders of two dossiers with planted faults, and their clean twins.

A lipstick that is imported, and a sheet mask that two contractors make. Papers are laid
out as offices have them; all names are invented. `faults` names what is wrong: without
any, a folder is the clean twin.
"""

from collections.abc import Collection, Mapping

import yaml
from benchmarks.item_states import docx_bytes
from tests.factories.spreadsheets import xlsx_bytes

AS_OF = "2026-09-01"
HOLDER = "紅葉貿易有限公司"
ADDRESS = "臺北市虛構區楓林路 3 號 2 樓"
PHONE = "02-5550-0300"
SIGNER = "衛知行"
HEAD = ("INCI Name", "Trade name", "CAS No.", "% w/w", "Phase")

Texts = dict[str, str]


def lipstick(faults: Collection[str] = ()) -> dict[str, bytes]:
    """Return the files of the lipstick.

    It has no challenge test: the signed assessment gives the reason.

    Faults: `cas`, a CAS number with a wrong check digit; `pack`, stability in another
    pack than the one sold.
    """
    name = "楓紅絲絨唇膏 Maple Velvet Lipstick"
    maker = "Officine Rossa S.r.l."
    site = "Via Inventata 8, 20100 Milano, Italy"
    oil = "8001-79-5" if "cas" in faults else "8001-79-4"
    rows = (
        HEAD,
        ("Ricinus Communis (Castor) Seed Oil", "Castor Pure", oil, 62, "A"),
        ("Candelilla Cera", "Candela Wax", "8006-44-8", 22, "A"),
        ("Mica", "Mica Fine", "12001-26-2", 10, "A"),
        ("CI 77491", "Red Iron Oxide R", "1309-37-1", 6, "A"),
    )
    pack = "V1（玻璃瓶）" if "pack" in faults else "V2（ABS 管）"
    papers = {
        "stability.docx": (
            f"安定性試驗報告\n委託單位\t{HOLDER}\n樣品名稱\t{name}\n樣品批號\tML-0026\n"
            f"包裝版本\t{pack}\n報告日期\t2026/03/20\n結論\t各時點均符合規格。"
        ),
        "packaging.docx": (
            f"包材規格書\n產品名稱：{name}\n包材版本：V2\n外殼：ABS\n管芯：POM\n"
            "供應商：金管包裝有限公司\n日期：2025/12/10"
        ),
        **_common(name, "ML-0026", rows),
        **_gmp({"gmp.docx": (maker, site)}),
    }
    # Without water nothing grows; the signatory says so in 16(1).
    papers["assessment.docx"] = papers["assessment.docx"].replace(
        "評估結論：", "本產品因配方無水，微生物無法生長，免附防腐效能試驗。\n評估結論："
    )
    facts = _product(
        code="ML-01",
        name=name,
        category="lipstick",
        dosage_form="固體",
        body_site="唇部",
    )
    facts["sites"] = [
        {"step": "製造、充填及包裝", "name": maker, "address": site, "country": "IT"}
    ]
    return _folder(facts, rows, papers)


def sheet_mask(faults: Collection[str] = ()) -> dict[str, bytes]:
    """Return the files of the sheet mask.

    Faults: `site`, a certificate of a third site; `notification`, lapsed; `foreign`, a
    specification in Korean alone; `challenge`, the report of another brand's essence;
    `blend`, a complex of plants as one line without any identifier.
    """
    name = "山嵐保濕面膜 Mountain Mist Sheet Mask"
    bulk = ("青禾生技股份有限公司", "臺南市虛構區農科路 21 號")
    filler = ("明河充填股份有限公司", "嘉義縣虛構鄉中山路 90 號")
    third = ("外丘化粧品股份有限公司", "苗栗縣虛構鎮外環路 4 號")
    rows: list[tuple[str | float | None, ...]] = [
        HEAD,
        ("Aqua", "Purified water", "7732-18-5", 60, "A"),
        ("Aqua", "Purified water", "7732-18-5", 27.2, "B"),
        ("Glycerin", "Glycerin 99", "56-81-5", 9, "A"),
        ("Phenoxyethanol", "Keepwell P", "122-99-6", 0.8, "B"),
    ]
    if "blend" in faults:
        rows.append((None, "Botanical Complex", None, 3, "B"))
    else:
        rows.append(("Butylene Glycol", "Humecta BG", "107-88-0", 3, "B"))
    gmp = {"gmp-bulk.docx": bulk, "gmp-filling.docx": filler}
    if "site" in faults:
        gmp["gmp-filling.docx"] = third
    papers = {**_common(name, "MM-2603", rows), **_gmp(gmp)}
    brand = ("北極星緊緻精華", "NS-77") if "challenge" in faults else (name, "MM-01")
    papers["challenge.docx"] = (
        f"防腐效能試驗報告\n委託單位\t{HOLDER}\n樣品名稱\t{brand[0]}\n"
        f"產品編號\t{brand[1]}\n樣品批號\tMM-2603\n試驗方法\tISO 11930:2019\n"
        "報告日期\t2026/03/22\n結論\t符合標準 A。"
    )
    if "notification" in faults:
        papers["notification.docx"] = _notification(name, "2023/05/10", "2026/05/10")
    if "foreign" in faults:
        papers["specification.docx"] = (
            "완제품 규격서\n제품명: 산안개 보습 마스크\n외관: 백색 시트\n"
            "pH: 5.0-7.0\n점도: 해당 없음"
        )
    papers["stability.docx"] = (
        f"安定性試驗報告\n委託單位\t{HOLDER}\n樣品名稱\t{name}\n樣品批號\tMM-2603\n"
        "報告日期\t2026/03/20\n結論\t各時點均符合規格。"
    )
    papers["packaging.docx"] = (
        f"包材規格書\n產品名稱：{name}\n包材版本：V1\n袋：PET/AL/PE\n布：嫘縈"
    )
    facts = _product(
        code="MM-01", name=name, category="face_mask", dosage_form="片狀",
        body_site="臉部",
    )  # fmt: skip
    facts["sites"] = [
        {"step": "調製", "name": bulk[0], "address": bulk[1], "country": "TW"},
        {
            "step": "充填及包裝",
            "name": filler[0],
            "address": filler[1],
            "country": "TW",
        },
        {"step": "貼標", "name": HOLDER, "address": ADDRESS, "country": "TW"},
    ]
    facts["exempt_materials"] = [{"name": "Aqua", "reason": "純水，符合藥典規格"}]
    return _folder(facts, rows, papers)


def _product(
    *, code: str, name: str, category: str, dosage_form: str, body_site: str
) -> dict[str, object]:
    zh, _, en = name.partition(" ")
    return {
        "code": code,
        "name_zh": zh,
        "name_en": en,
        "category": category,
        "use": "leave_on",
        "dosage_form": dosage_form,
        "body_site": body_site,
        "population": "成人",
        "intended_use": "修飾或滋潤肌膚",
        "usage": {
            "method": "均勻塗抹或敷用",
            "amount": "每次約 1 g",
            "frequency": "每日 1 次",
        },
        "holder": {"name": HOLDER, "address": ADDRESS, "phone": PHONE},
        "markets": ["tw"],
        "as_of": AS_OF,
        "evidence": [{"file": "formula.xlsx", "item": 3}],
    }


def _notification(name: str, start: str, end: str) -> str:
    return (
        f"化粧品產品登錄資料\n登錄編號：00RG-115-0099\n產品名稱：{name}\n"
        f"登錄業者：{HOLDER}\n登錄日期：{start}\n有效期限：{end}"
    )


def _common(
    name: str, lot: str, rows: Collection[tuple[str | float | None, ...]]
) -> Texts:
    """Return the papers in which nothing is wrong."""
    listed = [row for row in rows if row != HEAD]
    materials = "\n".join(
        f"{inci}（{cas}）：NOAEL 500 mg/kg/日，無刺激性"
        for inci, _, cas, *_ in listed
        if inci and inci != "Aqua"
    )
    papers = {
        "notification.docx": _notification(name, "2025/05/10", "2028/05/09"),
        "label.docx": (
            f"標籤文字\n品名：{name}\n用途：修飾或滋潤肌膚\n用法：取適量使用\n"
            "淨重：4 g\n"
            f"全成分：{', '.join(str(row[0] or row[1]) for row in listed)}\n"
            "保存方法：置於陰涼處\n注意事項：避免接觸眼睛\n"
            f"輸入業者：{HOLDER} 地址：{ADDRESS} 電話：{PHONE}"
        ),
        "process.docx": (
            f"製造流程說明\n產品名稱：{name}\n一、加熱至 75 ℃，攪拌 300 rpm\n"
            "二、冷卻至 40 ℃\n三、充填"
        ),
        "adverse.docx": (
            f"不良反應紀錄\n產品名稱：{name}\n統計期間：2025/01/01 至 2026/07/31\n"
            "售出：2,100 件\n嚴重不良反應：0 件\n填表日期：2026/08/05"
        ),
        "specification.docx": (
            f"成品規格書\n品名：{name}\n外觀\t符合標準品\npH\t5.0-7.0\n黏度\t不適用\n"
            "比重\t0.95-1.05"
        ),
        "toxicology.docx": f"毒理資料摘要\n產品名稱：{name}\n{materials}",
        "microbes.docx": (
            f"微生物檢驗報告\n委託單位\t{HOLDER}\n樣品名稱\t{name}\n樣品批號\t{lot}\n"
            "試驗方法\tISO 21149:2017\n報告日期\t2026/03/18\n總生菌數\t<10 CFU/g\n"
            "判定\t合格"
        ),
        "function.docx": (
            f"保濕功效測試報告\n委託單位\t{HOLDER}\n樣品名稱\t{name}\n樣品批號\t{lot}\n"
            "受試者\t30 人\n報告日期\t2026/03/25\n結論\t使用後含水量上升 15 %"
        ),
        "assessment.docx": (
            f"產品安全性評估報告\n產品名稱：{name}\n評估結論：於正常使用下為安全。\n"
            f"安全資料簽署人員：{SIGNER}\n簽名：{SIGNER}\n簽署日期：2026/04/02"
        ),
        "credentials.docx": (
            f"訓練證明書\n姓名：{SIGNER}\n課程：化粧品安全評估 54 小時\n"
            "主辦單位：虛構化粧品學會\n發證日期：2024/06/01"
        ),
    }
    for row in listed:
        if row[0] and row[0] != "Aqua":
            papers[f"raw-materials/{row[1]}.docx"] = (
                f"原料規格書\n商品名：{row[1]}\nINCI 名稱：{row[0]}\n"
                f"CAS No.：{row[2]}\n外觀：符合\n純度：≧98 %"
            )
    return papers


def _gmp(makers: Mapping[str, tuple[str, str]]) -> Texts:
    return {
        file: (
            f"ISO 22716 證書\n公司名稱：{company}\n製造場所地址：{site}\n"
            "範圍：化粧品之製造、充填及包裝\n發證日期：2025/02/01\n有效期限：2028/01/31"
        )
        for file, (company, site) in makers.items()
    }


def _folder(
    facts: Mapping[str, object],
    rows: Collection[tuple[str | float | None, ...]],
    papers: Texts,
) -> dict[str, bytes]:
    return {
        "product.yaml": yaml.safe_dump(facts, allow_unicode=True).encode(),
        "formula.xlsx": xlsx_bytes(tuple(rows)),
        **{name: docx_bytes(text) for name, text in papers.items()},
    }
