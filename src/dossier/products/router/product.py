"""Routes of products and categories."""

from uuid import UUID

from fastapi import APIRouter, Depends, Response, status

from dossier.core.pagination import Paging
from dossier.core.schemas import Page
from dossier.core.web import get_actor, json_response, model_response
from dossier.products import rules
from dossier.products.dependencies import CreateProducts, Products, ReadProducts
from dossier.products.models import Product
from dossier.products.schemas import (
    CategoryList,
    ProductCreate,
    ProductResponse,
    ProductUpdate,
)

router = APIRouter(tags=["products"])


@router.get("/products", response_model=Page[ProductResponse])
async def list_products(page: Paging, products: ReadProducts) -> Response:
    """List products, newest first."""
    return json_response(await products.list_products(page))


@router.post(
    "/products", status_code=status.HTTP_201_CREATED, response_model=ProductResponse
)
async def create_product(body: ProductCreate, products: CreateProducts) -> Response:
    """State a product."""
    product = ProductResponse.model_validate(await products.create_product(body))
    return model_response(product, status.HTTP_201_CREATED)


@router.get("/products/{product_id}", response_model=ProductResponse)
async def get_product(product_id: UUID, products: ReadProducts) -> Response:
    """Return one product."""
    return json_response(await products.get_product(product_id))


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
