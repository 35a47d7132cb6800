"""Wiring of products and formulas."""

from typing import Annotated

from fastapi import Depends

from dossier.core.web import (
    AppSettings,
    CurrentActor,
    RequestSession,
    Sessions,
)
from dossier.documents.dependencies import Store
from dossier.documents.service import DocumentsService
from dossier.integrations.parsing.reader import SandboxedBooks, limits_of
from dossier.products.service.formulas import FormulaImporter, FormulaService
from dossier.products.service.products import ProductsService


async def get_products_service(
    session: RequestSession, actor: CurrentActor
) -> ProductsService:
    """Build the service from the request's transaction and actor."""
    return ProductsService(session, actor, DocumentsService(session, actor))


Products = Annotated[ProductsService, Depends(get_products_service)]


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
