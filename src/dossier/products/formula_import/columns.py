"""The columns of a formula sheet and the header words that name them (zh and en).

The words are traditional characters; `folded` turns simplified ones into them.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import Final

from dossier.products.formula_import.numbers import folded


class Column(StrEnum):
    """What a column of a formula holds.

    `PERCENT` is a share of something that the header does not name; `RAW_PERCENT` is a
    raw material's share of the product, `SUB_PERCENT` an ingredient's share of its raw
    material, `PRODUCT_PERCENT` an ingredient's share of the product. `MIN` and `MAX`
    bound a share. `OTHER` is known and no part of the formula, `REMARK` is free text.
    """

    NUMBER = "number"
    PHASE = "phase"
    TRADE_NAME = "trade_name"
    SUPPLIER = "supplier"
    INCI = "inci"
    NAME = "name"
    CAS = "cas"
    EC = "ec"
    FUNCTION = "function"
    PERCENT = "percent"
    RAW_PERCENT = "raw_percent"
    SUB_PERCENT = "sub_percent"
    PRODUCT_PERCENT = "product_percent"
    MIN = "min"
    MAX = "max"
    OTHER = "other"
    REMARK = "remark"


QUANTITIES: Final = frozenset(
    {
        Column.PERCENT,
        Column.RAW_PERCENT,
        Column.SUB_PERCENT,
        Column.PRODUCT_PERCENT,
        Column.MIN,
        Column.MAX,
    }
)
NAMES: Final = frozenset({Column.INCI, Column.NAME, Column.TRADE_NAME})
UNUSED: Final = frozenset({Column.OTHER, Column.REMARK})

_MAX_HEADER_CHARACTERS: Final = 80
_SHARE: Final = (
    r"(?:%|percent|w/w|wt\b|conc|content|含量|比例|濃度|百分|用量|組成|占比|佔比"
    r"|配合(?:量|率|比)|함[유]?량|비율|농도|배합|gehalt|anteil|teneur)"
)
_RAW: Final = r"(?:raw ?mat\w*|\brm\b|mixture|blend|trade ?name|原料|複方|混合|원료)"
_PRODUCT: Final = (
    r"(?:finished|final|product|formula|cosmetic|成品|產品|配方|製品|제품)"
)

_CAS: Final = r"(?<![a-z])cas(?:rn)?(?![a-z])|\bc\.a\.s\b|化學文摘"
_EC: Final = (
    r"\bec\b|\be\.c\.|einecs|elincs|ec(?:編|號|#)|\bec ?/|\breach (?:no|reg|number)"
    r"|歐盟?(?:編號|登錄)|\beg[- ]?nr|n[°º]\.? ?ce\b"
)
_INCI: Final = r"inci\b|inci|\bi\.n\.c\.i|ctfa|國際命名|國際化粧?妝?品?原料"

# Percentages and figures of something else than the share of the formula.
_OTHER: Final = (
    r"cost|price|成本|價格|單價|金額|\busd\b|\bntd?\$?\b|\beur\b|\brmb\b|[$€¥]|元 ?/"
    r"|\bco[uû]t|\bprix\b|kosten|preis|precio|prezzo|原価|単価|価格|원가|단가|가격|금액"
    r"|\btax\b|\bvat\b|\bduty\b|discount|freight|천연|유기농|recycl|\brspo\b|\bpalm\b"
    r"|natural|天然|iso ?16128|organic|有機|bio-?based|renewable|vegan|halal|\bgmo\b"
    r"|active (?:matter|content|substance|ingredient content|level)|\bactivity\b"
    r"|活性(?:物|成[分份])?.{0,2}(?:含量|%|比)|有效(?:物|成[分份]|含量)|活性物"
    r"|유효 ?성분|활성|순도|고형분|수분|reinheit|puret[eé]|purez"
    r"|solids?\b|固含|固形|purity|assay|純度|moisture|含水|water content|dry matter"
    r"|absor|penetrat|吸收|retention|殘留|residu|impurit|雜質|heavy metal|重金屬"
    r"|maximum (?:allowed|auth|permitted|use)|max\.? (?:allowed|permitted|use)"
    r"|permitted|allowed|authori[sz]ed|\blimit|restrict|限[用]?量|限值|限度|上限|法規|許可"
    r"|容許|한도|한계|허용|제한"
    r"|recommend|建議|권장|typical (?:use|usage)|tolerance|deviation|偏差|公差|誤差"
    r"|\bnoael\b|\bmos\b|\bsed\b|\bld50\b|biodegrad|降解|allergen|過敏原|\bifra\b"
    r"|\blot\b|批號|batch (?:no|number)|\bdate\b|日期|expir|效期"
    r"|(?:rm|raw mat\w*|material|item|product|internal|sap|erp) ?"
    r"(?:code|no\b|number|id\b|#)|\bcode\b|代號|料號|品號|代碼|原料編號"
    r"|코드|품번"
    r"|densit|比重|molecular|分子量|log ?p\b|hazard|\bghs\b|危害|stock|庫存|storage"
    r"|annex|附件|chemical class|origin|原產地|npis|\bnano\b|奈米|molar|mol ?%"
    r"|\bph\b(?! ?ase)"
)
_OTHER_RATIO: Final = r"\byield\b|\bloss\b|損耗|收率"

# The first match counts, so the narrower meanings come before the wider ones.
_PATTERNS: Final = tuple(
    (column, re.compile(words))
    for column, words in (
        (Column.CAS, _CAS),
        (Column.EC, _EC),
        (Column.PHASE, r"^ph\.$"),
        (Column.OTHER, rf"{_OTHER}|{_OTHER_RATIO}"),
        (
            Column.REMARK,
            (
                r"remark|\bnotes?\b|comment|備註|備考|說明|註解|附註|^註$|비고"
                r"|bemerkung|remarque|observaci"
            ),
        ),
        (
            Column.SUB_PERCENT,
            (
                rf"{_SHARE}.*\b(?:in|of)\b.*{_RAW}|(?:mixture|blend|sub|breakdown|composition).*{_SHARE}"
                rf"|{_SHARE}.*(?:mixture|blend|breakdown|composition)|[佔占].{{0,3}}原料"
                rf"|原料.{{0,2}}[中內].*{_SHARE}|(?:複方|混合).*{_SHARE}|組成.*(?:比|%|百分)"
            ),
        ),
        (
            Column.PRODUCT_PERCENT,
            (
                rf"{_SHARE}.*\b(?:in|of)\b.*{_PRODUCT}|{_PRODUCT}.*{_SHARE}"
                rf"|(?:actual|net|active|inci)\b.*{_SHARE}|實際.*{_SHARE}"
                rf"|[佔占].{{0,3}}(?:成品|產品|配方)|% ?actives?$"
            ),
        ),
        (
            Column.RAW_PERCENT,
            (
                rf"{_RAW}.*{_SHARE}|{_SHARE}.*{_RAW}|{_RAW}.*添加|添加(?:量|比|%)|投料比|dosage"
                r"|(?:usage|use|addition) (?:level|rate)"
            ),
        ),
        (
            Column.PERCENT,
            (
                r"%|‰|\bpercent|\bw/w\b|\bw/v\b|\bwt\b|\bweight\b|百分|含量|用量|比例|濃度|重量"
                r"|配合(?:量|率|比)|処方|함[유]?량|배합|비율|농도|중량|분량|투입량"
                r"|^menge|gehalt|anteil|konzentration|teneur|quantit|cantidad|contenido"
                r"|配比|投料量|占比|佔比|\bconc|\bcontent|\bamount|\bquantity|\bqty"
                r"|\blevel\b"
                r"|g/ ?100|\bm?g/k?g\b|\bppm\b|\bk?g\b|公斤|公克|^mg$|^pct$|^parts$"
                r"|^份數$"
            ),
        ),
        (
            Column.PHASE,
            (
                r"^phase|^part\b|相別|相位|^相$|^相\b|^相號|^組相|階段|^fase|^組別|^상$"
                r"|^상 ?구분"
            ),
        ),
        (
            Column.TRADE_NAME,
            r"trade|comm?ercial|商品名|商標|handelsname|상품명|제품명|상표",
        ),
        (
            Column.SUPPLIER,
            (
                r"supplier|manufactur|vendor|agent|producer|maker|\bmfr|\bmfg|供應|製造|廠商|廠牌"
                r"|廠家|生產商|代理|來源|產地|lieferant|hersteller|fournisseur|fabricant"
                r"|proveedor|fornitore|제조|공급|생산|メーカー|仕入"
            ),
        ),
        (
            Column.FUNCTION,
            (
                r"function|purpose|\buse\b|功能|用途|作用|目的|功效|\br[oô]le\b|機能"
                r"|funktion|fonction|funci[oó]n|funzione|zweck|기능|용도|목적|역할"
            ),
        ),
        (Column.INCI, rf"{_INCI}|全成[分份]|英文|전 ?성분|영문"),
        (
            Column.TRADE_NAME,
            (
                r"\bbrand|raw ?mat|\brm\b|material|原料|品名|원료|rohstoff"
                r"|mati[eè]re|materia prima"
            ),
        ),
        (
            Column.NUMBER,
            (
                r"^(?:no|nr|#|item|seq|s/?n|line|s\. ?no|sr\. ?no)\b|^#|序號|項次|^編號"
                r"|^項目|^序$|^번호|^순번|^연번|^番号"
            ),
        ),
        (
            Column.NAME,
            (
                r"ingr[eé]dient|component|substance|chemical|constituent|成[分份]|名稱|\bname"
                r"|物質|組分|성분|명칭|물질|inhaltsstoff|bestandteil|bezeichnung|substanz"
                r"|\bnom\b|\bnombre\b|\bnome\b|składnik|ингредиент|компонент|ชื่อ|ส่วนประกอบ"
            ),
        ),
    )
)

_MIN_WORD: Final = re.compile(
    r"\bmin(?:imum|imal)?\b|最小|最低|下限|\blow(?:er)?\b|\bfrom\b|최소|최저|하한"
)
_MAX_WORD: Final = re.compile(
    r"\bmax(?:imum|imal)?\b|最大|最高|上限|\bhigh(?:er)?\b|\bupper\b|\bto\b"
    r"|최대|최고|상한"
)
_EXACT_WORD: Final = re.compile(
    r"\bexact|\btarget|\bnominal|\btypical|\bactual|\bset ?point|標準|目標|實際|標稱"
    r"|기준|목표"
)
_FORMER: Final = re.compile(
    r"\bold\b|previous|former|\bprior\b|supersed|obsolete|\bbefore\b|replaced|withdrawn"
    r"|\bdraft\b|\btrial\b|reference|\bbenchmark|backup|archiv|do not use|not valid"
    r"|invalid"
    r"|\bcopy\b|don'?t use|\bvoid\b|deprecated|\btest\b|\bwip\b"
    r"|\balt\b|ancien|anterior|구버전|이전|초안|폐기|舊|修改前|變更前|原配方|前一?版|前次|上一?版|作廢|停用|草稿|草案|試[作驗製]|勿用|請勿|廢|備份|副本"
    r"|參考"
)
_CURRENT: Final = re.compile(
    r"\bnew\b|current|\bfinal|approved|released?\b|revised|latest|\bvalid\b|\bafter\b"
    r"|aktuell|\bneu\b|actuel|nouve|nuev|현재|최종|신규|新|修改後|變更後|現行|最終|定稿|核准|正式|放行|有效"
)
_UNITS: Final = (
    ("mg/kg", re.compile(r"mg ?/ ?kg|\bppm\b")),
    ("g/kg", re.compile(r"\bg ?/ ?kg|‰")),
    ("mg/g", re.compile(r"mg ?/ ?g\b")),
    ("%w/v", re.compile(r"w/v|g ?/ ?100 ?ml")),
    ("%v/v", re.compile(r"v/v")),
    ("%", re.compile(r"%|percent|w/w|百分|\bg ?/ ?100 ?g|kg ?/ ?100 ?kg|\bwt\b|^pct$")),
)
_WEIGHT: Final = re.compile(r"\bk?g\b|公斤|公克")
_BRACKETED: Final = re.compile(r"[(\[]([^)\]]{1,12})[)\]]\s*$")
_UNIT_LIKE: Final = re.compile(
    r"(?:m|k|μ|u)?(?:g|l|iu|oz|lb|mol|公克|公斤|克)(?:/\w+)?"
)


@lru_cache(maxsize=4096)
def column_of(header: str) -> Column | None:
    """Return the column that a header cell names, or `None`."""
    return next(_matches(header), None)


@lru_cache(maxsize=4096)
def text_column_of(header: str) -> Column | None:
    """Return the column of text that a header names: INCI for `INCI (%)`."""
    return next((each for each in _matches(header) if each not in QUANTITIES), None)


@lru_cache(maxsize=4096)
def name_column_of(header: str) -> Column | None:
    """Return the column of names that a header names among others: `CAS / INCI`."""
    return next((each for each in _matches(header) if each in NAMES), None)


def _matches(header: str) -> Iterator[Column]:
    text = folded(header)
    if not text or len(text) > _MAX_HEADER_CHARACTERS:
        return
    for column, words in _PATTERNS:
        if words.search(text):
            yield column


def bound_of(header: str) -> Column | None:
    """Return `MIN`, `MAX` or `PERCENT` (exact) for a header that says so."""
    text = folded(header)
    if _MIN_WORD.search(text):
        return Column.MIN
    if _MAX_WORD.search(text):
        return Column.MAX
    return Column.PERCENT if _EXACT_WORD.search(text) else None


def standing(text: str) -> int:
    """Return -1 for words such as "old" or "draft", 1 for "final", else 0."""
    words = folded(text)
    if _FORMER.search(words):
        return -1
    return 1 if _CURRENT.search(words) else 0


def unit_of(header: str) -> str | None:
    """Return the unit that the header of a quantity names, or `None`."""
    text = folded(header)
    for unit, words in _UNITS:
        if words.search(text):
            return unit
    match = _BRACKETED.search(text)
    if match and _UNIT_LIKE.fullmatch(match[1].strip()):
        return match[1].strip()
    if _UNIT_LIKE.fullmatch(text):
        return text
    weight = _WEIGHT.search(text)
    return weight[0] if weight else None
