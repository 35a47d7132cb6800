"""From raw materials to ingredients: which per cent is of what, decided, recorded."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from dossier.products.rules.amounts import Amount, AmountTable
from dossier.products.rules.formula_words import Column
from dossier.products.rules.intervals import HUNDRED, ZERO, Interval
from dossier.products.rules.source_rows import SourceRow

_WHOLE_MARGIN: Final = Decimal("0.5")
_RELATIVE_MARGIN: Final = Decimal("0.02")
_SMALLEST_MISMATCH: Final = Decimal("0.0005")
# A comma between digits, as in 1,2-Hexanediol, belongs to the name.
_BLEND: Final = re.compile(
    r"\(\s*and\s*\)|\(\s*&\s*\)|[;、]|,\s+(?=[a-z])", re.IGNORECASE
)


class Basis(StrEnum):
    """Of what the ingredients' percentages are a share.

    `raw`: of their raw material. `outer`, `inner`: of the product, in the column of the
    raw material or of the ingredient.
    """

    RAW = "raw"
    OUTER = "outer"
    INNER = "inner"


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column holds what; `inner` is the ingredient's own share, if apart."""

    outer: Column | None
    inner: Column | None
    product: Column | None


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of one raw material, or a single ingredient."""

    rows: tuple[SourceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One ingredient of a portion; `weight` is its share of the portion, 0 to 1."""

    row: SourceRow
    weight: Interval
    is_exploded: bool
    stated: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """A share of the product and the ingredients that make it up."""

    amount: Amount
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Explosion:
    """All portions, the basis that was chosen, and where the sheet contradicts itself.

    `open_blends` have a composition that does not come to 100 %.
    """

    portions: tuple[Portion, ...]
    basis: Basis | None
    mismatches: tuple[tuple[Amount, Decimal], ...]
    open_blends: tuple[Block, ...]


def layout_of(columns: frozenset[Column]) -> Layout:
    """Return which column is the raw material's share and which the ingredient's."""
    outer = Column.RAW_PERCENT if Column.RAW_PERCENT in columns else Column.PERCENT
    inner = Column.SUB_PERCENT if Column.SUB_PERCENT in columns else None
    if inner is None and {Column.RAW_PERCENT, Column.PERCENT} <= columns:
        inner = Column.PERCENT
    product = Column.PRODUCT_PERCENT if Column.PRODUCT_PERCENT in columns else None
    if outer not in columns:
        # "% in formula" is the raw material's share where no other column states it.
        return Layout(product, inner, None) if product else Layout(inner, None, None)
    return Layout(outer, inner, product)


def blocks_of(rows: Sequence[SourceRow], layout: Layout) -> list[Block]:
    """Group rows that belong to one raw material."""
    blocks: list[list[SourceRow]] = []
    for row in rows:
        if blocks and _continues(row, blocks[-1], layout):
            blocks[-1].append(row)
        else:
            blocks.append([row])
    return [Block(tuple(block)) for block in blocks]


def _continues(row: SourceRow, block: list[SourceRow], layout: Layout) -> bool:
    head = block[0]
    if row.opens and head.word(Column.TRADE_NAME) != row.word(Column.TRADE_NAME):
        return False
    if layout.inner is not None and layout.inner in row.quantities:
        return _is_further_part(row, head, layout)
    # Without a second column, children follow a raw material that names no ingredient.
    return not row.opens and _is_heading(head)


def _is_further_part(row: SourceRow, head: SourceRow, layout: Layout) -> bool:
    if row.opens:  # and so repeats the name of the raw material, if there is one
        return row.word(Column.TRADE_NAME) is not None
    if layout.outer not in row.quantities:
        return True
    return head.word(Column.TRADE_NAME) is not None and (
        row.word(Column.TRADE_NAME) in {None, head.word(Column.TRADE_NAME)}
    )


def _is_heading(row: SourceRow) -> bool:
    has_name = row.word(Column.TRADE_NAME) is not None
    return has_name and row.word(Column.INCI) is None and not row.word(Column.NAME)


