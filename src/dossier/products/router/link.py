"""Routes of the links from papers to items."""

from uuid import UUID

from fastapi import APIRouter, status

from dossier.products.dependencies import Products
from dossier.products.models import ProductDocument
from dossier.products.schemas import LinkCreate, LinkList, LinkResponse

router = APIRouter(prefix="/products/{product_id}/documents", tags=["products"])


@router.get("")
async def list_product_documents(product_id: UUID, products: Products) -> LinkList:
    """List the papers linked to a product, by item."""
    links = await products.list_links(product_id)
    return LinkList.model_validate({"items": list(links)})


@router.post("", status_code=status.HTTP_201_CREATED, response_model=LinkResponse)
async def link_document(
    product_id: UUID, body: LinkCreate, products: Products
) -> ProductDocument:
    """Link a paper to an item, or to one requirement of it."""
    return await products.link_document(product_id, **body.model_dump())


@router.delete("/{link_id}", status_code=status.HTTP_204_NO_CONTENT)
async def unlink_document(product_id: UUID, link_id: UUID, products: Products) -> None:
    """Take a link away; the document stays."""
    await products.unlink_document(product_id, link_id)
