"""The rule record: one entry of a list, and its compact JSON.

A clause is a conjunction of tags of a product (`rinse_off`, `hair`); `!spray+hair`
denies a conjunction. A limb applies where one of its clauses does; without clauses it
applies to every product, with `other` to those that no other limb of the entry names.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeAlias

from dossier.regulations.constants import IngredientPurpose, RuleKind, UserGroup

Clause: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maximum:
    """A highest concentration in percent by mass of the product ready for use.

    `species` is what the value is expressed as (`acid`, `F`, `free_base`), `group` the
    code of the sum that it limits, `above` an exclusive lower bound. `each` limits the
    single substances of an entry, not their sum. `unit` is how the source writes it.
    """

    value: Decimal
    unit: str = "%"
    species: str | None = None
    group: str | None = None
    above: Decimal | None = None
    each: bool = False
    after_mixing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limb:
    """One lettered part of an entry: for which products, and how much.

    `unread` is the reason why its limit or scope was left as text.
    """

    letter: str = ""
    sub: int | None = None
    clauses: tuple[Clause, ...] = ()
    maxima: tuple[Maximum, ...] = ()
    user: UserGroup | None = None
    ph: tuple[Decimal | None, Decimal | None] | None = None
    unread: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Products in which a substance must not be used; without letters: every limb."""

    clauses: tuple[Clause, ...]
    letters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """From which percentage on the label must name a substance, and under what name.

    The duty has transition dates of its own, as those of `AnnexRule`.
    """

    leave_on: Decimal
    rinse_off: Decimal
    name: str | None = None
    new_from: date | None = None
    all_from: date | None = None
    new_until: date | None = None
    all_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnexRule:
    """One entry of one list, in one version.

    `condition` is the code of an exception or condition that a formula alone does not
    decide; `except_lists` names lists whose matching entry governs instead. The version
    applies to products first placed on the market on `new_from` or later, and to all
    from `all_from`; it ends by `new_until` and `all_until` (exclusive). `undated` marks
    a version whose transition date the source does not state. `certainty` is V (read in
    the primary source) or S (a secondary one), `date_certainty` likewise.
    """

    list: str
    ref: str
    seq: int = 1
    names: tuple[str, ...] = ()
    cas: tuple[str, ...] = ()
    ec: tuple[str, ...] = ()
    ci: tuple[str, ...] = ()
    kind: RuleKind = RuleKind.LIMIT
    purpose: IngredientPurpose = IngredientPurpose.OTHER
    nano: bool = False
    limbs: tuple[Limb, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    disclosure: Disclosure | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    condition: str | None = None
    except_lists: tuple[str, ...] = ()
    not_names: tuple[str, ...] = ()
    regulation: str | None = None
    updated: date | None = None
    new_from: date | None = None
    all_from: date | None = None
    new_until: date | None = None
    all_until: date | None = None
    undated: bool = False
    certainty: str = "V"
    date_certainty: str = "V"
    read_by: str = "machine"
    unread: tuple[str, ...] = ()
    source_sha256: str = ""

    @property
    def key(self) -> str:
        """Return list, reference and sequence: `III/98`, `III/9#2`."""
        return f"{self.list}/{self.ref}" + (f"#{self.seq}" if self.seq > 1 else "")


def to_json(record: Any) -> dict[str, Any]:
    """Return a record without its default members; decimals and dates are strings."""
    content: dict[str, Any] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if value != field.default:
            content[field.name] = _plain(value)
    return content


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Maximum | Limb | Exclusion | Disclosure):
        return to_json(value)
    return value


def rule_of(content: dict[str, Any]) -> AnnexRule:
    """Return the rule of its JSON."""
    rule: AnnexRule = _record(AnnexRule, content)
    return rule


def _record(kind: type, content: dict[str, Any]) -> Any:
    return kind(**{name: _member(name, value) for name, value in content.items()})


def _member(name: str, value: Any) -> Any:
    if value is None or name not in _READERS:
        is_list = isinstance(value, list)
        return (
            tuple(tuple(e) if isinstance(e, list) else e for e in value)
            if is_list
            else value
        )
    return _READERS[name](value)


def _records(kind: type) -> Callable[[Any], Any]:
    return lambda value: tuple(_record(kind, each) for each in value)


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "limbs": _records(Limb),
    "exclusions": _records(Exclusion),
    "maxima": _records(Maximum),
    "disclosure": lambda value: _record(Disclosure, value),
    "ph": lambda value: tuple(None if e is None else Decimal(e) for e in value),
    "kind": RuleKind,
    "purpose": IngredientPurpose,
    "user": UserGroup,
    **dict.fromkeys(("value", "above", "leave_on", "rinse_off"), Decimal),
    **dict.fromkeys(
        ("updated", "new_from", "all_from", "new_until", "all_until"),
        date.fromisoformat,
    ),
}
"""How a member is read from JSON; lists of texts become tuples."""
