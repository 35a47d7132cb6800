"""Values as their labels announce them: names, codes, lots, persons, verdicts.

Each reader takes the printed text after a label and returns no value where the text
does not have the announced form.
"""

import re
from dataclasses import dataclass
from typing import Final

from dossier.documents.facts.folding import (
    CJK,
    COMPANY_FORMS,
    fold,
    has_cjk,
    name_key,
    printed,
)
from dossier.documents.facts.types import Fact, FactName, StatedVerdict
from dossier.documents.facts.vocabulary import PLACEHOLDER, label_at, phrases

LONGEST_NAME: Final = 120
LONGEST_CODE: Final = 30

SPARE: Final = " \t\u3000·;；,，、|-\u2013:：。.*"
_SCHOOLS: Final = ("university", "college", "institute", "大学")
_LAST_FORM: Final = re.compile(rf"(?:{COMPANY_FORMS})|{phrases('organisation')}")
_ADDRESS: Final = re.compile(phrases("address"))
_WHOLE_ADDRESS: Final = re.compile(
    r"(?:\d *号(?: *\d+ *[楼f])?(?: *之 *\d+)?|\d *[楼f])$"
)
_SENTENCE: Final = re.compile(phrases("sentence"))
_NET: Final = re.compile(r"[\s,(]*\d+(?:\.\d+)? *(?:ml|g|毫升|公克|克)\)?$")
_VERSION_WORD: Final = r"(?:version|ver\.?|v\.?|revision|rev\.?|issue|版次|版本|第)"
_CODE_TAIL: Final = re.compile(
    r"[,(] *(?=[a-z]*[-_ ]?\d)[a-z]{1,6}[-_ ]?\d[\w.-]*"
    rf"(?: *,? *{_VERSION_WORD}[ .:]*[\w.]+版?)?\)?|(?<= )·(?= )"
)
_CODE: Final = re.compile(r"#? *([a-z0-9][a-z0-9\-_./]*[a-z0-9]|[a-z0-9])")
_CAPITALS: Final = re.compile(r"[A-Z]+(?:-[A-Z]+)+")
_CODE_IN_BRACKETS: Final = re.compile(r"\s*[(（][A-Z0-9]+(?:-[A-Z0-9]+)+[)）]$")
_QUANTITY: Final = re.compile(r" *[%°]| *(?:ml|g|kg|周|days|weeks)\b")
_LOT_ITEM: Final = re.compile(r"[a-z0-9][a-z0-9\-_./#]*(?: [a-z0-9\-_./#]+){0,3}")
_LOT_SPLIT: Final = re.compile(r"[,，、;；&]| and | 及 | 與 | 和 |/(?= )")
_AFTER_LOT: Final = re.compile(
    r"[\s,(]+(?:exp|mfg|mfd|date|size)\b.*$", re.IGNORECASE | re.DOTALL
)
_BRACKETS: Final = re.compile(r"[(（\[][^)）\]]*[)）\]]?")
_VERSION: Final = re.compile(
    r"^(?:第 *|版[本次]? *)?(?:version|ver\.?|v\.?|rev(?:ision)?\.?|no\.?)? *"
    r"(?P<version>\d{1,3}(?:\.\d{1,2}){0,2}|[a-z])(?![\w-])(?: *版)?"
)
_VERSION_AFTER_CODE: Final = re.compile(
    rf"[a-z0-9][\w/-]*\d[\w-]*\)? *[,(·/-]? *{_VERSION_WORD}"
    r" *[:.]? *(?P<version>\d{1,3}(?:\.\d{1,2})?|[a-z])(?![\w-])"
)
_CODE_AFTER_NAME: Final = re.compile(
    rf"[,(·] *(?P<code>[a-z]{{1,6}}[-_ ]?\d[\w.-]*?) *,? *{_VERSION_WORD}"
)
_DATE_LIKE: Final = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}")
_ZH_PERSON: Final = re.compile(rf"[{CJK}·]{{2,5}}")
_PERSON_TITLE: Final = re.compile(phrases("person_title"))
_LATIN_NAME: Final = re.compile(r"[A-Z][A-Za-z'\-]*\.?(?:,? [A-Z][A-Za-z'\-]*\.?){1,4}")
_NO_PERSON: Final = re.compile(phrases("no_person"))

