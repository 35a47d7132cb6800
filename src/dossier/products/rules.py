"""Pure rules of products: identity, and the requirements of an item."""

import hashlib
import unicodedata

from dossier.core.errors import Fault, suggestion
from dossier.products.constants import REQUIREMENTS
from dossier.products.exceptions import (
    ProductNameMissingError,
    RequirementUnknownError,
)


def identity_key(
    *, code: str | None, holder: str, name_zh: str | None, name_en: str | None
) -> str:
    """Return what makes two descriptions the same product: code, else holder and names.

    Width, case and runs of spaces do not make another product.
    """
    if not (name_zh or name_en):
        detail = "State name_zh, name_en or both."
        faults = tuple(
            Fault(f"#/{name}", detail, "missing") for name in ("name_zh", "name_en")
        )
        raise ProductNameMissingError(detail, faults=faults)
    members = ["code", code] if code else ["names", holder, name_zh, name_en]
    folded = (
        " ".join(unicodedata.normalize("NFKC", member or "").casefold().split())
        for member in members
    )
    return hashlib.sha256("\x1f".join(folded).encode()).hexdigest()


def identity_words(
    *, code: str | None, holder: str, name_zh: str | None, name_en: str | None
) -> str:
    """Describe the identity in the error about a product that exists already."""
    if code:
        return f"the code {code}"
    names = " / ".join(filter(None, (name_zh, name_en)))
    return f"the holder {holder} and the name {names}"


def check_requirement(code: str, item: int) -> None:
    """Raise an error that lists the known codes unless the item has this one."""
    known = [f"tw-{item}.{word}" for word in REQUIREMENTS[item]]
    if code not in known:
        detail = (
            f"Item {item} has no requirement {code!r}.{suggestion(code, known)}"
            f" Known: {', '.join(known)}."
        )
        fault = Fault("#/requirement", detail, "unknown")
        raise RequirementUnknownError(detail, faults=(fault,))
