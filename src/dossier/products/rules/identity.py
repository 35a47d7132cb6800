"""What makes two descriptions the same product."""

import hashlib
import unicodedata
from typing import Final

from dossier.core.errors import Fault
from dossier.products.exceptions import ProductNameMissingError

NAMES: Final = ("name_zh", "name_en")


def identity_key(
    *, code: str | None, holder: str, name_zh: str | None, name_en: str | None
) -> str:
    """Return the key of a product: its code, else its holder and names.

    Width, case and runs of spaces do not make another product.
    """
    if not (name_zh or name_en):
        detail = "State name_zh, name_en or both."
        faults = tuple(Fault(f"#/{name}", detail, "missing") for name in NAMES)
        raise ProductNameMissingError(detail, faults=faults)
    parts = ["code", code] if code else ["names", holder, name_zh, name_en]
    folded = "\x1f".join(_folded(part or "") for part in parts)
    return hashlib.sha256(folded.encode()).hexdigest()


def identity_words(
    *, code: str | None, holder: str, name_zh: str | None, name_en: str | None
) -> str:
    """Say what the key is made of, for the person whose product has the same."""
    if code:
        return f"the code {code}"
    names = " / ".join(filter(None, (name_zh, name_en)))
    return f"the holder {holder} and the name {names}"


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
