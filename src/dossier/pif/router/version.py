"""Routes of the versions of a file."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from dossier.core.pagination import Paging, Slice
from dossier.core.schemas import Page
from dossier.pif.constants import Market
from dossier.pif.dependencies import Pif
from dossier.pif.models import PifVersion
from dossier.pif.schemas import VersionResponse, VersionSummary

router = APIRouter(prefix="/products/{product_id}/pif/versions", tags=["pif"])

VersionNumber = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[1])]


@router.get("", response_model=Page[VersionSummary])
async def list_pif_versions(
    product_id: UUID, page: Paging, pif: Pif, market: Market = "tw"
) -> Slice[PifVersion]:
    """List the versions of a product's file, the newest first."""
    return await pif.list_versions(product_id, page, market)


@router.get("/{number}", response_model=VersionResponse)
async def get_pif_version(
    product_id: UUID, number: VersionNumber, pif: Pif, market: Market = "tw"
) -> PifVersion:
    """Return one version with its snapshot."""
    return await pif.get_version(product_id, number, market)
