# ruff: noqa: RUF001 - the characters are the data
"""Text from bytes whose encoding nobody states, accepted only on evidence.

That bytes can be decoded proves nothing: every Korean file is valid GB 18030, and the
degree sign of a Western one is half of a Chinese character. So each candidate is scored
by how usual its characters would be where they stand; unless one is clearly best, the
text is refused. charset-normalizer and its like answer on files as short as a label
with a guess.
"""

import codecs
from collections.abc import Callable
from functools import partial
from typing import Final

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)

MAX_TEXT_BYTES: Final = 32 * 1024 * 1024
"""Of a text or delimited file."""
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SHIFTED: Final = (b"\x1b$", b"\x1b(")
_CONTROLS: Final = frozenset(map(chr, range(32))) - set("\t\n\r\x0b\x0c")
_ASCII_END: Final = 0x80
_NEEDED_SCORE: Final = 0.6
_NEEDED_LEAD: Final = 0.1
_MAX_SAMPLE: Final = 20_000
"""Characters beyond ASCII that are scored; enough for any text."""
_MIN_KANA_SHARE: Final = 0.25
_MAX_WESTERN_SHARE: Final = 0.4

# The commonest characters of running and of cosmetic Chinese.
COMMON_TRADITIONAL: Final = frozenset(
    "品條之用化第文或容產粧號內使一項不得應定其於者規髮及製法量以染二性成料造業中管有資分與合"
    "途理十所三物下關含生限期日為計名氧他非行劑人機稱全依原錄方登事安時主氟本存標驗列前四並的"
    "包證明準基作無載件收公免保施部經六過亞硝國衛示五則告裝質七反員辦入程年上未八試月外置供由"
    "刊設可編牙能百指止正檢章處類符藥別制避場違童自記孩輸立器超醫適總確字央要對工查回起取接案"
    "報請通市檔格出至實效節認毒防洗水備膏令發口師酸最除消且英地範重署數次區食廠良相當估傳材址"
    "情式混評微表約訂建清書倘動款批儲目新華訊碼配更後簽結歲民護殘體在害測商完單因樣識修如鹽零"
    "變核腔即比各同特大受沖例技度胺統形已許布意予潔學腐九間必託知系個位調註廢責加附膚致抽司括"
    "組該改此申流觸販賣禁銷直遵面達措眼詢命開提術我每液諮網費點等訓練紀需果半油政利屬型素運影"
    "執委就終允溶讀乳若填現來級萬少色序廣採放子霜吞玫瑰是注電說畫進源徑菌異臺籤圖圍響再尺福優"
    "功值盡攝香多停維足據照然沿革種送危具宣皮域階甲話院權留敏整片專療另元任補議燙睛訴室持份轄"
    "縣始小罰視預美貨到房週北涉餘狀態向代求天守密段續構聲論稽活寫粉頁手但際屆詞潤仿常封而充層"
    "線釋版和醇否簡象路激身轉拒沒細織白差乙鹼獻授黏刺損了這們會也你那著里道家去都看還好些心她"
    "只從想力它長把又將兩高問很頭見被什己信老給世門先海教兒東解真走義幾平氣題打女神何才太感務"
    "做德山金隊社便空決治展馬科聽界光強像難思南住邊張交望覺領共觀今切讓候帶導甘鉛砷汞鎘溫濕氏"
    "瓶蓋膜味顏熱冷凍箱冊均落腸桿黃葡萄球綠膿沙唇精露膠蠟底曬抗稠透淡淺臭離低循環陽射"
)
COMMON_SIMPLIFIED: Final = frozenset(
    "品条之用化第文或容产粧号内使一项不得应定其于者规发及制法量以染二性成料造业中管有资分与合"
    "途理十所三物下关含生限期日为计名氧他非行剂人机称全依原录方登事安时主氟本存标验列前四并的"
    "包证明准基作无载件收公免保施部经六过亚硝国卫示五则告装质七反员办入程年上未八试月外置供由"
    "刊设可编牙能百指止正检章处类符药别避场违童自记孩输立器超医适总确字央要对工查回起取接案报"
    "请通市档格出至实效节认毒防洗水备膏令口师酸最除消且英地范重署数次区食厂良相当估传材址情式"
    "混评微表约订建清书倘动款批储目新华讯码配更后签结岁民护残体在害测商完单因样识修如盐零变核"
    "腔即比各同特大受冲例技度胺统形已许布意予洁学腐九间必托知系个位调注废责加附肤致抽司括组该"
    "改此申流触贩卖禁销直遵面达措眼询命开提术我每液咨网费点等训练纪需果半油政利属型素运影执委"
    "就终允溶读乳若填现来级万少色序广采放子霜吞玫瑰是电说画进源径菌异台图围响再尺福优功值尽摄"
    "香多停维足据照然沿革种送危具宣皮域阶甲话院权留敏整片专疗另元任补议烫睛诉室持份辖县始小罚"
    "视预美货到房周北涉余状态向代求天守密段续构声论稽活写粉页手但际届词润仿常封而充层线释版和"
    "醇否简象路激身转拒没细织白差乙碱献授黏刺损了这们会也你那著里道家去都看还好些心她只从想力"
    "它长把又将两高问很头见被什己信老给世门先海教儿东解真走义几平气题打女神何才太感务做德山金"
    "队社便空决治展马科听界光强像难思南住边张交望觉领共观今切让候带导甘铅砷汞镉温湿氏瓶盖膜味"
    "颜热冷冻箱册均落肠杆黄葡萄球绿脓沙唇精露胶蜡底晒抗稠透淡浅臭离低循环阳射"
)
_WIDE_MARKS: Final = frozenset(
    "　、。，．·；：？！（）〔〕【】「」『』〈〉《》“”‘’…—～％＋－×÷"
    "±≦≧≤≥＝＜＞℃°§※★●○◎□■／①②③④⑤"
)
_WESTERN_LETTERS: Final = frozenset(map(chr, range(0xC0, 0x100))) - set("×÷") | set(
    "ŠšŽžŸŒœƒ"
)
_WESTERN_MARKS: Final = frozenset("°±×÷µ§©®€£–—‘’“”•…²³¹½¼¾™ºª«»¿¡·\xa0†‡‰¢¥")
_NEVER_IN_WORDS: Final = frozenset("¿¹³£¢¥½¼¾±")
_UNITS: Final = frozenset("CF\xb0")


