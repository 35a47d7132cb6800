"""What the label of a row says: a phase, a total, or a property of the product."""

import re
from functools import lru_cache
from typing import Final

from dossier.products.formula_import.numbers import folded

_PHASE: Final = re.compile(
    r"(?:phase|part)\s*[:.\-]?\s*(?P<en>[a-z0-9]{1,3}\b.*)"
    r"|(?P<zh>[a-z0-9]{1,3}\s*相.*|[油水粉]\s*相.*|相\s*[:]?\s*[a-z0-9]{1,3})"
    r"|(?P<words>(?:water|aqueous|oil|fat|powder|active|cool(?:ing)?[- ]?down)"
    r"\s+phase(?:\s*[^\w\s].*|\s+(?:[a-z0-9]{1,2}|ingredients?|total)\b.*)?)"
    r"|(?P<letter>[a-z][0-9]?)[.:)]?",
    re.IGNORECASE,
)
_TOTAL: Final = re.compile(
    r"^(?:grand )?total\b|^sum\b|合計|總計|總和|總量|^共計|^total|^小計$|^合共"
    r"|^總(?:百分比|含量|重量?|%)|^(?:net|batch) total\b|^summe\b|^gesamt|^somme\b"
    r"|^suma\b|^\u03c3|합 ?계|총 ?계|총합|총량"
)
_SUBTOTAL: Final = re.compile(
    r"sub-?\s?total|小計|^total (?:of |for )?(?:phase |part )?[a-f][0-9]?$"
    r"|^(?:phase|part) [a-z0-9]{1,2}\b.*total|^[a-z][0-9]? total$"
    r"|[a-z0-9油水粉] ?相 ?(?:合計|總計|總和|總量)"
)
# Properties, tests, processing and papers of the product as a whole. An optional unit
# or condition may follow in brackets or after a colon, but no further word: "pH
# adjuster" is an ingredient.
_PROPERTY: Final = re.compile(
    r"(?:"
    r"(?:final |bulk |theoretical |actual |target |product |average |mean )?(?:"
    r"ph(?: value| range| of (?:the )?(?:finished |final |bulk )?"
    r"(?:product|formula|bulk|solution))?"
    r"|spf|upf|uva ?-?pf|pa|uva protection(?: factor)?"
    r"|sun protection factor|viscosity|specific gravity|density|relative density"
    r"|hardness|penetration|drop(?:ping)? point|foam(?: height| volume)?|spreadability"
    r"|transmittance|turbidity|(?:total )?solids?(?: content)?|non-?volatiles?"
    r"|(?:acid|iodine|peroxide|saponification|hydroxyl) value|cloud point|pour point"
    r"|(?:mean )?(?:particle|droplet) size|d[159]0|critical wavelength|water resistance"
    r"|ppd|labou?r|overhead|packaging|quantity per .*|pieces|units|cartons?"
    r"|refractive index|osmolality|conductivity|water activity|aw|moisture"
    r"|batch(?: size| weight| quantity| qty| volume| no\.?| number| code)?"
    r"|lot(?: size| no\.?| number)?|yield|loss|fill(?:ing)?(?: weight| volume| size)?"
    r"|net (?:weight|content|wt\.?|volume)|pack(?:age|aging)? size|volume|weight"
    r"|(?:mixing |holding |process(?:ing)? |heating |cooling |filling |melting )?"
    r"(?:temperature|temp\.?|time|speed|duration)"
    r"|melting point|boiling point|flash ?point|stirring(?: speed| rate)?|agitation"
    r"|homogeni[sz](?:er|ation|ing)(?: speed| time)?|rpm|pressure|vacuum"
    r"|total (?:plate|aerobic|viable|cost|price|weight|batch|solids|active).*"
    r"|(?:raw material |material |unit |batch )?(?:cost|price)s?(?: per .*|/.*)?"
    r"|margin|tamc|tymc|cfu|shelf[- ]?life|pao|expiry.*"
    r"|(?:version|revision|rev\.?|ver\.?|issue|edition|page|formula(?:tion)?|product"
    r"|document|doc\.?|project|code|reference|ref\.?|customer|client|brand)"
    r"(?: no\.?| number| code| name| date| id| #)?"
    r"|(?:prepared|checked|approved|reviewed|signed|issued|verified|formulated|made)"
    r"(?: by| on)?|signature|date(?: of .*)?|effective date|author|responsible"
    r"|tel(?:ephone)?\.?|phone|fax|e-?mail|address|contact|website"
    r"|natural origin(?: index| content)?|biodegradability|hlb|dosage form"
    r"|number of .*|no\. of .*|line count|items?|count"
    r")"
    r"|(?:最終|成品|產品|目標|理論|實際)?(?:"
    r"점도|비중|경도|산도|수율|제조량|온도|시간|용량|내용량|배치|버전|작성자?|승인자?|검토자?"
    r"|일자|날짜|작성일|유통기한|사용기한|단가|원가|금액|외관|색상|향취"
    r"|収率|製造量|仕込量|作成者?|承認者?|外観"
    r"|硬度|針入度|滴點|泡沫高度|固含量|固形分|酸價|皂化價|碘價|過氧化價|粒徑|濁度|透光率"
    r"|耐水性|工時|人工|包材|數量|ph值?|酸鹼值|防曬係數|黏度|粘度|比重|密度|相對密度|折射率|電導率|水分|水活性"
    r"|批量|批次(?:大小|重量|量|號碼?|編號)?|批號|產率|得率|收率|良率|損耗|充填量|填充量|內容量|淨重|淨含量"
    r"|容量|重量|溫度|.{0,4}溫度|.{0,4}時間|.{0,4}轉速|轉速|壓力|真空度|熔點|沸點|閃點"
    r"|(?:原料|單位|總)?(?:成本|價格|單價|金額)|總成本|菌落數|生菌數|總菌數"
    r"|保存期限|有效期限?|效期|版本?次?|版號|頁次?|頁碼|文件編號|配方(?:編號|名稱|號)|產品(?:編號|名稱|代號)"
    r"|製表|製作|配製|擬定|審核|核准|覆核|複核|批准|簽名|簽章|簽核|承認|確認|日期|製表日期|生效日期|修訂日期"
    r"|劑型|客戶|品牌|品名|電話|傳真|地址|聯絡人|公司)(?:人員?|者|日期)?"
    r")"
    r"(?:\s*[\d.]+\s*(?:°|℃)?c?)?\s*(?:[(\[@:=,/+].*|\bat\b.*|\bin\b.*|%|kg|g|ml|l|cps?)?"
)
# Words and units of figures; without a CAS or EC number such a row is not taken for an
# ingredient.
_FIGURE: Final = re.compile(
    r"\((?:kg|g|mg|ml|mm|cm|nm|μm|ntu|min(?:utes?)?|hrs?|hours?|sec|rpm|[°℃]c?|cps?|mpa.?s|bar|pcs|usd"
    r"|ntd?|eur|months?|days?|years?|cfu.*)\)|[:=]\s*$|\brpm\b|\bspeed\b|\bduration\b"
    r"|\bcost\b|\bprice\b|\bchecked\b|\bversion\b|\brevision\b|\bspecifications?\b"
    r"|(?:safety|dilution|correction|exposure) factor|\boverage\b|\bmoq\b|\btewl\b"
    r"|(?:cooling|heating|exchange|evaporation|shear|flow|growth) rate|\bscores?\b"
    r"|\bloss(?:es)?\b|\bfreight\b|\bhumidity\b|\bbrix\b|\bpanell?ists?\b|^hydration\b"
    r"|^evaporation\b|^dilution\b|(?:drum|pack|bottle|tube) size"
    r"|\bnumber of\b|\btemperature\b|\byield\b|\bbatch\b|\bheat(?:ing)? (?:to|at)\b"
    r"|\bcool(?:ing)? (?:to|down)\b|^stir\b|^mix (?:for|until|at)\b"
    r"|^(?:appearance|colou?r|odou?r)$"
    r"|^(?:外觀|顏色|色澤|氣味)$|溫度|時間|轉速|成本|單價|日期|版本|規格|攪拌|加熱|冷卻|批量|係數"
)


