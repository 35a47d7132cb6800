"""Making the snapshot of a version, and the hash that tells versions apart."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from dossier import __version__
from dossier.core.findings import finding_json
from dossier.documents.models import Document
from dossier.pif.schemas import PifSnapshot, item_members
from dossier.pif.service.board import Board
from dossier.products.models import (
    FormulaLine,
    FormulaVersion,
    Product,
    ProductDocument,
)
from dossier.products.service import Category

_NOT_CONTENT = ("version_number", "created_at", "generator")
"""Members that differ although nothing about the product does."""

_PRODUCT = (
    "id",
    "code",
    "name_zh",
    "name_en",
    "category",
    "dosage_form",
    "use",
    "body_site",
    "population",
    "intended_use",
    "usage",
    "sites",
    "holder",
    "markets",
)

_LINE = (
    "position",
    "phase",
    "trade_name",
    "supplier",
    "inci",
    "cas",
    "ec",
    "function",
    "percent_text",
    "percent_lower",
    "percent_upper",
    "is_qs",
)

# The strongest reason comes first where a paper is linked more than once.
_MATCHED_BY = ("stated", "user", "filename", "content")


def make_snapshot(
    board: Board,
    product: Product,
    formula: dict[str, Any] | None,
    evidence: Sequence[dict[str, Any]],
    *,
    number: int,
    at: datetime,
) -> PifSnapshot:
    """Return the snapshot of a board."""
    return PifSnapshot.model_validate(
        {
            "market": board.market,
            "version_number": number,
            "created_at": at,
            "product": _product(product, board.category),
            "completeness": board.completeness,
            "items": [item_members(item) for item in board.items],
            "formula": formula,
            "findings": [finding_json(finding) for finding in board.findings],
            "evidence": evidence,
            "generator": {"name": "dossier", "version": __version__},
        }
    )


def snapshot_json(snapshot: PifSnapshot) -> dict[str, Any]:
    """Return the members that are stored."""
    return snapshot.model_dump(mode="json")


def content_sha256(stored: dict[str, Any]) -> str:
    """Return the hash of what a version says of the product.

    Canonical: keys sorted, no spaces, UTF-8, decimals and instants as text.
    """
    content = {k: v for k, v in stored.items() if k not in _NOT_CONTENT}
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()


def _product(product: Product, category: Category) -> dict[str, Any]:
    return {name: getattr(product, name) for name in _PRODUCT} | {
        "category_zh": category.name_zh,
        "category_en": category.name_en,
        "tfda_category": category.tfda_category_zh,
        "phase_in_on": category.phase_in_on,
    }


def formula_members(
    formula: FormulaVersion, lines: Sequence[FormulaLine]
) -> dict[str, Any]:
    """Return a formula version as a snapshot keeps it."""
    return {
        "number": formula.number,
        "sheet": formula.sheet,
        "filename": formula.filename,
        "sha256": formula.sha256,
        "total_lower": formula.total_lower,
        "total_upper": formula.total_upper,
        "tolerance": formula.tolerance,
        "lines": [_line(line) for line in lines],
    }


def _line(line: FormulaLine) -> dict[str, Any]:
    members = {name: getattr(line, name) for name in _LINE}
    return members | {"cell": line.place.get("cell")}


def evidence_members(
    document: Document, links: Sequence[ProductDocument]
) -> dict[str, Any]:
    """Return a linked paper as a snapshot keeps it."""
    own = [link for link in links if link.document_id == document.id]
    first = min(own, key=lambda link: _MATCHED_BY.index(link.matched_by))
    return {
        "document_id": document.id,
        "filename": document.filename,
        "sha256": document.sha256,
        "size_bytes": document.size_bytes,
        "media_type": document.media_type,
        "items": sorted({link.item for link in own}),
        "matched_by": first.matched_by,
        "reason": first.reason,
    }
