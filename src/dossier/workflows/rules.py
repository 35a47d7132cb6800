"""Checks of a text against what it rests on: no model, the same answer each time."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).parent / "data" / "banned_claims.json"
_NUMBER: Final = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")
_MARK: Final = re.compile(r"\[(\d{1,3})\]")
_QUOTE: Final = re.compile(r"[“「『\"]([^”」』\"]{12,400})[”」』\"]")
_IDEOGRAPH: Final = re.compile(r"[\u3400-\u9fff]")
_WORD: Final = re.compile(r"[A-Za-z]{2,}|[\u3400-\u9fff]")
MAX_WORDS: Final = 450
MIN_WORDS: Final = 20
_SCORES: Final = {"blocker": 25, "minor": 5}


class IssueSeverity(StrEnum):
    """How grave an issue is."""

    BLOCKER = "blocker"
    MINOR = "minor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One fault of a text."""

    severity: IssueSeverity
    quote: str = ""
    problem: str
    fix: str = ""


@cache
def _banned() -> tuple[str, re.Pattern[str]]:
    data = json.loads(_DATA.read_text("utf-8"))
    english = "|".join(rf"\b{re.escape(each)}\b" for each in data["words"]["en"])
    chinese = "|".join(map(re.escape, data["words"]["zh"]))
    return data["article"], re.compile(f"{english}|{chinese}", re.IGNORECASE)


def banned_claims(text: str) -> list[Issue]:
    """Return statements of a medical or absolute effect."""
    article, pattern = _banned()
    return [
        Issue(
            severity=IssueSeverity.BLOCKER,
            quote=found[0],
            problem=f"A cosmetic may not be said to have this effect ({article}).",
            fix="Say what the product does without it.",
        )
        for found in pattern.finditer(text)
    ]


def unsupported_numbers(text: str, material: Iterable[str]) -> list[Issue]:
    """Return numbers that stand nowhere in the material."""
    known = {_plain(each) for part in material for each in _NUMBER.findall(part)}
    # Marks of passages are no statements.
    stated = dict.fromkeys(_NUMBER.findall(_MARK.sub("", text)))
    return [
        Issue(
            severity=IssueSeverity.BLOCKER,
            quote=each,
            problem="This number stands nowhere in the material.",
            fix="Use the number of the material, or leave the statement out.",
        )
        for each in stated
        if _plain(each) not in known
    ]


def wrong_quotes(text: str, material: Iterable[str]) -> list[Issue]:
    """Return quotations that are in no document word for word."""
    known = " ".join(_folded(part) for part in material)
    return [
        Issue(
            severity=IssueSeverity.BLOCKER,
            quote=found[1],
            problem="These words are in no document.",
            fix="Quote exactly, or say it without quotation marks.",
        )
        for found in _QUOTE.finditer(text)
        if _folded(found[1]) not in known
    ]


def wrong_marks(text: str, count: int) -> list[Issue]:
    """Return marks that name no passage."""
    return [
        Issue(
            severity=IssueSeverity.BLOCKER,
            quote=found[0],
            problem="No passage has this number.",
            fix="Name the passage that says it.",
        )
        for found in _MARK.finditer(text)
        if not 1 <= int(found[1]) <= count
    ]


def form_issues(text: str, language: str) -> list[Issue]:
    """Return faults of length and language."""
    issues = []
    words = len(_WORD.findall(text))
    if not MIN_WORDS <= words <= MAX_WORDS:
        issues.append(
            Issue(
                severity=IssueSeverity.MINOR,
                problem=f"{words} words; {MIN_WORDS} to {MAX_WORDS} are asked for.",
            )
        )
    ideographs = len(_IDEOGRAPH.findall(text))
    is_chinese = ideographs > len(re.findall(r"[A-Za-z]+", text))
    if is_chinese != (language == "zh"):
        issues.append(
            Issue(
                severity=IssueSeverity.BLOCKER,
                problem=f"The text is not in the wanted language ({language}).",
            )
        )
    return issues


def rule_issues(
    text: str, language: str, passages: Sequence[str], other: str = ""
) -> list[Issue]:
    """Return all that rules find in a text on numbered passages and other facts."""
    material = [*passages, other]
    return [
        *form_issues(text, language),
        *banned_claims(text),
        *unsupported_numbers(text, material),
        *wrong_quotes(text, material),
        *wrong_marks(text, len(passages)),
    ]


def score_of(issues: Iterable[Issue]) -> int:
    """Return 100 less 25 for each blocker and 5 for each minor issue; at least 0."""
    return max(0, 100 - sum(_SCORES[each.severity.value] for each in issues))


def language_of(text: str) -> str:
    """Return `zh` for a text with Chinese in it, else `en`."""
    return "zh" if _IDEOGRAPH.search(text) else "en"


def _plain(number: str) -> str:
    whole, _, part = number.replace(",", "").partition(".")
    return f"{whole}.{part.rstrip('0')}" if part.rstrip("0") else whole


def _folded(text: str) -> str:
    return "".join(text.split()).casefold()
