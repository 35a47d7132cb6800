"""The requirements that a paper can be linked to, by item."""

from dossier.core.errors import Fault
from dossier.products.constants import REQUIREMENTS
from dossier.products.exceptions import RequirementUnknownError


def check_requirement(code: str, item: int) -> None:
    """Raise, with the codes that there are, unless the item asks for this."""
    known = [f"tw-{item}.{word}" for word in REQUIREMENTS[item]]
    if code not in known:
        detail = f"Item {item} has no requirement {code!r}; known: {', '.join(known)}."
        fault = Fault("#/requirement", detail, "unknown")
        raise RequirementUnknownError(detail, faults=(fault,))