def explode(
    rows: Sequence[SourceRow], amounts: AmountTable, columns: frozenset[Column]
) -> Explosion:
    """Return every ingredient's share of the product."""
    layout = layout_of(columns)
    blocks = blocks_of(rows, layout)
    basis = _basis(blocks, amounts, layout)
    portions: list[Portion] = []
    for block in blocks:
        portions.extend(_portions(block, amounts, layout, basis))
    return Explosion(
        tuple(portions),
        basis if any(len(block.rows) > 1 for block in blocks) else None,
        tuple(_mismatches(blocks, amounts, layout)),
        tuple(_open_blends(blocks, amounts, layout, basis)),
    )


def _basis(blocks: Sequence[Block], amounts: AmountTable, layout: Layout) -> Basis:
    """Return the reading that most blocks speak for; the total breaks a tie."""
    votes = Counter(
        vote for block in blocks if (vote := _vote(block, amounts, layout)) is not None
    )
    ranked = votes.most_common(2)
    if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]):
        return ranked[0][0]
    return min(Basis, key=lambda each: _miss(blocks, amounts, layout, each))


def _miss(
    blocks: Sequence[Block], amounts: AmountTable, layout: Layout, basis: Basis
) -> Decimal:
    portions = [p for b in blocks for p in _portions(b, amounts, layout, basis)]
    total = Interval.sum(share(portion) for portion in portions)
    rests = any(portion.amount.is_rest for portion in portions)
    return max(total.lower - HUNDRED, ZERO) if rests else total.distance(HUNDRED)


def share(portion: Portion) -> Interval:
    """Return what a portion adds to the total; a full composition adds all of it."""
    if portion.amount.is_rest:
        return Interval(ZERO, ZERO)
    weights = Interval.sum(part.weight for part in portion.parts)
    whole = portion.amount.interval
    return whole if weights.contains(Decimal(1)) else whole.times(weights)


def _vote(block: Block, amounts: AmountTable, layout: Layout) -> Basis | None:
    children = _children(block, amounts, layout)
    outers = [a for r in block.rows if (a := _outer(r, amounts, layout)) is not None]
    if len(children) < 2 or not outers:  # noqa: PLR2004 - one part says nothing
        return None
    total = Interval.sum(amount.interval for _, amount in children)
    if layout.inner is not None and len(outers) == len(block.rows):
        return _vote_of_full_rows(outers, children, total)
    if total.distance(HUNDRED) <= _WHOLE_MARGIN:
        return Basis.RAW
    whole = outers[0].interval
    near = total.distance(whole.upper) <= whole.upper * _RELATIVE_MARGIN
    return Basis.INNER if near else None


def _vote_of_full_rows(
    outers: list[Amount], children: list[tuple[SourceRow, Amount]], total: Interval
) -> Basis | None:
    if total.distance(HUNDRED) > _WHOLE_MARGIN:
        return None
    if len({amount.interval for amount in outers}) > 1:
        return Basis.OUTER
    # Equal parts of equal shares fit both readings.
    return Basis.RAW if len({a.interval for _, a in children}) > 1 else None


def _outer(row: SourceRow, amounts: AmountTable, layout: Layout) -> Amount | None:
    return None if layout.outer is None else amounts.at(row, layout.outer)


def _children(
    block: Block, amounts: AmountTable, layout: Layout
) -> list[tuple[SourceRow, Amount]]:
    """Return the ingredient rows with their own amount."""
    column = layout.inner or layout.outer
    rows = block.rows[1:] if _is_heading(block.rows[0]) else block.rows
    found = ((row, amounts.at(row, column)) for row in rows if column is not None)
    return [(row, amount) for row, amount in found if amount is not None]


def _portions(
    block: Block, amounts: AmountTable, layout: Layout, basis: Basis
) -> list[Portion]:
    if layout.product is not None:
        stated = _stated_portions(block, amounts, layout.product)
        if len(stated) == len(block.rows):
            return stated
    if _is_composed(block, amounts, layout) and basis is not Basis.OUTER:
        return _composed(block, amounts, layout, basis)
    return _plain(block, amounts, layout)


def _stated_portions(
    block: Block, amounts: AmountTable, product: Column
) -> list[Portion]:
    found = ((row, amounts.at(row, product)) for row in block.rows)
    return [_alone(row, amount) for row, amount in found if amount is not None]