_OF_WHICH: Final = re.compile(
    r"^\W*(?:of which|thereof|including|davon|dont)\b|^\W*其中"
)
# Parts and endings of the names of substances.
_SUBSTANCE: Final = re.compile(
    r"parfum|perfume|fragrance|aroma|flavou?r|\b(?:oil|extract|acid|water|aqua|gum"
    r"|butter|powder|clay|silica|talc|mica|urea|ci \d{5}|starch|milk|juice|honey|mel"
    r"|seed|leaf|root|flower|fruit|peel|kernel|bark|sprout|ferment|filtrate|lysate"
    r"|protein|peptide|collagen|enzyme|vitamin|sugar|salt|soap|lake|pigment|pearl"
    r"|caramel|aloe|algae|cera|lac|sal|sea|(?:red|yellow|blue|green|orange|violet|black)"
    r" (?:no\.? ?)?\d+)\b|wax\b|cell|\b(?:peg|ppg|nylon|polyquaternium|quaternium"
    r"|steareth|laureth|ceteareth|oleth|ceteth)\b|\w-\d|\d,\d|\b(?:bh[at]|tbhq|edta|[tdm]ea|c?mit|sles|sls|capb"
    r"|egf|dna|mipa|dmdm|pv[ap]|pca|msm|mct)\b"
    r"|\w{3}(?:ate|ol|ide|ine|in|one|ane|ene|ose|ium|yl|er|ite|ic|ase|ether|oil|mers?"
    r"|gel|um|us|ii|ae|fera|osa|oxides?)\b|\boxides?\b|\w{4}an\b|\w{4}a\b(?<!formula)"
    r"|sterols?\b|parabens?\b|\b(?:camphor|nitrogen|carbon|gold|silver|silk|wool|cotton"
    r"|pumice|peat|tar|sul(?:f|ph)ur|yeast|mushrooms?|agar|citral|jelly|yogurt|ginseng"
    r"|cacao|mays|ultramarines|musa|elaeis|hamamelis)\b"
    r"|[香酸醇油鈉鉀鈣鎂鋅鐵鋁矽硅鈦酯醚酮醛胺銨苯酚糖膠粉水脂蠟液素肽胜草花果葉根籽蜜乳皂砂鹽醋酒烷林土姆因蘆料色炭"
    r"腦片劑酵藻參歸芷銀金維]"
    r"|萃取|提取|精華|聚|氧化|二甲|雲母|滑石|高嶺"
    # Names in these scripts are transliterated; only figures are recognised there.
    r"|[\u0400-\u04ff\u0e00-\u0e7f\u3040-\u30ff\uac00-\ud7a3]"
)
_MAX_NAME_WORDS: Final = 6
# Titles and headers of tables that are surely no part of a formula.
_OTHER_TABLE: Final = re.compile(
    r"allergen|impurit|heavy metal|microb|\blimits?\b|\bspecifications?\b|parameter"
    r"|propert|\brevisions?\b|history|\bchanges?\b|approv|\bcost|price|packag|stability"
    r"|breakdown|nutrition|toxicol|\bifra\b|exposure|\bmos\b|\btest results?\b"
    r"|^steps?$|^steps? no|instruction|procedure|manufacturing process|步驟|製程|操作"
    r"|過敏原|雜質|重金屬|微生物|限量|規格|檢驗|檢測|修訂|變更|沿革|簽核|成本|價格|包裝|安定性|毒理"
)
# Names of sheets that hold other things than the formula.
_OTHER_SHEET: Final = re.compile(
    r"\btests?\b|\bspecs?\b|\bversions?\b|equipment|process|procedure|\bsteps?\b"
    r"|benchmark|reference|inventory|\bstock|supplier list|claims?\b|\bsds\b|summary"
    r"|overview|\bcover\b|\bindex\b|readme|change ?log|instructions?|legend"
    r"|abbreviation|raw materials?\b|lookup|database|\blabels?\b"
    r"|設備|製程|流程|步驟|對照|參考|庫存|標籤|摘要|總覽|封面|目錄|說明|圖例|原料(?:表|清單|資料|明細)|組成表"
)
_PART: Final = re.compile(
    r"\bphases?\b|\bparts?\b|\bsection\b|\bstages?\b|pre-?mix|\bcontinued\b|\bcont'?d?\b"
    r"|\bgroup\b|[a-z0-9油水粉] ?相|部分|階段|\b續|接續|後添加"
)
_FORMULA: Final = re.compile(
    r"formula(?:tion|e|s)?\b|\bcomposition\b|ingredients?\b|\brecipe|\bbom\b|配方|處方|全成[分份]"
)


