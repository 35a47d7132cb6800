"""From raw materials to ingredients: what each stated per cent is a share of.

A sheet gives an ingredient's share of its raw material, of the product, or both. The
basis is chosen for the whole sheet and recorded; contradictions are reported.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from dossier.products.formula_import.amounts import Amount, AmountTable
from dossier.products.formula_import.columns import Column
from dossier.products.formula_import.row_content import states_share_anew
from dossier.products.formula_import.types import HUNDRED, ZERO, Interval, SourceRow

_WHOLE_MARGIN: Final = Decimal("0.5")
_RELATIVE_MARGIN: Final = Decimal("0.02")
_SMALLEST_MISMATCH: Final = Decimal("0.0005")
# A comma between digits, as in 1,2-Hexanediol, belongs to the name.
_BLEND: Final = re.compile(
    r"\(\s*and\s*\)|\(\s*&\s*\)|[;、]|,\s+(?=[a-z])", re.IGNORECASE
)

RawMaterial = tuple[SourceRow, ...]
"""The rows of one raw material, or of a single ingredient."""


class QuantityBasis(StrEnum):
    """What the ingredients' percentages are shares of.

    `raw`: of their raw material. `outer`, `inner`: of the product, in the column of the
    raw material or of the ingredient.
    """

    RAW = "raw"
    OUTER = "outer"
    INNER = "inner"


@dataclass(frozen=True, slots=True)
class ShareColumns:
    """The columns of the raw material's, the ingredient's and the product's share.

    `inner` is `None` where the ingredient's share has no column of its own.
    """

    outer: Column | None
    inner: Column | None
    product: Column | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """One ingredient of a portion; `weight` is its share of the portion, 0 to 1."""

    row: SourceRow
    weight: Interval
    is_exploded: bool
    stated: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """A share of the product and the ingredients that make it up."""

    amount: Amount
    ingredients: tuple[Ingredient, ...]


@dataclass(frozen=True, slots=True)
class Explosion:
    """All portions, the chosen basis, and the contradictions of the sheet.

    `mismatches` are stated shares of the product with the computed ones; `open_blends`
    have a composition that does not come to 100 %.
    """

    portions: tuple[Portion, ...]
    basis: QuantityBasis | None
    mismatches: tuple[tuple[Amount, Decimal], ...]
    open_blends: tuple[RawMaterial, ...]


def explode(
    rows: Sequence[SourceRow], amounts: AmountTable, columns: frozenset[Column]
) -> Explosion:
    """Return every ingredient's share of the product."""
    shares = share_columns_of(columns)
    materials = _raw_materials(rows, shares, amounts)
    basis = _basis(materials, amounts, shares)
    portions: list[Portion] = []
    for material in materials:
        portions.extend(_portions(material, amounts, shares, basis))
    has_compositions = any(len(material) > 1 for material in materials)
    return Explosion(
        tuple(portions),
        basis if has_compositions else None,
        tuple(_mismatches(materials, amounts, shares)),
        tuple(_open_blends(materials, amounts, shares, basis)),
    )


def share_columns_of(columns: frozenset[Column]) -> ShareColumns:
    """Return which column is the raw material's share and which the ingredient's."""
    outer = Column.RAW_PERCENT if Column.RAW_PERCENT in columns else Column.PERCENT
    inner = Column.SUB_PERCENT if Column.SUB_PERCENT in columns else None
    if inner is None and {Column.RAW_PERCENT, Column.PERCENT} <= columns:
        inner = Column.PERCENT
    product = Column.PRODUCT_PERCENT if Column.PRODUCT_PERCENT in columns else None
    if outer in columns:
        return ShareColumns(outer, inner, product)
    if product is not None:
        # "% in formula" is the raw material's share where no other column states it.
        return ShareColumns(product, inner, None)
    return ShareColumns(inner, None, None)


def _raw_materials(
    rows: Sequence[SourceRow], shares: ShareColumns, amounts: AmountTable
) -> list[RawMaterial]:
    """Group the rows that belong to one raw material.

    A raw material that is added twice is two of them: its own share is stated again,
    in another phase, or after a composition that is complete.
    """
    groups: list[list[SourceRow]] = []
    for row in rows:
        group = groups[-1] if groups else []
        is_another = (
            bool(group)
            and row.text(Column.TRADE_NAME) is not None
            and shares.inner is not None
            and shares.outer in row.quantities
            and (states_share_anew(row, group[-1]) or _is_full(group, amounts, shares))
        )
        if group and not is_another and _continues(row, group[0], shares):
            groups[-1].append(row)
        else:
            groups.append([row])
    return [tuple(group) for group in groups]


