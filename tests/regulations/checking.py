"""Short ways to check a formula and to write down what a rule says."""

from datetime import date
from decimal import Decimal

from dossier.products.categories import category_of
from dossier.regulations.constants import Form, Market, Population, Site, UserGroup
from dossier.regulations.rules.check import (
    CheckedLine,
    CheckQuestion,
    LineResult,
    check_formula,
)
from dossier.regulations.rules.data_sets import shipped
from dossier.regulations.rules.facts import ProductFacts
from dossier.regulations.rules.findings import RuleFinding, findings_of
from dossier.regulations.rules.records import AnnexRule, Clause, Limb, Maximum

TODAY = date(2026, 12, 1)


def line(
    inci: str | None,
    percent: str | None = "1",
    *,
    cas: str | None = None,
    function: str | None = None,
    lower: str | None = None,
    trade_name: str | None = None,
) -> CheckedLine:
    upper = None if percent is None else Decimal(percent)
    return CheckedLine(
        position=1,
        inci=inci,
        trade_name=trade_name,
        cas=cas,
        function=function,
        lower=Decimal(lower) if lower is not None else upper or Decimal(0),
        upper=upper,
    )


def question(
    market: Market = Market.EU,
    category: str = "face_cream",
    *,
    as_of: date = TODAY,
    placed_on: date | None = None,
    form: Form | None = None,
    sites: tuple[Site, ...] = (),
    population: Population | None = None,
    user: UserGroup | None = None,
    ph: str | None = None,
    mixed_share: str | None = None,
) -> CheckQuestion:
    facts = ProductFacts(
        category=category_of(category),
        form=form,
        sites=sites,
        population=population,
        user=user,
        ph=None if ph is None else Decimal(ph),
        mixed_share=None if mixed_share is None else Decimal(mixed_share),
    )
    return CheckQuestion(
        market=market, facts=facts, as_of=as_of, placed_on=placed_on or as_of
    )


def checked(asked: CheckQuestion, *lines: CheckedLine) -> list[LineResult]:
    return check_formula(lines, asked, shipped())


def found(asked: CheckQuestion, *lines: CheckedLine) -> list[RuleFinding]:
    return findings_of(checked(asked, *lines), asked, shipped())


def verdicts(asked: CheckQuestion, *lines: CheckedLine) -> dict[str, str]:
    """Return the verdict of each rule on the first line, by the rule's key."""
    result = checked(asked, *lines)[0]
    return {
        each.rule.key if each.rule else each.reason: each.verdict.value
        for each in result.verdicts
    }


def codes(asked: CheckQuestion, *lines: CheckedLine) -> set[str]:
    return {each.finding.code for each in found(asked, *lines)}


def rules(key: str, market: Market = Market.EU) -> list[AnnexRule]:
    """Return the versions of an entry."""
    return [rule for rule in shipped().rules[market] if rule.key == key]


def written(rule: AnnexRule) -> str:
    """Return limbs and exclusions in one line: `a:leave_on 2 | b:rinse_off -`."""
    parts = [_limb(limb) for limb in rule.limbs]
    parts += [
        f"not {''.join(each.letters)}[{_clauses(each.clauses)}]"
        for each in rule.exclusions
    ]
    return " | ".join(parts)


def _limb(limb: Limb) -> str:
    maxima = ", ".join(map(_maximum, limb.maxima)) or "-"
    words = [f"{limb.letter}{limb.sub or ''}:{_clauses(limb.clauses)} {maxima}"]
    if limb.user:
        words.append(limb.user.value)
    if limb.ph:
        words.append(f"pH {limb.ph[0] or ''}..{limb.ph[1] or ''}")
    if limb.unread:
        words.append("unread")
    return " ".join(words)


def _clauses(clauses: tuple[Clause, ...]) -> str:
    return "/".join("+".join(clause) for clause in clauses)


def _maximum(maximum: Maximum) -> str:
    words = [f"{maximum.value:f}"]
    words += [f"as {maximum.species}"] if maximum.species else []
    words += [f"sum {maximum.group}"] if maximum.group else []
    words += [f"above {maximum.above}"] if maximum.above is not None else []
    words += ["each"] if maximum.each else []
    words += ["mixed"] if maximum.after_mixing else []
    return " ".join(words)
