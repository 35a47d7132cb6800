"""The form of a requirement's code: market, item, word (`tw-12.microbes`)."""

import re

_CODE = re.compile(r"[a-z]{2}-(?P<item>[1-9]|1[0-6])\.[a-z]+(-[a-z]+)*")


def is_requirement_of(code: str, item: int) -> bool:
    """Say whether a code has the right form and belongs to the item."""
    match = _CODE.fullmatch(code)
    return match is not None and int(match["item"]) == item
