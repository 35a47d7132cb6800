"""The answer of a check as JSON: total, lines, findings, label order and data set."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from dossier.core.findings import finding_json
from dossier.regulations.constants import IngredientPurpose
from dossier.regulations.rules.check import (
    CheckedLine,
    CheckQuestion,
    LineResult,
    RuleVerdict,
)
from dossier.regulations.rules.data_sets import DataSet
from dossier.regulations.rules.facts import purposes_of
from dossier.regulations.rules.findings import (
    RuleFinding,
    article_of,
    explanation,
    severity_of,
    value_and_limit,
)
from dossier.regulations.rules.records import AnnexRule

_ORDERED_FROM_PERCENT: Final = Decimal(1)


def answer(
    results: Sequence[LineResult],
    findings: Iterable[RuleFinding],
    question: CheckQuestion,
    data_set: DataSet,
) -> dict[str, Any]:
    """Return everything that a check says; decimals are strings."""
    return {
        "market": question.market.value,
        "as_of": question.as_of.isoformat(),
        "placed_on": question.placed_on.isoformat(),
        "total": _total([result.line for result in results]),
        "lines": [_line(result, question) for result in results],
        "findings": [_finding(each) for each in findings],
        "label_inci": label_inci(results),
        "data_set": about(data_set, question),
    }


def about(data_set: DataSet, question: CheckQuestion) -> dict[str, Any]:
    """Return which set was asked, as of when, and what it is known to lack."""
    source = data_set.source_of(question.market)
    return {
        "id": data_set.id,
        "name": data_set.name,
        "lists": sorted(data_set.lists(question.market)),
        "missing_lists": list(data_set.missing_lists(question.market)),
        "source": source and source.source,
        "licence": source and source.licence,
        "as_of": source and source.as_of,
        "begins": source and source.begins,
        "known_gaps": list(source.missing) if source else [],
    }


def label_inci(results: Iterable[LineResult]) -> str:
    """Return the ingredients in label order.

    Falling from 1 %, then as in the formula; colourants last (Reg. (EC) No 1223/2009
    Art. 19(1)(g)).
    """
    rows = [(each, each.line.upper or each.line.lower) for each in results]
    colours = [each for each, _ in rows if _is_colourant(each)]
    others = [(each, share) for each, share in rows if not _is_colourant(each)]
    ordered = sorted(
        others,
        key=lambda row: -row[1] if row[1] >= _ORDERED_FROM_PERCENT else Decimal(0),
    )
    names = [each.substance.shown for each, _ in ordered]
    names += [each.substance.shown for each in colours]
    return ", ".join(dict.fromkeys(name for name in names if name))


def _is_colourant(result: LineResult) -> bool:
    purposes = purposes_of(result.line.function) or frozenset()
    return result.substance.is_only_ci or IngredientPurpose.COLOURANT in purposes


def _total(lines: list[CheckedLine]) -> dict[str, str | None]:
    lower = sum((line.lower for line in lines), Decimal(0))
    uppers = [line.upper for line in lines]
    upper = None if None in uppers else sum((u for u in uppers if u), Decimal(0))
    return {"min": _decimal(lower), "max": _decimal(upper)}


def _line(result: LineResult, question: CheckQuestion) -> dict[str, Any]:
    line = result.line
    return {
        "position": line.position,
        "name": result.substance.shown,
        "inci": line.inci,
        "cas": line.cas,
        "ec": line.ec,
        "function": line.function,
        "min": _decimal(line.lower),
        "max": _decimal(line.upper),
        "unit": "%",
        "sheet": line.sheet,
        "cell": line.cell,
        "verdicts": [_verdict(result, each, question) for each in result.verdicts],
    }


def _verdict(
    result: LineResult, verdict: RuleVerdict, question: CheckQuestion
) -> dict[str, Any]:
    value, limit = value_and_limit(verdict.outcome)
    outcome = verdict.outcome
    quantity = outcome.quantity if outcome else None
    message = explanation(result, verdict)
    return {
        "verdict": verdict.verdict.value,
        "severity": severity_of(verdict, question).value,
        "rule": rule_json(verdict.rule),
        "limb": outcome.limb.letter or None if outcome and outcome.limb else None,
        "article": article_of(verdict.rule, None),
        "matched_by": verdict.matched_by,
        "value": _decimal(value),
        "limit": _decimal(limit),
        "margin": None if value is None or limit is None else _decimal(limit - value),
        "unit": "%",
        "species": outcome.maximum.species if outcome and outcome.maximum else None,
        "factor": _decimal(quantity.factor) if quantity else None,
        "is_sum": verdict.is_sum,
        "explanation": {"zh": message.zh, "en": message.en},
    }


def rule_json(rule: AnnexRule | None) -> dict[str, Any] | None:
    """Return what names a rule, how it was read and how sure it is."""
    if rule is None:
        return None
    return {
        "id": rule.key,
        "list": rule.list,
        "reference": rule.ref,
        "sequence": rule.seq,
        "regulation": rule.regulation,
        "updated": rule.updated and rule.updated.isoformat(),
        "applies_to_new_from": rule.new_from and rule.new_from.isoformat(),
        "applies_to_all_from": rule.all_from and rule.all_from.isoformat(),
        "read_by": "text_only" if rule.kind.value == "text_only" else rule.read_by,
        "certainty": rule.certainty,
        "date_certainty": rule.date_certainty,
        "transition_date_missing": rule.undated,
        "warning_codes": list(rule.warnings),
        "notes": list(rule.notes),
        "source_sha256": rule.source_sha256,
    }


def _finding(found: RuleFinding) -> dict[str, Any]:
    rule = found.verdict.rule
    content = finding_json(found.finding)
    content.setdefault("limit", None)
    return content | {"rule": rule.key if rule else None}


def _decimal(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