def _is_composed(block: Block, amounts: AmountTable, layout: Layout) -> bool:
    if layout.inner is None:
        return len(block.rows) > 1 and _is_heading(block.rows[0])
    return bool(_children(block, amounts, layout))


def _composed(
    block: Block, amounts: AmountTable, layout: Layout, basis: Basis
) -> list[Portion]:
    children = _children(block, amounts, layout)
    outer = _outer(block.rows[0], amounts, layout)
    if outer is None or basis is Basis.INNER:
        return [_alone(row, amount) for row, amount in children]
    if _is_pure(children):
        return [_alone(children[0][0], outer)]
    weights = _weights([amount for _, amount in children])
    parts = tuple(
        Part(row=row, weight=weight, is_exploded=True, stated=amount)
        for (row, amount), weight in zip(children, weights, strict=True)
    )
    return (
        [Portion(amount=outer, parts=parts)]
        if parts
        else _plain(block, amounts, layout)
    )


def _is_pure(children: Sequence[tuple[SourceRow, Amount]]) -> bool:
    """Return whether one ingredient makes up all of the raw material."""
    whole = Interval.exactly(HUNDRED)
    return len(children) == 1 and children[0][1].interval == whole


def _weights(amounts: Sequence[Amount]) -> list[Interval]:
    """Return shares of 1; a rest inside the composition takes what is left of 100."""
    known = Interval.sum(a.interval for a in amounts if not a.is_rest)
    left = Interval(max(HUNDRED - known.upper, ZERO), max(HUNDRED - known.lower, ZERO))
    bounds = (left if amount.is_rest else amount.interval for amount in amounts)
    return [each.scaled(Decimal(1) / HUNDRED) for each in bounds]


def _plain(block: Block, amounts: AmountTable, layout: Layout) -> list[Portion]:
    found = ((row, _outer(row, amounts, layout)) for row in block.rows)
    return [_alone(row, amount) for row, amount in found if amount is not None]


def _alone(row: SourceRow, amount: Amount) -> Portion:
    part = Part(
        row=row,
        weight=Interval.exactly(Decimal(1)),
        is_exploded=False,
        stated=amount,
    )
    return Portion(amount=amount, parts=(part,))


def _mismatches(
    blocks: Sequence[Block], amounts: AmountTable, layout: Layout
) -> list[tuple[Amount, Decimal]]:
    """Return shares of the product that differ from raw material times composition."""
    if layout.product is None or layout.inner is None:
        return []
    found: list[tuple[Amount, Decimal]] = []
    for block in blocks:
        outer = _outer(block.rows[0], amounts, layout)
        for row in block.rows:
            inner = amounts.at(row, layout.inner)
            stated = amounts.at(row, layout.product)
            if outer and inner and stated and (miss := _off_by(outer, inner, stated)):
                found.append((stated, miss))
    return found


def _off_by(outer: Amount, inner: Amount, stated: Amount) -> Decimal | None:
    if outer.is_rest or inner.is_rest or stated.is_rest:
        return None
    computed = outer.interval.times(inner.interval).scaled(Decimal(1) / HUNDRED)
    allowed = max(computed.upper * _RELATIVE_MARGIN, _SMALLEST_MISMATCH)
    off = computed.distance(stated.interval.lower)
    return computed.upper if off > allowed else None


def _open_blends(
    blocks: Sequence[Block], amounts: AmountTable, layout: Layout, basis: Basis
) -> list[Block]:
    """Return raw materials whose stated composition does not come to 100 %."""
    if basis is not Basis.RAW:
        return []
    return [block for block in blocks if _is_open(block, amounts, layout)]


def _is_open(block: Block, amounts: AmountTable, layout: Layout) -> bool:
    if not _is_composed(block, amounts, layout):
        return False
    children = [amount for _, amount in _children(block, amounts, layout)]
    if any(amount.is_rest for amount in children):
        return False
    return Interval.sum(a.interval for a in children).distance(HUNDRED) > ZERO


def is_blend(inci: str) -> bool:
    """Return whether one cell names several ingredients without their shares."""
    return _BLEND.search(inci) is not None
