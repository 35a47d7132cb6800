"""Digests of structured values: equal values, equal digests, whatever their order."""

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID


def cache_key(**parts: Any) -> str:
    """Return the key of an answer: SHA-256 of its parts as canonical JSON.

    An answer depends on organisation, feature, prompt (version and hash), model,
    parameters, versions of tools, version of the corpus, and the input: whoever leaves
    one out will be answered for another.
    """
    return hashlib.sha256(canonical_json(parts).encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """Return JSON with sorted members and no spaces; only plain values are taken."""
    return json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        allow_nan=False,
        default=_plain,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    message = f"{type(value).__name__} has no canonical form"
    raise TypeError(message)
