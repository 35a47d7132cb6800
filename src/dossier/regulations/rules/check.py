"""A formula against the lists of a market on a day: every line gets its verdicts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final

from dossier.core.findings import Verdict
from dossier.regulations.constants import IngredientPurpose, Market, RuleKind
from dossier.regulations.rules.data_sets import DataSet, in_force
from dossier.regulations.rules.facts import (
    ProductFacts,
    holds,
    purposes_of,
    use_tags,
)
from dossier.regulations.rules.limits import (
    Outcome,
    StatedQuantity,
    Tags,
    judge,
)
from dossier.regulations.rules.matching import (
    Match,
    RuleIndex,
    Substance,
    is_identified,
    searched,
    substance_of,
)
from dossier.regulations.rules.records import AnnexRule, Maximum
from dossier.regulations.rules.species import factor_of

_POSITIVE: Final = {
    Market.EU: {
        IngredientPurpose.COLOURANT: "IV",
        IngredientPurpose.PRESERVATIVE: "V",
        IngredientPurpose.UV_FILTER: "VI",
    },
    Market.TW: {
        IngredientPurpose.COLOURANT: "colourants",
        IngredientPurpose.PRESERVATIVE: "preservatives",
        IngredientPurpose.UV_FILTER: "uv_filters",
    },
}
_HAIR_DYES: Final = frozenset(
    {"hair_dye", "hair_dye_oxidative", "hair_dye_non_oxidative", "eyelash_dye"}
)


_NOT_GOVERNING: Final = frozenset(
    {"not-for-this-product", "outside-listed-uses", "product-type-not-named"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedLine:
    """One line of a formula; `upper` is `None` for a trace without an upper bound.

    `is_of_blend`: a part of a raw material, whose function is the material's and need
    not be its own.
    """

    position: int
    inci: str | None
    trade_name: str | None = None
    cas: str | None = None
    ec: str | None = None
    function: str | None = None
    lower: Decimal
    upper: Decimal | None
    is_of_blend: bool = False
    sheet: str | None = None
    cell: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdict:
    """What one rule says of one line (or of the sum that the line is part of)."""

    verdict: Verdict
    reason: str
    rule: AnnexRule | None = None
    matched_by: str | None = None
    outcome: Outcome | None = None
    words: str = ""
    purpose: IngredientPurpose | None = None
    is_sum: bool = False
    at_least: bool = False


@dataclass(slots=True)
class LineResult:
    """A line with all its verdicts."""

    line: CheckedLine
    substance: Substance
    verdicts: list[RuleVerdict] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckQuestion:
    """For which market, product and days a formula is checked.

    `placed_on` is the day on which the product is first placed on the market.
    """

    market: Market
    facts: ProductFacts
    as_of: date
    placed_on: date


@dataclass(slots=True)
class _CheckedLine:
    """A line while it is checked: its matches, purposes and tags."""

    result: LineResult
    matches: list[Match]
    purposes: frozenset[IngredientPurpose] | None
    tags: Tags

    def states(self, rule: AnnexRule) -> bool | None:
        """Return whether a rule concerns the purpose that the line states."""
        if rule.purpose is IngredientPurpose.OTHER:
            if "not_as_preservative" in rule.notes and self.purposes is not None:
                return self.purposes != {IngredientPurpose.PRESERVATIVE}
            return True
        return None if self.purposes is None else rule.purpose in self.purposes


def check_formula(
    lines: Iterable[CheckedLine], question: CheckQuestion, data_set: DataSet
) -> list[LineResult]:
    """Return every line with its verdicts, in the order of the formula."""
    index = data_set.index(question.market, question.as_of, question.placed_on)
    tags = question.facts.tags()
    prepared = [_prepared(line, index, tags) for line in lines]
    check = _Check(question, data_set, index, prepared)
    for each in prepared:
        each.result.verdicts = check.verdicts(each)
    return [each.result for each in prepared]


def _prepared(line: CheckedLine, index: RuleIndex, tags: Tags) -> _CheckedLine:
    substance = substance_of(
        inci=line.inci, trade_name=line.trade_name, cas=line.cas, ec=line.ec
    )
    purposes = purposes_of(line.function)
    if substance.is_only_ci:
        purposes = frozenset({*(purposes or ()), IngredientPurpose.COLOURANT})
    own = {**use_tags(line.function), **tags}
    return _CheckedLine(
        LineResult(line, substance), _newest(index.matches(substance)), purposes, own
    )


def _newest(matches: list[Match]) -> list[Match]:
    """Of rows that share a reference and name the substance, keep the newest act's."""
    kept: dict[tuple[str, str, object], Match] = {}
    for match in matches:
        rule = match.rule
        at = (rule.list, rule.ref, rule.undated)
        held = kept.get(at)
        if held is None or _year(held.rule) < _year(rule):
            kept[at] = match
    return list(kept.values())


