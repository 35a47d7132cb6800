"""Pure rules of products and formulas: plain values in, plain values out."""

from dossier.products.rules.categories import Category as Category
from dossier.products.rules.categories import Source as Source
from dossier.products.rules.categories import categories as categories
from dossier.products.rules.categories import category_of as category_of
from dossier.products.rules.categories import sources as sources
from dossier.products.rules.identity import identity_key as identity_key
from dossier.products.rules.identity import identity_words as identity_words
from dossier.products.rules.requirement import check_requirement as check_requirement