def is_part_of_above(text: str) -> bool:
    """Return whether a label names a part of the row above, counted there already."""
    return _OF_WHICH.search(folded(text)) is not None


def names_substance(text: str) -> bool:
    """Return whether a label has a part or an ending of the name of a substance."""
    return _SUBSTANCE.search(folded(text)) is not None


def may_be_name(text: str) -> bool:
    """Return whether a text alone may be a substance's name, or a half of one."""
    words = folded(text)
    is_heading = words.endswith((":", ".")) or phase_name(text) is not None
    is_remark = words.startswith(("*", "(", "note", "註", "備註"))
    is_short = len(words.split()) <= _MAX_NAME_WORDS
    is_broken = words.endswith(("-", ",", "/", "hydrogenated", "sodium", "and"))
    has_evidence = names_substance(text) or is_broken
    return has_evidence and is_short and not is_heading and not is_remark


@lru_cache(maxsize=4096)
def is_other_table(text: str) -> bool:
    """Return whether a title or a header names a table that is no part of a formula."""
    return _OTHER_TABLE.search(folded(text)) is not None


def is_other_sheet(name: str) -> bool:
    """Return whether a sheet is named after something else than a formula."""
    words = folded(name)
    return any(each.search(words) for each in (_OTHER_TABLE, _OTHER_SHEET))


