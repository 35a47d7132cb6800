"""Tokens of shared links, and what a citation shows to strangers."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, Final

TOKEN_BYTES: Final = 32
SHOWN: Final = ("number", "filename", "page", "label", "quote")
"""Members of a citation that strangers see: no id of anything."""


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_sha256(token: str) -> str:
    """Return what is kept of a token; links are found by it, so no time is told."""
    return hashlib.sha256(token.encode()).hexdigest()


def shown_citation(citation: Mapping[str, Any]) -> dict[str, Any]:
    """Return a citation as strangers see it."""
    return {name: citation.get(name) for name in SHOWN}