_CONDITION: Final = re.compile(phrases("condition"))
_CONTRAST: Final = re.compile(phrases("contrast"))
_FAILED: Final = re.compile(phrases("fail"))
_TICKED: Final = re.compile(
    r"(?:[☑☒■✓✔√●]|\[ *[xv√✓] *\]|\( *[xv√✓] *\)) *"
    rf"(?P<word>{phrases('fail')}|{phrases('pass')})"
)
_BOX: Final = re.compile(r"[☐□○☑☒■✓✔]|\[ *[xv]? *\]|\( *\)")
_OUTCOME: Final = re.compile(
    # A double negative states that something passed.
    f"(?P<none>{phrases('no_failure')})|(?P<fail>{phrases('fail')})"
    f"|(?P<pass>{phrases('pass')})"
)
_BILINGUAL_OUTCOME: Final = re.compile(
    rf"(?:{phrases('fail')}|{phrases('pass')})"
    rf"(?:[ /(,;·]*(?:{phrases('fail')}|{phrases('pass')})\)?)?"
)
"""An outcome, also in both languages: 符合 Pass."""

_CHOICE: Final = re.compile(
    rf"(?<![不未]){phrases('pass')} *(?:/|或|or) *{phrases('fail')}"
    rf"|{phrases('fail')} *(?:/|或|or) *{phrases('pass')}"
)
_INCOMPLETE: Final = re.compile(phrases("incomplete"))


@dataclass(frozen=True, slots=True)
class Value:
    """A normalised value and its words as printed.

    `is_whole` is true where the value has an end of its own: a legal form, a number.
    """

    value: str
    raw: str
    is_whole: bool = False


def product_names(text: str) -> list[Value]:
    """Return the product name that a text consists of."""
    folded = fold(text)
    cut = _CODE_TAIL.search(folded)
    raw = (text[: cut.start()] if cut else text).strip(SPARE)
    raw = _CODE_IN_BRACKETS.sub("", raw)
    net = _NET.search(fold(raw))
    raw = raw[: net.start()] if net else raw
    folded = fold(raw)
    bare = re.sub(r"^\((?:zh|en|中文|英文)\) *", "", folded)
    raw = raw[len(raw) - len(bare) :].strip(SPARE)
    if (
        not re.search(rf"[a-z]{{2}}|[{CJK}].*[{CJK}]", bare)
        or len(raw) > LONGEST_NAME
        or PLACEHOLDER.match(bare)
        or _SENTENCE.search(bare)
        or _DATE_LIKE.fullmatch(bare)
    ):
        return []
    return [Value(printed(raw), raw, cut is not None)]


def inci_names(text: str) -> list[Value]:
    """Return the INCI names that a text lists; a comma between digits is no comma."""
    found = []
    for part in re.split(r"[;；、]|,(?!\d)(?= )|\(?and\)", text):
        raw = part.strip(SPARE)
        folded = fold(raw)
        if (
            has_cjk(raw)
            or not re.search(r"[a-z]{3}", folded)
            or len(raw) > LONGEST_NAME
        ):
            continue
        if not PLACEHOLDER.match(folded) and not _SENTENCE.search(folded):
            found.append(Value(printed(raw), raw))
    return found


def codes(text: str) -> list[Value]:
    """Return the code that a text begins with: one word with a digit."""
    text = text.strip()
    folded = fold(text)
    match = _CODE.match(folded)
    if match is None or len(match[1]) > LONGEST_CODE:
        return []
    printed_code = printed(text[match.start(1) : match.end(1)])
    if not re.search(r"\d", match[1]) and not _CAPITALS.fullmatch(printed_code):
        return []
    rest = folded[match.end() :]
    if _DATE_LIKE.fullmatch(match[1]) or _QUANTITY.match(rest):
        return []
    if rest.strip() and not re.match(r" *[,;·()/|]| +[^\d\s]", rest):
        return []
    raw = text[match.start(1) : match.end(1)]
    return [Value(printed(raw), raw, is_whole=True)]


