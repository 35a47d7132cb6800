"""Chinese numerals: `三十六個月`, `百分之二十四`, `一年半`, `二〇二六`, `廿四`.

Not each numeral is a number: `統一` is none, nor are `第三` and `三乙醇胺`. A single
one counts before a unit, or where a value is stated; `一` only before a measure.
"""

# ruff: noqa: RUF001 - ranges are written with dashes of all lengths

import re
from collections.abc import Iterator
from decimal import Decimal

from dossier.chat.types import Number, Readings

_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {
    "零": 0,
    "○": 0,
    "兩": 2,
    "两": 2,
}
_TENS = {"廿": 20, "卅": 30, "卌": 40}
POWERS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = ("億亿", 10**8), ("萬万", 10**4)
MYRIADS = "".join(names for names, _ in _MYRIADS)
CHINESE_SCALES = {**POWERS, **{c: scale for names, scale in _MYRIADS for c in names}}

_DIGIT = f"[{''.join(_DIGITS)}]"
NUMERAL = f"[{''.join([*_DIGITS, *_TENS, *CHINESE_SCALES])}]"
_RUN = f"{NUMERAL}{{1,40}}"
_VALUE = rf"{_RUN}(?:[點点]{_DIGIT}{{1,40}})?"

_SPLIT = re.compile(rf"(?<={NUMERAL})\s+(?={NUMERAL})")
_ACCOUNTS = re.compile(
    "[壹貳贰參叁肆伍陸陆柒捌玖拾佰仟萬万億亿零]{2,}|[壹貳贰叁肆柒捌玖〡-〩〸〹〺]"
)
"""As money is written; a single `參` or `陸` is mostly something else."""
_EVERYDAY = str.maketrans(
    "壹貳贰參叁肆伍陸陆柒捌玖拾佰仟〡〢〣〤〥〦〧〨〩〸〹〺",
    "一二二三三四五六六七八九十百千一二三四五六七八九十廿卅",
)

_MEASURE = (
    r"年(?![度齡龄限輕轻報报份])|[個个]?月(?![份經经])|天(?!然)|日(?![常用期])"
    r"|[週周](?![邊边圍围全遭])|[個个]?(?:星期|禮拜|礼拜|小時|小时|鐘頭|钟头|世紀|世纪)"
    r"|分[鐘钟]|秒|[歲岁]|倍|成(?![分份品長长立為为不])|%|‰|百分[點点]"
    r"|公?[噸吨尺]|[公毫微千奈納纳釐厘]?(?:克|升(?![高級级降溫温])|米)|公分|[公市]?斤"
    r"|毫?莫耳|摩[爾尔]|[°℃℉]|[美歐欧]?元(?![化醇酸素件])"
    r"|(?i:(?:[kcmnuμ]?(?:g|l|m|mol|pa|pa·s|w|v|hz|j)|iu|ppm|ppb|cfu|rpm|months?"
    r"|years?|days?|weeks?|hours?|h|min|percent)(?![a-z]))"
)
_COUNT = (
    r"[個个種种類类款項项批組组份件回遍瓶支罐盒包袋片顆颗粒滴匙杯管桶箱張张頁页章節节"
    r"條条名位人例家間间隻只株塊块層层級级步輪轮篇冊册欄栏點点處处座台套棟折段代度時时]"
    r"|階段|阶段|期(?![間间限望])|本(?![文報报身])|對(?![於于比照])"
    r"|次(?!要)|分(?![之別别布佈子解離离析類类比])"
)
_NEXT = rf"(?:\s*[至到~、或—–-]\s*(?:{_RUN}|\d+))*\s*[多餘余來来幾几]?\s*大?"
_BEFORE_MEASURE = re.compile(f"{_NEXT}(?:{_MEASURE})")
_BEFORE_COUNT = re.compile(f"{_NEXT}(?:{_MEASURE}|{_COUNT})")
_HOW_OFTEN = re.compile(r"[日天週周月年晚早時时]\s*$")
_STATES_VALUE = re.compile(
    r"(?:[為为是達达約约共到至於于過过滿满足近逾=:<>≤≥≦≧~]|等同|pH)\s*$"
)
_ENDS_VALUE = re.compile(r"\s*(?:$|[，。、；,.;:!?)\]」』~]|以[上下內内]|左右|至|到)")
_BEFORE_RATIO = re.compile(rf"\s*[比:]\s*(?:{NUMERAL}|\d)")
_AFTER_RATIO = re.compile(rf"(?:{NUMERAL}|\d)\s*[比:]\s*$")
_OF_SUBSTANCE = re.compile(
    r"[烷烯炔醇酸酯酮醛胺醯酰基甲乙丙丁戊己庚辛壬癸氧鈉钠鉀钾鈣钙鎂镁肽胜氯溴氟硫氮磷"
    r"苯矽硅氫氢羥羟聚價价鹽盐碳醣糖]|水合"
)
"""`十六醇`, `三乙醇胺`."""
_ORDINAL = re.compile(rf"第\s*(?:{NUMERAL}{{1,8}}\s*[至到、及和或]\s*)*$")
_WITHIN_WORD = re.compile(r"[統统唯單单之專专劃划均合歸归逐任這这那同某上下另]$")
_DEGREE = re.compile(r"分(?![鐘钟])")
"""`十分`, `萬分`: very."""
_PHRASES = frozenset({"萬一", "万一", "一二"})
_AFTER_FIGURE = re.compile(r"\d\s*$")
_NEAR = 12
_PAIR = 2

