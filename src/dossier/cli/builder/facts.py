"""What the user states of a product; held to the same schema as the API."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from dossier.cli.builder.errors import UnusableInputError
from dossier.cli.builder.folder import Paper
from dossier.cli.builder.product_file import FieldPath, ProductFile
from dossier.core.schemas import RequestModel
from dossier.pif.rules import rulebook
from dossier.products.constants import ITEM_COUNT
from dossier.products.exceptions import CategoryUnknownError
from dossier.products.rules import category_of
from dossier.products.schemas import ProductCreate

M = TypeVar("M", bound=BaseModel)

_OURS = ("evidence", "formula")
_MISSING = "missing"


class Evidence(RequestModel):
    """A paper tied to an item, or to one requirement of it, by its owner."""

    file: str
    item: int = Field(ge=1, le=ITEM_COUNT)
    requirement: str | None = None
    reason: str | None = None


class FormulaChoice(RequestModel):
    """Which spreadsheet holds the formula, and how exactly it must add up."""

    file: str | None = None
    sheet: str | None = None
    tolerance: Decimal = Field(default=Decimal(0), ge=0, le=1)


class Extras(RequestModel):
    """What stands in `product.yaml` beside the product's own fields."""

    evidence: list[Evidence] = Field(default_factory=list, max_length=500)
    formula: FormulaChoice = Field(default_factory=FormulaChoice)


class Facts:
    """A product that can be stated, with what its owner ties to it."""

    def __init__(self, product: ProductCreate, extras: Extras) -> None:
        self.product = product
        self.evidence = extras.evidence
        self.formula = extras.formula


def read_facts(stated: ProductFile, papers: Iterable[Paper]) -> Facts:
    """Check what was stated; every fault names its line and field.

    Raises:
        UnusableInputError: a field is missing, unknown or wrong, or a named paper is
            not in the folder.
    """
    values = dict(stated.values)
    theirs = {key: values.pop(key) for key in _OURS if key in values}
    reasons: list[str] = []
    product = _checked(ProductCreate, values, stated, reasons)
    extras = _checked(Extras, theirs, stated, reasons)
    if extras is not None:
        reasons += _absent_papers(extras, stated, {paper.name for paper in papers})
        reasons += _unknown_requirements(extras, stated)
    reasons += _unknown_category(values.get("category"), stated)
    if product is None or extras is None or reasons:
        raise UnusableInputError(*reasons)
    return Facts(product, extras)


def _checked(
    model: Callable[..., M],
    values: dict[str, Any],
    stated: ProductFile,
    reasons: list[str],
) -> M | None:
    try:
        return model(**{str(key): value for key, value in values.items()})
    except ValidationError as exc:
        reasons.extend(_faults(exc, stated))
        return None


def _faults(exc: ValidationError, stated: ProductFile) -> Iterator[str]:
    for error in exc.errors(include_url=False):
        path: FieldPath = error["loc"]
        message = error["msg"]
        if error["type"] == _MISSING:
            field = ".".join(str(part) for part in path)
            message = f"is needed; state it there or by --product {field}=…"
        yield f"{stated.locate(path)}: {message}"


def _unknown_category(category: object, stated: ProductFile) -> Iterator[str]:
    if not isinstance(category, str):
        return  # missing or no text: the schema has said so
    try:
        category_of(category)
    except CategoryUnknownError as exc:
        yield f"{stated.locate(('category',))}: {exc.detail}"


def _absent_papers(
    extras: Extras, stated: ProductFile, names: set[str]
) -> Iterator[str]:
    for position, entry in enumerate(extras.evidence):
        if entry.file not in names:
            place = stated.locate(("evidence", position, "file"))
            yield f"{place}: no such paper in the folder: {entry.file}"
    chosen = extras.formula.file
    if chosen is not None and chosen not in names:
        place = stated.locate(("formula", "file"))
        yield f"{place}: no such paper in the folder: {chosen}"


def _unknown_requirements(extras: Extras, stated: ProductFile) -> Iterator[str]:
    for position, entry in enumerate(extras.evidence):
        known = [part.code for part in rulebook().item(entry.item).requirements]
        if entry.requirement is not None and entry.requirement not in known:
            place = stated.locate(("evidence", position, "requirement"))
            codes = ", ".join(known)
            yield f"{place}: {entry.requirement}: item {entry.item} knows: {codes}"
