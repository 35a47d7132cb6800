"""Use cases of products and formulas. Starts no transaction, commits none."""

from dossier.products.rules import Category as Category
from dossier.products.rules import category_of as category_of
from dossier.products.service.formula import FormulaDraft as FormulaDraft
from dossier.products.service.formula import FormulaImporter as FormulaImporter
from dossier.products.service.formula import FormulaService as FormulaService
from dossier.products.service.formula import FormulaWish as FormulaWish
from dossier.products.service.formula import StoredFormula as StoredFormula
from dossier.products.service.product import LinkedItem as LinkedItem
from dossier.products.service.product import ProductsService as ProductsService
from dossier.products.service.product import Upserted as Upserted
from dossier.products.service.product import list_products as list_products
from dossier.products.service.product import read_product as read_product
