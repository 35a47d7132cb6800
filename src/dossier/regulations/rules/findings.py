"""Verdicts of rules as findings, with article, value, limit, margin and explanation."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Final

from dossier.core.findings import Finding, Message, Place, Severity, Verdict
from dossier.regulations.constants import IngredientPurpose
from dossier.regulations.rules.check import (
    CheckedLine,
    CheckQuestion,
    LineResult,
    RuleVerdict,
)
from dossier.regulations.rules.data_sets import DataSet
from dossier.regulations.rules.limits import Outcome
from dossier.regulations.rules.records import AnnexRule

ITEM: Final = 3
_SILENT: Final = frozenset({Verdict.WITHIN, Verdict.UNLISTED})


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The file that the lines were read from."""

    filename: str
    sha256: str
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """A finding and what it rests on."""

    finding: Finding
    line: CheckedLine | None
    verdict: RuleVerdict


@cache
def messages() -> Mapping[str, Mapping[str, str]]:
    """Return code and sentences of each reason."""
    table: Mapping[str, Mapping[str, str]] = _table()["reasons"]
    return table


@cache
def _table() -> Mapping[str, Any]:
    text = resources.files("dossier.regulations").joinpath("data/messages.json")
    table: Mapping[str, Any] = json.loads(text.read_text("utf-8"))
    return table


def findings_of(
    results: Iterable[LineResult],
    question: CheckQuestion,
    data_set: DataSet,
    source: SourceFile | None = None,
) -> list[RuleFinding]:
    """Return everything that is not within its limits or without a rule.

    A sum over several lines is one finding, at the first of them.
    """
    found = list(_incomplete(question, data_set))
    seen: set[tuple[str, str]] = set()
    for result in results:
        for verdict in result.verdicts:
            if verdict.verdict in _SILENT and verdict.reason != "listed-elsewhere":
                continue
            if verdict.rule is not None and verdict.is_sum:
                at = (verdict.rule.key, verdict.reason)
                if at in seen:
                    continue
                seen.add(at)
            found.append(
                RuleFinding(
                    _finding(result, verdict, question, source), result.line, verdict
                )
            )
    return found


def _incomplete(question: CheckQuestion, data_set: DataSet) -> Iterator[RuleFinding]:
    missing = data_set.missing_lists(question.market)
    if not missing:
        return
    words = {"market": question.market.value, "words": ", ".join(missing)}
    verdict = RuleVerdict(verdict=Verdict.UNKNOWN, reason="data-set-incomplete")
    text = messages()["data-set-incomplete"]
    yield RuleFinding(
        Finding(
            code=text["code"],
            severity=Severity.WARNING,
            market=question.market.value,
            item=ITEM,
            article=None,
            message=Message(
                zh=text["zh"].format(**words), en=text["en"].format(**words)
            ),
            closes_by=Message(zh=text["close_zh"], en=text["close_en"]),
            subject=question.market.value,
        ),
        None,
        verdict,
    )


def reason_of(verdict: RuleVerdict) -> str:
    """Return the key of the message that explains a verdict."""
    is_colour = verdict.purpose is IngredientPurpose.COLOURANT
    if is_colour and verdict.reason in ("not-for-this-product", "outside-listed-uses"):
        return "colourant-area"
    if verdict.verdict is Verdict.AT:
        return "at-limit"
    return verdict.reason


def explanation(result: LineResult, verdict: RuleVerdict) -> Message:
    """Return why, in both languages."""
    text = messages()[reason_of(verdict)]
    words = _words(result, verdict)
    zh, en = text["zh"].format(**words["zh"]), text["en"].format(**words["en"])
    if verdict.rule is not None and verdict.rule.undated:
        zh += "（過渡日期未載於來源。）"
        en += " The transition date is not in the source."
    if verdict.at_least and verdict.is_sum:
        zh += "（另有未展開之原料，數值為「至少」。）"
        en += ' Unopened materials remain, so the total is "at least" this.'
    if (
        verdict.rule is not None
        and "conditions beside the limit" in verdict.rule.unread
    ):
        zh += "（官方條文另有條件。）"
        en += " The official entry states further conditions."
    return Message(zh=zh, en=en)


def severity_of(verdict: RuleVerdict, question: CheckQuestion) -> Severity:
    """Return how much a verdict weighs; what is not certain never blocks."""
    if verdict.verdict in (Verdict.AT, Verdict.DISCLOSE, Verdict.WITHIN):
        return Severity.INFO
    if verdict.verdict not in (Verdict.PROHIBITED, Verdict.OVER):
        return Severity.WARNING
    rule = verdict.rule
    if rule is None:
        return Severity.BLOCKING
    is_dated = rule.date_certainty == "S" and question.as_of < _EXPORTED_ON
    if rule.undated or rule.certainty == "S" or is_dated:
        return Severity.WARNING
    return Severity.BLOCKING


