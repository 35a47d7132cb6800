"""Use cases of products and formulas. Starts no transaction, commits none."""

from dossier.products.service.product import ProductsService as ProductsService
from dossier.products.service.product import Upserted as Upserted
