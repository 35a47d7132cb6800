"""Routes of formulas."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response, status

from dossier.core.pagination import Paging, Slice
from dossier.core.schemas import Page
from dossier.products.dependencies import FormulaImports, Formulas
from dossier.products.models import FormulaVersion
from dossier.products.schemas import (
    FormulaPreviewResponse,
    FormulaRequest,
    FormulaResponse,
    FormulaVersionResponse,
)
from dossier.products.service import FormulaWish

router = APIRouter(tags=["formulas"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
"""A version's number, as a column holds it."""


@router.post(
    "/products/{product_id}/formulas/preview", response_model=FormulaPreviewResponse
)
async def preview_formula(
    product_id: UUID, body: FormulaRequest, imports: FormulaImports
) -> dict[str, Any]:
    """Show what an import would store, with its findings; store nothing."""
    draft = await imports.preview(product_id, _wish(body))
    return draft.members()


@router.post(
    "/products/{product_id}/formulas",
    status_code=status.HTTP_201_CREATED,
    response_model=FormulaResponse,
    responses={
        status.HTTP_200_OK: {"description": "The newest version says the same."}
    },
)
async def import_formula(
    product_id: UUID, body: FormulaRequest, imports: FormulaImports, response: Response
) -> dict[str, Any]:
    """Keep the formula of a paper as the next version; the same one is kept once."""
    stored = await imports.import_formula(product_id, _wish(body))
    if not stored.is_created:
        response.status_code = status.HTTP_200_OK
    return stored.members()


@router.get(
    "/products/{product_id}/formulas", response_model=Page[FormulaVersionResponse]
)
async def list_formulas(
    product_id: UUID, page: Paging, formulas: Formulas
) -> Slice[FormulaVersion]:
    """List the versions of a product's formula, the newest first."""
    return await formulas.list_formulas(product_id, page)


@router.get("/products/{product_id}/formulas/{number}", response_model=FormulaResponse)
async def get_formula(
    product_id: UUID, number: Number, formulas: Formulas
) -> dict[str, Any]:
    """Return one version with its lines."""
    return (await formulas.get_formula(product_id, number)).members()


def _wish(body: FormulaRequest) -> FormulaWish:
    return FormulaWish(
        document_id=body.document_id, sheet=body.sheet, tolerance=body.tolerance
    )
