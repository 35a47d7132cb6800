"""Requests and responses of products and formulas."""

from dossier.products.schemas.formula import FormulaLineResponse as FormulaLineResponse
from dossier.products.schemas.formula import FormulaNote as FormulaNote
from dossier.products.schemas.formula import (
    FormulaPreviewResponse as FormulaPreviewResponse,
)
from dossier.products.schemas.formula import FormulaRequest as FormulaRequest
from dossier.products.schemas.formula import FormulaResponse as FormulaResponse
from dossier.products.schemas.formula import (
    FormulaVersionResponse as FormulaVersionResponse,
)
from dossier.products.schemas.product import CategoryList as CategoryList
from dossier.products.schemas.product import CategoryResponse as CategoryResponse
from dossier.products.schemas.product import HolderBody as HolderBody
from dossier.products.schemas.product import LinkCreate as LinkCreate
from dossier.products.schemas.product import LinkList as LinkList
from dossier.products.schemas.product import LinkResponse as LinkResponse
from dossier.products.schemas.product import Paragraph as Paragraph
from dossier.products.schemas.product import ProductCreate as ProductCreate
from dossier.products.schemas.product import ProductResponse as ProductResponse
from dossier.products.schemas.product import ProductUpdate as ProductUpdate
from dossier.products.schemas.product import SiteBody as SiteBody
from dossier.products.schemas.product import UsageBody as UsageBody