_NUMBERS = re.compile(
    rf"(?=[半\d]|{NUMERAL})(?:(?P<whole>{_RUN})分之(?P<part>{_VALUE})"
    rf"|(?P<count>{_VALUE}|\d{{1,12}}(?:\.\d{{1,12}})?)\s*"
    rf"(?:[個个]半|(?:{_MEASURE})半(?![透固成數数徑径衰自天夜]))"
    rf"|(?P<half>一半|半(?=\s*[個个]?\s*(?:{_MEASURE}|[瓶杯匙盒包片粒顆颗])))"
    rf"|(?P<value>{_VALUE}))"
)
_PERCENT = re.compile(r"\s*(?:%|per ?cent(?![a-z]))", re.IGNORECASE)
UNITS = "[克帕瓦卡焦赫米伏分]"
"""`千克`, `百帕`, `百分點`: the power may be the unit's."""
_UNIT_OF_POWER = re.compile(UNITS)
_HALF = Decimal("0.5")


def in_everyday_numerals(text: str) -> str:
    """Return a text whose numerals stand together, and none as money is written."""
    joined = _SPLIT.sub("", text)
    return _ACCOUNTS.sub(lambda found: found.group().translate(_EVERYDAY), joined)


def chinese_numbers(text: str) -> Iterator[Number]:
    """Yield the numbers that are written in Chinese numerals."""
    for found in _NUMBERS.finditer(text):
        start, end = found.span()
        before = text[max(0, start - _NEAR) : start]
        only_scales = set(found.group()) <= CHINESE_SCALES.keys()  # as in `3 萬`
        if found["whole"] is not None:
            yield _fraction(found)
        elif found["value"] is None:
            count = found["count"]
            whole = _one_value(count) if count is not None else Decimal(0)
            yield Number(found.group(), start, end, ((whole + _HALF,),))
        elif not (only_scales and _AFTER_FIGURE.search(before)):
            yield Number(
                found.group(),
                start,
                end,
                _readings(found["value"], text[end : end + 1]),
                is_percent=bool(_PERCENT.match(text, end)),
                is_quantity=_is_quantity(found, text),
            )


def _fraction(found: re.Match[str]) -> Number:
    whole, part = _one_value(found["whole"]), _one_value(found["part"])
    written, start, end = found.group(), found.start(), found.end()
    if found["whole"] == "百":
        return Number(written, start, end, ((part,),), is_percent=True)
    if not whole:
        return Number(written, start, end, ((part, whole),))
    return Number(written, start, end, ((part, whole), (part / whole,)))


def _is_quantity(found: re.Match[str], text: str) -> bool:
    run, end = found.group(), found.end()
    before = text[max(0, found.start() - _NEAR) : found.start()]
    is_scale = run[0] in CHINESE_SCALES and _AFTER_FIGURE.search(before)  # `3萬`
    if is_scale or _ORDINAL.search(before) or _OF_SUBSTANCE.match(text, end):
        return False
    if _BEFORE_RATIO.match(text, end) or _AFTER_RATIO.search(before):
        return True
    if run in ("一", "一一"):
        is_counted = _BEFORE_MEASURE.match(text, end)
        if text.startswith("次", end):
            is_counted = _HOW_OFTEN.search(before)
        return bool(is_counted) and not _WITHIN_WORD.search(before)
    scales_only = set(run) <= CHINESE_SCALES.keys()
    if len(run) > 1 and run not in _PHRASES and not scales_only:
        return True
    # One numeral alone takes more than itself to be a quantity.
    if scales_only and _DEGREE.match(text, end):
        return False
    is_stated = _STATES_VALUE.search(before) and _ENDS_VALUE.match(text, end)
    return bool(_BEFORE_COUNT.match(text, end) or is_stated)


def _readings(written: str, following: str) -> Readings:
    value = _one_value(written)
    if len(written) == _PAIR and _is_positional(written):
        first, second = (_DIGITS[c] for c in written)
        if first < second <= first + _PAIR:  # `三四天`: three to four
            return ((value,), (Decimal(first), Decimal(second)))
    if written[:-1] and written[-1] in POWERS and _UNIT_OF_POWER.match(following):
        return ((value,), (_one_value(written[:-1]),))
    return ((value,),)


def _one_value(written: str) -> Decimal:
    if written.isascii():
        return Decimal(written)
    run, *decimals = re.split("[點点]", written)
    whole = _positional(run) if _is_positional(run) else _structured(run)
    if not decimals:
        return whole
    return whole + _positional(decimals[0]).scaleb(-len(decimals[0]))


def _is_positional(run: str) -> bool:
    """Return whether it is read digit by digit: `二〇二四`."""
    return all(c in _DIGITS for c in run)


def _positional(run: str) -> Decimal:
    return Decimal("".join(str(_DIGITS[c]) for c in run))


def _structured(run: str) -> Decimal:
    """Read `三十六`, `一百零五`, `兩萬三` (there a digit counts the next power)."""
    for names, scale in _MYRIADS:
        at = max(run.rfind(c) for c in names)
        if at >= 0:
            rest = run[at + 1 :]
            behind = (
                Decimal(_DIGITS[rest] * scale // 10)
                if rest in _DIGITS
                else _structured(rest)
            )
            return (_structured(run[:at]) or Decimal(1)) * scale + behind
    total, digit, last = 0, 0, 10
    for c in run:
        if c in POWERS:
            total, digit, last = total + (digit or 1) * POWERS[c], 0, POWERS[c]
        elif c in _TENS:
            total, last = total + _TENS[c], 10
        else:
            digit = digit * 10 + _DIGITS[c]
            last = last if _DIGITS[c] else 10
    return Decimal(total + digit * last // 10)
