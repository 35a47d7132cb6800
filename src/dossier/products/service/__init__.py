"""Use cases of products and formulas. Starts no transaction, commits none."""

from dossier.products.rules import Category as Category
from dossier.products.rules import category_of as category_of
from dossier.products.service.creates import ProductCreates as ProductCreates
from dossier.products.service.formula import FormulaDraft as FormulaDraft
from dossier.products.service.formula import FormulaImporter as FormulaImporter
from dossier.products.service.formula import FormulaService as FormulaService
from dossier.products.service.formula import FormulaWish as FormulaWish
from dossier.products.service.formula import StoredFormula as StoredFormula
from dossier.products.service.product import LinkedItem as LinkedItem
from dossier.products.service.product import ProductsService as ProductsService
from dossier.products.service.product import Upserted as Upserted
from dossier.products.service.reads import ProductReads as ProductReads