def decoded(content: bytes) -> tuple[str, str]:
    """Return the text and its encoding, or raise where there is no evidence for one."""
    found = _marked(content) or _scored(content)
    if found is None:
        detail = (
            "there is no evidence in which encoding the text is written"
            " (UTF-8, UTF-16, Big5, GB 18030, Korean, Japanese, Western);"
            " save it as UTF-8"
        )
        raise UnreadableFileError(UnreadableReason.UNDECODABLE, detail)
    return found


def _marked(content: bytes) -> tuple[str, str] | None:
    """Return a text whose encoding its bytes prove, by a mark or by their structure."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _strict(content, encoding)
    if any(mark in content for mark in _SHIFTED):
        for encoding in ("iso2022_jp_2", "iso2022_kr"):
            if found := _strict(content, encoding):
                return found
    if b"\x00" in content:
        # In two-byte text the high byte of Latin letters and digits is zero.
        is_little = content[1::2].count(0) >= content[::2].count(0)
        return _strict(content, "utf-16-le" if is_little else "utf-16-be")
    return _strict(content, "utf-8")


def _strict(content: bytes, encoding: str) -> tuple[str, str] | None:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    return (text, encoding) if _CONTROLS.isdisjoint(text) else None


def _scored(content: bytes) -> tuple[str, str] | None:
    """Return the text in the encoding whose characters are clearly the most usual."""
    scores: list[tuple[float, str, str]] = []
    for name, (codec, score) in _CANDIDATES.items():
        found = _strict(content, codec)
        if found is not None:
            scores.append((_average(found[0], score), name, found[0]))
    scores.sort(reverse=True)
    if not scores or scores[0][0] < _NEEDED_SCORE:
        return None
    is_close = len(scores) > 1 and scores[0][0] - scores[1][0] < _NEEDED_LEAD
    # Two encodings may well give the same text.
    if is_close and scores[0][2] != scores[1][2]:
        return None
    return scores[0][2], scores[0][1]


_Score = Callable[[str, str, str], float]
"""Says how usual a character is between its neighbours, from 0 to 1."""


def _average(text: str, score: _Score) -> float:
    if score is _western:
        beyond = sum(ord(each) >= _ASCII_END for each in text)
        if beyond > _MAX_WESTERN_SHARE * len("".join(text.split())):
            return 0.0
    padded = f" {text} "
    values = [
        score(padded[at], padded[at - 1], padded[at + 1])
        for at in range(1, len(padded) - 1)
        if ord(padded[at]) >= _ASCII_END
    ][:_MAX_SAMPLE]
    average = sum(values) / len(values) if values else 0.0
    if score is _japanese:
        kana = sum(map(_is_kana, text))
        return average if kana >= _MIN_KANA_SHARE * len(values) else average / 2
    return average


def _western(character: str, before: str, after: str) -> float:
    around = before + after
    if character in _NEVER_IN_WORDS and before.islower() and after.islower():
        return -3.0  # as in the Polish of another code page: proof against this one
    if character in _WESTERN_LETTERS:
        # 25\xf8C: the degree sign of DOS; a capital in a word: an old Macintosh.
        if before.isdigit() or (character.isupper() and before.islower()):
            return 0.2
        is_in_word = any(each.isascii() and each.isalpha() for each in around)
        return 1.0 if is_in_word or around.isspace() else 0.3
    if character in "°º":
        return 1.0 if after in _UNITS or before.isdigit() else 0.7
    if character not in _WESTERN_MARKS:
        return 0.0
    is_free = not any(each in _WESTERN_LETTERS for each in around)
    usual = 0.9 if is_free or character in "‘’“”–—«»\xa0" else 0.3
    # Within words they are the Cyrillic of another code page.
    is_within = before.isalpha() and after.isalpha() and character not in "‘’“”–—·"
    return 0.2 if is_within else usual


def _han(character: str, before: str, after: str, common: frozenset[str]) -> float:
    if character in common:
        return 1.0
    if character in _WIDE_MARKS or "\uff01" <= character <= "\uff5e":
        return 0.9
    if not "\u4e00" <= character <= "\u9fff":
        return 0.0
    # A rare character may stand within Chinese, hardly alone between Latin letters.
    return 0.5 if before in common or after in common else 0.1


def _korean(character: str, before: str, after: str) -> float:
    if _is_hangul(character):
        # KS X 1001 has the syllables that people use, in two bytes. The code page adds
        # thousands that bytes of other encodings become; Python composes those of
        # three letters, in eight bytes.
        if len(character.encode("euc_kr")) != 2:  # noqa: PLR2004
            return 0.0
        return 1.0 if _is_hangul(before) or _is_hangul(after) else 0.6
    return 0.9 if character in _WIDE_MARKS else 0.1


def _japanese(character: str, before: str, after: str) -> float:
    if _is_kana(character):
        return 1.0
    if character in _WIDE_MARKS or "\uff01" <= character <= "\uff5e":
        return 0.9
    if "\u4e00" <= character <= "\u9fff":
        is_common = character in COMMON_TRADITIONAL or character in COMMON_SIMPLIFIED
        return 0.9 if is_common or _is_kana(before) or _is_kana(after) else 0.4
    return 0.0  # the half-width katakana are what bytes of other encodings become


def _is_kana(character: str) -> bool:
    return "\u3041" <= character <= "\u30fe"


def _is_hangul(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3"


_CANDIDATES: Final[dict[str, tuple[str, _Score]]] = {
    "big5": ("cp950", partial(_han, common=COMMON_TRADITIONAL)),
    # GB 18030 holds Traditional characters too, but two Hangul syllables or kana in it
    # are another language.
    "gb18030": ("gb18030", partial(_han, common=COMMON_SIMPLIFIED)),
    "euc-kr": ("cp949", _korean),
    "shift-jis": ("cp932", _japanese),
    "euc-jp": ("euc_jp", _japanese),
    "windows-1252": ("cp1252", _western),
}