def names_part(text: str) -> bool:
    """Return whether a title or a sheet's name announces a part of a formula."""
    return _PART.search(folded(text)) is not None


def names_formula(text: str) -> bool:
    """Return whether a title or a sheet's name announces a formula."""
    return _FORMULA.search(folded(text)) is not None


@lru_cache(maxsize=4096)
def phase_name(text: str) -> str | None:
    """Return the name of the phase that a section row announces, else `None`."""
    match = _PHASE.fullmatch(" ".join(text.split()))
    if match is None:
        return None
    named = match["en"] or match["zh"] or match["words"] or match["letter"]
    return (named or text).strip()


def is_phase_letter(text: str) -> bool:
    """Return whether the text is nothing but a letter with an optional digit."""
    match = _PHASE.fullmatch(" ".join(text.split()))
    return match is not None and match["letter"] is not None


@lru_cache(maxsize=4096)
def is_total(text: str) -> bool:
    """Return whether a label announces a total."""
    return _TOTAL.search(folded(text)) is not None


@lru_cache(maxsize=4096)
def is_subtotal(text: str) -> bool:
    """Return whether a label announces the total of a phase."""
    return _SUBTOTAL.search(folded(text)) is not None


@lru_cache(maxsize=4096)
def is_property(text: str) -> bool:
    """Return whether a label names a property of the product, surely."""
    return _PROPERTY.fullmatch(folded(text)) is not None


@lru_cache(maxsize=4096)
def may_be_figure(text: str) -> bool:
    """Return whether a label may name a figure rather than an ingredient."""
    return _FIGURE.search(folded(text)) is not None