def codes_after_name(text: str) -> list[Value]:
    """Return the formula code in "Rose Cream, RC-0312 version 4"."""
    match = _CODE_AFTER_NAME.search(fold(text))
    if match is None:
        return []
    raw = text[match.start("code") : match.end("code")]
    return [Value(printed(raw), raw, is_whole=True)]


def versions(text: str) -> list[Value]:
    """Return the version that a text begins with: 4, v4, rev. B, 第 4 版."""
    match = _VERSION.match(fold(text))
    if match is None:
        return []
    raw = text[: match.end()].strip()
    return [Value(match["version"].upper(), raw, is_whole=True)]


def versions_after_code(text: str) -> list[Value]:
    """Return the version in "RC-0312, version 4"."""
    match = _VERSION_AFTER_CODE.search(fold(text))
    if match is None:
        return []
    raw = text[match.start() : match.end()]
    return [Value(match["version"].upper(), raw, is_whole=True)]


def lots(text: str) -> list[Value]:
    """Return the lots that a text lists; none if any part is no lot."""
    found = []
    for part in _LOT_SPLIT.split(_BRACKETS.sub(" ", _AFTER_LOT.sub("", text))):
        raw = part.strip(SPARE)
        if not raw:
            continue
        folded = re.sub(r"^(?:no\.?|lot|batch|#) *(?=[a-z]*\d)", "", fold(raw))
        tokens = folded.split()
        if (
            not _LOT_ITEM.fullmatch(folded)
            or len(folded) > LONGEST_CODE
            or _DATE_LIKE.search(folded)
            or not re.search(r"\d", folded)
            or not all(re.search(r"\d", t) or len(t) <= len("lot") for t in tokens)
            or re.search(r"\d *(?:kg|ml|g|pcs|months?|days?)$", folded)
        ):
            return []
        raw = raw[len(raw) - len(folded) :]
        found.append(Value(printed(raw), raw, is_whole=True))
    return found


def companies(text: str) -> list[Value]:
    """Return the name of the organisation that a text begins with, up to its form."""
    raw = text.strip(SPARE.replace(".", ""))
    end = _organisation_end(raw)
    if end:
        raw = raw[:end]
        return [Value(printed(raw), raw, is_whole=True)] if raw else []
    folded = fold(raw)
    if (
        re.search(r"\d", folded)
        or PLACEHOLDER.match(folded)
        or _SENTENCE.search(folded)
        or _ADDRESS.search(folded)
        or not len("ab") <= len(raw) <= LONGEST_NAME // 2
    ):
        return []
    return [Value(printed(raw), raw)]


def _organisation_end(text: str) -> int:
    """Return where the last word of an organisation's name ends, before any address."""
    folded = fold(text)
    end, last = 0, ""
    for match in _LAST_FORM.finditer(folded):
        if _is_after_the_name(folded, end, match.start(), last):
            break
        of = re.match(
            r" of [a-z&-]+(?: and [a-z&-]+)?(?= *(?:$|[,;(]))", folded[match.end() :]
        )
        end, last = match.end() + (of.end() if of else 0), match[0]
    # "Biotech Co., Ltd." ends with its full stop, 中心 before "12 Road" does not.
    return end if not folded[end : end + 1].isalpha() or has_cjk(folded[:end]) else 0


def _is_after_the_name(folded: str, end: int, start: int, last: str) -> bool:
    """Return whether the words between begin an address or a new field."""
    between = folded[end:start]
    if not end:
        return bool(_ADDRESS.search(between) and re.search(r"\d", between))
    bracket = between.find("(")
    return (
        bool(_ADDRESS.search(between) or re.search(r"[;·|]|\d", between))
        or ("," in between and not last.startswith(_SCHOOLS))
        # A bracket with a field of its own: the site after the company.
        or (bracket >= 0 and label_at(folded, end + bracket + 1) is not None)
    )


