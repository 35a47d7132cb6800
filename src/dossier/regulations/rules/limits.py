"""One rule against one product: which limbs apply, and what they say of a quantity."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from dossier.core.findings import Verdict
from dossier.regulations.constants import UserGroup
from dossier.regulations.rules.facts import ProductFacts, holds
from dossier.regulations.rules.records import AnnexRule, Limb, Maximum

Tags = Mapping[str, bool | None]

_UNSPECIFIC: Final = frozenset({"leave_on", "rinse_off", "other"})


@dataclass(frozen=True, slots=True)
class StatedQuantity:
    """Percent of the product, converted; `upper` is `None` where nothing bounds it.

    `factor` is what was multiplied, `None` where lines of several factors were added or
    it is unknown.
    """

    lower: Decimal
    upper: Decimal | None
    factor: Decimal | None = Decimal(1)
    is_exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one rule says: the verdict, the limb and limit it rests on, and why.

    `reason` is the code of the message that explains it.
    """

    verdict: Verdict
    reason: str
    limb: Limb | None = None
    maximum: Maximum | None = None
    quantity: StatedQuantity | None = None
    words: str = ""


Total = Callable[[Maximum], StatedQuantity]
"""Returns the quantity that a maximum limits: of the line, the entry or the group."""


def limb_states(
    rule: AnnexRule, tags: Tags, user: UserGroup | None
) -> list[tuple[Limb, bool | None]]:
    """Return each limb with whether it applies; `None`: a fact is missing."""
    first = [
        (limb, holds(limb.clauses, tags)) for limb in rule.limbs if not _is_other(limb)
    ]
    values = [value for _, value in first]
    is_other: bool | None = not any(values)
    if is_other and None in values:
        is_other = None
    rest = [
        (limb, holds(limb.clauses, tags, is_other=is_other))
        for limb in rule.limbs
        if _is_other(limb)
    ]
    return [(limb, _for_user(limb, value, user)) for limb, value in (*first, *rest)]


def _is_other(limb: Limb) -> bool:
    return any("other" in clause for clause in limb.clauses)


def _for_user(limb: Limb, value: bool | None, user: UserGroup | None) -> bool | None:  # noqa: FBT001 - three-valued
    if limb.user is None or value is False:
        return value
    if user is None:
        return None
    return value if limb.user is user else False


def judge(rule: AnnexRule, facts: ProductFacts, tags: Tags, total: Total) -> Outcome:
    """Return what a rule with limits says of the quantity in this product."""
    states = limb_states(rule, tags, facts.user)
    sure = _specific([limb for limb, value in states if value is True], tags)
    open_limbs = [limb for limb, value in states if value is None]
    if not sure and not open_limbs and states:
        return Outcome(verdict=Verdict.PROHIBITED, reason="outside-listed-uses")
    candidates = [*sure, *open_limbs]
    excluded = _excluded(rule, candidates, tags)
    if excluded is True:
        return Outcome(verdict=Verdict.PROHIBITED, reason="not-for-this-product")
    if not states:
        return Outcome(verdict=Verdict.WITHIN, reason="no-maximum")
    common = strictest_common([_limb(limb, facts, total) for limb in candidates])
    # Without a sure limb and one for all others, the product may be named by none.
    may_be_outside = not sure and not _is_covered(rule, tags)
    is_grave = common.verdict in (Verdict.OVER, Verdict.PROHIBITED)
    if may_be_outside and is_grave and rule.list != "restricted":
        return common  # outside the listed uses it would be prohibited
    if (excluded is None and not is_grave) or may_be_outside:
        return replace(common, verdict=Verdict.CONDITIONAL, reason="fact-missing")
    return common


def _is_covered(rule: AnnexRule, tags: Tags) -> bool:
    """Return whether one of the limbs applies, whoever uses the product."""
    if any(map(_is_other, rule.limbs)):
        return True
    users = {limb.user for limb in rule.limbs if holds(limb.clauses, tags) is True}
    return None in users or users == set(UserGroup)


def _specific(limbs: list[Limb], tags: Tags) -> list[Limb]:
    """Prefer limbs that name the product's kind to those that name only its use."""
    named = [limb for limb in limbs if _names_kind(limb, tags)]
    return named or limbs


def _names_kind(limb: Limb, tags: Tags) -> bool:
    return any(
        holds((clause,), tags) is True
        and any(t not in _UNSPECIFIC and not t.startswith("!") for t in clause)
        for clause in limb.clauses
        if "other" not in clause
    )


def _excluded(rule: AnnexRule, candidates: list[Limb], tags: Tags) -> bool | None:
    """Return whether the product is one in which the substance must not be."""
    letters = {limb.letter for limb in candidates}
    values: list[bool | None] = []
    for exclusion in rule.exclusions:
        value = holds(exclusion.clauses, tags)
        if exclusion.letters and letters and not letters & set(exclusion.letters):
            continue
        if exclusion.letters and not letters <= set(exclusion.letters) and value:
            value = None
        values.append(value)
    if any(value is True for value in values):
        return True
    return None if None in values else False


