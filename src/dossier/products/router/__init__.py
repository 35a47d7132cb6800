"""Routes of products, their papers and their formulas."""

from dossier.products.router.formula import router as formula_router
from dossier.products.router.link import router as link_router
from dossier.products.router.product import router as product_router

routers = (product_router, link_router, formula_router)
