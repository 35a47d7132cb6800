"""The kind of a document, by its title and what its body must contain.

A document opens with what it is: a title that names one kind decides, and the body
raises the confidence. Without a title the body decides where it has the form that only
one kind has (the section headings of a safety data sheet, the elements of a label).
A protocol, an order or a list of documents is not the document that it names.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Final

from dossier.documents.facts.fields import page_lines
from dossier.documents.facts.folding import COMPANY_FORMS, fold
from dossier.documents.facts.types import KindReading, PageText

KIND_TITLE_LINES: Final = 16
TITLE_LENGTH: Final = 110
BODY_LENGTH: Final = 20_000
SPARE_LETTERS: Final = 34
"""Letters of a title line beside the title: a product name, hardly a sentence."""

TITLE_AND_BODY: Final = Decimal("0.97")
TITLE_ALONE: Final = Decimal("0.6")
BODY_ONLY: Final = Decimal("0.8")
NOTHING: Final = Decimal(0)

_GENERIC: Final = re.compile(
    fold(
        r"\b(?:reports?|tests?|testing|stud(?:y|ies)|certificates?|summary|documents?|results?"
        r"|statement|sheet|records?|final|official|the|of|for|and|on|to|with|in|no|"
        r"products?|cosmetics?|finished|version|rev|page)\b|[a-z]*\d[\w./-]*"
        r"|報告書?|試驗|測試|檢驗|檢測|結果|產品|化粧品|化妝品|證明書?|證書|文件|摘要|資料|紀錄|記錄|表|書"
    )
)
_SENTENCE: Final = re.compile(
    fold(
        r"\b(?:is|was|are|were|has|have|been|be|will|shall|should|must|by|which|see|refers?"
        r"|attached|enclosed|please|hereby|according|we|our|you)\b|。|(?<!no)(?<!acc)(?<!rev)(?<!ver)[.;]\s+[^\s]|附件|詳見|參見|茲"
    )
)
_TITLE_LABEL: Final = re.compile(
    fold(
        r"^(?:(?:document|report)?\s*(?:title|name|type)|文件名稱|報告名稱|文件類別|標題|表單名稱"
        r"|主旨)\s*[:\t]\s*"
    )
)
_FIELD: Final = re.compile(r"^[^:]{1,40}:|\t")
_HOUSE: Final = re.compile(
    fold(
        rf"(?:{COMPANY_FORMS})|(?:laborator(?:y|ies)|labs?|institute|university|centre"
        r"|center|實驗室|檢驗中心|檢測中心|大學|研究所|平台(?:\(列印\))?)\s*$"
    )
)
_LETTERS: Final = re.compile(r"[^\W\d_]")


def document_kind(pages: Sequence[PageText]) -> KindReading:
    """Return the kind of a document by its content; a file name has no part in it."""
    first = next((page for page in pages if page.text.strip()), None)
    if first is None:
        return KindReading(None, "", None, NOTHING)
    body = fold("\n".join(page.text for page in pages)[:BODY_LENGTH])
    for line in _title_lines(first):
        if _announces_document(fold(line)):
            return KindReading(None, line.strip(), first.number, NOTHING)
        kinds = _kinds_in_title(line)
        if kinds:
            return _kind_by_title(kinds, line.strip(), first.number, body)
    return _kind_by_body(first, body)


def _title_lines(page: PageText) -> Iterator[str]:
    """Yield the lines near the top that may be titles."""
    filled = [line for line in page_lines(page) if line.strip()]
    for line in filled[:KIND_TITLE_LINES]:
        folded = fold(line)
        label = _TITLE_LABEL.match(folded.lstrip())
        if label:
            yield line.lstrip()[label.end() :]
        elif len(line) <= TITLE_LENGTH and not _HOUSE.search(folded.strip()):
            yield line


def _announces_document(folded: str) -> bool:
    """Return whether a title is that of a protocol, an order, a list or a rule."""
    if not _words().announcements.search(folded) or _SENTENCE.search(
        folded.strip(" .")
    ):
        return False
    return not _FIELD.search(folded) or _kinds_before_colon(folded)


def _kinds_in_title(line: str) -> frozenset[str]:
    """Return the kinds that a title line names; none for a sentence or a field."""
    folded = fold(line)
    rest, kinds = folded, set()
    for phrase, kind in _words().titles:
        if phrase.search(rest):
            rest = phrase.sub(" ", rest)
            kinds.add(kind)
    if not kinds or _SENTENCE.search(folded.strip(" .")):
        return frozenset()
    spare = _LETTERS.findall(_GENERIC.sub(" ", rest))
    field = _FIELD.search(folded)
    if len(spare) > SPARE_LETTERS or (field and not _kinds_before_colon(folded)):
        return frozenset()
    return frozenset(kinds)


def _kinds_before_colon(folded: str) -> bool:
    """Return whether a colon follows a title ("Safety assessment: conclusion")."""
    before = folded.split(":", maxsplit=1)[0]
    return any(phrase.search(before) for phrase, _ in _words().titles)


@dataclass(frozen=True, slots=True)
class _KindWords:
    """The words of all kinds, as patterns for folded text.

    `titles` are the longest first, because the longer of two counts: "preservative
    efficacy" is no "efficacy". `signs_needed` is how many signs prove a kind that has
    a form of its own, without a title. `announcements` are the titles of documents that
    announce, order, list or regulate another one. `open_titles` are titles that several
    kinds share, with the words that distinguish them.
    """

    titles: tuple[tuple[re.Pattern[str], str], ...]
    signs: Mapping[str, tuple[re.Pattern[str], ...]]
    signs_needed: Mapping[str, int]
    open_titles: Mapping[str, Mapping[str, re.Pattern[str]]]
    announcements: re.Pattern[str]


@cache
def _words() -> _KindWords:
    file = resources.files("dossier.documents.facts").joinpath("data/kinds.json")
    data = json.loads(file.read_text(encoding="utf-8"))
    kinds = data["kinds"]
    titles = [(fold(w), kind) for kind in kinds for w in kinds[kind]["titles"]]
    shared = data["open_titles"]
    titles += [(fold(word), name) for name in shared for word in shared[name]["titles"]]
    titles.sort(key=lambda entry: -len(entry[0]))
    return _KindWords(
        titles=tuple((_title_pattern(word), kind) for word, kind in titles),
        signs={
            kind: tuple(re.compile(fold(sign)) for sign in kinds[kind]["signs"])
            for kind in kinds
        },
        signs_needed={
            kind: kinds[kind]["signs_that_tell"]
            for kind in kinds
            if "signs_that_tell" in kinds[kind]
        },
        open_titles={
            name: {
                kind: re.compile(fold("|".join(words)))
                for kind, words in shared[name]["subjects"].items()
            }
            for name in shared
        },
        announcements=re.compile(fold("|".join(data["not_the_paper"]))),
    )


def _title_pattern(word: str) -> re.Pattern[str]:
    if not word.isascii():
        return re.compile(" ?".join(map(re.escape, word.replace(" ", ""))))
    escaped = re.escape(word).replace(r"\ ", r"[\s-]+")
    return re.compile(rf"(?<![a-z]){escaped}(?![a-z])")


def _kind_by_title(
    kinds: frozenset[str], title: str, page: int | None, body: str
) -> KindReading:
    open_titles = _words().open_titles
    named = sorted(kinds - open_titles.keys())
    if len(named) == 1:
        confidence = TITLE_AND_BODY if _signs(named[0], body) else TITLE_ALONE
        return KindReading(named[0], title, page, confidence)
    if named:
        return KindReading(None, title, page, NOTHING, tuple(named))
    # The kind of a certificate of analysis or a declaration is that of its subject.
    subjects = open_titles[next(iter(kinds))]
    found = [kind for kind, subject in subjects.items() if subject.search(body)]
    if len(found) == 1:
        return KindReading(found[0], title, page, TITLE_AND_BODY)
    return KindReading(None, title, page, NOTHING, tuple(sorted(found or subjects)))


def _kind_by_body(page: PageText, body: str) -> KindReading:
    """Return the kind whose form the body has, if only one kind's is there."""
    needed = _words().signs_needed
    counted = {kind: _signs(kind, body) for kind in needed}
    enough = {
        kind: signs for kind, signs in counted.items() if len(signs) >= needed[kind]
    }
    if len(enough) != 1:
        return KindReading(None, "", page.number, NOTHING, tuple(sorted(enough)))
    kind, signs = enough.popitem()
    return KindReading(kind, "; ".join(signs[:4]), page.number, BODY_ONLY)


def _signs(kind: str, body: str) -> list[str]:
    """Return the different signs of a kind that the body has."""
    found = (sign.search(body) for sign in _words().signs[kind])
    return [match[0].strip() for match in found if match]
