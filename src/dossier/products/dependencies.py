"""Wiring of products and formulas."""

from typing import Annotated, Literal

from fastapi import Depends, Query

from dossier.core.schemas import StorableText
from dossier.core.web import (
    AppSettings,
    CurrentActor,
    RequestSession,
    Sessions,
)
from dossier.documents.dependencies import Store
from dossier.documents.service import DocumentsService
from dossier.integrations.parsing.reader import SandboxedBooks, limits_of
from dossier.products.categories import category_of
from dossier.products.constants import ProductState
from dossier.products.service.formulas import FormulaImporter, FormulaService
from dossier.products.service.products import ProductsService
from dossier.products.types import ProductFilter


async def get_products_service(
    session: RequestSession, actor: CurrentActor
) -> ProductsService:
    """Build the service from the request's transaction and actor."""
    return ProductsService(session, actor, DocumentsService(session, actor))


Products = Annotated[ProductsService, Depends(get_products_service)]


async def product_filter(
    *,
    search: Annotated[
        StorableText | None,
        Query(max_length=200, description="Part of the code, a name or an alias."),
    ] = None,
    category: Annotated[str | None, Query(max_length=200)] = None,
    market: Literal["tw"] | None = None,
    state: ProductState | None = None,
    archived: Annotated[
        bool, Query(description="Those that are archived; by default the others.")
    ] = False,
) -> ProductFilter:
    """Return the conditions of a list from the query; the category must be known."""
    if category is not None:
        category_of(category, pointer="category")
    return ProductFilter(search, category, market, state, archived)


FilterQuery = Annotated[ProductFilter, Depends(product_filter)]


async def get_formula_service(
    session: RequestSession, actor: CurrentActor, products: Products
) -> FormulaService:
    """Build the service from the request's transaction and actor."""
    return FormulaService(session, actor, products)


Formulas = Annotated[FormulaService, Depends(get_formula_service)]


async def get_formula_importer(
    sessions: Sessions, actor: CurrentActor, store: Store, settings: AppSettings
) -> FormulaImporter:
    """Build the importer, which opens its own short transactions."""
    reader = SandboxedBooks(limits_of(settings.limits))
    return FormulaImporter(sessions, actor, store, reader)


FormulaImports = Annotated[FormulaImporter, Depends(get_formula_importer)]
