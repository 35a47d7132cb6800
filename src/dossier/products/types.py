"""Value objects of products."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from dossier.products.constants import MatchedBy, MicrobialClass, ProductState, Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """What a category means to the rules of every market.

    `phase_in_on` is the day from which Taiwan asks for the file; `None` where it
    asks for none. `use` is the usual one; the product states its own.
    """

    id: str
    name_zh: str
    name_en: str
    use: Use
    tfda_category_zh: str
    tfda_category_en: str
    phase_in_on: date | None
    exposure_row_id: str | None
    annex_classes: tuple[str, ...]
    microbial_class: MicrobialClass


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """The certainty of a column of the category table, and where it was read."""

    certainty: str
    source: str


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """Conditions of a list of products; `None` means any."""

    search: str | None = None
    category: str | None = None
    market: str | None = None
    state: ProductState | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class NewLink:
    """A document that is to serve an item, or one of its requirements, and why."""

    document_id: UUID
    item: int
    requirement: str | None
    matched_by: MatchedBy
    reason: str | None