def _year(rule: AnnexRule) -> str:
    words = (rule.regulation or "").replace("(", "").replace(")", "").split()
    return words[-1] if words else ""


class _Check:
    """The sums over the lines of one formula, and the verdicts on each line."""

    def __init__(
        self,
        question: CheckQuestion,
        data_set: DataSet,
        index: RuleIndex,
        lines: Sequence[_CheckedLine],
    ) -> None:
        self.question, self.data_set, self.index = question, data_set, index
        self.lines = lines
        self.has_blend = any(
            each.result.substance.is_blend
            or not (each.matches or self._is_known(each.result.substance))
            for each in lines
        )

    def _is_known(self, substance: Substance) -> bool:
        return is_identified(substance) or self.data_set.knows(substance)

    def verdicts(self, line: _CheckedLine) -> list[RuleVerdict]:
        sure = [match for match in line.matches if not match.is_possible]
        found = [
            RuleVerdict(
                verdict=Verdict.CONDITIONAL,
                reason="possible-match",
                rule=match.rule,
                matched_by=match.by,
            )
            for match in line.matches
            if match.is_possible
        ]
        limited = self._limited(line, sure)
        prohibited = self._prohibited(line, sure, limited)
        if any(each.verdict is Verdict.PROHIBITED for each in prohibited):
            limited = [v for v in limited if v.reason not in _NOT_GOVERNING]
        found += prohibited + limited
        found += self._disclosed(line, sure) + self._unlisted_purposes(line, sure)
        if not found:
            found.append(self._without_rule(line))
        return found

    def _prohibited_in_eu(self, substance: Substance) -> AnnexRule | None:
        """Return the EU's prohibition of what another market's copy does not list."""
        question = self.question
        if question.market is Market.EU:
            return None
        begins = self.data_set.begins(Market.EU)
        if begins is not None and question.as_of < begins:
            return None
        index = self.data_set.index(Market.EU, question.as_of, question.placed_on)
        rules = (m.rule for m in index.matches(substance) if not m.is_possible)
        return next(
            (
                rule
                for rule in rules
                if rule.kind is RuleKind.PROHIBIT
                and not (rule.condition or rule.limbs or rule.except_lists == ("ANY",))
            ),
            None,
        )

    def _limited(self, line: _CheckedLine, matches: list[Match]) -> list[RuleVerdict]:
        found: list[RuleVerdict] = []
        for match in matches:
            rule = match.rule
            if rule.kind in (RuleKind.PROHIBIT, RuleKind.DISCLOSE):
                continue
            if line.states(rule) is False or self._is_dye_elsewhere(line, rule):
                continue
            found.append(self._by_limit(line, match))
        if line.purposes is None and len({v.purpose for v in found}) > 1:
            found = self._by_open_purpose(found)
        return found

    @staticmethod
    def _by_open_purpose(found: list[RuleVerdict]) -> list[RuleVerdict]:
        """Without a stated purpose, only what every purpose has in common is sure."""
        by_purpose: dict[IngredientPurpose | None, list[RuleVerdict]] = {}
        for each in found:
            by_purpose.setdefault(each.purpose, []).append(each)
        grave = {Verdict.PROHIBITED, Verdict.OVER}
        is_grave = {
            purpose: any(each.verdict in grave for each in verdicts)
            for purpose, verdicts in by_purpose.items()
        }
        if all(is_grave.values()) or not any(is_grave.values()):
            return found
        return [
            replace(each, verdict=Verdict.CONDITIONAL, reason="purpose-not-stated")
            if each.verdict in grave
            else each
            for each in found
        ]

    def _is_dye_elsewhere(self, line: _CheckedLine, rule: AnnexRule) -> bool:
        """Return whether an entry on hair dyes says nothing of this product."""
        tags = {tag for limb in rule.limbs for clause in limb.clauses for tag in clause}
        is_dye_entry = bool(tags) and tags <= _HAIR_DYES
        if (
            not is_dye_entry
            or line.tags.get("hair_dye")
            or line.tags.get("eyelash_dye")
        ):
            return False
        lists = _POSITIVE[self.question.market]
        return any(
            m.rule.list == lists[IngredientPurpose.COLOURANT] for m in line.matches
        )

    def _by_limit(self, line: _CheckedLine, match: Match) -> RuleVerdict:
        rule = match.rule
        if rule.kind is RuleKind.TEXT_ONLY:
            return RuleVerdict(
                verdict=Verdict.CONDITIONAL,
                reason="text-only",
                rule=rule,
                matched_by=match.by,
                purpose=rule.purpose,
            )
        if line.result.substance.is_nano and not rule.nano and self._needs_nano(rule):
            outcome = Outcome(verdict=Verdict.CONDITIONAL, reason="nano-not-covered")
        else:
            outcome = judge(
                rule,
                self.question.facts,
                line.tags,
                lambda maximum: self._total(rule, maximum, line),
            )
        outcome = self._softened(rule, outcome)
        count = sum(any(m.rule is rule for m in each.matches) for each in self.lines)
        return RuleVerdict(
            verdict=outcome.verdict,
            reason=outcome.reason,
            rule=rule,
            matched_by=match.by,
            outcome=outcome,
            words=outcome.words,
            purpose=rule.purpose,
            is_sum=count > 1 or bool(outcome.maximum and outcome.maximum.group),
            at_least=self.has_blend,
        )

    def _needs_nano(self, rule: AnnexRule) -> bool:
        return self.question.market is Market.EU and (
            rule.purpose is not IngredientPurpose.OTHER
            or self.index.has_nano_entry(rule)
        )

    def _softened(self, rule: AnnexRule, outcome: Outcome) -> Outcome:
        """An unlisted product is prohibited only where the list is exhaustive."""
        if outcome.reason != "outside-listed-uses":
            return outcome
        is_open = rule.disclosure is not None or rule.list == "restricted"
        if not is_open:
            return outcome
        return Outcome(verdict=Verdict.CONDITIONAL, reason="product-type-not-named")

    def _total(
        self, rule: AnnexRule, maximum: Maximum, line: _CheckedLine
    ) -> StatedQuantity:
        """Return the sum that a maximum limits, expressed as its species."""
        if maximum.each:
            names = set(line.result.substance.names)
            members = [
                each for each in self.lines if names & set(each.result.substance.names)
            ]
        else:
            members = [
                each
                for each in self.lines
                if each.states(rule) is not False
                and any(
                    self._counts(match, rule, maximum)
                    for match in each.matches
                    if not match.is_possible
                )
            ]
        return _sum(members, maximum.species)

    def _counts(self, match: Match, rule: AnnexRule, maximum: Maximum) -> bool:
        other = match.rule
        if other.key == rule.key:
            return True
        group = maximum.group
        if group is None or other.kind is RuleKind.PROHIBIT:
            return False
        if "/" in group:
            return f"{other.list}/{other.ref}" in group.split("+")
        return any(m.group == group for limb in other.limbs for m in limb.maxima)

    def _prohibited(
        self, line: _CheckedLine, matches: list[Match], limited: list[RuleVerdict]
    ) -> list[RuleVerdict]:
        found: list[RuleVerdict] = []
        for match in matches:
            rule = match.rule
            if rule.kind is not RuleKind.PROHIBIT or self._is_governed(rule, limited):
                continue
            state = holds(rule.limbs[0].clauses, line.tags) if rule.limbs else True
            if state is False:
                continue
            verdict, reason = Verdict.PROHIBITED, "prohibited"
            if state is None:
                verdict, reason = Verdict.CONDITIONAL, "prohibited-for-a-use"
            elif rule.condition is not None:
                verdict, reason = Verdict.CONDITIONAL, "conditionally-prohibited"
            found.append(
                RuleVerdict(
                    verdict=verdict,
                    reason=reason,
                    rule=rule,
                    matched_by=match.by,
                    words=rule.condition or "",
                )
            )
        return found

    def _is_governed(self, rule: AnnexRule, limited: list[RuleVerdict]) -> bool:
        """Return whether the entry that a prohibition excepts applies instead."""
        lists = set(rule.except_lists)
        return any(
            each.rule is not None
            and (each.rule.list in lists or "ANY" in lists)
            and each.reason not in _NOT_GOVERNING
            for each in limited
        )

    def _disclosed(self, line: _CheckedLine, matches: list[Match]) -> list[RuleVerdict]:
        found: list[RuleVerdict] = []
        for match in matches:
            disclosure = match.rule.disclosure
            if disclosure is None or not in_force(
                disclosure, self.question.as_of, self.question.placed_on
            ):
                continue
            leave_on = self.question.facts.is_leave_on
            limit = disclosure.leave_on if leave_on else disclosure.rinse_off
            maximum = Maximum(value=limit)
            total = self._total(match.rule, maximum, line)
            verdict, reason = Verdict.WITHIN, "below-disclosure"
            if total.lower > limit:
                verdict, reason = Verdict.DISCLOSE, "disclose"
            elif total.upper is None or total.upper > limit:
                verdict, reason = Verdict.CONDITIONAL, "disclose-if-over"
            found.append(
                RuleVerdict(
                    verdict=verdict,
                    reason=reason,
                    rule=match.rule,
                    matched_by=match.by,
                    outcome=Outcome(
                        verdict=verdict, reason=reason, maximum=maximum, quantity=total
                    ),
                    words=disclosure.name or "",
                    at_least=self.has_blend,
                )
            )
        return found

    def _unlisted_purposes(
        self, line: _CheckedLine, matches: list[Match]
    ) -> list[RuleVerdict]:
        """Return a verdict for each purpose whose positive list lacks the substance."""
        substance = line.result.substance
        is_stated = bool(line.purposes) and not line.result.line.is_of_blend
        if not is_stated or not (matches or self._is_known(substance)):
            return []
        market = self.question.market
        found: list[RuleVerdict] = []
        for purpose, list_name in _POSITIVE[market].items():
            is_dye = purpose is IngredientPurpose.COLOURANT and bool(
                line.tags.get("hair_dye")
            )
            if purpose not in (line.purposes or ()) or (is_dye and matches):
                continue
            if not self.data_set.has_list(market, list_name):
                continue
            if not any(match.rule.list == list_name for match in matches):
                # Colourants have many names; only a CI number is sure to be none.
                is_warning = purpose is IngredientPurpose.COLOURANT and (
                    market is Market.TW or not substance.ci
                )
                found.append(
                    RuleVerdict(
                        verdict=Verdict.CONDITIONAL
                        if is_warning
                        else Verdict.PROHIBITED,
                        reason=_unlisted_reason(market, is_warning=is_warning),
                        words=list_name,
                        purpose=purpose,
                    )
                )
        return found

    def _without_rule(self, line: _CheckedLine) -> RuleVerdict:
        substance = line.result.substance
        words = searched(substance)
        if substance.is_blend:
            is_perfume = bool({"parfum", "aroma"} & set(substance.names))
            reason = "fragrance-unidentified" if is_perfume else "blend-not-opened"
            return RuleVerdict(verdict=Verdict.UNKNOWN, reason=reason, words=words)
        elsewhere = self._prohibited_in_eu(substance)
        if elsewhere is not None:
            return RuleVerdict(
                verdict=Verdict.UNLISTED,
                reason="listed-elsewhere",
                rule=elsewhere,
                words=words,
            )
        if self._is_known(substance) or line.matches:
            return RuleVerdict(verdict=Verdict.UNLISTED, reason="unlisted", words=words)
        return RuleVerdict(
            verdict=Verdict.UNKNOWN, reason="ingredient-unidentified", words=words
        )


def _unlisted_reason(market: Market, *, is_warning: bool) -> str:
    if not is_warning:
        return "not-on-positive-list"
    is_taiwan = market is Market.TW
    return "colourant-not-listed" if is_taiwan else "colourant-without-number"


def _sum(members: Sequence[_CheckedLine], species: str | None) -> StatedQuantity:
    """Add lines, each converted by its own factor."""
    lower, upper = Decimal(0), Decimal(0)
    is_bounded, is_exact = True, True
    factors: set[Decimal] = set()
    for each in members:
        factor = factor_of(each.result.substance, species)
        line = each.result.line
        is_exact = is_exact and factor.is_exact
        if factor.is_exact and factor.value is not None:
            factors.add(factor.value)
            lower += line.lower * factor.value
        if factor.value is None or line.upper is None:
            is_bounded = False
        else:
            upper += line.upper * factor.value
    factor_shown = factors.pop() if len(factors) == 1 else None
    return StatedQuantity(lower, upper if is_bounded else None, factor_shown, is_exact)