def sites(text: str) -> list[Value]:
    """Return a site: an organisation or an address, not a part of the body."""
    raw = text.strip(SPARE.replace(".", ""))
    folded = fold(raw)
    if PLACEHOLDER.match(folded) or _SENTENCE.search(folded) or len(raw) < len("no.1"):
        return []
    is_address = _ADDRESS.search(folded) and re.search(r"\d", folded)
    if not (_LAST_FORM.search(folded) or is_address):
        return []
    is_whole = _organisation_end(raw) == len(raw) or bool(_WHOLE_ADDRESS.search(folded))
    return [Value(printed(raw), raw, is_whole)]


def persons(text: str) -> list[Value]:
    """Return the name of one person that a text begins with."""
    raw = text.strip(SPARE)
    cut = re.search(r"[,，·|(（;；]| {2,}|\u3000|\d|_{2,}| on ", raw)
    head = raw[: cut.start()] if cut and cut.start() else raw
    degrees = _PERSON_TITLE.search(fold(head))
    while degrees:
        head = (head[: degrees.start()] + " " + head[degrees.end() :]).strip(SPARE)
        degrees = _PERSON_TITLE.search(fold(head))
    head = printed(head)
    if not head or _NO_PERSON.search(fold(head)) or PLACEHOLDER.match(fold(head)):
        return []
    zh = "".join(token for token in head.split() if has_cjk(token))
    latin = " ".join(token for token in head.split() if not has_cjk(token))
    if zh and not _ZH_PERSON.fullmatch(zh):
        return []
    if latin and not _LATIN_NAME.fullmatch(latin):
        return []
    return [Value(head, head, is_whole=True)]


def signing_persons(text: str) -> list[Value]:
    """Return the person who signed, if the name does not stand below a blank line."""
    if re.search(r"_{3,}|\.{4,}|…", text):
        return []
    return persons(re.sub(r"^\s*/s/\s*|^\s*\(?(?:signed|sgd\.?)\)?\s*", "", text))


def verdicts(text: str) -> list[Value]:
    """Return what a conclusion states: pass, fail or incomplete.

    A failure anywhere outweighs. A condition, an exception to a pass, or choices
    without a tick leave the conclusion to a person.
    """
    folded = fold(text)
    ticked = {match["word"]: match for match in _TICKED.finditer(folded)}
    if len(ticked) == 1:
        word, match = next(iter(ticked.items()))
        state = StatedVerdict.FAIL if _FAILED.fullmatch(word) else StatedVerdict.PASS
        return [Value(state, text[match.start() : match.end()].strip())]
    found = {match.lastgroup for match in _OUTCOME.finditer(folded)}
    if _BOX.search(folded) or _CHOICE.search(folded):
        return []
    incomplete = _INCOMPLETE.search(folded)
    if incomplete and not found:
        return [
            Value(StatedVerdict.INCOMPLETE, text[incomplete.start() : incomplete.end()])
        ]
    if not found or _CONDITION.search(folded):
        return []
    if "fail" not in found and _CONTRAST.search(folded):
        return []
    state = StatedVerdict.FAIL if "fail" in found else StatedVerdict.PASS
    lines = text.strip().split("\n")
    while (
        len(lines) > 1 and persons(lines[-1]) and not _OUTCOME.search(fold(lines[-1]))
    ):
        lines.pop()  # only names who signed
    return [Value(state, "\n".join(lines))]


def plain_outcomes(text: str) -> list[Value]:
    """Return what a result states that is nothing but an outcome: "Pass", "☑ 合格"."""
    folded = fold(text).strip(SPARE)
    is_plain = (
        _OUTCOME.fullmatch(folded)
        or _BILINGUAL_OUTCOME.fullmatch(folded)
        or _BOX.search(folded)
    )
    return verdicts(text) if is_plain else []


def comparable(name: FactName, fact: Fact) -> str:
    """Return what makes two facts of one name the same value."""
    if name in {FactName.VERDICT, FactName.SIGNATURE} or not fact.value:
        return fact.value or fact.raw
    return name_key(fact.value)