def _limb(limb: Limb, facts: ProductFacts, total: Total) -> Outcome:
    if limb.unread:
        return Outcome(verdict=Verdict.CONDITIONAL, reason="text-only", limb=limb)
    if limb.ph is not None:
        outcome = _ph(limb, facts.ph)
        if outcome is not None:
            return outcome
    judged = [
        _maximum(limb, maximum, facts, total(maximum))
        for maximum in _of_known_species(limb.maxima, total)
    ]
    if not judged:
        return Outcome(verdict=Verdict.WITHIN, reason="no-maximum", limb=limb)
    return worst(judged)


def _of_known_species(maxima: tuple[Maximum, ...], total: Total) -> Iterable[Maximum]:
    """Where one limit is stated on several bases, keep those that can be converted."""
    species = {each.species for each in maxima}
    if len(species) == len(maxima) > 1:
        exact = [each for each in maxima if total(each).is_exact]
        return exact or maxima
    return maxima


def _ph(limb: Limb, ph: Decimal | None) -> Outcome | None:
    """Return the outcome of a limb's pH range where it decides: outside, or unknown."""
    assert limb.ph is not None  # noqa: S101 - the caller looked
    low, high = limb.ph
    shown = f"{low}\u2013{high}"
    if low is None or high is None:
        shown = f"\u2264 {high}" if low is None else f"\u2265 {low}"
    if ph is None:
        return Outcome(
            verdict=Verdict.CONDITIONAL, reason="ph-unknown", limb=limb, words=shown
        )
    if (low is not None and ph < low) or (high is not None and ph > high):
        return Outcome(
            verdict=Verdict.OVER, reason="ph-outside", limb=limb, words=shown
        )
    return None


def _maximum(
    limb: Limb, maximum: Maximum, facts: ProductFacts, quantity: StatedQuantity
) -> Outcome:
    lower, upper = quantity.lower, quantity.upper
    if maximum.after_mixing:
        share = facts.mixed_share
        # Without the mixing ratio the formula is an upper bound of what is applied.
        lower = lower * share if share is not None else Decimal(0)
        upper = upper * share if share is not None and upper is not None else upper
    applied = StatedQuantity(lower, upper, quantity.factor, quantity.is_exact)

    def outcome(verdict: Verdict, reason: str) -> Outcome:
        return Outcome(
            verdict=verdict,
            reason=reason,
            limb=limb,
            maximum=maximum,
            quantity=applied,
        )

    if lower > maximum.value:
        return outcome(Verdict.OVER, "over-limit")
    if upper is None or upper > maximum.value:
        reason = "range-crosses-limit"
        if maximum.after_mixing and facts.mixed_share is None:
            reason = "mixing-ratio-missing"
        elif not quantity.is_exact:
            reason = "conversion-unknown"
        return outcome(Verdict.CONDITIONAL, reason)
    if maximum.above is not None and lower <= maximum.above:
        return outcome(Verdict.CONDITIONAL, "fact-missing")
    verdict = Verdict.AT if lower == upper == maximum.value else Verdict.WITHIN
    return outcome(verdict, "within-limit")


_ORDER: Final = (
    Verdict.PROHIBITED,
    Verdict.OVER,
    Verdict.CONDITIONAL,
    Verdict.AT,
    Verdict.WITHIN,
)


def worst(outcomes: list[Outcome]) -> Outcome:
    """Return the gravest outcome of limits that all hold; else the least margin."""
    return min(outcomes, key=lambda each: (_ORDER.index(each.verdict), margin(each)))


def margin(outcome: Outcome) -> Decimal:
    """Return limit minus value in percentage points; huge where there is no limit."""
    if outcome.maximum is None or outcome.quantity is None:
        return Decimal("1E9")
    upper = outcome.quantity.upper
    value = outcome.quantity.lower if upper is None else upper
    return outcome.maximum.value - value


def strictest_common(outcomes: list[Outcome]) -> Outcome:
    """Return what outcomes of which one applies have in common.

    All over or prohibited: the mildest of them is certain. All within: the one with the
    least margin. Otherwise the facts do not decide.
    """
    grave = {Verdict.OVER, Verdict.PROHIBITED}
    verdicts = {each.verdict for each in outcomes}
    if verdicts <= grave:
        return max(outcomes, key=lambda e: (_ORDER.index(e.verdict), margin(e)))
    if verdicts <= {Verdict.WITHIN, Verdict.AT}:
        return worst(outcomes)
    if len(outcomes) == 1:
        return outcomes[0]
    undecided = [each for each in outcomes if each.verdict is Verdict.CONDITIONAL]
    told = next((e for e in undecided if e.reason != "fact-missing"), None)
    if told is not None and not verdicts & grave:
        return told
    shown = min(outcomes, key=margin)
    return Outcome(
        verdict=Verdict.CONDITIONAL,
        reason="fact-missing",
        limb=shown.limb,
        maximum=shown.maximum,
        quantity=shown.quantity,
    )
