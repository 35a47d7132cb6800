"""Routes of products and categories."""

from uuid import UUID

from fastapi import APIRouter, Depends, status

from dossier.core.pagination import Paging, Slice
from dossier.core.reads import Row
from dossier.core.schemas import Page
from dossier.core.web import Reader, get_actor
from dossier.products import rules, service
from dossier.products.dependencies import Products
from dossier.products.models import Product
from dossier.products.schemas import (
    CategoryList,
    ProductCreate,
    ProductResponse,
    ProductUpdate,
)

router = APIRouter(tags=["products"])


@router.get("/products", response_model=Page[ProductResponse])
async def list_products(page: Paging, reader: Reader) -> Slice[Row]:
    """List products, newest first."""
    return await service.list_products(reader, page)


@router.post(
    "/products", status_code=status.HTTP_201_CREATED, response_model=ProductResponse
)
async def create_product(body: ProductCreate, products: Products) -> Product:
    """State a product."""
    return await products.create_product(body)


@router.get("/products/{product_id}", response_model=ProductResponse)
async def get_product(product_id: UUID, reader: Reader) -> Row:
    """Return one product."""
    return await service.read_product(reader, product_id)


@router.patch("/products/{product_id}", response_model=ProductResponse)
async def update_product(
    product_id: UUID, body: ProductUpdate, products: Products
) -> Product:
    """Change the fields that are sent."""
    return await products.update_product(product_id, body)


@router.get("/categories", tags=["categories"], dependencies=[Depends(get_actor)])
async def list_categories() -> CategoryList:
    """List the categories, and how sure each column is."""
    return CategoryList.model_validate(
        {"items": list(rules.categories().values()), "sources": rules.sources()}
    )
