"""Tables of products, their papers and their formula versions."""

from dossier.products.models.formula import FormulaLine as FormulaLine
from dossier.products.models.formula import FormulaVersion as FormulaVersion
from dossier.products.models.product import Product as Product
from dossier.products.models.product import ProductDocument as ProductDocument
