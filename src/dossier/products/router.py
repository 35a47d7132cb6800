"""Routes of products, categories, linked documents and formulas."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response, status
from starlette.convertors import StringConvertor, register_url_convertor

from dossier.core.pagination import Paging, Slice
from dossier.core.problems import PROBLEM_CONTENT
from dossier.core.reads import Row
from dossier.core.schemas import Page
from dossier.core.web import Reader, get_actor
from dossier.products.categories import categories, sources
from dossier.products.dependencies import (
    FilterQuery,
    FormulaImports,
    Formulas,
    Products,
)
from dossier.products.models import FormulaVersion, Product, ProductDocument
from dossier.products.schemas import (
    CategoryList,
    FormulaPreviewResponse,
    FormulaRequest,
    FormulaResponse,
    FormulaVersionResponse,
    LinkCreate,
    LinkList,
    LinkResponse,
    ProductCreate,
    ProductResponse,
    ProductUpdate,
)
from dossier.products.service import products as product_service


class NotPreviewConvertor(StringConvertor):
    """Matches what stands for a version's number, and not the word beside it.

    `GET` of `/formulas/preview` is then another method of that path (405).
    """

    regex = "(?!preview$)[^/]+"


register_url_convertor("not_preview", NotPreviewConvertor())

products_router = APIRouter(tags=["products"])
formulas_router = APIRouter(prefix="/products/{product_id}/formulas", tags=["formulas"])

FormulaNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]
"""A version's number, as a column holds it."""


@products_router.get("/products", response_model=Page[ProductResponse])
async def list_products(
    page: Paging, wanted: FilterQuery, reader: Reader
) -> Slice[Row]:
    """List products, newest first."""
    return await product_service.list_products(reader, wanted, page)


@products_router.post(
    "/products", status_code=status.HTTP_201_CREATED, response_model=ProductResponse
)
async def create_product(body: ProductCreate, products: Products) -> Product:
    """State a product."""
    return await products.create_product(body)


@products_router.get("/products/{product_id}", response_model=ProductResponse)
async def get_product(product_id: UUID, reader: Reader) -> Row:
    """Return one product."""
    return await product_service.read_product(reader, product_id)


@products_router.patch("/products/{product_id}", response_model=ProductResponse)
async def update_product(
    product_id: UUID, body: ProductUpdate, products: Products
) -> Product:
    """Change the fields that are sent."""
    return await products.update_product(product_id, body)


@products_router.delete(
    "/products/{product_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses={
        status.HTTP_409_CONFLICT: {
            "description": "The product has versions; `archive=true` archives it.",
            "content": PROBLEM_CONTENT,
        }
    },
)
async def delete_product(
    product_id: UUID,
    products: Products,
    *,
    archive: Annotated[
        bool, Query(description="Archive it instead: not listed and not changed.")
    ] = False,
) -> None:
    """Delete a product that has no versions, or archive it."""
    if archive:
        await products.set_archived(product_id, is_archived=True)
    else:
        await products.delete_product(product_id)


@products_router.post("/products/{product_id}/restore", response_model=ProductResponse)
async def restore_product(product_id: UUID, products: Products) -> Product:
    """Undo archiving; a product that is not archived stays as it is."""
    return await products.set_archived(product_id, is_archived=False)


@products_router.get(
    "/categories", tags=["categories"], dependencies=[Depends(get_actor)]
)
async def list_categories() -> CategoryList:
    """List the categories, and how sure each column is."""
    return CategoryList.model_validate(
        {"items": list(categories().values()), "sources": sources()}
    )


@products_router.get("/products/{product_id}/documents")
async def list_product_documents(product_id: UUID, products: Products) -> LinkList:
    """List the documents linked to a product, by item."""
    links = await products.list_links(product_id)
    return LinkList.model_validate({"items": list(links)})


@products_router.post(
    "/products/{product_id}/documents",
    status_code=status.HTTP_201_CREATED,
    response_model=LinkResponse,
)
async def link_document(
    product_id: UUID, body: LinkCreate, products: Products
) -> ProductDocument:
    """Link a document to an item, or to one requirement of it."""
    return await products.link_document(product_id, **body.model_dump())


@products_router.delete(
    "/products/{product_id}/documents/{link_id}", status_code=status.HTTP_204_NO_CONTENT
)
async def unlink_document(product_id: UUID, link_id: UUID, products: Products) -> None:
    """Delete a link; the document stays."""
    await products.unlink_document(product_id, link_id)


@formulas_router.post("/preview", response_model=FormulaPreviewResponse)
async def preview_formula(
    product_id: UUID, body: FormulaRequest, imports: FormulaImports
) -> dict[str, Any]:
    """Show what an import would store, with its findings; store nothing."""
    draft = await imports.preview(
        product_id,
        body.document_id,
        sheet=body.sheet,
        column=body.column,
        tolerance=body.tolerance,
    )
    return draft.members()


@formulas_router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=FormulaResponse,
    responses={
        status.HTTP_200_OK: {"description": "The newest version says the same."}
    },
)
async def import_formula(
    product_id: UUID, body: FormulaRequest, imports: FormulaImports, response: Response
) -> dict[str, Any]:
    """Store the formula of a document as the next version, unless it is the newest."""
    stored = await imports.import_formula(
        product_id,
        body.document_id,
        sheet=body.sheet,
        column=body.column,
        tolerance=body.tolerance,
    )
    if not stored.is_created:
        response.status_code = status.HTTP_200_OK
    return stored.members()


@formulas_router.get("", response_model=Page[FormulaVersionResponse])
async def list_formulas(
    product_id: UUID, page: Paging, formulas: Formulas
) -> Slice[FormulaVersion]:
    """List the versions of a product's formula, the newest first."""
    return await formulas.list_formulas(product_id, page)


@formulas_router.get("/{number:not_preview}", response_model=FormulaResponse)
async def get_formula(
    product_id: UUID, number: FormulaNumber, formulas: Formulas
) -> dict[str, Any]:
    """Return one version with its lines."""
    return (await formulas.get_formula(product_id, number)).members()


routers = (products_router, formulas_router)
