"""The product types of a limb: words of the source into clauses of tags.

Strict: a cell whose every word is not in the vocabulary
(`data/product_types.json`) is not read at all.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from dossier.regulations.importing.cells import clean
from dossier.regulations.rules.records import Clause

_SEPARATORS: Final = re.compile(r"(?:\s*(?:[,;/.]|&|\band\b|\bor\b)\s*)+")
_EXCEPT: Final = re.compile(
    r",?\s*\b(?:with the exception of|except for|except|excluding|other than)\s+"
)
_NOTHING: Final = re.compile(
    r"\s*\((?:hydroalcoholic and non-hydroalcoholic, spray and non-spray|\*)\)"
    r"|,? including propellant and pump spray products|^the following spray products:"
)
_SUFFIXES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"\s*\(spray/aerosol\)"), "spray"),
    (re.compile(r"\s*\(non-spray(?:/non-aerosol)?\)|, not in form of spray"), "!spray"),
    (re.compile(r" \(for rinse-off products only\)"), "rinse_off"),
    (
        re.compile(
            r" that may lead to (?:the )?exposure of the end.user'?s?'? lungs"
            r" by inhalation"
        ),
        "inhalable",
    ),
)
_PREFACE: Final = re.compile(
    r"^allowed for use as a preservative in (?=.* at a maximum)"
    r"| at a maximum concentration of \S+ % in ready for use preparation\.?$"
    r"|\s*note: '.*$"
)
_LETTERS: Final = re.compile(r"^(.+?) \(except of the foregoing\)")
_CHILDREN: Final = re.compile(r" intended for children (?:below|under) 3 years of age$")
_TYPOS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"\bhair (?:day|due)\b"), "hair dye"),
    (re.compile(r"\bsubtance\b"), "substance"),
    (re.compile(r"oxidatie\b"), "oxidative"),
    (re.compile(r"\bnon- oxid"), "non-oxid"),
    (re.compile(r"\bhair dyes? products?\b"), "hair dye products"),
    (re.compile(r"\boral producrs\b"), "oral products"),
    (re.compile(r"\bproduts\b"), "products"),
)


@cache
def vocabulary(language: str = "en") -> Mapping[str, tuple[Clause, ...]]:
    """Return the words of product types and their clauses."""
    text = resources.files("dossier.regulations").joinpath("data/product_types.json")
    table = json.loads(text.read_text("utf-8"))[language]
    return {
        phrase: tuple(tuple(clause) for clause in clauses)
        for phrase, clauses in table.items()
    }


def read_scope(text: str) -> tuple[Clause, ...] | None:
    """Return the clauses of a product-type text, or `None` where a word is unknown.

    An empty clause stands for every product.
    """
    words = _words(text)
    return _scope(words) if words else ()


def _words(text: str) -> str:
    words = _PREFACE.sub("", clean(text).lower()).strip(" .;:")
    words = _LETTERS.sub(r"other \1", words)
    for pattern, right in _TYPOS:
        words = pattern.sub(right, words)
    return words


def _scope(words: str) -> tuple[Clause, ...] | None:
    children = _CHILDREN.search(words)
    if children and words[: children.start()].count("(") == words.count(")"):
        read = _scope(words[: children.start()])
        return None if read is None else tuple(_with(list(read), "under_3"))
    every_spray = words.startswith("the following spray products:")
    words = _NOTHING.sub("", words).strip()
    found: list[Clause] | None = []
    while words and found is not None:
        found, words = _item(found, words)
    if found is None:
        return None
    return tuple(_with(found, "spray")) if every_spray else tuple(found)


def _item(found: list[Clause], words: str) -> tuple[list[Clause] | None, str]:
    """Read one phrase with its exceptions; `None` where a word is unknown."""
    step = _next(words)
    if step is None:
        return None, words
    clauses, words = step
    bracketed, words = _exception(words, is_bracketed=True)
    narrowed = None if bracketed is None else _without(clauses, bracketed)
    excepted, words = _exception(words, is_bracketed=False)
    if narrowed is None or excepted is None:
        return None, words
    joined = _without((*found, *narrowed), excepted)
    separator = _SEPARATORS.match(words)
    if words and separator is None:
        return None, words
    return joined, words[separator.end() :] if separator else ""


def _next(words: str) -> tuple[tuple[Clause, ...], str] | None:
    """Read the longest phrase at the start, with the suffixes that narrow it."""
    known = vocabulary()
    longest = max(
        (p for p in known if words.startswith(p) and _ends(words, len(p))),
        key=len,
        default=None,
    )
    if longest is None:
        return None
    clauses, rest = list(known[longest]), words[len(longest) :]
    for pattern, tag in _SUFFIXES:
        if match := pattern.match(rest):
            clauses, rest = _with(clauses, tag), rest[match.end() :]
    return tuple(clauses), rest


def _ends(words: str, at: int) -> bool:
    return at == len(words) or not (words[at].isalnum() or words[at] == "-")


def _exception(
    words: str, *, is_bracketed: bool
) -> tuple[tuple[Clause, ...] | None, str]:
    """Read `(except …)`, or `except …` up to the end; `None` where it is unknown."""
    if is_bracketed:
        match = re.match(rf"\s*\({_EXCEPT.pattern}", words)
        if match is None:
            return (), words
        end = _closing(words, words.index("("))
        inner, rest = words[match.end() : end], words[end + 1 :]
    else:
        match = _EXCEPT.match(words)
        if match is None:
            return (), words
        inner, rest = words[match.end() :], ""
    children = _CHILDREN.search(inner)
    excepted = _scope(_CHILDREN.sub("", inner))
    if not excepted:
        return None, rest
    if children:
        excepted = tuple(_with(list(excepted), "under_3"))
    return excepted, rest


def _closing(words: str, start: int) -> int:
    depth = 0
    for at in range(start, len(words)):
        depth += (words[at] == "(") - (words[at] == ")")
        if depth == 0:
            return at
    return len(words)


def _with(clauses: list[Clause], tag: str) -> list[Clause]:
    return [tuple(dict.fromkeys((*clause, tag))) for clause in clauses]


def _without(
    clauses: tuple[Clause, ...], excepted: tuple[Clause, ...]
) -> list[Clause] | None:
    """Deny each excepted conjunction; `None` where a denial stands inside one.

    Beside `other` it may be left out: a product of a sibling limb is no other one.
    """
    plain = [e for e in excepted if not any(tag.startswith("!") for tag in e)]
    if len(plain) < len(excepted) and not all("other" in each for each in clauses):
        return None
    denials = tuple(dict.fromkeys("!" + "+".join(clause) for clause in plain))
    return [(*clause, *denials) for clause in clauses]