_EXPORTED_ON: Final = date(2026, 8, 28)
"""From this day a row stands in the official export, whatever source dated it."""


def article_of(rule: AnnexRule | None, list_name: str | None) -> str | None:
    """Return the article that a list belongs to, and the entry."""
    name = (rule.list if rule is not None else list_name) or ""
    article: str | None = _table()["names"]["articles"].get(name)
    if article is None:
        return None
    entry = "" if rule is None else f", {entry_of(rule)}"
    return f"{article}{entry}"


def entry_of(rule: AnnexRule) -> str:
    """Return list and reference as people write them: `Annex III/98`."""
    return f"{_table()['names']['lists'][rule.list]}/{rule.ref}"


def _finding(
    result: LineResult,
    verdict: RuleVerdict,
    question: CheckQuestion,
    source: SourceFile | None,
) -> Finding:
    line, outcome = result.line, verdict.outcome
    text = messages()[reason_of(verdict)]
    place = None
    if source is not None:
        place = Place(
            filename=source.filename,
            sha256=source.sha256,
            document_id=source.document_id,
            sheet=line.sheet,
            cell=line.cell,
        )
    value, limit = value_and_limit(outcome)
    list_name = verdict.words if verdict.purpose and verdict.rule is None else None
    name = result.substance.shown
    subject = f"{name} {verdict.rule.key}" if verdict.rule else name
    return Finding(
        code=text["code"],
        severity=severity_of(verdict, question),
        market=question.market.value,
        item=ITEM,
        article=article_of(verdict.rule, list_name),
        message=explanation(result, verdict),
        closes_by=Message(zh=text["close_zh"], en=text["close_en"]),
        verdict=verdict.verdict,
        ingredient=name,
        value=value if value is not None else line.upper,
        limit=limit,
        margin=None if value is None or limit is None else limit - value,
        unit="%",
        place=place,
        subject=subject,
    )


def value_and_limit(
    outcome: Outcome | None,
) -> tuple[Decimal | None, Decimal | None]:
    """Return the converted value that decides, and the limit; both in percent."""
    if outcome is None or outcome.maximum is None or outcome.quantity is None:
        return None, None
    quantity = outcome.quantity
    is_over = outcome.verdict in (Verdict.OVER, Verdict.DISCLOSE)
    value = quantity.lower if is_over else quantity.upper
    return value, outcome.maximum.value


def _words(result: LineResult, verdict: RuleVerdict) -> dict[str, dict[str, str]]:
    outcome, rule = verdict.outcome, verdict.rule
    _, limit = value_and_limit(outcome)
    species = outcome.maximum.species if outcome and outcome.maximum else None
    letter = outcome.limb.letter if outcome and outcome.limb else ""
    factor = outcome.quantity.factor if outcome and outcome.quantity else None
    basis_zh = basis_en = ""
    if species is not None:
        shown = "" if factor is None else f" \u00d7 {shown_number(factor)}"
        basis_zh, basis_en = f"（以 {species} 計{shown}）", f" (as {species}{shown})"
    label = verdict.words
    both: dict[str, Any] = {
        "name": result.substance.shown or "?",
        "ref": entry_of(rule) if rule else "",
        "list": _table()["names"]["lists"][rule.list] if rule else "",
        "shown": _range(outcome),
        "limit": "" if limit is None else f"{shown_number(limit)} %",
        "species": species or "",
        "by": verdict.matched_by or "",
        "words": verdict.words,
        "market": "",
    }
    purpose = _table()["names"]["purposes"][verdict.purpose or IngredientPurpose.OTHER]
    zh = {
        "basis": basis_zh,
        "scope": f"（{letter}）" if letter else "",
        "label": f"「{label}」" if label else "",
        "purpose": purpose["zh"],
    }
    en = {
        "basis": basis_en,
        "scope": f" ({letter})" if letter else "",
        "label": f" as {label!r}" if label else "",
        "purpose": purpose["en"],
    }
    return {"zh": both | zh, "en": both | en}


def _range(outcome: Outcome | None) -> str:
    if outcome is None or outcome.quantity is None:
        return ""
    lower, upper = outcome.quantity.lower, outcome.quantity.upper
    if upper is None:
        return f"≥ {shown_number(lower)} %"
    if lower == upper:
        return f"{shown_number(lower)} %"
    return f"{shown_number(lower)}\u2013{shown_number(upper)} %"


def shown_number(number: Decimal) -> str:
    """Return a number with five significant digits; JSON holds the full one."""
    rounded = number if number == 0 else round(number, 4 - number.adjusted())
    return f"{rounded.normalize():f}"
