"""Routes of the board, its decisions, confirmations, matches and versions."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, status

from dossier.core.pagination import Paging, Slice
from dossier.core.schemas import Page
from dossier.core.web import Reader
from dossier.pif.constants import DecisionKind, Market
from dossier.pif.dependencies import (
    Confirmations,
    Decisions,
    Matching,
    Versions,
)
from dossier.pif.models import PifConfirmation, PifDecision, PifVersion
from dossier.pif.schemas import (
    BoardResponse,
    ConfirmationRequest,
    ConfirmationResponse,
    DecisionRequest,
    DecisionResponse,
    MatchList,
    MatchRequest,
    VersionResponse,
    VersionSummary,
)
from dossier.pif.service.board import board_members, read_board
from dossier.products.constants import ITEM_COUNT

router = APIRouter(prefix="/products/{product_id}/pif", tags=["pif"])

ItemNumber = Annotated[int, Path(ge=1, le=ITEM_COUNT, examples=[11])]
VersionNumber = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[1])]


@router.get("", response_model=BoardResponse)
async def get_pif(
    product_id: UUID, reader: Reader, market: Market = "tw"
) -> dict[str, Any]:
    """Return the sixteen items, how complete they are and what would close gaps."""
    return board_members(await read_board(reader, product_id, market))


@router.put("/items/{item}/waiver", response_model=DecisionResponse)
async def waive_item(
    product_id: UUID, item: ItemNumber, body: DecisionRequest, decisions: Decisions
) -> PifDecision:
    """State why a test report need not be made; items 11 to 13."""
    return await decisions.waive(product_id, item, body.reason)


@router.delete("/items/{item}/waiver", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_waiver(
    product_id: UUID, item: ItemNumber, decisions: Decisions
) -> None:
    """Take a waiver back."""
    await decisions.revoke(product_id, item, DecisionKind.WAIVER)


@router.put("/items/{item}/declaration", response_model=DecisionResponse)
async def declare_item(
    product_id: UUID, item: ItemNumber, body: DecisionRequest, decisions: Decisions
) -> PifDecision:
    """Declare an item instead of showing a document; items 5 and 8."""
    return await decisions.declare(product_id, item, body.reason)


@router.delete("/items/{item}/declaration", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_declaration(
    product_id: UUID, item: ItemNumber, decisions: Decisions
) -> None:
    """Take a declaration back."""
    await decisions.revoke(product_id, item, DecisionKind.DECLARATION)


@router.put("/items/{item}/confirmation", response_model=ConfirmationResponse)
async def confirm_item(
    product_id: UUID,
    item: ItemNumber,
    body: ConfirmationRequest,
    confirmations: Confirmations,
) -> PifConfirmation:
    """Confirm that a linked document meets the item, with the reason.

    For items 11 to 13 the signed 16(1) that gives the reason of a waiver will do.
    """
    return await confirmations.confirm(
        product_id, item, body.document_id, body.requirement, body.reason
    )


@router.delete("/items/{item}/confirmation", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_confirmation(
    product_id: UUID,
    item: ItemNumber,
    confirmations: Confirmations,
    document_id: UUID | None = None,
) -> None:
    """Take the confirmations of an item back, or those of one document."""
    await confirmations.revoke(product_id, item, document_id)


@router.post("/matches")
async def match_documents(
    product_id: UUID, body: MatchRequest, matching: Matching
) -> MatchList:
    """Match documents to the items by their names and words."""
    match = matching.apply if body.apply else matching.propose
    items = await match(product_id, body.document_ids)
    return MatchList(items=items, is_applied=body.apply)


@router.get("/versions", response_model=Page[VersionSummary])
async def list_pif_versions(
    product_id: UUID, page: Paging, versions: Versions, market: Market = "tw"
) -> Slice[PifVersion]:
    """List the versions of a product's file, the newest first."""
    return await versions.list_versions(product_id, page, market)


@router.get(
    "/versions/{number}",
    response_model=VersionResponse,
    response_model_exclude_unset=True,  # an earlier version as it was stored
)
async def get_pif_version(
    product_id: UUID, number: VersionNumber, versions: Versions, market: Market = "tw"
) -> PifVersion:
    """Return one version with its snapshot."""
    return await versions.get_version(product_id, number, market)
