"""A product straight from the driver's row: the hot reads build no objects."""

from typing import Any

from dossier.core.reads import members_of


def product_json(row: Any) -> dict[str, Any]:
    """Return a row as `orjson` writes it."""
    product = members_of(row, "usage", "sites", "holder", "markets")
    product.pop("total", None)  # a list's, on each of its rows
    return product