def _is_full(
    group: Sequence[SourceRow], amounts: AmountTable, shares: ShareColumns
) -> bool:
    """Return whether the composition of a raw material comes to 100 already."""
    inner = [amount for _, amount in _composition(tuple(group), amounts, shares)]
    total = Interval.sum(amount.interval for amount in inner)
    return bool(inner) and total.distance(HUNDRED) <= _WHOLE_MARGIN


def _continues(row: SourceRow, head: SourceRow, shares: ShareColumns) -> bool:
    """Return whether the row is a further ingredient of the raw material of `head`."""
    name, head_name = row.text(Column.TRADE_NAME), head.text(Column.TRADE_NAME)
    if row.starts_material and name != head_name:
        return False
    if shares.inner is None or shares.inner not in row.quantities:
        # Without a share of its own, a row continues a raw material without INCI name.
        return not row.starts_material and _is_heading(head)
    if row.starts_material:
        return name is not None
    if shares.outer not in row.quantities:
        return True
    return head_name is not None and name in {None, head_name}


def _is_heading(row: SourceRow) -> bool:
    """Return whether the row names a raw material and no ingredient."""
    has_name = row.text(Column.TRADE_NAME) is not None
    return has_name and row.text(Column.INCI) is None and not row.text(Column.NAME)


def _basis(
    materials: Sequence[RawMaterial], amounts: AmountTable, shares: ShareColumns
) -> QuantityBasis:
    """Return the basis that most raw materials indicate; the total breaks a tie."""
    indicated = (_indicated_basis(each, amounts, shares) for each in materials)
    ranked = Counter(each for each in indicated if each is not None).most_common(2)
    if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]):
        return ranked[0][0]
    possible = set(QuantityBasis)
    if any(
        shares.inner is not None
        and amounts.at(row, shares.inner) is not None
        and _outer(row, amounts, shares) is None
        for material in materials
        for row in material
    ):
        # An ingredient without a share in the outer column would be lost there.
        possible.remove(QuantityBasis.OUTER)
    return min(
        (basis for basis in QuantityBasis if basis in possible),
        key=lambda each: _deviation(materials, amounts, shares, each),
    )


def _indicated_basis(
    material: RawMaterial, amounts: AmountTable, shares: ShareColumns
) -> QuantityBasis | None:
    inner = [amount for _, amount in _composition(material, amounts, shares)]
    outer = [a for row in material if (a := _outer(row, amounts, shares)) is not None]
    if len(inner) < 2 or not outer:  # noqa: PLR2004 - one ingredient indicates nothing
        return None
    total = Interval.sum(amount.interval for amount in inner)
    is_whole = total.distance(HUNDRED) <= _WHOLE_MARGIN
    if shares.inner is not None and len(outer) == len(material):
        if not is_whole:
            return None
        if len({amount.interval for amount in outer}) > 1:
            return QuantityBasis.OUTER
        # Equal shares of equal raw materials fit both bases.
        return (
            QuantityBasis.RAW
            if len({amount.interval for amount in inner}) > 1
            else None
        )
    if is_whole:
        return QuantityBasis.RAW
    stated = outer[0].interval.upper
    is_near = total.distance(stated) <= stated * _RELATIVE_MARGIN
    return QuantityBasis.INNER if is_near else None


def _deviation(
    materials: Sequence[RawMaterial],
    amounts: AmountTable,
    shares: ShareColumns,
    basis: QuantityBasis,
) -> Decimal:
    """Return how far the total of the formula misses 100 under a basis."""
    portions = [
        portion
        for material in materials
        for portion in _portions(material, amounts, shares, basis)
    ]
    total = Interval.sum(contribution(portion) for portion in portions)
    if any(portion.amount.is_rest for portion in portions):
        return max(total.lower - HUNDRED, ZERO)
    return total.distance(HUNDRED)


def contribution(portion: Portion) -> Interval:
    """Return what a portion adds to the total; a full composition adds all of it."""
    if portion.amount.is_rest:
        return Interval(ZERO, ZERO)
    weights = Interval.sum(each.weight for each in portion.ingredients)
    whole = portion.amount.interval
    return whole if weights.contains(Decimal(1)) else whole.times(weights)


def _outer(row: SourceRow, amounts: AmountTable, shares: ShareColumns) -> Amount | None:
    return None if shares.outer is None else amounts.at(row, shares.outer)


def _composition(
    material: RawMaterial, amounts: AmountTable, shares: ShareColumns
) -> list[tuple[SourceRow, Amount]]:
    """Return the ingredient rows with their own amount."""
    column = shares.inner or shares.outer
    rows = material[1:] if _is_heading(material[0]) else material
    found = ((row, amounts.at(row, column)) for row in rows if column is not None)
    return [(row, amount) for row, amount in found if amount is not None]


