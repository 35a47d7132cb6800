"""What makes two descriptions the same product."""

import hashlib
import unicodedata

from dossier.products.exceptions import ProductNameMissingError


def identity_key(
    *, code: str | None, holder: str, name_zh: str | None, name_en: str | None
) -> str:
    """Return the key of a product: its code, else its holder and names.

    Width, case and runs of spaces do not make another product.
    """
    if not (name_zh or name_en):
        raise ProductNameMissingError
    parts = ["code", code] if code else ["names", holder, name_zh, name_en]
    folded = "\x1f".join(_folded(part or "") for part in parts)
    return hashlib.sha256(folded.encode()).hexdigest()


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
