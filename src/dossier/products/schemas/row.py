"""A product straight from the driver's row: the hot reads build no objects."""

from typing import Any

import orjson

_JSON = ("usage", "sites", "holder", "markets")


def product_json(row: Any) -> dict[str, Any]:
    """Return a row as `orjson` writes it; JSON columns pass through unparsed."""
    product: dict[str, Any] = dict(row.items())
    product.pop("total", None)  # a list's, on each of its rows
    for name in _JSON:
        product[name] = orjson.Fragment(product[name])
    return product