def _portions(
    material: RawMaterial,
    amounts: AmountTable,
    shares: ShareColumns,
    basis: QuantityBasis,
) -> list[Portion]:
    if shares.product is not None:
        found = ((row, amounts.at(row, shares.product)) for row in material)
        stated = [_portion_of(row, a) for row, a in found if a is not None]
        if len(stated) == len(material):
            return stated
    if _is_composed(material, amounts, shares) and basis is not QuantityBasis.OUTER:
        return _composed_portions(material, amounts, shares, basis)
    return _plain_portions(material, amounts, shares)


def _is_composed(
    material: RawMaterial, amounts: AmountTable, shares: ShareColumns
) -> bool:
    """Return whether the sheet states the composition of the raw material."""
    if shares.inner is None:
        return len(material) > 1 and _is_heading(material[0])
    return bool(_composition(material, amounts, shares))


def _composed_portions(
    material: RawMaterial,
    amounts: AmountTable,
    shares: ShareColumns,
    basis: QuantityBasis,
) -> list[Portion]:
    composition = _composition(material, amounts, shares)
    outer = _outer(material[0], amounts, shares)
    if outer is None or basis is QuantityBasis.INNER:
        return [_portion_of(row, amount) for row, amount in composition]
    if not composition:
        return _plain_portions(material, amounts, shares)
    first_row, first_amount = composition[0]
    if len(composition) == 1 and first_amount.interval == Interval.exactly(HUNDRED):
        # The raw material is this one ingredient.
        return [_portion_of(first_row, outer)]
    # Weights are shares of 1; a rest in the composition takes what is left of 100.
    known = Interval.sum(a.interval for _, a in composition if not a.is_rest)
    left = Interval(max(HUNDRED - known.upper, ZERO), max(HUNDRED - known.lower, ZERO))
    ingredients = tuple(
        Ingredient(
            row=row,
            weight=(left if amount.is_rest else amount.interval).scaled(
                Decimal(1) / HUNDRED
            ),
            is_exploded=True,
            stated=amount,
        )
        for row, amount in composition
    )
    return [Portion(amount=outer, ingredients=ingredients)]


def _plain_portions(
    material: RawMaterial, amounts: AmountTable, shares: ShareColumns
) -> list[Portion]:
    found = ((row, _outer(row, amounts, shares)) for row in material)
    return [_portion_of(row, amount) for row, amount in found if amount is not None]


def _portion_of(row: SourceRow, amount: Amount) -> Portion:
    """Return the portion of a single ingredient."""
    ingredient = Ingredient(
        row=row,
        weight=Interval.exactly(Decimal(1)),
        is_exploded=False,
        stated=amount,
    )
    return Portion(amount=amount, ingredients=(ingredient,))


def _mismatches(
    materials: Sequence[RawMaterial], amounts: AmountTable, shares: ShareColumns
) -> list[tuple[Amount, Decimal]]:
    """Return shares of the product that differ from raw material times composition."""
    if shares.product is None or shares.inner is None:
        return []
    found: list[tuple[Amount, Decimal]] = []
    for material in materials:
        outer = _outer(material[0], amounts, shares)
        for row in material:
            inner = amounts.at(row, shares.inner)
            stated = amounts.at(row, shares.product)
            if outer is None or inner is None or stated is None:
                continue
            if outer.is_rest or inner.is_rest or stated.is_rest:
                continue
            product = outer.interval.times(inner.interval)
            computed = product.scaled(Decimal(1) / HUNDRED)
            allowed = max(computed.upper * _RELATIVE_MARGIN, _SMALLEST_MISMATCH)
            # A trace computes to 0 and contradicts nothing.
            is_off = computed.distance(stated.interval.lower) > allowed
            if is_off and computed.upper > ZERO:
                found.append((stated, computed.upper))
    return found


def _open_blends(
    materials: Sequence[RawMaterial],
    amounts: AmountTable,
    shares: ShareColumns,
    basis: QuantityBasis,
) -> list[RawMaterial]:
    """Return raw materials whose stated composition does not come to 100 %."""
    found: list[RawMaterial] = []
    for material in materials if basis is QuantityBasis.RAW else ():
        if not _is_composed(material, amounts, shares):
            continue
        inner = [amount for _, amount in _composition(material, amounts, shares)]
        total = Interval.sum(amount.interval for amount in inner)
        if not any(a.is_rest for a in inner) and total.distance(HUNDRED) > ZERO:
            found.append(material)
    return found


def is_blend(inci: str) -> bool:
    """Return whether one cell names several ingredients without their shares."""
    return _BLEND.search(inci) is not None
