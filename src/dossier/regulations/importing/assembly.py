"""Versions of rules from two exports, with the dates of the acts between them.

An entry that a later export changed or dropped keeps its older row with an end date, so
that an earlier day is answered too. `data/amendments.json` holds the transition dates
that the exports do not state; `data/corrections.json` what a person read by hand, bound
to the hash of the row that was read.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from dossier.regulations.constants import RuleKind
from dossier.regulations.importing.cosing import CellCount
from dossier.regulations.rules.records import AnnexRule, Disclosure, rule_of, to_json

_SUBSTANCE = ("kind", "limbs", "exclusions", "condition", "except_lists", "nano")


@cache
def amendments() -> Mapping[str, Any]:
    """Return the transition dates by act and by entry."""
    return _data("amendments.json")


def _data(name: str) -> Mapping[str, Any]:
    folder = resources.files("dossier.regulations").joinpath("data")
    table: Mapping[str, Any] = json.loads(folder.joinpath(name).read_text("utf-8"))
    return table


def corrected(
    rules: Iterable[AnnexRule], count: CellCount | None = None
) -> list[AnnexRule]:
    """Apply what a person read by hand to the rows whose text is the one read."""
    table = _data("corrections.json")
    found: list[AnnexRule] = []
    for rule in rules:
        correction = table.get(rule.key)
        if correction is None or rule.source_sha256 not in correction["rows"]:
            found.append(rule)
            continue
        if correction.get("drop"):
            continue
        content = to_json(rule) | correction.get("set", {}) | {"read_by": "hand"}
        dropped = set(correction.get("drop_cas", ()))
        fixed = rule_of(content)
        found.append(
            replace(fixed, cas=tuple(c for c in fixed.cas if c not in dropped))
        )
        key = f"{rule.list}/{rule.ref}"
        if count is not None and key in count.unread_refs and "limbs" in content:
            count.unread_refs.remove(key)
            count.text_only -= 1
            count.by_hand += 1
    return found


def versions(
    old: Iterable[AnnexRule], new: Iterable[AnnexRule], exported_on: date
) -> list[AnnexRule]:
    """Return the rules of the newer export and the older rows that they replaced."""
    earlier = {rule.key: rule for rule in old}
    found: list[AnnexRule] = []
    for rule in new:
        before = earlier.pop(rule.key, None)
        found.extend(_versions(before, _allergen(rule), exported_on))
    for rule in earlier.values():
        dates = _dates(amendments()["dropped"].get(rule.key))
        if dates is not None:
            new_until, all_until = dates
            found.append(
                replace(
                    rule,
                    new_until=new_until,
                    all_until=all_until,
                    date_certainty="S",
                )
            )
    return found


def _versions(
    before: AnnexRule | None, rule: AnnexRule, exported_on: date
) -> list[AnnexRule]:
    is_changed = before is None or any(
        getattr(before, name) != getattr(rule, name) for name in _SUBSTANCE
    )
    if not is_changed:
        return [*_unknown_before(rule), rule]
    act = _act(rule)
    by_entry = _dates(amendments()["entries"].get(rule.key))
    by_act = _dates(amendments()["acts"].get(act))
    if rule.new_from or rule.all_from:  # the row states its dates
        dated = rule
    elif by_entry or by_act:
        new_from, all_from = by_entry or by_act or (None, None)
        dated = replace(rule, new_from=new_from, all_from=all_from, date_certainty="S")
    elif act in amendments()["undated_acts"]:
        dated = replace(rule, all_from=exported_on, undated=True)
        return [dated] if before is None else [before, dated]
    else:
        return [rule]  # the copy was corrected, the law did not change
    if before is None:
        return [dated]
    if before.regulation == rule.regulation and not by_entry:
        return [rule]
    return [
        replace(
            before,
            new_until=dated.new_from or dated.all_from,
            all_until=dated.all_from,
            disclosure=before.disclosure and _undated(before.disclosure),
        ),
        dated,
    ]


def _unknown_before(rule: AnnexRule) -> list[AnnexRule]:
    """Say of the days before a stated transition that their limit is not known."""
    begins = date.fromisoformat(amendments()["begins"])
    if rule.new_from is None or rule.new_from <= begins:
        return []
    return [
        replace(
            rule,
            kind=RuleKind.TEXT_ONLY,
            limbs=(),
            exclusions=(),
            new_from=None,
            all_from=None,
            new_until=rule.new_from,
            all_until=rule.all_from,
            unread=("an older row that no export holds",),
        )
    ]


def _allergen(rule: AnnexRule) -> AnnexRule:
    """Give the duty to name an allergen its own dates, but for the first 26."""
    table = amendments()["disclosure"]
    if rule.disclosure is None or rule.ref in table["since_2005"]:
        return rule
    dates = _dates(table["dates"])
    assert dates is not None  # noqa: S101 - shipped data
    disclosure = replace(rule.disclosure, new_from=dates[0], all_from=dates[1])
    certainty = "S" if rule.kind is RuleKind.DISCLOSE else rule.date_certainty
    return replace(rule, disclosure=disclosure, date_certainty=certainty)


def _undated(disclosure: Disclosure) -> Disclosure:
    return replace(disclosure, new_from=None, all_from=None)


def _act(rule: AnnexRule) -> str:
    words = (rule.regulation or "").split()
    return words[-1] if words else ""


def _dates(entry: list[str] | None) -> tuple[date | None, date | None] | None:
    if not entry:
        return None
    first, second = (date.fromisoformat(each) if each else None for each in entry)
    return first, second
