"""Words that label fields and state results, in Chinese and English, as data.

Chinese is written in one script; both are compared in Simplified. A label that names no
fact (`Label.OTHER`) still ends the value before it, and keeps its own value from being
taken for something else: "batch size" is no lot.
"""

import json
import re
from collections.abc import Iterable
from enum import StrEnum
from importlib import resources
from typing import Any, Final

from dossier.documents.facts.folding import CJK, fold

MATERIAL_KINDS: Final = frozenset({"sds", "raw_material_spec"})
"""Kinds of documents about one raw material, which name it, not a product."""


class Label(StrEnum):
    """What a label announces."""

    PRODUCT_NAME = "product_name"
    PRODUCT_CODE = "product_code"
    COMPANY = "company"
    ISSUER = "issuer"
    SITE = "site"
    ADDRESS = "address"
    LOT = "lot"
    DATE = "date"
    ISSUE_DATE = "issue_date"
    REVISION_DATE = "revision_date"
    SIGNING_DATE = "signing_date"
    VALID_FROM = "valid_from"
    VALIDITY = "validity"
    EXPIRY = "expiry"
    MANUFACTURE_DATE = "manufacture_date"
    LOT_EXPIRY = "lot_expiry"
    SIGNATURE = "signature"
    SIGNER = "signer"
    DECLARER = "declarer"
    PERSON = "person"
    METHOD = "method"
    VERDICT = "verdict"
    RESULT = "result"
    FORMULA = "formula"
    FORMULA_VERSION = "formula_version"
    VERSION = "version"
    PACK_VERSION = "pack_version"
    INCI_NAME = "inci_name"
    TRADE_NAME = "trade_name"
    USE_METHOD = "use_method"
    BODY_SITE = "body_site"
    USE_AMOUNT = "use_amount"
    USE_FREQUENCY = "use_frequency"
    POPULATION = "population"
    PERIOD = "period"
    STATUS = "status"
    FILLER = "filler"
    OTHER = "other"


_MODIFIERS: Final = (
    r"(?:(?:old|previous|former|original|control|reference|comparator|comparison"
    r"|placebo|competitor|blank|standard|other|similar|parent|medium|media|reagent|next"
    r"|first|initial|last|non)[\s-]+|原先|原始|前次|前|旧|对照组?|参考|标准品|比较|其他|类似|空白|下次"
    r"|培养基|试剂)"
)
"""Words before a label that make it speak of something else than this document."""


_ALTERNATIVES: Final = re.compile(r"\{([^{}]*)\}")


def _load(name: str) -> Any:
    file = resources.files("dossier.documents.facts").joinpath(f"data/{name}.json")
    return json.loads(file.read_text(encoding="utf-8"))


def _expanded(word: str) -> list[str]:
    """Return all words of a template: "{product|sample} name"."""
    group = _ALTERNATIVES.search(word)
    if group is None:
        return [word]
    return [
        expanded
        for choice in group[1].split("|")
        for expanded in _expanded(word[: group.start()] + choice + word[group.end() :])
    ]


def _pattern(word: str) -> str:
    """Return a pattern in which Chinese characters may be spaced: 品　　名."""
    spaced = re.sub(rf"(?<=[{CJK}])(?=[{CJK}])", "\x00", word)
    escaped = re.escape(spaced).replace("\x00", " {0,6}").replace(r"\ ", " +")
    start = r"(?<![0-9a-z])" if word[0].isascii() and word[0].isalnum() else ""
    end = r"(?![0-9a-z])" if word[-1].isascii() and word[-1].isalnum() else ""
    return f"{start}{escaped}{end}"


def _matchers(words: Iterable[str]) -> dict[str, re.Pattern[str]]:
    """Return a pattern for each beginning: one for all labels is 20 times slower."""
    groups: dict[str, list[str]] = {}
    for word in sorted(words, key=len, reverse=True):
        groups.setdefault(_beginning(word), []).append(_pattern(word))
    return {start: re.compile("|".join(group)) for start, group in groups.items()}


def _beginning(text: str) -> str:
    return text[:2] if text[:1].isascii() else text[:1]


_SPACED: Final = re.compile(rf"(?<=[{CJK}]) +(?=[{CJK}])")
# A word that is listed by itself comes last: it counts more than a template's.
_LISTED: Final = sorted(
    ((word, Label(name)) for name, words in _load("labels").items() for word in words),
    key=lambda entry: "{" not in entry[0],
)
LABELS: Final = {
    fold(word): label for each, label in _LISTED for word in _expanded(each)
}
_MATCHERS: Final = _matchers(LABELS)
MODIFIER: Final = re.compile(_MODIFIERS)
DATE_LABELS: Final = frozenset(
    {
        Label.DATE, Label.ISSUE_DATE, Label.REVISION_DATE, Label.SIGNING_DATE,
        Label.VALID_FROM, Label.VALIDITY, Label.EXPIRY, Label.LOT_EXPIRY,
        Label.MANUFACTURE_DATE,
    }
)  # fmt: skip

_PHRASES: Final[dict[str, list[str]]] = _load("phrases")


def phrases(name: str) -> str:
    """Return a pattern for the phrases of a list, in folded text, as whole words."""
    alternatives = []
    for phrase in map(fold, _PHRASES[name]):
        start = r"(?<![a-z])" if phrase[0].isalpha() or phrase[0] == "(" else ""
        is_latin = phrase.isascii() and not phrase.startswith(("[", "\\d", "\\("))
        alternatives.append(f"{start}{phrase}(?![a-z])" if is_latin else phrase)
    return f"(?:{'|'.join(alternatives)})"


PLACEHOLDER: Final = re.compile(rf"^{phrases('placeholder')}$")
"""Values that say nothing."""


def label_at(folded: str, position: int) -> tuple[Label, int] | None:
    """Return the longest label at a place of folded text, and where it ends."""
    matcher = _MATCHERS.get(_beginning(folded[position : position + 2]))
    match = matcher.match(folded, position) if matcher else None
    if match is None:
        return None
    label = LABELS.get(match[0])
    if label is None:
        # The words are spaced as no label is written.
        squeezed = _SPACED.sub("", match[0])
        label = LABELS[re.sub(r" +", " ", squeezed)]
    return label, match.end()
